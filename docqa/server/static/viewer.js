// The document: pictures of pages with a layer of text, or the text itself; marks on both.

import * as api from "./api.js";
import { $, el, whenNear, CodePoints } from "./dom.js";

const measure = document.createElement("canvas").getContext("2d");
measure.font = "100px sans-serif";
const PIECE = 4000; // characters of a text in one element

export class Viewer {
  constructor() {
    this.document = null;
    this.pages = [];
    this.hits = []; // {start, end, place, again}
    this.scale = 1;
    this.view = $("viewer");
    this.view.addEventListener("scroll", () => this.#followScroll(), { passive: true });
    $("larger").onclick = () => this.zoom(1.2);
    $("smaller").onclick = () => this.zoom(1 / 1.2);
    $("number").onchange = () => this.goTo(Number($("number").value));
  }

  /** Shows a document; resolves when its pages have their places. */
  async show(document_) {
    if (this.document && this.document.id === document_.id) return this.shown;
    this.document = document_;
    this.pages = [];
    this.hits = [];
    this.view.replaceChildren();
    $("welcome").hidden = true;
    document.querySelector(".page-bar").hidden = false;
    $("title").textContent = document_.name;
    $("title").title = document_.title || document_.name;
    const isPdf = document_.media_type === "application/pdf" && document_.pages > 0;
    $("original").href = `v1/documents/${document_.id}/${isPdf ? "original" : "view"}`;
    for (const id of ["number", "larger", "smaller", "zoom"]) $(id).disabled = !isPdf;
    $("count").textContent = isPdf ? ` of ${document_.pages}` : "";
    $("number").value = isPdf ? 1 : "";
    this.shown = isPdf ? this.#showPages(document_) : this.#showText(document_);
    return this.shown;
  }

  async #showPages({ id, pages }) {
    const first = await api.get(`v1/documents/${id}/pages/1`);
    if (this.document.id !== id) return;
    this.scale = Math.min(1.6, Math.max(.4, (this.view.clientWidth - 40) / first.width));
    this.#applyScale();
    const near = whenNear(this.view, "150px", (page) => this.#fill(page));
    for (let number = 1; number <= pages; number += 1) {
      const page = el("div", {
        className: "page", role: "group", ariaLabel: `Page ${number}`,
        style: { "--width": first.width, "--height": first.height },
      });
      page.dataset.number = number;
      this.pages.push(page);
      near.observe(page);
    }
    this.pages[0].facts = Promise.resolve(first);
    this.view.append(...this.pages);
    this.#showThumbs(id, pages, first);
  }

  #facts(page) {
    page.facts ||= api.get(`v1/documents/${this.document.id}/pages/${page.dataset.number}`);
    return page.facts;
  }

