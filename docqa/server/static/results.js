// Questions and their answers: asking, reading on, and going through what was found.

import { ask } from "./api.js";
import { $, button, citation, copy, counted, el, percent, placeWords } from "./dom.js";

export const ANSWERS = 5; // of each question to each document
const WIDEN = 4; // each step of reading all reads so many times more
const FAR = 3; // answers of one question that are listed before "more"

let groups = []; // one for each question
let where = {}; // the part of the request that says where to ask
let current = null; // {group, cite, place}
let wanted = null; // the place that a link names, until it is found
let isLed = false; // the reader has chosen; what comes later changes the choice no more
let chosen = () => {};
let report = () => {};

const STATES = {
  changed: "changed since indexed", missing: "file is missing", unreadable: "file cannot be read", moved: "file was moved",
};

/** Begins: `choose` is called when an answer or a place of it is chosen, `say` with news. */
export function begin({ choose, say }) { [chosen, report] = [choose, say]; }

export const questions = () => groups.map((each) => each.question);
export const isBusy = () => groups.some((each) => each.stop);
export const outcomes = () => groups.map((each) => ({ question: each.question, items: [...each.items.values()] }));
export const body = () => ({ questions: questions(), ...where, top_k: ANSWERS });

/** Asks questions; an answer at `place`, {document, start, end}, is chosen where it is found. */
export async function run(list, scope, place = null) {
  stop();
  [where, current, wanted, isLed] = [scope, null, place, false];
  groups = list.map((question) => ({ question, items: new Map(), answers: [], stop: null, said: "", problem: "", isLong: false }));
  await read(groups, {});
  if (!groups.some((each) => each.answers.length)) report("No answer found");
}

/** Reads on, each time more of what a question has left, until all is read. */
export async function readAll(group = groups.find((each) => left(each))) {
  if (!group || group.stop || !left(group)) return;
  for (;;) {
    const coverage = [...group.items.values()].map((each) => each.coverage);
    const most = Math.max(...coverage.map((each) => each.passages_total));
    const next = WIDEN * Math.max(10, ...coverage.map((each) => each.passages_read));
    const limits = next < most && group.items.size === 1 ? { top_passages: next } : { exhaustive: true };
    const went = await read([group], limits, unread(group));
    if (!went || !left(group) || limits.exhaustive) return;
  }
}

/** Returns the ids of documents that a question has not read whole; none of a collection. */
function unread(group) {
  const items = [...group.items.values()].filter((each) => each.document && each.coverage.passages_read < each.coverage.passages_total);
  return where.collection ? where : { documents: items.map((each) => each.document.id) };
}

async function read(some, limits, scope = where) {
  const control = new AbortController();
  for (const group of some) [group.stop, group.problem, group.said] = [control, "", ""];
  render();
  try {
    for await (const item of ask({ questions: some.map((each) => each.question), ...scope, top_k: ANSWERS, ...limits }, control.signal)) {
      const group = some.find((each) => each.question === item.question);
      const key = item.document?.id ?? item.collection ?? `failed ${group.items.size}`;
      const before = group.items.get(key);
      if (!before || !item.error) group.items.set(key, item);
      gather(group);
      later();
    }
    return true;
  } catch (error) {
    for (const group of some) {
      if (error.name === "AbortError") group.said = "Stopped: "; else group.problem = error.message;
    }
    if (error.name !== "AbortError") report(error.message, true);
    return false;
  } finally {
    for (const group of some) group.stop = null;
    render();
  }
}

/** Ends what is being asked or read; what was found stays. */
export function stop() {
  for (const group of groups) group.stop?.abort();
}

function gather(group) {
  group.answers = [...group.items.values()].flatMap((each) => each.answers).sort((a, b) => b.score - a.score);
}

function total(group) {
  const all = [...group.items.values()].map((each) => each.coverage);
  const sum = (name) => all.reduce((whole, each) => whole + each[name], 0);
  return { read: sum("passages_read"), of: sum("passages_total") };
}

function left(group) {
  const { read: done, of } = total(group);
  return done < of;
}

// Choosing

const listed = (group) => (group.isLong ? group.answers : group.answers.slice(0, FAR));
const flat = () => groups.flatMap((group) => listed(group).map((answer) => ({ group, answer })));
export const places = (answer) => [answer, ...answer.occurrences];

