// The page: questions, their answers, keys, links; the parts stand in the other modules.

import * as api from "./api.js";
import { $, el, inPlace, percent } from "./dom.js";
import { Files } from "./files.js";
import { Grid } from "./grid.js";
import { Viewer } from "./viewer.js";

const ANSWERS = 5;
const STEPS = [40, 160, 640]; // passages that are read before all are
const KEYS = {
  "/": "ask", Enter: "ask (several lines: several questions)", "↑ ↓ or k j": "previous, next answer",
  "p n": "previous, next place of the same words", a: "read all passages", Esc: "stop; close",
  c: "copy the citation", C: "copy it as JSON", l: "copy a link to it", m: "compare documents",
  g: "go to a page", "+ -": "zoom", o: "open files", "?": "show the keys",
};

const documents = new Map(); // by id
const asked = []; // {question, scope, items, list, said}
let answers = []; // {answer, item, node}, in the order of the page
let chosen = -1, spot = 0, working = null;

const viewer = new Viewer();
const files = new Files((record) => {
  documents.set(record.id, record);
  listScopes(record.id);
  if (!answers.length) viewer.show(record).then(saveLink);
}, sayState);
const grid = new Grid((entry) => { toggleGrid(false); choose(answers.findIndex((each) => each.answer === entry)); });

function sayState(words) {
  const n = documents.size;
  const loading = files.busy ? `, ${files.busy} loading` : "";
  $("state").textContent = words || (n || files.busy ? `${n} ${n === 1 ? "file" : "files"}${loading}` : "");
}

function listScopes(wanted = $("scope").value) {
  const scope = $("scope");
  const kept = el("option", { value: "", textContent: documents.size === 1 ? "The file" : "All files" });
  const each = [...documents.values()].filter((one) => !one.collection).map((one) => el("option", { value: one.id, textContent: one.name }));
  const bases = collections.map((one) => el("option", { value: `kb:${one.name}`, textContent: `${one.name} (${one.documents} documents)` }));
  scope.replaceChildren(kept, ...each);
  if (bases.length) {
    const group = el("optgroup", { label: "Collections" });
    group.append(...bases);
    scope.append(group);
  }
  scope.value = [...scope.options].some((one) => one.value === wanted) ? wanted : "";
  if (!documents.size && bases.length) scope.value = bases[0].value;
  sayState();
}

let collections = [];

function bodyFor(questions, scope, more = {}) {
  const body = { questions, top_k: ANSWERS, ...more };
  if (scope.startsWith("kb:")) body.collection = scope.slice(3);
  else if (scope) body.documents = [scope];
  return body;
}

async function ask(questions, scope = $("scope").value, more = {}) {
  if (!documents.size && !scope.startsWith("kb:")) {
    sayState("Open a file or choose a collection first.");
    return;
  }
  stop();
  const stopper = working = new AbortController();
  $("results").replaceChildren();
  asked.length = 0;
  answers = [];
  chosen = -1;
  for (const question of questions) asked.push(section(question, scope));
  sayState("reads…");
  try {
    for await (const item of api.ask(bodyFor(questions, scope, more), stopper.signal)) take(item);
  } catch (error) {
    if (error.name !== "AbortError") for (const one of asked) if (!one.items.length) failed(one, error.message);
  }
  if (working === stopper) working = null;
  $("tools").hidden = false;
  $("compare").hidden = new Set(asked.flatMap((one) => one.items.map((item) => item.document?.id))).size < 2;
  sayState();
  saveLink();
}

function section(question, scope) {
  const list = el("ul", { className: "answers", role: "listbox", ariaLabel: `Answers to ${question}` });
  const said = el("p", { className: "said", role: "status", textContent: "reads…" });
  $("results").append(el("section", { className: "asked" }, el("h2", { textContent: question }), list, said));
  return { question, scope, items: [], list, said };
}

function failed(one, message) {
  one.said.textContent = message;
  one.said.classList.add("failed");
}

