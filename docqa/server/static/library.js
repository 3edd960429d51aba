// Files and collections: what can be asked, what is on its way, what failed and why.

import { Problem, get, post, remove, upload } from "./api.js";
import { $, button, counted, el } from "./dom.js";

const AT_ONCE = 3; // uploads; the server loads as many side by side
const documents = new Map(); // by id
const rows = new Map(); // of documents, by id
const uploads = new Set();
let collections = [];
let collected = []; // the documents of the chosen collection
let report = () => {};
let opened = () => {};

/** Begins: `say` gets news, `open` the id of a document that is to be shown. */
export function begin({ say, open }) {
  [report, opened] = [say, open];
  $("scope").onchange = () => choose($("scope").value);
  $("filter").oninput = listCollected;
  $("sync").onclick = sync;
  return refresh();
}

/** Asks the server for its documents and collections. */
export async function refresh() {
  const [held, kept] = await Promise.all([get("v1/documents"), get("v1/collections")]);
  collections = kept.collections;
  const ids = new Set(held.documents.map((each) => each.id));
  for (const id of [...documents.keys()]) if (!ids.has(id)) forget(id);
  for (const record of held.documents) if (!documents.has(record.id)) keep(record);
  listScopes();
}

export const isEmpty = () => !documents.size && !collections.length;
export const record = (id) => documents.get(id);
export const scope = () => $("scope").value;
export const chosenDocument = () => (scope().startsWith("d:") ? scope().slice(2) : null);

/** Returns the part of a request that says where to ask. */
export function scopeBody() {
  const [kind, name] = [scope().slice(0, 2), scope().slice(2)];
  if (kind === "c:") return { collection: name };
  return { documents: kind === "d:" ? [name] : [...documents.keys()].slice(0, 1000) };
}

export function setScope(value) {
  if ([...$("scope").options].some((each) => each.value === value)) {
    $("scope").value = value;
    listCollected(true);
  }
}

function choose(value) {
  setScope(value);
  if (chosenDocument()) opened(chosenDocument());
}

function listScopes() {
  const before = scope();
  const one = (value, words) => el("option", { value, textContent: words });
  const files = [...documents.values()].map((each) => one(`d:${each.id}`, each.name));
  const kept = collections.map((each) => one(`c:${each.name}`, `${each.name} (${counted(each.documents, "document")})`));
  const all = one("all", documents.size ? `All ${counted(documents.size, "file")}` : "No file yet");
  const group = (label, options) => (options.length ? [el("optgroup", { label }, ...options)] : []);
  $("scope").replaceChildren(
    ...(documents.size === 1 || (!documents.size && kept.length) ? [] : [all]),
    ...group("Files", files), ...group("Collections", kept),
  );
  setScope(before);
  const waiting = [...uploads].filter((each) => each.state === "loading").length;
  const failed = uploads.size - waiting;
  $("files-said").textContent = [
    documents.size || !uploads.size ? counted(documents.size, "file") : "",
    waiting ? `${waiting} loading` : "", failed ? `${failed} failed` : "",
  ].filter(Boolean).join(", ");
  $("library").hidden = !documents.size && !uploads.size;
}

// Documents

function keep(document) {
  documents.set(document.id, document);
  const pages = document.pages ? counted(document.pages, "page") : `${document.characters.toLocaleString("en")} characters`;
  const row = el("li", {},
    button(document.name, () => { setScope(`d:${document.id}`); opened(document.id); }, { className: "name", title: document.title || document.name }),
    button("×", () => drop(document), { className: "plain", ariaLabel: `Forget ${document.name}` }),
    el("span", { className: "what", textContent: pages }),
    ...hints(document.warnings).map((words) => el("p", { className: "hint", textContent: words })));
  rows.get(document.id)?.remove();
  rows.set(document.id, row);
  $("files").append(row);
}

function forget(id) {
  documents.delete(id);
  rows.get(id).remove();
  rows.delete(id);
}

async function drop(document) {
  try {
    await remove(`v1/documents/${document.id}`);
  } catch (error) {
    if (error.status !== 404) return report(error.message, true);
  }
  forget(document.id);
  listScopes();
  report(`${document.name} is forgotten`);
}

/** Returns the warnings of a document; pages with the same trouble are counted in one sentence. */
export function hints(warnings) {
  const kinds = Map.groupBy ? Map.groupBy(warnings, (each) => each.kind) : grouped(warnings);
  return [...kinds].map(([kind, all]) => {
    const numbers = all.map((each) => each.page_number).filter(Boolean);
    const pages = `${numbers.length === 1 ? "page" : "pages"} ${ranges(numbers)}`;
    if (kind === "needs-ocr" && numbers.length) {
      return `${pages} ${numbers.length === 1 ? "is a scan" : "are scans"} without text; docqa serve --ocr reads them`;
    }
    return all.length === 1 ? all[0].message : `${all[0].message} (${numbers.length ? pages : `${all.length} times`})`;
  });
}

function grouped(warnings) {
  const kinds = new Map();
  for (const each of warnings) kinds.set(each.kind, [...(kinds.get(each.kind) || []), each]);
  return kinds;
}

function ranges(numbers) {
  const runs = [];
  for (const each of numbers) {
    const last = runs[runs.length - 1];
    if (last && each === last[1] + 1) last[1] = each; else runs.push([each, each]);
  }
  return runs.map(([first, last]) => (first === last ? first : `${first}–${last}`)).join(", ");
}

// Uploads

let free = AT_ONCE;
const queue = [];

function turn(signal) {
  if (free) { free -= 1; return Promise.resolve(); }
  return new Promise((go, stop) => {
    queue.push(go);
    signal.addEventListener("abort", () => {
      if (queue.includes(go)) queue.splice(queue.indexOf(go), 1);
      stop(new DOMException("stopped", "AbortError"));
    }, { once: true });
  });
}