/** Returns the chosen answer and its chosen place, or null. */
export function choice() {
  const answer = current?.group.answers.find((each) => each.cite === current.cite);
  return answer ? { answer, place: places(answer)[current.place] ?? answer, index: current.place, question: current.group.question } : null;
}

/** Returns all places that were found in a document, the chosen one with `now`. */
export function hits(id) {
  const now = choice();
  return groups.flatMap((group) => group.answers.filter((each) => each.document.id === id))
    .flatMap((answer) => places(answer).map(({ start, end, locations, cite }) => ({ start, end, locations, now: now?.answer === answer && now.place.cite === cite })));
}

export function choose(group, answer, place = 0, isLeading = true) {
  current = { group, cite: answer.cite, place };
  isLed ||= isLeading;
  render();
  chosen(choice());
  document.querySelector('#results [aria-current="true"]')?.scrollIntoView({ block: "nearest" });
}

/** Chooses an answer of a question. */
export function pick(question, answer) {
  const group = groups.find((each) => each.question === question);
  group.isLong ||= group.answers.indexOf(answer) >= FAR;
  choose(group, answer);
}

/** Chooses the next answer, or with -1 the one before. */
export function move(step) {
  const all = flat();
  if (!all.length) return;
  const at = all.findIndex((each) => each.group === current?.group && each.answer.cite === current.cite);
  const next = all[Math.max(0, Math.min(all.length - 1, at + step))];
  const hadFocus = $("results").contains(document.activeElement);
  choose(next.group, next.answer);
  if (hadFocus) document.querySelector('#results [aria-current="true"]').focus();
  report(`Answer ${all.indexOf(next) + 1} of ${all.length}: ${next.answer.answer}, ${placeWords(next.answer.locations, next.answer.heading)}`);
}

/** Chooses the next place where the words of the answer stand, or with -1 the one before. */
export function movePlace(step) {
  const now = choice();
  if (!now) return;
  const n = places(now.answer).length;
  choose(current.group, now.answer, (now.index + step + n) % n);
  report(`Place ${current.place + 1} of ${n}`);
}

/** Chooses an answer without taking over from the reader: the one that a link names, else the first. */
function chooseFirst() {
  if (wanted) {
    for (const { group, answer } of groups.flatMap((each) => each.answers.map((answer) => ({ group: each, answer })))) {
      const place = places(answer).findIndex((each) => answer.document.id === wanted.document && each.start === wanted.start && each.end === wanted.end);
      if (place < 0) continue;
      wanted = null;
      group.isLong ||= group.answers.indexOf(answer) >= FAR;
      choose(group, answer, place);
      return true;
    }
    if (isBusy()) return false;
  }
  const first = groups.find((each) => each.answers.length);
  if (isLed || !first || (current?.group === first && current.cite === first.answers[0].cite)) return false;
  choose(first, first.answers[0], 0, false);
  return true;
}

// Showing

let isDue = false;
function later() {
  if (isDue) return;
  isDue = true;
  setTimeout(render, 60);
}

function render() {
  isDue = false;
  if (chooseFirst()) return; // it rendered
  const had = document.activeElement?.dataset?.key;
  const isHere = $("results").contains(document.activeElement);
  $("results").replaceChildren(...groups.map(section));
  if (isHere && had) document.querySelector(`#results [data-key="${CSS.escape(had)}"]`)?.focus({ preventScroll: true });
  $("tools").hidden = !groups.some((each) => each.items.size);
}

function section(group) {
  const shown = listed(group);
  const more = group.answers.length - shown.length;
  const id = `asked-${groups.indexOf(group)}`;
  return el("section", { className: "asked", ariaLabelledby: id },
    el("h2", { id, textContent: group.question }),
    shown.length ? el("ol", { className: "answers" }, ...shown.map((answer) => row(group, answer))) : null,
    more > 0 ? button(`${more} more`, () => { group.isLong = true; render(); }, { className: "plain more" }) : null,
    ...failures(group),
    said(group));
}

