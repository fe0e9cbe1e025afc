"use strict";
// A file of rows: read, scored part by part, and given back with its predictions.

const SHOWN = 20;
const LISTED = 100;
const TRIES = 5;

/** The rows of a file that are scored, and those that are not with the reasons. */
class Batch {
  constructor(served, signal) {
    Object.assign(this, { served, signal, limit: served.limits?.max_rows ?? 1000 });
    Object.assign(this, { heads: [], delimiter: ",", scored: [], left: [], versions: new Set() });
  }

  /** Read the text and score it; calls `progress` with the share that is done. */
  async run(text, progress) {
    const features = featuresOf(this.served.contract);
    this.delimiter = delimiterOf(text, features.map(([name]) => name));
    const lines = records(text, this.delimiter);
    this.heads = (lines.next().value?.cells ?? []).map((cell) => cell.trim());
    const places = this.places(features.map(([name]) => name));
    let part = [], position = 0;
    for (const { cells, end } of lines) {
      position += 1;
      const row = { position, cells };
      if (cells.length === this.heads.length) part.push(row);
      else this.leave(row, [{ rule: `has ${plural(cells.length, "cell")}; the header has ${this.heads.length}` }]);
      row.json = rowJson(features.map(([name, column], i) =>
        [name, cellJson(cells[places[i]] ?? "", column, this.served.contract.missing)]));
      if (part.length >= this.limit) {
        await this.score(part.splice(0));
        progress(end / text.length);
      }
    }
    await this.score(part);
    if (!position) throw new Refused(0, "The file has no rows below its header.");
  }

  places(names) {
    const twice = this.heads.filter((head, i) => names.includes(head) && this.heads.indexOf(head) < i);
    if (twice.length) throw new Refused(0, `The header names a column twice: ${twice.join(", ")}.`);
    const lacking = names.filter((name) => !this.heads.includes(name));
    if (lacking.length) {
      throw new Refused(0, `The header of the file lacks ${lacking.join(", ")}; its first line must name every column.`);
    }
    return names.map((name) => this.heads.indexOf(name));
  }

  /** Score rows: bad ones are left out and the rest is asked for again. */
  async score(rows) {
    while (rows.length) {
      const { predictions: found, errors, model } = await this.ask(rows);
      if (found) {
        this.versions.add(model.version);
        rows.forEach(({ position, cells }, i) => this.scored.push({ position, cells, prediction: found[i] }));
        return;
      }
      const whole = errors.filter((error) => !(error.row in rows));
      if (whole.length && rows.length > 1) {
        // The server takes fewer rows at once.
        const half = (this.limit = Math.ceil(rows.length / 2));
        await this.score(rows.slice(0, half));
        rows = rows.slice(half);
      } else {
        const bad = Map.groupBy(errors, (error) => error.row ?? 0);
        rows.forEach((row, i) => bad.has(i) && this.leave(row, bad.get(i)));
        rows = rows.filter((_, i) => !bad.has(i));
      }
    }
  }

  leave(row, errors) {
    this.left.push({ ...row, errors });
  }

  /** Ask, and again a little later when the server is busy. */
  async ask(rows) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await predictions(rows.map((row) => row.json), { signal: this.signal });
      } catch (error) {
        if (error.status === 413) return { errors: [{ row: null, column: null, rule: error.message }] };
        if (![429, 503].includes(error.status) || tries === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(error.wait ?? tries, 10)));
        this.signal.throwIfAborted();
      }
    }
  }
}

/** Return the names and, for a prediction, the cells that a scored table has more. */
function predictionCells(served) {
  if (!served.classes) return [["prediction", "low", "high"], (one) => [one.value, ...(one.interval ?? [])]];
  const names = served.classes.map((label) => `probability of ${label}`);
  return [
    ["prediction", ...names],
    (one) => [one.label, ...served.classes.map((label) => one.probabilities[label])],
  ];
}

let offered = [];

/** Make a link that saves lines as a CSV file. */
function download(text, name, lines, delimiter) {
  const file = URL.createObjectURL(new Blob([csvText(lines, delimiter)], { type: "text/csv" }));
  offered.push(file);
  return element("a", { class: "button", href: file, download: name }, text);
}

function showBatch(batch, file) {
  offered.splice(0).forEach((address) => URL.revokeObjectURL(address));
  const [heads, cells] = predictionCells(batch.served);
  const own = batch.heads.flatMap((head, i) => (heads.includes(head) ? [] : [i]));
  const kept = (row) => own.map((i) => row.cells[i]);
  const left = batch.left.sort((one, other) => one.position - other.position);
  const stem = file.name.replace(/\.[^.]*$/, "");
  const parts = [], links = [];
  const titles = own.map((i) => batch.heads[i]);
  if (batch.scored.length) {
    const lines = batch.scored.map((row) => [...kept(row), ...cells(row.prediction)]);
    links.push(download("Download predictions", `${stem}.scored.csv`, [[...titles, ...heads], ...lines], batch.delimiter));
    const brief = (value) => (typeof value === "number" ? number(value) : String(value));
    const top = batch.scored.slice(0, SHOWN);
    const caption = top.length < batch.scored.length ? `The first ${SHOWN} scored rows` : "Scored rows";
    parts.push(table(caption, ["row", ...heads, ...titles],
      top.map((row) => [row.position, ...cells(row.prediction).map(brief), ...kept(row)])));
  }
  if (left.length) {
    const reason = (row) => row.errors.map((e) => (e.column ? `${e.column}: ${e.rule}` : e.rule)).join("; ");
    const lines = left.map((row) => [row.position, reason(row), ...row.cells]);
    links.push(download("Download rows left out", `${stem}.left.csv`, [["row", "reason", ...batch.heads], ...lines], batch.delimiter));
    const faults = left.flatMap((row) => row.errors.map((e) => [row.position, e.column, e.value, e.rule]));
    const caption = faults.length > LISTED ? `The first ${LISTED} faults` : "Rows left out";
    parts.unshift(table(caption, ["row", "column", "value", "rule"], faults.slice(0, LISTED)));
  }
  byId("batch").replaceChildren(element("div", { class: "row" }, ...links), ...parts);
  const mixed = batch.versions.size > 1 ? " The model changed meanwhile: two versions answered." : "";
  byId("batch-said").textContent =
    `${plural(batch.scored.length, "row")} scored, ${number(left.length)} left out.${mixed} Row 1 is the first below the header.`;
}

let underWay = null;

/**
 * Score a file that was chosen or dropped; what is done is shown even when it ends early.
 *
 * Returns the version that answered last.
 */
async function scoreFile(file, served) {
  underWay?.abort();
  const control = (underWay = new AbortController());
  const batch = new Batch(served, control.signal);
  show(byId("batch-fault"));
  byId("batch").replaceChildren();
  byId("batch-said").textContent = `Scoring ${file.name}…`;
  byId("progress").hidden = false;
  byId("bar").value = 0;
  let fault = [];
  try {
    await batch.run(decode(await file.arrayBuffer()), (share) => (byId("bar").value = share));
  } catch (error) {
    if (underWay !== control) return;
    fault = [control.signal.aborted ? "Stopped." : error instanceof Refused ? error.message : `${file.name} cannot be read.`];
  }
  byId("progress").hidden = true;
  if (batch.scored.length || batch.left.length) showBatch(batch, file);
  else byId("batch-said").textContent = "";
  show(byId("batch-fault"), ...fault);
  return [...batch.versions].at(-1);
}
