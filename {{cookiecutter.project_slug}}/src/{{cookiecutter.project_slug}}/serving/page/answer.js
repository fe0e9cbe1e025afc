"use strict";
// A prediction in words and bars.

const MOST = 8;

/** A bar of a share from 0 to 1, or a signed one about the middle. */
function bar(share, kind = "") {
  const track = element("span", { class: `track ${kind}`, "aria-hidden": "true" }, element("span"));
  track.firstChild.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  return track;
}

const line = (label, track, value) =>
  element("li", {}, element("span", { class: "label" }, label), value, track);

/** Return the most important items as a list, the others behind a click. */
function bars(items, rest) {
  const found = [element("ul", { class: "bars" }, ...items.slice(0, MOST))];
  if (items.length > MOST) {
    const more = element("ul", { class: "bars" }, ...items.slice(MOST));
    found.push(element("details", {}, element("summary", {}, `${items.length - MOST} more ${rest}`), more));
  }
  return found;
}

function classAnswer(prediction, coverage) {
  const ranked = Object.entries(prediction.probabilities).sort(([, one], [, other]) => other - one);
  const items = ranked.map(([label, share]) => line(label, bar(share), data(share, percent(share))));
  const often = coverage ? ` in ${percent(coverage)} of all cases` : " as often as was agreed";
  const set = prediction.set?.length ? prediction.set.join(", ") : "none of them";
  return [
    element("h3", {}, "Probabilities"),
    ...bars(items, "classes"),
    element("p", {}, element("strong", {}, `Prediction set: ${set}`), element("br"),
      element("span", { class: "soft" }, `The set holds the true class${often}.`)),
  ];
}

function valueAnswer(prediction, coverage) {
  if (!prediction.interval) return [];
  const [low, high] = prediction.interval;
  const dot = element("span", { class: "dot", "aria-hidden": "true" }, element("span"));
  const width = high - low || 1;
  dot.firstChild.style.left = `${100 * Math.min(1, Math.max(0, (prediction.value - low) / width))}%`;
  const often = coverage ? ` in ${percent(coverage)} of all cases` : " as often as was agreed";
  return [
    element("h3", {}, "Interval"),
    dot,
    element("p", { class: "ends" }, data(low, number(low)), data(high, number(high))),
    element("p", { class: "soft" }, `The true value lies in it${often}.`),
  ];
}

/** Write a number with its sign, since a colour alone says nothing to many, as exact as the largest. */
function signed(value, most) {
  const digits = Math.min(20, Math.max(0, 1 - Math.floor(Math.log10(most))));
  const format = { signDisplay: "exceptZero", minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat("en-GB", format).format(value).replace("-", "−");
}

/** Return the columns that drove an answer, the strongest first. */
function drivers({ method, base, contributions }, row) {
  const ranked = Object.entries(contributions).sort(([, one], [, other]) => Math.abs(other) - Math.abs(one));
  const most = Math.max(...ranked.map(([, by]) => Math.abs(by)), Number.MIN_VALUE);
  const items = ranked.map(([name, by]) => {
    const given = Object.hasOwn(row, name) ? words(String(row[name])) : "not known";
    const label = element("span", {}, words(name), " ", element("small", {}, given));
    return line(label, bar(Math.abs(by) / most / 2, by < 0 ? "down" : "up"), data(by, signed(by, most)));
  });
  const start = base == null ? "" : ` They start from ${number(base)}.`;
  return [
    element("h3", {}, "What drove it"),
    ...bars(items, "columns"),
    element("p", { class: "soft" }, `How much each column raised (+) or lowered (−) the answer.${start} Method: ${method}.`),
  ];
}

/** Show the prediction for a row. */
function showAnswer(prediction, row, served) {
  const { target } = served;
  const isClass = "label" in prediction;
  const label = String(prediction.label);
  const said = isClass
    ? [element("strong", {}, label), " ", data(prediction.probabilities[label], percent(prediction.probabilities[label]))]
    : [data(prediction.value, element("strong", {}, number(prediction.value)))];
  byId("said").className = "said";
  byId("said").replaceChildren(element("span", { class: "soft" }, words(target)), " ", ...said);
  const details = isClass ? classAnswer(prediction, served.coverage) : valueAnswer(prediction, served.coverage);
  if (prediction.explanation) details.push(...drivers(prediction.explanation, row));
  byId("details").replaceChildren(...details);
}

function clearAnswer(text = "The answer appears here.") {
  byId("said").className = "soft";
  byId("said").replaceChildren(text);
  byId("details").replaceChildren();
}