function leave() {
  const next = queue.shift();
  if (next) next(); else free += 1;
}

/** Sends files and lists how far each is; the last that is ready is shown where none is yet. */
export function add(files) {
  for (const file of files) {
    const entry = { file, state: "loading", row: el("li") };
    uploads.add(entry);
    $("files").prepend(entry.row);
    load(entry);
  }
  $("library").open = true;
  listScopes();
}

async function load(entry, password) {
  const { file } = entry;
  entry.stop = new AbortController();
  const { signal } = entry.stop;
  let job = null, entered = false;
  entry.state = "loading";
  progress(entry, "waits");
  try {
    await turn(signal);
    entered = true;
    job = await sent(entry, password, signal);
    while (job.state === "waiting" || job.state === "running") {
      progress(entry, job.total ? `page ${job.done} of ${job.total}` : "is being read", job.total ? job.done / job.total : null);
      job = await get(`v1/jobs/${job.id}?wait=1`, { signal });
    }
    if (job.state !== "done") throw new Problem(job.problem || { detail: "it was stopped" }, job.problem?.status || 0);
    const loaded = await get(`v1/${job.result}`, { signal });
    end(entry);
    keep(loaded);
    listScopes();
    report(`${loaded.name} is ready`);
    if (chosenDocument() === loaded.id || documents.size === 1) opened(loaded.id);
  } catch (error) {
    if (error.name === "AbortError") {
      if (job) remove(`v1/jobs/${job.id}`).catch(() => {});
      end(entry);
      report(`${file.name} was stopped`);
    } else fail(entry, error);
  } finally {
    if (entered) leave();
    listScopes();
  }
}

async function sent(entry, password, signal) {
  const onSent = (share) => progress(entry, share < 1 ? `${Math.round(share * 100)}% sent` : "is being read", share);
  for (;;) {
    try {
      return await upload(entry.file, { password, onSent, signal });
    } catch (error) {
      if (error.status !== 503) throw error; // others load now
      progress(entry, "waits, the server is busy");
      await new Promise((go) => { setTimeout(go, 1000 * Math.max(1, error.retryAfter)); });
      signal.throwIfAborted();
    }
  }
}

function end(entry) {
  uploads.delete(entry);
  entry.row.remove();
}

function progress(entry, words, share = null) {
  const bar = el("progress", { max: 1, ariaLabel: `Progress of ${entry.file.name}` });
  if (share !== null) bar.value = share;
  if (entry.bar) {
    entry.what.textContent = words;
    entry.bar.replaceWith(bar);
  } else {
    entry.what = el("span", { className: "what", textContent: words });
    entry.row.replaceChildren(
      el("span", { className: "name", textContent: entry.file.name }),
      button("×", () => entry.stop.abort(), { className: "plain", ariaLabel: `Stop ${entry.file.name}` }),
      entry.what, bar);
  }
  entry.bar = bar;
}

function fail(entry, error) {
  entry.state = "failed";
  entry.bar = null;
  const { file } = entry;
  const again = el("form", {});
  if (error.kind === "encrypted") {
    const field = el("input", { type: "password", ariaLabel: `Password of ${file.name}`, placeholder: "Password", autocomplete: "off" });
    again.append(field, el("button", { textContent: "Open" }));
    again.onsubmit = (event) => { event.preventDefault(); load(entry, field.value); listScopes(); };
  } else {
    again.append(el("button", { textContent: "Try again" }));
    again.onsubmit = (event) => { event.preventDefault(); load(entry); listScopes(); };
  }
  entry.row.replaceChildren(
    el("span", { className: "name", textContent: file.name }),
    button("×", () => { end(entry); listScopes(); }, { className: "plain", ariaLabel: `Dismiss ${file.name}` }),
    el("p", { className: "failed", textContent: error.message }), again);
  report(`${file.name}: ${error.message}`, true);
}

// Collections

async function listCollected(anew) {
  const name = scope().startsWith("c:") ? scope().slice(2) : null;
  $("collection").hidden = name === null;
  if (name === null) return;
  if (anew === true) {
    $("collection").open = true;
    collected = [];
    try {
      collected = (await get(`v1/collections/${name}/documents?limit=10000`)).documents;
    } catch (error) { return report(error.message, true); }
    if (scope() !== `c:${name}`) return;
  }
  const wanted = $("filter").value.trim().toLowerCase();
  const found = collected.filter((each) => `${each.name} ${each.title || ""}`.toLowerCase().includes(wanted));
  $("collection-said").textContent = wanted ? `${found.length} of ${counted(collected.length, "document")}` : counted(collected.length, "document");
  $("collected").replaceChildren(...found.slice(0, 200).map((each) => el("li", {},
    button(each.name, () => opened(each.id), { className: "name", title: each.title || each.name }),
    el("span", { className: "what", textContent: each.pages ? counted(each.pages, "page") : "" }))));
}

async function sync() {
  const name = scope().slice(2);
  try {
    let job = await (await post(`v1/collections/${name}/sync`, {})).json();
    while (job.state === "waiting" || job.state === "running") {
      report(`${name}: ${job.total ? `file ${job.done} of ${job.total}` : "looking for changes"}`);
      job = await get(`v1/jobs/${job.id}?wait=1`);
    }
    if (job.problem) throw new Problem(job.problem, job.problem.status);
    report(job.failures.length ? `${name} is up to date, but for ${counted(job.failures.length, "file")}: ${job.failures[0]}` : `${name} is up to date`, job.failures.length > 0);
    await refresh();
  } catch (error) { report(error.message, true); }
}
