"use strict";
// Text of a form or a file as the JSON that the contract wants.

const BOOLEANS = new Map([
  ...["true", "t", "yes", "y", "on", "1", "1.0"].map((text) => [text, "true"]),
  ...["false", "f", "no", "n", "off", "0", "0.0"].map((text) => [text, "false"]),
  ...["ja", "oui", "si", "sí", "sì", "sim", "да"].map((text) => [text, "true"]),
  ...["nein", "nee", "nej", "non", "não", "nao", "нет"].map((text) => [text, "false"]),
]);
const MONEY = /[\s'’$€£¥₹₽₩₺₫₪฿%]|USD|EUR|GBP|CHF|JPY|CNY|INR|BRL|R(?=\$)/g;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Return the JSON of a cell, or null when it stands for no value.
 *
 * What is not of the column's type goes as text, so that the server names the rule it breaks.
 */
function cellJson(text, column, missing = [""]) {
  text = text.trim();
  if (text === "" || missing.includes(text) || column.missing?.includes(text)) return null;
  const typed = { integer, number: decimal, boolean, datetime }[column.type];
  return typed?.(text, column) ?? JSON.stringify(text);
}

/** Return the JSON of a row, given [name, JSON of the cell] pairs; names may be any text. */
function rowJson(pairs) {
  const kept = pairs.filter(([, json]) => json !== null);
  return `{${kept.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}

/** Write a number as JSON does: no currency, percent or thousands sign. */
function plain(text, column) {
  text = text.replace(MONEY, "").replace("−", "-").replace(/^\((.*)\)$/, "-$1");
  if (column.decimal === ",") return text.replace(/(?<!\d{4})\.(?=\d{3}(\D|$))/g, "").replaceAll(",", ".");
  return text.replace(/(?<!\d{4}),(?=\d{3}(\D|$))/g, "");
}

function decimal(text, column) {
  const found = plain(text, column);
  return NUMBER.test(found) && Number.isFinite(Number(found)) ? String(Number(found)) : null;
}

function integer(text, column) {
  const found = plain(text, column).replace(/\.0+$/, "");
  // Digit by digit: a Number would lose those beyond 2**53.
  return /^[+-]?\d+$/.test(found) ? String(BigInt(found.replace("+", ""))) : decimal(text, column);
}

const boolean = (text) => BOOLEANS.get(text.toLowerCase());

function datetime(text, column) {
  if (column.format) return JSON.stringify(moment(text, column.format) ?? text);
  return JSON.stringify(text.replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3"));
}

const PARTS = {
  Y: "\\d{4}", y: "\\d\\d", m: "\\d\\d?", d: "\\d\\d?", b: "\\p{L}{3}", B: "\\p{L}+", a: "\\p{L}{3}",
  A: "\\p{L}+", H: "\\d\\d?", I: "\\d\\d?", M: "\\d\\d?", S: "\\d\\d?", f: "\\d{1,9}", p: "[ap]m",
  z: "Z|[+-]\\d\\d:?\\d\\d", T: "\\d\\d:\\d\\d:\\d\\d",
};
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Turn a moment written in a strptime format into ISO 8601; null when it is not. */
function moment(text, format) {
  const pattern = format.replace("%T", "%H:%M:%S").replace(/%([A-Za-z])|[\\^$.*+?()[\]{}|]/g, (all, part) =>
    part ? `(?<${part}>${PARTS[part] ?? "(?!)"})` : `\\${all}`,
  );
  const found = new RegExp(`^${pattern}$`, "iu").exec(text)?.groups;
  if (!found) return null;
  const two = (digits) => String(digits ?? 1).padStart(2, "0");
  const year = found.Y ?? (Number(found.y) < 69 ? `20${found.y}` : `19${found.y}`);
  const named = (found.b ?? found.B)?.slice(0, 3).toLowerCase();
  const month = named ? MONTHS.indexOf(named) + 1 : found.m;
  const hour = found.I ? (Number(found.I) % 12) + (found.p?.toLowerCase() === "pm" ? 12 : 0) : found.H;
  const time = [hour ?? 0, found.M ?? 0, found.S ?? 0].map(two).join(":");
  return `${year}-${two(month)}-${two(found.d)}T${time}${found.f ? `.${found.f.slice(0, 6)}` : ""}${found.z ?? ""}`;
}
