"use strict";
// Elements, and values in words. Texts become text nodes: nothing here is read as HTML.

const byId = (id) => document.getElementById(id);

/** Make an element; attributes that are false or null are left out. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** Show children in an element, or hide it when there are none. */
function show(target, ...children) {
  target.replaceChildren(...children);
  target.hidden = children.length === 0;
}

const ACRONYMS = /\b(auc|f1|mae|mape|mse|r2|rmse|roc)\b/g;

/** Write a name of the code as people do. */
function words(name) {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name)) return name;
  const spaced = name.replaceAll("_", " ").replace(ACRONYMS, (found) => found.toUpperCase());
  return spaced[0].toUpperCase() + spaced.slice(1);
}

const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

/** Write a number in four digits or so. */
function number(value, options = {}) {
  const size = Math.abs(value);
  if (size && (size >= 1e15 || size < 1e-4)) return value.toExponential(2);
  const digits = size >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 };
  return new Intl.NumberFormat("en-GB", { ...digits, ...options }).format(value).replace("-", "−");
}

const percent = (share) =>
  new Intl.NumberFormat("en-GB", { style: "percent", maximumFractionDigits: 1 }).format(share);

/** Show a number for people, and exactly for machines. */
const data = (value, text) => element("data", { value }, text);

const date = (moment) => new Intl.DateTimeFormat("en-GB", { dateStyle: "long" }).format(moment);

const SPANS = [["year", 31556952], ["month", 2629746], ["day", 86400], ["hour", 3600], ["minute", 60]];

/** Say how long ago a moment was. */
function ago(moment, now = Date.now()) {
  const seconds = (now - moment) / 1000;
  const [unit, span] = SPANS.find(([, span]) => seconds >= span) ?? ["second", 1];
  const count = Math.max(0, Math.floor(seconds / span));
  return new Intl.RelativeTimeFormat("en-GB", { numeric: "auto" }).format(-count, unit);
}

/** Make a table that scrolls by itself on a narrow screen. */
function table(caption, heads, rows) {
  const line = (tag, cells) =>
    element("tr", {}, ...cells.map((cell) => element(tag, tag === "th" && { scope: "col" }, cell ?? "")));
  return element(
    "div",
    { class: "table", role: "region", tabindex: 0, "aria-label": caption },
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, line("th", heads)),
      element("tbody", {}, ...rows.map((cells) => line("td", cells))),
    ),
  );
}
