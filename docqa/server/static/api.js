// Calls of the server. All addresses are relative, so that the page works behind a prefix.

/** The reason for which the server did not do it, in its words. */
export class Problem extends Error {
  constructor(record, status, retryAfter = 0) {
    super(record.detail || record.title || `the server answered ${status}`);
    this.kind = String(record.type || "").replace("urn:docqa:", "");
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

let signIn = async () => false;
/** Sets the function that asks for the token; it returns whether the server now knows the reader. */
export function onUnauthorized(ask) { signIn = ask; }

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ detail: "the server cannot be reached; is docqa serve still running?" }, 0);
  }
  if (response.status === 401 && await signIn()) return call(path, options);
  if (response.ok) return response;
  const record = await response.json().catch(() => ({}));
  throw new Problem(record, response.status, Number(response.headers.get("Retry-After")));
}

export const get = async (path, options) => (await call(path, options)).json();
export const text = async (path) => (await call(path)).text();
export const remove = (path) => call(path, { method: "DELETE" });

export function post(path, body, { headers = {}, signal } = {}) {
  return call(path, {
    method: "POST", body: JSON.stringify(body), signal,
    headers: { "Content-Type": "application/json", ...headers },
  });
}

/** Yields the outcomes of questions as the server finds them. */
export async function* ask(body, signal) {
  const response = await post("v1/ask", body, { headers: { Accept: "application/x-ndjson" }, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { done, value = "" } = await reader.read();
    const lines = (held + value).split("\n");
    held = done ? "" : lines.pop();
    for (const line of lines.filter((each) => each.trim())) {
      const record = JSON.parse(line);
      if (record.status && record.type) throw new Problem(record, record.status);
      yield record;
    }
    if (done) return;
  }
}

/** Sends a file and returns the job that loads it; `onSent` gets the share that was sent. */
export function upload(file, { password, onSent, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `v1/documents?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-Docqa", "1");
    request.setRequestHeader("Prefer", "respond-async");
    if (password) request.setRequestHeader("X-Docqa-Password", encodeURIComponent(password));
    request.upload.onprogress = (event) => event.lengthComputable && onSent(event.loaded / event.total);
    request.onerror = () => reject(new Problem({ detail: `${file.name} could not be sent; is docqa serve still running?` }, 0));
    request.onload = async () => {
      let record = {};
      try { record = JSON.parse(request.responseText); } catch { /* a proxy's page, say */ }
      if (request.status === 401 && await signIn()) upload(file, { password, onSent, signal }).then(resolve, reject);
      else if (request.status < 400) resolve(record);
      else reject(new Problem(record, request.status, Number(request.getResponseHeader("Retry-After"))));
    };
    signal.addEventListener("abort", () => {
      request.abort();
      reject(new DOMException("stopped", "AbortError"));
    });
    request.send(file);
  });
}

/** Exchanges the token for a cookie; returns whether it is the right one. */
export async function openSession(token) {
  const response = await fetch("v1/session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  return response.ok;
}
