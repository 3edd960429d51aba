// The page: it joins the parts, and has the keys, the address and the token.

import { get, onUnauthorized, openSession, post } from "./api.js";
import { $, el, save } from "./dom.js";
import * as grid from "./grid.js";
import * as library from "./library.js";
import * as results from "./results.js";
import * as viewer from "./viewer.js";

// News

function say(words, isBad = false) {
  $("state").textContent = words;
  $("state").className = isBad ? "failed" : "";
}

// The token

let asking = null; // several calls may need it at once
onUnauthorized(() => {
  asking ??= new Promise((done) => {
    $("token-form").onsubmit = async (event) => {
      event.preventDefault();
      if (!await openSession($("token-field").value.trim())) {
        $("token-wrong").textContent = "This is not the token of the server.";
        return;
      }
      $("token").close();
    };
    $("token").onclose = () => { asking = null; done($("token-field").value !== ""); };
    $("token").showModal();
  });
  return asking;
});

// The address: #/d/ID?page=3&at=831-846&q=question&in=scope

let written = "";

function write() {
  const id = viewer.openId(), now = results.choice(), asked = new URLSearchParams();
  const at = now && now.answer.document.id === id ? now.place : null;
  if (viewer.pageNow()) asked.set("page", viewer.pageNow());
  if (at) asked.set("at", `${at.start}-${at.end}`);
  for (const question of results.questions()) asked.append("q", question);
  if (library.scope() !== "all") asked.set("in", library.scope());
  written = `#/${id ? `d/${id}` : ""}?${asked}`;
  history.replaceState(null, "", written);
}

let isDue = false;
function writeSoon() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => { isDue = false; write(); }, 150);
}

async function restore() {
  const [, token] = location.hash.match(/^#token=(.+)$/) || [];
  if (token) {
    history.replaceState(null, "", location.pathname + location.search);
    await openSession(decodeURIComponent(token));
  }
}

async function follow() {
  const [, id, rest] = location.hash.match(/^#\/(?:d\/([0-9a-f]{64}))?\??(.*)$/) || [];
  const asked = new URLSearchParams(rest || "");
  const [start, end] = (asked.get("at") || "").split("-").map(Number);
  if (asked.has("in")) library.setScope(asked.get("in"));
  const place = id && end > start ? { document: id, start, end } : null;
  if (id) await showPlace(id, place, Number(asked.get("page")) || 1);
  const questions = asked.getAll("q");
  if (!questions.length) return;
  $("question").value = questions.join("\n");
  await results.run(questions, library.scopeBody(), place);
}

/** Shows a place that a link names, before it is asked again. */
async function showPlace(id, place, page) {
  let hits = [];
  if (place) {
    try {
      const found = await (await post("v1/locate", place)).json();
      hits = [{ ...place, locations: found.locations, now: true }];
    } catch { /* the document is not here, or has changed; the viewer says so */ }
  }
  await viewer.show(id, hits, page);
}

// Asking

async function ask(event) {
  event?.preventDefault();
  const questions = [...new Set($("question").value.split("\n").map((each) => each.trim()).filter(Boolean))];
  if (!questions.length) return $("question").focus();
  await library.refresh().catch(() => {}); // files of the command may have been loaded meanwhile
  if (library.isEmpty()) return say("There is nothing to ask yet: open a file first", true);
  say("");
  compare(false);
  await results.run(questions, library.scopeBody());
  write();
}

async function onChoice(now) {
  const id = now.answer.document.id;
  await viewer.show(id, results.hits(id), now.place.locations[0]?.page_number ?? 1);
  write();
}

async function exportAs() {
  const format = $("export").value;
  $("export").value = "";
  if (!format) return;
  try {
    say("The file is being made…");
    const response = await post("v1/export", { ...results.body(), format });
    const [, name] = (response.headers.get("Content-Disposition") || "").match(/filename="([^"]+)"/) || [];
    save(await response.blob(), name || `answers.${format}`);
    say(`${name} is saved`);
  } catch (error) { say(error.message, true); }
}

function compare(isOn = $("grid").hidden) {
  if (isOn && results.outcomes().length) {
    grid.open(results.outcomes(), (question, answer) => {
      compare(false);
      results.pick(question, answer);
      $("viewer").focus();
    });
  } else grid.close();
  $("compare").setAttribute("aria-pressed", String(!$("grid").hidden));
}

// Keys

const KEYS = [
  ["/", "Write a question", () => { $("question").focus(); $("question").select(); }],
  ["↓ j", "Next answer", () => results.move(1), "ArrowDown j"],
  ["↑ k", "Answer before", () => results.move(-1), "ArrowUp k"],
  ["n", "Next place of these words", () => results.movePlace(1)],
  ["p", "Place before", () => results.movePlace(-1)],
  ["a", "Read all passages", () => results.readAll()],
  ["Esc", "Stop reading, or leave what is open", leave, "Escape"],
  ["c", "Copy the citation", () => results.copyChosen("Copy")],
  ["C", "Copy the record as JSON", () => results.copyChosen("JSON")],
  ["l", "Copy the link", () => results.copyChosen("Link")],
  ["m", "Compare documents", () => compare()],
  ["g", "Go to a page", () => { $("number").focus(); $("number").select(); }],
  ["→ ←", "Next page, page before", (key) => viewer.turnPage(key === "ArrowRight" ? 1 : -1), "ArrowRight ArrowLeft"],
  ["+ −", "Larger, smaller", (key) => viewer.zoom(key === "-" || key === "−" ? -1 : 1), "+ = - −"],
  ["o", "Open files", () => $("file").click()],
  ["?", "These keys", () => $("help").showModal()],
];
const ACTIONS = new Map(KEYS.flatMap(([shown, , act, keys]) => (keys || shown).split(" ").map((key) => [key, act])));

function leave() {
  if (!$("grid").hidden) { compare(false); $("compare").focus(); } else results.stop();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const field = event.target.closest("input, textarea, select");
  const isQuestion = field === $("question");
  if (isQuestion && event.key === "Enter" && !event.shiftKey && !event.isComposing) return ask(event);
  const steps = ["ArrowDown", "ArrowUp"].includes(event.key);
  if (field && !(event.key === "Escape" || (isQuestion && steps && !field.value.includes("\n")))) return;
  if (!$("grid").hidden && !["Escape", "m", "?"].includes(event.key)) return;
  if (!field && steps && event.target === $("viewer")) return; // it scrolls
  const act = ACTIONS.get(event.key);
  if (!act) return;
  event.preventDefault();
  act(event.key);
}

// Dropping

function dropping() {
  const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  let depth = 0;
  const over = (step) => { depth = Math.max(0, depth + step); $("drop").hidden = depth === 0; };
  addEventListener("dragenter", (event) => { if (hasFiles(event)) { event.preventDefault(); over(1); } });
  addEventListener("dragleave", (event) => { if (hasFiles(event)) over(-1); });
  addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    over(-depth);
    library.add([...event.dataTransfer.files]);
  });
}

