// Questions by documents: a table whose cells lead to the page.

import { $, el, inPlace, percent } from "./dom.js";

export class Grid {
  /** `onOpen` gets the answer whose cell was opened. */
  constructor(onOpen) {
    this.onOpen = onOpen;
    $("grid").addEventListener("keydown", (event) => this.#move(event));
  }

  show(asked, documents) {
    const ids = [...new Set(asked.flatMap((one) => one.items.flatMap((item) => (
      item.collection ? item.answers.map((answer) => answer.document.id) : [item.document?.id]
    ))))].filter(Boolean);
    const names = (id) => documents.get(id)?.name
      || asked.flatMap((one) => one.items.flatMap((item) => item.answers)).find((answer) => answer.document.id === id)?.document.source || id;
    const head = el("tr", {}, el("th", { scope: "col", textContent: "Question" }), ...ids.map((id) => el("th", { scope: "col", textContent: names(id) })));
    const rows = asked.map((one) => el("tr", {}, el("th", { scope: "row", textContent: one.question }), ...ids.map((id) => this.#cell(one, id))));
    const table = el("table", { role: "grid", ariaLabel: "Questions by documents" }, el("thead", {}, head), el("tbody", {}, ...rows));
    $("grid").replaceChildren(table);
    $("grid").hidden = false;
    const first = table.querySelector("td");
    if (first) {
      first.tabIndex = 0;
      first.focus();
    }
  }

  hide() { $("grid").hidden = true; }

  #cell(one, id) {
    const best = one.items.flatMap((item) => item.answers).filter((answer) => answer.document.id === id)
      .sort((first, second) => second.score - first.score)[0];
    const item = one.items.find((each) => each.document?.id === id);
    const cell = el("td", { tabIndex: -1, role: "gridcell" });
    if (best) {
      cell.append(el("div", { textContent: best.answer }), el("span", { className: "score", textContent: `${percent(best.score)} ` }), el("span", { className: "place", textContent: inPlace(best) }));
      cell.open = () => this.onOpen(best);
      cell.onclick = cell.open;
    } else cell.append(el("span", { className: "place", textContent: item?.error ? item.error.detail : "not found" }));
    return cell;
  }

  #move(event) {
    const cell = event.target.closest("td");
    if (!cell) return;
    const row = cell.parentElement, at = [...row.children].indexOf(cell);
    const next = {
      ArrowRight: cell.nextElementSibling, ArrowLeft: cell.previousElementSibling,
      ArrowDown: row.nextElementSibling?.children[at], ArrowUp: row.previousElementSibling?.children[at],
    }[event.key];
    if (event.key === "Enter" && cell.open) cell.open();
    if (next?.tagName !== "TD") return;
    event.preventDefault();
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