  async #fill(page) {
    if (page.isFilled) return;
    page.isFilled = true;
    const { id } = this.document;
    const facts = await this.#facts(page);
    if (this.document.id !== id) return;
    page.style.setProperty("--width", facts.width);
    page.style.setProperty("--height", facts.height);
    const dense = Math.min(400, Math.max(100, Math.round(100 * this.scale * devicePixelRatio / 25) * 25));
    const picture = el("img", { alt: "", src: `v1/documents/${id}/pages/${facts.number}.jpg?scale=${dense}` });
    const layer = el("div", { className: "layer" });
    for (const line of facts.lines) {
      if (!line.boxes.length) continue;
      const box = line.boxes[0];
      const size = Math.max(4, box.bottom - box.top);
      const wide = measure.measureText(line.text).width * size / 100 || 1;
      layer.append(el("span", {
        textContent: line.text,
        style: {
          "--size": size, left: `${100 * box.x0 / facts.width}%`, top: `${100 * box.top / facts.height}%`,
          transform: `scaleX(${(box.x1 - box.x0) / wide})`,
        },
      }), "\n");
    }
    page.replaceChildren(picture, ...[...page.querySelectorAll(".mark")], layer);
  }

  async #showText({ id }) {
    const words = await api.text(`v1/documents/${id}/text`);
    if (this.document.id !== id) return;
    this.points = new CodePoints(words);
    const root = el("div", { className: "text" });
    this.pieces = [];
    for (let at = 0; at < words.length;) {
      let end = Math.min(words.length, at + PIECE);
      const line = words.indexOf("\n", end);
      end = line < 0 || line > end + PIECE ? end : line + 1;
      if (end < words.length && words.charCodeAt(end - 1) >= 0xd800 && words.charCodeAt(end - 1) < 0xdc00) end += 1;
      const piece = el("div", {}, words.slice(at, end));
      piece.from = at;
      piece.to = end;
      piece.words = words.slice(at, end);
      this.pieces.push(piece);
      root.append(piece);
      at = end;
    }
    this.view.append(root);
    $("thumbs").hidden = true;
  }

  /** Marks the places of an answer and goes to one of them: 0 the answer itself, then occurrences. */
  async mark(answer, chosen = 0, others = []) {
    await this.shown;
    const spots = [answer, ...answer.occurrences];
    this.hits = spots;
    for (const old of this.view.querySelectorAll(".mark")) old.remove();
    if (this.pieces && !this.pages.length) return this.#markText(spots, chosen);
    spots.forEach((spot, number) => {
      for (const place of spot.locations) {
        const page = place.kind === "page" ? this.pages[place.page_number - 1] : null;
        for (const box of page ? place.boxes || [] : []) {
          const mark = el("div", {
            className: `mark${number ? " again" : ""}${number === chosen ? " now" : ""}`,
            style: {
              left: `${100 * box.x0 / place.page_width}%`, top: `${100 * box.top / place.page_height}%`,
              width: `${100 * (box.x1 - box.x0) / place.page_width}%`,
              height: `${100 * (box.bottom - box.top) / place.page_height}%`,
            },
          });
          page.append(mark);
        }
      }
    });
    this.#tick([answer, ...others]);
    const place = spots[chosen].locations.find((each) => each.kind === "page");
    if (!place) return undefined;
    const page = this.pages[place.page_number - 1];
    await this.#fill(page);
    await this.#facts(page);
    const now = page.querySelector(".mark.now");
    (now || page).scrollIntoView({ block: now ? "center" : "start" });
    return this.#current(place.page_number);
  }

  #markText(spots, chosen) {
    for (const piece of this.pieces) if (piece.querySelector("mark")) piece.replaceChildren(piece.words);
    const ranges = spots.map((spot, number) => ({
      from: this.points.unit(spot.start), to: this.points.unit(spot.end), number,
    })).sort((one, other) => other.from - one.from);
    for (const { from, to, number } of ranges) {
      for (const piece of this.pieces) {
        if (piece.to <= from || piece.from >= to) continue;
        const node = piece.firstChild; // marks are made from the end, so the first node is unmarked
        const range = document.createRange();
        range.setStart(node, Math.max(0, from - piece.from));
        range.setEnd(node, Math.min(node.length, to - piece.from));
        range.surroundContents(el("mark", { className: `${number ? "again" : ""}${number === chosen ? " now" : ""}` }));
      }
    }
    this.view.querySelector("mark.now")?.scrollIntoView({ block: "center" });
  }

  #showThumbs(id, pages, first) {
    const strip = $("thumbs");
    strip.replaceChildren();
    strip.hidden = pages < 2;
    const near = whenNear(strip, "0px", (button) => {
      const image = button.querySelector("img");
      image.src ||= `v1/documents/${id}/pages/${button.dataset.number}.jpg?scale=25`;
    });
    for (let number = 1; number <= pages; number += 1) {
      const small = el("span", { className: "small", style: { "--ratio": first.width / first.height } }, el("img", { alt: "" }));
      const button = el("button", { type: "button", ariaLabel: `Page ${number}`, onclick: () => this.goTo(number) }, small, String(number));
      button.dataset.number = number;
      near.observe(button);
      strip.append(button);
    }
  }

  #tick(answers) {
    const strip = $("thumbs");
    for (const old of strip.querySelectorAll(".tick")) old.remove();
    for (const answer of answers) {
      for (const spot of [answer, ...answer.occurrences]) {
        for (const place of spot.locations) {
          const button = place.kind === "page" ? strip.children[place.page_number - 1] : null;
          if (!button || !place.boxes?.length) continue;
          button.firstChild.append(el("span", { className: "tick", style: { top: `${100 * place.boxes[0].top / place.page_height}%` } }));
        }
      }
    }
  }

  /** Goes to a page. */
  goTo(number) {
    const page = this.pages[Math.max(1, Math.min(this.pages.length, number || 1)) - 1];
    if (!page) return;
    page.scrollIntoView({ block: "start" });
    this.#current(Number(page.dataset.number));
  }

  zoom(factor) {
    if (!this.pages.length) return;
    const number = Number($("number").value) || 1;
    this.scale = Math.min(4, Math.max(.25, this.scale * factor));
    this.#applyScale();
    this.goTo(number);
  }

  #applyScale() {
    this.view.style.setProperty("--scale", this.scale);
    $("zoom").textContent = `${Math.round(this.scale * 100)}%`;
  }

  #followScroll() {
    if (!this.pages.length || this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      const middle = this.view.getBoundingClientRect().top + this.view.clientHeight / 3;
      let low = 0, high = this.pages.length - 1;
      while (low < high) {
        const at = (low + high) >> 1;
        if (this.pages[at].getBoundingClientRect().bottom < middle) low = at + 1; else high = at;
      }
      this.#current(low + 1);
    });
  }

  #current(number) {
    if (document.activeElement !== $("number")) $("number").value = number;
    const strip = $("thumbs");
    const now = strip.children[number - 1];
    if (!now || now.getAttribute("aria-current")) return;
    strip.querySelector("[aria-current]")?.removeAttribute("aria-current");
    now.setAttribute("aria-current", "page");
    const top = now.offsetTop - strip.offsetTop;
    if (top < strip.scrollTop || top + now.offsetHeight > strip.scrollTop + strip.clientHeight) {
      strip.scrollTop = top - strip.clientHeight / 3;
    }
  }
}