async function waitUntilReady() {
  for (let n = 0; n < 300; n += 1) {
    try {
      await get("readyz");
      if (n) say("");
      return;
    } catch (error) {
      if (error.status !== 503) return;
      say("The reader is being loaded…");
      await new Promise((go) => { setTimeout(go, 1000); });
    }
  }
}

/** Looks for the files that the command names, which are loaded while the page is open already. */
async function waitForFiles() {
  for (let n = 0; n < 40 && library.isEmpty(); n += 1) {
    await new Promise((go) => { setTimeout(go, 1500); });
    await library.refresh().catch(() => {});
  }
  if (library.chosenDocument() && !viewer.openId()) await viewer.show(library.chosenDocument());
}

async function begin() {
  $("ask").onsubmit = ask;
  $("open").onclick = $("first").onclick = () => $("file").click();
  $("file").onchange = () => { library.add([...$("file").files]); $("file").value = ""; };
  $("help-button").onclick = () => $("help").showModal();
  $("compare").onclick = () => compare();
  $("leave").onclick = leave;
  $("export").onchange = exportAs;
  $("keys").append(...KEYS.flatMap(([keys, words]) => [
    el("dt", {}, ...keys.split(" ").map((key) => el("kbd", { textContent: key }))), el("dd", { textContent: words })]));
  addEventListener("keydown", onKey);
  addEventListener("hashchange", () => { if (location.hash !== written) follow(); });
  addEventListener("focus", () => library.refresh().catch(() => {}));
  dropping();
  $("library").open = !matchMedia("(max-width: 760px)").matches;
  results.begin({ choose: onChoice, say });
  viewer.begin({ onMove: writeSoon });
  await restore();
  try {
    await library.begin({ say, open: (id) => viewer.show(id, results.hits(id)).then(write) });
  } catch (error) { say(error.message, true); }
  waitUntilReady();
  $("question").focus();
  if (location.hash) await follow();
  else await waitForFiles();
}

begin();