function take(item) {
  const one = asked.find((each) => each.question === item.question);
  if (!one) return;
  const key = (each) => each.document?.id || each.collection;
  one.items = [...one.items.filter((each) => key(each) !== key(item)), item];
  show(one);
}

function show(one) {
  const held = chosen >= 0 ? answers[chosen]?.answer.cite : null;
  const found = one.items.flatMap((item) => item.answers.map((answer) => ({ answer, item })));
  found.sort((first, second) => second.answer.score - first.answer.score);
  one.found = found.slice(0, Math.max(ANSWERS, one.items.length > 1 ? 10 : ANSWERS));
  one.list.replaceChildren(...one.found.map((each) => (each.node = row(each))));
  answers = asked.flatMap((each) => each.found || []);
  sayCoverage(one);
  const again = answers.findIndex((each) => each.answer.cite === held);
  if (again >= 0) choose(again, { jump: false });
  else if (answers.length && chosen < 0) choose(0);
}

function row(entry) {
  const { answer } = entry;
  const calibrated = answer.calibrated ? "probability that it is right" : "score";
  const context = el("div", { className: "context" });
  const [before, after] = around(answer);
  context.append(before, el("b", { textContent: answer.answer }), after);
  const place = el("div", { className: "place" }, `${name(answer)}${inPlace(answer) ? `, ${inPlace(answer)}` : ""}`);
  const state = answer.document.source_state;
  if (state && state !== "same") place.append(el("span", { className: "badge", textContent: `${state} since indexed` }));
  if (answer.occurrences.length) {
    place.append(el("span", { className: "also", textContent: `${"•".repeat(Math.min(9, answer.occurrences.length + 1))} ${answer.occurrences.length + 1} places` }));
  }
  place.append(el("button", { type: "button", tabIndex: -1, textContent: "Copy", ariaLabel: "Copy the citation", onclick: (event) => { event.stopPropagation(); copy(citation(answer)); } }));
  const made = el("li", { className: "answer", role: "option", tabIndex: -1, ariaSelected: "false" },
    el("span", { className: "score", textContent: percent(answer.score), title: calibrated }),
    el("div", { className: "words", textContent: answer.answer }), context, place);
  made.onclick = () => choose(answers.indexOf(entry));
  return made;
}

function around(answer) {
  const whole = [...answer.context];
  const from = answer.start - answer.context_start;
  const to = answer.end - answer.context_start;
  const before = whole.slice(Math.max(0, from - 160), from).join("");
  return [before, whole.slice(to, to + 160).join("")];
}

const name = (answer) => documents.get(answer.document.id)?.name || answer.document.source;

function sayCoverage(one) {
  const read = one.items.reduce((sum, item) => sum + item.coverage.passages_read, 0);
  const total = one.items.reduce((sum, item) => sum + item.coverage.passages_total, 0);
  const errors = one.items.filter((item) => item.error).map((item) => item.error.detail);
  const warnings = one.items.flatMap((item) => item.warnings);
  const part = one.items.some((item) => !item.complete);
  const none = one.found.length ? "" : "Not found: ";
  one.said.replaceChildren();
  one.said.classList.toggle("failed", Boolean(errors.length) && !one.found.length);
  if (total) one.said.append(`${none}read ${read} of ${total} passages${part ? "; the time ended before all were read" : ""}.`);
  if (total > read && !working?.isReadingAll) {
    one.said.append(el("button", { type: "button", textContent: "Read all", onclick: () => readAll(one) }));
  }
  for (const words of [...new Set([...errors, ...warnings])].slice(0, 3)) one.said.append(el("span", { className: "failed", textContent: words }));
}

async function readAll(one) {
  stop();
  const stopper = working = new AbortController();
  stopper.isReadingAll = true;
  const total = Math.max(...one.items.map((item) => item.coverage.passages_total));
  const steps = [...STEPS.filter((step) => step < total).map((top_passages) => ({ top_passages })), { exhaustive: true }];
  try {
    for (const step of steps) {
      one.said.append(el("span", { textContent: "reading on; Esc stops and keeps these" }));
      for await (const item of api.ask(bodyFor([one.question], one.scope, step), stopper.signal)) take(item);
    }
  } catch (error) {
    if (error.name !== "AbortError") failed(one, error.message);
  }
  if (working === stopper) working = null;
  if (one.found) sayCoverage(one);
  saveLink();
}

