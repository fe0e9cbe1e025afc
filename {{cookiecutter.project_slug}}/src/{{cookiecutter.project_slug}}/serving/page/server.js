"use strict";
// What the server is asked.

const PATIENCE = 60_000;

/** An answer of the server that is no prediction, told in words. */
class Refused extends Error {
  constructor(status, message, wait = null) {
    super(message);
    Object.assign(this, { status, wait });
  }
}

const TOLD = {
  403: "The server does not let this page predict.",
  413: "This is more than the server takes at once.",
  429: "The server asks for fewer requests. Try again in a moment.",
  503: "The server is busy or has no model yet. Try again in a moment.",
};

const KEY = "api-key";
let unlocked = null;

/** Wait for an API key, which is kept until the tab is closed. */
function askForKey(refused) {
  unlocked ??= new Promise((resolve) => {
    const form = byId("unlock");
    byId("key-said").textContent = refused ? "The server does not take this key." : "The server asks for one.";
    form.hidden = false;
    byId("key").focus();
    form.onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(KEY, byId("key").value);
      form.reset();
      form.hidden = true;
      unlocked = null;
      resolve();
    };
  });
  return unlocked;
}

async function request(path, options = {}) {
  const timeout = AbortSignal.timeout(PATIENCE);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const key = sessionStorage.getItem(KEY);
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  try {
    const answer = await fetch(path, { ...options, headers, signal });
    if (answer.status === 401) {
      await askForKey(key !== null);
      return await request(path, options);
    }
    if (answer.ok || answer.status === 422) return await (options.text ? answer.text() : answer.json());
    const told = TOLD[answer.status] ?? `The server answered with an error (${answer.status}).`;
    throw new Refused(answer.status, told, Number(answer.headers.get("Retry-After")) || null);
  } catch (error) {
    if (error instanceof Refused || options.signal?.aborted) throw error;
    const slow = error.name === "TimeoutError";
    throw new Refused(
      0,
      slow ? "The server did not answer within a minute." : "The server cannot be reached. Is it running?",
    );
  }
}

let explains = true;

/**
 * Ask for predictions.
 *
 * Takes the JSON texts of rows. Returns {predictions, model} or, for rows that break a rule,
 * {errors}; throws Refused for anything else.
 */
async function predictions(rows, { explain = false, signal } = {}) {
  const asked = explain && explains;
  const body = `{"rows":[${rows.join(",")}]${asked ? ',"explain":true' : ""}}`;
  const headers = { "Content-Type": "application/json" };
  const answer = await request("predict", { method: "POST", headers, body, signal });
  // A server that cannot explain says so about the body, not about a row of it.
  if (!asked || !answer.errors?.some((error) => error.row === null)) return answer;
  explains = false;
  return predictions(rows, { signal });
}

/** Return what is served; its `examples` come from the API's description when it has none. */
async function servedModel() {
  const served = await request("model");
  if (served.examples) return served;
  const api = await request("openapi.json");
  const body = api.paths["/predict"].post.requestBody.content["application/json"];
  return { ...served, examples: body.schema.examples?.[0]?.rows ?? [] };
}
