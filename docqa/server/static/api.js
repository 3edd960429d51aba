// Calls of the server: addresses are relative, so that the page works behind a prefix.

export class Problem extends Error {
  constructor(record, status) {
    super(record.detail || record.message || record.title || `the server answered ${status}`);
    this.kind = String(record.type || "").replace("urn:docqa:", "");
    this.status = status;
  }
}

let signIn = async () => false;
/** Sets the function that asks for a token; it returns whether there is one now. */
export function onUnauthorized(ask) { signIn = ask; }

async function problemOf(response) {
  let record = {};
  try { record = await response.json(); } catch { /* no problem record */ }
  return new Problem(record, response.status);
}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ detail: "the server cannot be reached; is docqa serve still running?" }, 0);
  }
  if (response.status === 401 && await signIn()) return call(path, options);
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function get(path, options) { return (await call(path, options)).json(); }
export async function text(path) { return (await call(path)).text(); }
export async function remove(path) { await call(path, { method: "DELETE", headers: { "X-Docqa": "page" } }); }

export async function post(path, body, headers = {}, signal = undefined) {
  return call(path, {
    method: "POST", body: JSON.stringify(body), signal,
    headers: { "Content-Type": "application/json", "X-Docqa": "page", ...headers },
  });
}

/** Yields the outcomes of questions as the server finds them. */
export async function* ask(body, signal) {
  const response = await post("v1/ask", body, { Accept: "application/x-ndjson" }, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { done, value } = await reader.read();
    held += value || "";
    const lines = held.split("\n");
    held = done ? "" : lines.pop();
    for (const line of lines) {
      if (!line.trim()) continue;
      const record = JSON.parse(line);
      if (record.status && record.type) throw new Problem(record, record.status);
      yield record;
    }
    if (done) return;
  }
}

/** Sends a file; resolves to a job. `onSent` gets the share that has been sent. */
export function upload(file, { password, onSent, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `v1/documents?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Prefer", "respond-async");
    request.setRequestHeader("X-Docqa", "page");
    if (password) request.setRequestHeader("X-Docqa-Password", password);
    request.upload.onprogress = (event) => event.lengthComputable && onSent(event.loaded / event.total);
    request.onerror = () => reject(new Problem({ detail: "the upload broke off; try again" }, 0));
    request.onload = async () => {
      let record = {};
      try { record = JSON.parse(request.responseText); } catch { /* no record */ }
      if (request.status === 401 && await signIn()) {
        upload(file, { password, onSent, signal }).then(resolve, reject);
      } else if (request.status >= 400) reject(new Problem(record, request.status));
      else resolve(record);
    };
    signal.addEventListener("abort", () => {
      request.abort();
      reject(new DOMException("stopped", "AbortError"));
    });
    request.send(file);
  });
}

export async function session(token) {
  const response = await fetch("v1/session", { method: "POST", headers: { Authorization: `Bearer ${token}`, "X-Docqa": "page" } });
  return response.ok;
}