function stop() {
  if (!working) return false;
  working.abort();
  working = null;
  return true;
}

async function choose(number, { jump = true } = {}) {
  if (number < 0 || number >= answers.length) return;
  answers[chosen]?.node?.setAttribute("aria-selected", "false");
  chosen = number;
  if (jump) spot = 0;
  const { answer, node, item } = answers[chosen];
  node.setAttribute("aria-selected", "true");
  if (!jump) return;
  node.scrollIntoView({ block: "nearest" });
  const known = documents.get(answer.document.id) || await fetched(answer.document.id, item.collection, answer);
  if (!known) return;
  await viewer.show(known);
  const others = answers.filter((each) => each.answer !== answer && each.answer.document.id === answer.document.id);
  await viewer.mark(answer, spot, others.map((each) => each.answer));
  saveLink();
}

async function fetched(id, collection, answer) {
  try {
    const record = { ...await api.get(`v1/documents/${id}`), name: answer.document.source, collection };
    documents.set(id, record);
    return record;
  } catch (error) {
    sayState(error.message);
    return null;
  }
}

function moveSpot(step) {
  const current = answers[chosen]?.answer;
  if (!current) return;
  spot = (spot + step + current.occurrences.length + 1) % (current.occurrences.length + 1);
  viewer.mark(current, spot);
  saveLink();
}

const citation = (answer) => `“${answer.answer}” (${name(answer)}${inPlace(answer) ? `, ${inPlace(answer)}` : ""})`;

async function copy(words) {
  try {
    await navigator.clipboard.writeText(words);
    sayState(`copied: ${words.slice(0, 60)}`);
  } catch {
    sayState("the browser does not let pages of this address copy; mark the words instead");
  }
}

function toggleGrid(on = $("grid").hidden) {
  $("compare").setAttribute("aria-pressed", String(on));
  if (on) grid.show(asked, documents); else grid.hide();
}

