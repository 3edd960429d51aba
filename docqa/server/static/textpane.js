// The text of a document without pages, in blocks of whole lines, with marks in it.

import { text } from "./api.js";
import { CodePoints, el } from "./dom.js";

const BLOCK = 4000; // characters, about a screen

export class TextPane {
  /** Returns the pane of a document, with its text fetched. */
  static async of(id, record) {
    return new TextPane(await text(`v1/documents/${id}/text`), record);
  }

  constructor(words, record) {
    this.points = new CodePoints(words);
    this.size = 1;
    this.blocks = [];
    this.marked = new Set();
    this.root = el("article", { className: "text", ariaLabel: record.name });
    for (let start = 0; start < words.length;) {
      const cut = words.indexOf("\n", start + BLOCK);
      const end = cut < 0 ? words.length : cut + 1;
      const block = { start, end, root: el("div") };
      this.fill(block, []);
      this.blocks.push(block);
      this.root.append(block.root);
      start = end;
    }
  }

  /** Marks places {start, end, now}, counted in code points. */
  mark(hits) {
    const spans = hits
      .map((hit) => ({ start: this.points.unit(hit.start), end: this.points.unit(hit.end), now: hit.now }))
      .sort((a, b) => a.start - b.start);
    for (const block of this.blocks) {
      const inside = spans.filter((each) => each.start < block.end && each.end > block.start);
      if (inside.length || this.marked.has(block)) this.fill(block, inside);
      if (inside.length) this.marked.add(block); else this.marked.delete(block);
    }
  }

  fill(block, spans) {
    const { words } = this.points;
    const pieces = [];
    let at = block.start;
    const last = block.end - (words[block.end - 1] === "\n" ? 1 : 0); // the block's end breaks the line
    for (const span of withoutOverlaps(spans)) {
      const start = Math.max(at, span.start), end = Math.min(last, span.end);
      if (end <= start) continue;
      pieces.push(words.slice(at, start), el("mark", { className: span.now ? "now" : "again", textContent: words.slice(start, end) }));
      at = end;
    }
    pieces.push(words.slice(at, last) || (pieces.length ? "" : "\u200b"));
    block.root.replaceChildren(...pieces);
  }

  zoom(factor) {
    this.size = Math.max(0.5, Math.min(3, this.size * factor));
    this.root.style.setProperty("--zoom", this.size);
  }
}

/** Returns spans of which the current one keeps all its characters. */
function withoutOverlaps(spans) {
  const now = spans.find((each) => each.now);
  if (!now) return spans;
  const others = spans.filter((each) => !each.now && (each.end <= now.start || each.start >= now.end));
  return [...others, now].sort((a, b) => a.start - b.start);
}
