"use strict";
// Delimited text as RFC 4180 has it, and as spreadsheets write it.

/** Yield the records of a text as {cells, end}; `end` is how far the text is read. */
function* records(text, delimiter) {
  let cells = [], start = 0;
  const stop = new RegExp(`[${delimiter === "\t" ? "\\t" : delimiter}\\r\\n]`, "g");
  while (start <= text.length) {
    let cell;
    if (text[start] === '"') {
      [cell, start] = quoted(text, start + 1);
    } else {
      cell = "";
    }
    stop.lastIndex = start;
    const end = stop.exec(text)?.index ?? text.length;
    cells.push(cell + text.slice(start, end));
    start = end + 1;
    if (text[end] === delimiter) continue;
    if (text[end] === "\r" && text[start] === "\n") start += 1;
    if (cells.length > 1 || cells[0].trim()) yield { cells, end: Math.min(start, text.length) };
    cells = [];
  }
}

/** Read a quoted cell; returns it and where it ends. */
function quoted(text, start) {
  let cell = "";
  for (;;) {
    const end = text.indexOf('"', start);
    if (end < 0) return [cell + text.slice(start), text.length];
    cell += text.slice(start, end);
    if (text[end + 1] !== '"') return [cell, end + 1];
    cell += '"';
    start = end + 2;
  }
}

/** Return the delimiter that finds most of the wanted names in the first record. */
function delimiterOf(text, wanted) {
  const heads = (delimiter) => records(text, delimiter).next().value?.cells ?? [];
  const known = (delimiter) => heads(delimiter).filter((cell) => wanted.includes(cell.trim())).length;
  return [",", ";", "\t", "|"].reduce((best, next) => (known(next) > known(best) ? next : best));
}

/** Decode the bytes of a file: UTF-8, UTF-16 with its mark, else what Windows writes. */
function decode(bytes) {
  const [first, second] = new Uint8Array(bytes.slice(0, 2));
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** Write records as text. A cell that a spreadsheet would run as a formula is made text. */
function csvText(lines, delimiter) {
  const written = (cell) => {
    let text = String(cell ?? "");
    if (/^[=+\-@\t\r]/.test(text) && !NUMBER.test(text)) text = `'${text}`;
    return /["\r\n]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const text = lines.map((cells) => `${cells.map(written).join(delimiter)}\r\n`).join("");
  // Without the mark Excel takes other letters than ASCII for another encoding.
  return /[^\0-\x7f]/.test(text) ? `\ufeff${text}` : text;
}
