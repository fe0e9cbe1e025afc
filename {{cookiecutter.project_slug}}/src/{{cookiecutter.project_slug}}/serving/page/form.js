"use strict";
// The form: one field for each column that the model sees.

const MANY = 30;

/** Return the columns that the model sees, as [name, column] in order. */
function featuresOf(contract) {
  const roles = ["feature", "time"];
  return Object.entries(contract.columns).filter(([, column]) => roles.includes(column.role ?? "feature"));
}

/** Return what a column may hold, in words. */
function hint(column) {
  const { minimum: low, maximum: high } = column;
  const parts = [column.description];
  if (low != null && high != null) parts.push(`${number(low)} to ${number(high)}`);
  else if (low != null) parts.push(`at least ${number(low)}`);
  else if (high != null) parts.push(`at most ${number(high)}`);
  if (column.type === "integer" && low == null && high == null) parts.push("a whole number");
  if (column.levels && column.allow_unknown) parts.push("or another value");
  return parts.filter(Boolean).join(" · ");
}

function options(column, texts) {
  const none = column.nullable ? "Not known" : "Choose…";
  return [["", none], ...texts].map(([value, text]) => element("option", { value }, text));
}

function input(id, column) {
  const { type, levels, minimum: min, maximum: max, allow_unknown: open } = column;
  if (type === "boolean") {
    return element("select", { id }, ...options(column, [["true", "Yes"], ["false", "No"]]));
  }
  if (levels && !open && levels.length <= MANY) {
    return element("select", { id }, ...options(column, levels.map((level) => [level, words(level)])));
  }
  if (type === "text") return element("textarea", { id, rows: 2 });
  if (type === "datetime") return element("input", { id, type: "datetime-local", step: "any" });
  if (type === "category") return element("input", { id, list: levels && `${id}-levels`, autocomplete: "off" });
  const keys = min >= 0 ? (type === "integer" ? "numeric" : "decimal") : null;
  const step = type === "integer" ? 1 : "any";
  return element("input", { id, type: "number", min, max, step, inputmode: keys, autocomplete: "off" });
}

/** One column's label, input, help and fault. */
class Field {
  constructor(name, column, position) {
    const id = `field-${position}`;
    Object.assign(this, { name, column, input: input(id, column) });
    const help = hint(column);
    this.fault = element("p", { id: `${id}-fault`, class: "wrong", hidden: true });
    this.input.setAttribute("aria-describedby", `${id}-fault${help ? ` ${id}-help` : ""}`);
    if (!column.nullable) this.input.setAttribute("aria-required", "true");
    const label = element("label", { for: id }, words(name));
    if (column.nullable) label.append(" ", element("small", {}, "optional"));
    this.box = element("div", { class: "field" }, label, this.input, this.fault);
    if (help) this.box.append(element("p", { id: `${id}-help`, class: "help" }, help));
    if (this.input.hasAttribute("list")) {
      const levels = column.levels.map((value) => element("option", { value }));
      this.box.append(element("datalist", { id: `${id}-levels` }, ...levels));
    }
    this.input.addEventListener("input", () => this.mark(""));
  }

  /** What the browser itself cannot read, in words. */
  get unreadable() {
    if (!this.input.validity.badInput) return "";
    return this.column.type === "datetime" ? "The date or the time is not complete" : "This is not a number";
  }

  get json() {
    // A form writes numbers and moments its own way, whatever the tables of the contract do.
    return cellJson(this.input.value, { type: this.column.type });
  }

  set value(value) {
    let text = value == null ? "" : String(value);
    if (this.column.type === "datetime" && text) {
      if (/(Z|[+-]\d\d:?\d\d)$/.test(text.slice(10))) text = new Date(text).toISOString().slice(0, -1);
      text = text.replace(" ", "T").replace(/(\.\d{3})\d+$/, "$1");
    }
    this.input.value = text;
    this.mark("");
  }

  mark(text) {
    show(this.fault, ...(text ? [text] : []));
    if (text) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }
}

/** The fields of a contract, filled, read and marked together. */
class Form {
  constructor(contract) {
    this.fields = featuresOf(contract).map(([name, column], position) => new Field(name, column, position));
    byId("fields").replaceChildren(...this.fields.map((field) => field.box));
  }

  fill(row) {
    for (const field of this.fields) field.value = Object.hasOwn(row, field.name) ? row[field.name] : null;
    this.mark([]);
  }

  get json() {
    return rowJson(this.fields.map((field) => [field.name, field.json]));
  }

  get unreadable() {
    const unread = this.fields.filter((field) => field.unreadable);
    return unread.map((field) => ({ column: field.name, rule: field.unreadable }));
  }

  /** Show what is wrong at the fields and above them, and go to the first. */
  mark(errors) {
    const found = new Map(errors.map((error) => [error.column, error.rule]));
    for (const field of this.fields) field.mark(found.get(field.name) ?? "");
    if (!errors.length) return show(byId("summary"));
    const lines = errors.map((error) => {
      const field = this.fields.find((one) => one.name === error.column);
      const label = field ? words(field.name) : error.column;
      const text = label ? `${label}: ${error.rule}` : error.rule;
      return element("li", {}, field ? element("a", { href: `#${field.input.id}` }, text) : text);
    });
    show(byId("summary"), element("strong", {}, "Not predicted"), element("ul", {}, ...lines));
    (this.fields.find((field) => found.has(field.name))?.input ?? byId("summary")).focus();
  }
}