async function exported(format) {
  const questions = asked.map((one) => one.question);
  if (!questions.length) return;
  sayState("makes the file…");
  try {
    const only = answers[chosen]?.answer.document.id;
    const scope = format === "pdf" && only && !asked[0].scope.startsWith("kb:") ? only : asked[0].scope;
    const response = await api.post("v1/export", bodyFor(questions, scope, { format }));
    const link = el("a", { href: URL.createObjectURL(await response.blob()), download: `answers.${{ csv: "csv", jsonl: "jsonl", report: "html", pdf: "pdf" }[format]}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    sayState();
  } catch (error) { sayState(error.message); }
}

function saveLink() {
  const now = answers[chosen]?.answer;
  const link = new URLSearchParams();
  for (const one of asked) link.append("q", one.question);
  const scope = asked[0]?.scope ?? $("scope").value;
  if (scope) link.set("in", scope);
  if (now) link.set("cite", now.cite);
  else if (viewer.document) link.set("cite", viewer.document.id);
  if (spot) link.set("place", spot);
  history.replaceState(null, "", `#${link}`);
}

async function restore() {
  const link = new URLSearchParams(location.hash.slice(1));
  const questions = link.getAll("q"), scope = link.get("in") || "", cite = link.get("cite") || "";
  const place = Number(link.get("place")) || 0;
  if ([...$("scope").options].some((one) => one.value === scope)) $("scope").value = scope;
  if (questions.length) {
    $("question").value = questions.join("\n");
    await ask(questions, $("scope").value);
    const at = answers.findIndex((each) => each.answer.cite === cite);
    if (at >= 0) await choose(at);
    if (place) moveSpot(place);
    return;
  }
  const [id, span] = cite.split("#");
  const known = documents.get(id) || (id && await fetched(id, null, { document: { source: id.slice(0, 8) } }));
  if (!known) {
    if (documents.size) viewer.show([...documents.values()][0]);
    return;
  }
  await viewer.show(known);
  if (!span) return;
  const [start, end] = span.split("-").map(Number);
  const response = await api.post("v1/locate", { document: id, start, end });
  await viewer.mark({ start, end, occurrences: [], locations: (await response.json()).locations });
}

$("ask").onsubmit = (event) => {
  event.preventDefault();
  const questions = $("question").value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (questions.length) ask([...new Set(questions)]);
};
$("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("ask").requestSubmit();
  } else if (["ArrowDown", "ArrowUp"].includes(event.key) && answers.length && !$("question").value.includes("\n")) {
    event.preventDefault();
    choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
  }
});
$("scope").onchange = () => {
  const record = documents.get($("scope").value);
  if (record) viewer.show(record);
};
$("open").onclick = () => $("file").click();
$("file").onchange = () => { files.add([...$("file").files]); $("file").value = ""; };
$("compare").onclick = () => toggleGrid();
$("export").onchange = () => { const format = $("export").value; $("export").value = ""; if (format) exported(format); };
$("help-button").onclick = () => $("help").showModal();
for (const [keys, words] of Object.entries(KEYS)) {
  $("keys").append(el("dt", {}, ...keys.split(" ").map((key) => (key === "or" ? " or " : el("kbd", { textContent: key })))), el("dd", { textContent: words }));
}

const actions = {
  "/": () => $("question").focus(), j: () => choose(chosen + 1), k: () => choose(chosen - 1),
  ArrowDown: () => choose(chosen + 1), ArrowUp: () => choose(chosen - 1),
  n: () => moveSpot(1), p: () => moveSpot(-1), o: () => $("file").click(), m: () => toggleGrid(),
  a: () => { const one = asked.find((each) => each.found?.includes(answers[chosen])) || asked[0]; if (one?.items.length) readAll(one); },
  c: () => answers[chosen] && copy(citation(answers[chosen].answer)),
  C: () => answers[chosen] && copy(JSON.stringify(answers[chosen].answer, null, 1)),
  l: () => copy(location.href), g: () => { $("number").focus(); $("number").select(); },
  "+": () => viewer.zoom(1.2), "=": () => viewer.zoom(1.2), "-": () => viewer.zoom(1 / 1.2),
  "?": () => $("help").showModal(),
};
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (stop()) return;
    if (!$("grid").hidden) toggleGrid(false);
    else if (document.activeElement.matches("textarea, input")) document.activeElement.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("textarea, input, select")) return;
  if (document.querySelector("dialog[open]") || (!$("grid").hidden && event.key.startsWith("Arrow"))) return;
  const action = actions[event.key];
  if (!action || (event.target === $("viewer") && event.key.startsWith("Arrow"))) return;
  event.preventDefault();
  action();
});

let depth = 0;
const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragenter", (event) => { if (holdsFiles(event)) { depth += 1; $("drop").hidden = false; } });
document.addEventListener("dragleave", (event) => { if (holdsFiles(event)) { depth -= 1; $("drop").hidden = depth > 0 ? false : true; } });
document.addEventListener("dragover", (event) => { if (holdsFiles(event)) event.preventDefault(); });
document.addEventListener("drop", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  depth = 0;
  $("drop").hidden = true;
  files.add([...event.dataTransfer.files]);
});

let asking = null;
api.onUnauthorized(() => {
  asking ||= new Promise((resolve) => {
    const dialog = $("token");
    dialog.showModal();
    $("token-form").onsubmit = async (event) => {
      event.preventDefault();
      if (await api.session($("token-field").value)) {
        dialog.close();
        asking = null;
        resolve(true);
      } else $("token-wrong").textContent = "This is not the token; look at the line with which docqa serve was started.";
    };
    dialog.oncancel = () => { asking = null; resolve(false); };
  });
  return asking;
});

async function start() {
  try {
    for (const record of (await api.get("v1/documents")).documents) documents.set(record.id, record);
    collections = (await api.get("v1/collections")).collections;
  } catch (error) {
    sayState(error.message);
  }
  listScopes();
  await restore();
}
start();
