"use strict";
// Puts the page together from what the server says of its model.

function showModel(served) {
  const { contract, name, version } = served;
  document.title = `${words(name)}: try the model`;
  byId("name").textContent = words(name);
  const about = contract.columns[served.target].description;
  byId("purpose").replaceChildren("Predicts ", element("strong", {}, words(served.target)), about ? ` – ${about}` : "");
  const released = new Date(served.released ?? served.created);
  const known = !Number.isNaN(released.getTime());
  byId("age").textContent = `Version ${version}${known ? `, released ${ago(released)} (${date(released)})` : ""}`;
  for (const [key, text] of [["report", "Report"], ["model_card", "Model card"]]) {
    const address = served.links?.[key];
    if (address) byId("links").append(element("a", { href: address.replace(/^\//, "") }, text));
  }
  showMetrics(served);
  const facts = {
    Model: served.model && words(served.model),
    Reads: plural(featuresOf(contract).length, "column"),
    Answers: served.classes ? served.classes.join(", ") : "a number with an interval",
    Version: version,
    Released: known ? date(released) : null,
    Python: served.python,
  };
  const lines = Object.entries(facts).filter(([, value]) => value);
  byId("facts").replaceChildren(...lines.flatMap(([key, value]) => [element("dt", {}, key), element("dd", {}, value)]));
}

function showMetrics({ metrics, metric }) {
  const found = Object.entries(metrics ?? {}).filter(([, one]) => typeof one?.value === "number");
  if (!found.length) return show(byId("metrics"));
  found.sort(([one], [other]) => (other === metric) - (one === metric));
  const rows = found.map(([name, one]) => [
    words(name),
    data(one.value, number(one.value)),
    one.low == null ? "" : `${number(one.low)} to ${number(one.high)}`,
  ]);
  show(byId("metrics"), table("On rows it has never seen", ["Metric", "Value", "Interval"], rows));
}

function setUpForm(served) {
  const form = new Form(served.contract);
  const buttons = served.examples.map((row, position) => {
    const text = served.examples.length > 1 ? `Example ${position + 1}` : "Example";
    const button = element("button", { type: "button", class: "quiet" }, text);
    button.addEventListener("click", () => { form.fill(row); clearAnswer(`${text} is filled in.`); });
    return button;
  });
  show(byId("examples"), ...buttons);
  byId("clear").addEventListener("click", () => { form.fill({}); clearAnswer(); });
  byId("form").addEventListener("submit", (event) => { event.preventDefault(); answer(form, served); });
}

let latest = null;

async function answer(form, served) {
  latest?.abort();
  const control = (latest = new AbortController());
  form.mark(form.unreadable);
  if (form.unreadable.length) return clearAnswer("No answer yet.");
  const row = form.json;
  byId("predict").setAttribute("aria-busy", "true");
  try {
    const { errors = [], predictions: [prediction] = [] } =
      await predictions([row], { explain: true, signal: control.signal });
    form.mark(errors);
    if (errors.length) return clearAnswer("No answer yet.");
    showAnswer(prediction, JSON.parse(row), served);
    byId("answer").scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  } catch (error) {
    if (control.signal.aborted) return;
    clearAnswer("No answer yet.");
    form.mark([{ column: null, rule: error.message }]);
  } finally {
    if (latest === control) byId("predict").removeAttribute("aria-busy");
  }
}

function setUpBatch(served) {
  const drop = byId("drop");
  const names = featuresOf(served.contract).map(([name]) => name);
  byId("wanted").textContent = `The first line names the columns: ${names.join(", ")}. Others are kept as they are.`;
  byId("file").addEventListener("change", ({ target }) => {
    if (target.files.length) scoreFile(target.files[0], served);
  });
  byId("stop").addEventListener("click", () => underWay?.abort());
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) scoreFile(event.dataTransfer.files[0], served);
    });
  }
}

/** Return the name of the target and its classes, null when it is a number. */
function targetOf(contract) {
  const [target, column] = Object.entries(contract.columns).find(([, one]) => one.role === "target");
  if (column.type === "boolean") return { target, classes: ["false", "true"] };
  return { target, classes: column.levels ?? null };
}

async function start() {
  try {
    const found = await servedModel();
    const served = { ...found, ...targetOf(found.contract) };
    showModel(served);
    setUpForm(served);
    setUpBatch(served);
    document.body.dataset.ready = served.version;
  } catch (error) {
    show(byId("trouble"), error instanceof Refused ? `${error.message} Reload the page to try again.` : `This page cannot show the model: ${error.message}`);
  }
}

start();