function row(group, answer) {
  const isChosen = current?.group === group && current.cite === answer.cite;
  const key = `${groups.indexOf(group)} ${answer.cite}`;
  const state = STATES[answer.document.source_state];
  const where = [answer.document.source, placeWords(answer.locations, answer.heading)].filter(Boolean).join(", ");
  const main = button("", () => choose(group, answer), { className: "answer", ariaCurrent: String(isChosen) });
  main.dataset.key = key;
  main.append(
    el("span", { className: "score", textContent: percent(answer.score), title: answer.calibrated ? "How often answers with this score are right" : "The reader's score" }),
    el("span", { className: "words", textContent: answer.answer }),
    context(answer),
    el("span", { className: "place", textContent: where }));
  return el("li", { className: isChosen ? "chosen" : "" }, main, isChosen ? actions(group, answer) : null,
    state ? el("span", { className: "badge", textContent: state }) : null);
}

/** Returns the words around an answer, with the answer in bold. */
function context(answer) {
  const points = [...answer.context];
  const start = answer.start - answer.context_start, end = answer.end - answer.context_start;
  const text = (some) => some.join("").replace(/\s+/g, " ");
  const before = points.slice(0, start), after = points.slice(end);
  return el("span", { className: "context" },
    (before.length > 90 ? "…" : "") + text(before.slice(-90)), el("b", { textContent: text(points.slice(start, end)) }),
    text(after.slice(0, 90)) + (after.length > 90 ? "…" : ""));
}

function actions(group, answer) {
  const all = places(answer);
  const dots = all.length < 2 ? [] : [el("span", { className: "dots", role: "group", ariaLabel: "Places of these words" },
    ...all.map((place, index) => {
      const dot = button(index + 1, () => choose(group, answer, index), {
        className: "dot", title: placeWords(place.locations, ""), ariaLabel: `Place ${index + 1} of ${all.length}`, ariaCurrent: String(index === current.place),
      });
      dot.dataset.key = `${answer.cite} dot ${index}`;
      return dot;
    }))];
  const copier = (words, make, title) => {
    const made = button(words, () => copied(make(), words), { className: "plain", title });
    made.dataset.key = `${answer.cite} ${words}`;
    return made;
  };
  return el("span", { className: "actions" }, ...dots,
    copier("Copy", () => citation(answer), "The words with their place (c)"),
    copier("JSON", () => JSON.stringify(answer), "The record, which docqa verify checks (C)"),
    copier("Link", () => location.href, "The address of this page with this mark (l)"));
}

async function copied(words, what) {
  try {
    await copy(words);
    report(what === "Copy" ? "The citation is copied" : `${what} copied`);
  } catch { report("The browser does not let this page copy", true); }
}

/** Copies the chosen answer: "Copy", "JSON" or "Link". */
export function copyChosen(what) {
  const now = choice();
  if (now) copied({ Copy: () => citation(now.answer), JSON: () => JSON.stringify(now.answer), Link: () => location.href }[what](), what);
}

function failures(group) {
  const bad = [...group.items.values()].filter((each) => each.error);
  const words = new Set([group.problem, ...bad.map((each) => each.error.detail)].filter(Boolean));
  return [...words].map((each) => el("p", { className: "said failed", textContent: each }));
}

function said(group) {
  const { read: done, of } = total(group);
  const much = `read ${done.toLocaleString("en")} of ${counted(of, "passage")}`;
  const isCut = [...group.items.values()].some((each) => !each.complete);
  const words = (() => {
    if (group.stop) return of ? `Reading: ${much.replace("read ", "")}` : "Reading…";
    if (!of) return "";
    if (group.said) return group.said + much;
    if (!group.answers.length) return `Not found: ${much}.`;
    return isCut ? `Time was over: ${much}.` : `Found: ${much}.`;
  })();
  const line = el("p", { className: "said" }, words);
  if (group.stop) {
    const bar = el("progress", { max: of || 1, ariaLabel: "Passages read" });
    if (of) bar.value = done;
    line.append(bar, button("Stop", stop, { title: "Esc" }));
  } else if (left(group)) {
    const all = button("Read all", () => readAll(group), { title: "Read every passage (a)" });
    all.dataset.key = `${groups.indexOf(group)} all`;
    line.append(all);
  }
  return words || group.stop ? line : null;
}
