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
  document.querySelectorAll("#links .more").forEach((one) => one.remove());
  for (const [key, text] of [["report", "Report"], ["model_card", "Model card"]]) {
    const address = served.links?.[key];
    if (address) byId("links").append(element("a", { href: address.replace(/^\//, ""), class: "more" }, text));
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

let served, form;

/** Show the model that the server has now. */
async function load() {
  const found = await servedModel();
  served = { ...found, ...targetOf(found.contract) };
  show(byId("trouble"));
  showModel(served);
  form = new Form(served.contract);
  const buttons = served.examples.map((row, position) => {
    const text = served.examples.length > 1 ? `Example ${position + 1}` : "Example";
    const button = element("button", { type: "button", class: "quiet" }, text);
    button.addEventListener("click", () => { form.fill(row); clearAnswer(`${text} is filled in.`); });
    return button;
  });
  show(byId("examples"), ...buttons);
  const names = featuresOf(served.contract).map(([name]) => name);
  byId("wanted").textContent = `The first line names the columns: ${names.join(", ")}. Others are kept as they are.`;
  document.body.dataset.ready = served.version;
}

/** Show the model that answered if it is another one by now; what is filled in stays. */
async function keepUp(version) {
  if (!version || version === served.version) return;
  const row = JSON.parse(form.json);
  await start();
  form.fill(row);
}

let latest = null;

async function answer() {
  latest?.abort();
  const control = (latest = new AbortController());
  form.mark(form.unreadable);
  if (form.unreadable.length) return clearAnswer("No answer yet.");
  const row = form.json;
  byId("predict").setAttribute("aria-busy", "true");
  try {
    const { errors = [], predictions: [prediction] = [], model } =
      await predictions([row], { explain: true, signal: control.signal });
    // A refusal does not say which model it is of.
    await keepUp((model ?? (await request("health/ready")).model)?.version);
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

/** Save a document that the browser itself could not open, for want of the key. */
async function saveLinked(event) {
  const link = event.target.closest(".more");
  if (!link || !sessionStorage.getItem(KEY)) return;
  event.preventDefault();
  const name = link.getAttribute("href") === "report" ? "report.html" : "model_card.md";
  try {
    const file = URL.createObjectURL(new Blob([await request(link.href, { text: true })]));
    element("a", { href: file, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(file), PATIENCE);
  } catch (error) {
    show(byId("trouble"), error.message);
  }
}

function listen() {
  byId("clear").addEventListener("click", () => { form.fill({}); clearAnswer(); });
  byId("form").addEventListener("submit", (event) => { event.preventDefault(); answer(); });
  byId("links").addEventListener("click", saveLinked);
  const score = async (file) => keepUp(await scoreFile(file, served));
  byId("file").addEventListener("change", ({ target }) => {
    if (target.files.length) score(target.files[0]);
  });
  byId("stop").addEventListener("click", () => underWay?.abort());
  const drop = byId("drop");
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) score(event.dataTransfer.files[0]);
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
    await load();
  } catch (error) {
    show(byId("trouble"), error instanceof Refused ? `${error.message} Reload the page to try again.` : `This page cannot show the model: ${error.message}`);
  }
}

listen();
start();
