// The comparison: questions in rows, documents in columns, the best answer in each cell.

import { $, el, percent, placeWords } from "./dom.js";

let cells = []; // rows of elements
let pick = () => {};

/** Shows the best answer of each document to each question; `onPick` gets the question and the answer of a cell. */
export function open(outcomes, onPick) {
  pick = onPick;
  const documents = new Map();
  for (const { items } of outcomes) {
    for (const item of items) {
      if (item.document) documents.set(item.document.id, item.document.source);
      for (const answer of item.answers) documents.set(answer.document.id, answer.document.source);
    }
  }
  const head = el("tr", { role: "row" },
    el("th", { scope: "col", role: "columnheader", textContent: "Question" }),
    ...[...documents.values()].map((name) => el("th", { scope: "col", role: "columnheader", textContent: name })));
  cells = outcomes.map(({ question, items }) => [...documents.keys()].map((id) => {
    const item = items.find((each) => each.document?.id === id);
    const found = items.flatMap((each) => each.answers).filter((each) => each.document.id === id);
    return cell(question, found.sort((a, b) => b.score - a.score)[0], item);
  }));
  const rows = outcomes.map(({ question }, index) => el("tr", { role: "row" },
    el("th", { scope: "row", role: "rowheader", textContent: question }), ...cells[index]));
  const table = el("table", { role: "grid", ariaLabel: "Answers of each document to each question", onkeydown: steer },
    el("thead", { role: "rowgroup" }, head), el("tbody", { role: "rowgroup" }, ...rows));
  $("table").replaceChildren(table);
  $("grid").hidden = false;
  if (cells[0]?.[0]) reach(cells[0][0]);
}

export function close() {
  $("grid").hidden = true;
  $("table").replaceChildren();
}

function cell(question, answer, item) {
  const made = el("td", { role: "gridcell", tabIndex: -1 });
  if (answer) {
    made.append(
      el("span", { className: "words", textContent: answer.answer }), " ",
      el("span", { className: "score", textContent: percent(answer.score) }),
      el("div", { className: "place", textContent: placeWords(answer.locations, answer.heading) }));
    made.onclick = () => pick(question, answer);
  } else {
    const words = item?.error ? item.error.detail : "not found";
    made.append(el("span", { className: item?.error ? "failed" : "score", textContent: words }));
  }
  made.onfocus = () => { for (const each of cells.flat()) each.tabIndex = each === made ? 0 : -1; };
  return made;
}

function reach(one) {
  one.tabIndex = 0;
  one.focus();
}

function steer(event) {
  const row = cells.findIndex((each) => each.includes(event.target));
  if (row < 0) return;
  const column = cells[row].indexOf(event.target);
  const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] || [0, 0];
  if (event.key === "Home" || event.key === "End") reach(cells[row].at(event.key === "Home" ? 0 : -1));
  else if (event.key === "Enter" || event.key === " ") event.target.click();
  else if (down || right) {
    const to = cells[row + down]?.[column + right];
    if (to) reach(to);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
