// The document: pictures of pages under their own text, or the text of formats without pages; marks on both.

import { get } from "./api.js";
import { $, button, el } from "./dom.js";
import { TextPane } from "./textpane.js";

const SCALES = [100, 150, 200, 300, 400]; // pixels a 100 points; few, so that pictures are drawn once
const REST = 90; // milliseconds that a page must be near before it is drawn
const CSS_PIXELS = 96 / 72; // a point at 100%

let shown = null; // the document that is open
let turn = 0; // counts what was asked for, so that late answers are dropped
let moved = () => {};
const pen = document.createElement("canvas").getContext("2d");

/** Begins: `onMove` is called when another page is in sight. */
export function begin({ onMove }) {
  moved = onMove;
  $("viewer").onscroll = () => requestAnimationFrame(followScroll);
  $("smaller").onclick = () => zoom(-1);
  $("larger").onclick = () => zoom(1);
  $("number").onchange = () => goTo(Number($("number").value));
  $("looks").onclick = () => toggleLooks();
  new ResizeObserver(() => { if (shown?.isFitted) fit(); }).observe($("viewer"));
}

export const openId = () => shown?.record.id ?? null;
export const pageNow = () => shown?.page ?? null;

/**
 * Shows a document with marks.
 *
 * `hits` are places {start, end, locations, now}; the one with `now` is gone to. `page` is gone to where there is none.
 */
export async function show(id, hits = [], page = 1) {
  const mine = (turn += 1);
  try {
    if (shown?.record.id !== id) {
      const record = await get(`v1/documents/${id}`);
      const first = record.pages && record.media_type === "application/pdf" ? await get(`v1/documents/${id}/pages/${Math.min(page, record.pages)}`) : null;
      const pane = first ? null : await TextPane.of(id, record);
      if (mine !== turn) return;
      open(record, first, pane);
    }
  } catch (error) {
    if (mine === turn) close(error.message);
    return;
  }
  shown.hits = hits;
  const now = hits.find((each) => each.now);
  if (shown.pane) {
    if (shown.frame) toggleLooks();
    shown.pane.mark(hits);
  } else {
    markPages(hits);
    if (!now?.locations.some((each) => each.boxes?.length)) goTo(now?.locations[0]?.page_number ?? page);
  }
  document.querySelector("#viewer .now")?.scrollIntoView({ block: "center", inline: "nearest" });
  followScroll();
}

/** Empties the viewer; `words` say why. */
export function close(words = "") {
  shown = null;
  $("viewer").replaceChildren(...(words ? [el("p", { className: "failed", textContent: words })] : []));
  $("page-bar").hidden = true;
  $("thumbs").hidden = true;
  $("welcome").hidden = Boolean(words);
}

function open(record, first, pane) {
  shown = { record, pane, hits: [], page: null, pages: [], frame: null, near: null, scale: 1, isFitted: !pane };
  $("welcome").hidden = true;
  $("page-bar").hidden = false;
  $("title").textContent = record.name;
  $("title").title = record.title || record.name;
  $("original").href = `v1/documents/${record.id}/original`;
  $("looks").hidden = !pane;
  $("looks").setAttribute("aria-pressed", "false");
  $("paging").hidden = Boolean(pane);
  $("thumbs").hidden = Boolean(pane) || record.pages < 2;
  $("viewer").scrollTop = 0;
  if (pane) $("viewer").replaceChildren(pane.root);
  else layOut(record, first);
  showZoom();
  if (!pane) fit();
}

// Pages

function layOut(record, first) {
  shown.near?.disconnect();
  shown.pages = Array.from({ length: record.pages }, (_, index) => pageElement(record, index + 1, first));
  $("viewer").replaceChildren(...shown.pages.map((each) => each.root));
  $("number").size = String(record.pages).length + 1;
  shown.near = new IntersectionObserver(onNear, { root: $("viewer"), rootMargin: "150px 0px" });
  $("thumbs").replaceChildren(...shown.pages.map((each) => each.thumb));
  const small = new IntersectionObserver(onThumb, { root: $("thumbs") });
  for (const each of shown.pages) {
    shown.near.observe(each.root);
    small.observe(each.thumb);
  }
}

/** Makes the first page as wide as there is room. */
function fit() {
  const style = getComputedStyle($("viewer"));
  const wide = $("viewer").clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 2;
  const scale = Math.max(0.25, Math.min(2, wide / shown.pages[0].width));
  if (Math.abs(scale - shown.scale) > 0.005) resize(scale / shown.scale);
}

/** Makes everything larger by a factor, and keeps what stands in the middle of the window there. */
function resize(factor) {
  const view = $("viewer");
  const before = (view.scrollTop + view.clientHeight / 2) / view.scrollHeight;
  if (shown.pane) shown.pane.zoom(factor); else shown.scale = Math.max(0.25, Math.min(4, shown.scale * factor));
  showZoom();
  view.scrollTop = before * view.scrollHeight - view.clientHeight / 2;
  for (const page of shown.pages) draw(page);
}

function pageElement(record, number, { width, height }) {
  const root = el("div", { className: "page", role: "group", ariaLabel: `Page ${number}` });
  const paper = el("span", { className: "paper" });
  const thumb = button("", () => goTo(number), { ariaLabel: `Page ${number}` });
  thumb.append(paper, el("span", { textContent: number, ariaHidden: "true" }));
  const page = { id: record.id, number, root, thumb, paper, isNear: false, drawn: 0, hasText: false };
  root.page = thumb.page = page;
  size(page, width, height);
  return page;
}

function size(page, width, height) {
  [page.width, page.height] = [width, height];
  page.root.style.setProperty("--width", width);
  page.root.style.setProperty("--height", height);
  page.paper.style.setProperty("--ratio", width / height);
}

function onNear(entries) {
  for (const { target, isIntersecting } of entries) {
    target.page.isNear = isIntersecting;
    if (isIntersecting) setTimeout(() => draw(target.page), REST);
  }
}

function onThumb(entries) {
  for (const { target, isIntersecting } of entries) {
    const { page } = target;
    target.isNear = isIntersecting;
    if (isIntersecting) {
      setTimeout(() => {
        if (!target.isNear || page.paper.querySelector("img")) return;
        page.paper.prepend(el("img", { src: `v1/documents/${page.id}/pages/${page.number}.jpg?scale=25`, alt: "" }));
      }, REST);
    }
  }
}

async function draw(page) {
  if (!page.isNear || shown?.record.id !== page.id) return;
  const wanted = shown.scale * 100 * (window.devicePixelRatio || 1);
  const scale = SCALES.find((each) => each >= wanted - 1) ?? SCALES[SCALES.length - 1];
  if (page.drawn !== scale) {
    page.drawn = scale;
    const image = el("img", { alt: "", draggable: false });
    image.onload = () => { page.image?.remove(); page.image = image; };
    image.onerror = () => image.replaceWith(el("p", { className: "failed", textContent: "This page cannot be drawn." }));
    image.src = `v1/documents/${page.id}/pages/${page.number}.jpg?scale=${scale}`;
    page.root.prepend(image);
  }
  if (page.hasText) return;
  page.hasText = true;
  try {
    const found = await get(`v1/documents/${page.id}/pages/${page.number}`);
    if (found.width !== page.width || found.height !== page.height) size(page, found.width, found.height);
    page.label = found.label;
    page.root.append(textLayer(found.lines));
    if (found.needs_ocr) page.root.append(el("p", { className: "scan", textContent: "This page is a scan without text." }));
    if (shown?.page === page.number) followScroll(true);
  } catch { page.hasText = false; }
}

/** Returns invisible lines over the picture, so that words can be selected and found. */
function textLayer(lines) {
  const layer = el("div", { className: "layer" });
  for (const line of lines.filter((each) => each.boxes.length)) {
    const box = union(line.boxes);
    const isUpright = box.height > 2 * box.width && line.text.length > 2;
    const [long, high] = isUpright ? [box.height, box.width] : [box.width, box.height];
    pen.font = "100px sans-serif";
    const natural = (pen.measureText(line.text).width / 100) * high || 1;
    const span = el("span", { textContent: `${line.text}\n`, className: isUpright ? "upright" : "" });
    place(span, box);
    span.style.setProperty("--size", high);
    span.style.setProperty("--stretch", long / natural);
    layer.append(span);
  }
  return layer;
}

function union(boxes) {
  const left = Math.min(...boxes.map((each) => each.x0)), top = Math.min(...boxes.map((each) => each.top));
  const right = Math.max(...boxes.map((each) => each.x1)), bottom = Math.max(...boxes.map((each) => each.bottom));
  return { left, top, width: right - left, height: bottom - top };
}

function place(element, { left, top, width, height }) {
  for (const [name, value] of Object.entries({ left, top, width, height })) element.style.setProperty(`--${name}`, value);
}

function markPages(hits) {
  for (const old of document.querySelectorAll("#viewer .mark, #thumbs .tick")) old.remove();
  for (const hit of [...hits].sort((a, b) => Number(Boolean(a.now)) - Number(Boolean(b.now)))) {
    for (const where of hit.locations) {
      const page = shown.pages[where.page_number - 1];
      if (!page) continue;
      if (where.page_width) size(page, where.page_width, where.page_height);
      for (const box of where.boxes || []) {
        const mark = el("div", { className: hit.now ? "mark now" : "mark again" });
        place(mark, union([box]));
        page.root.append(mark);
      }
      const top = where.boxes?.length ? where.boxes[0].top / page.height : 0;
      page.paper.append(el("span", { className: hit.now ? "tick now" : "tick", style: { "--at": top } }));
    }
  }
}

/** Goes to a page by its number. */
export function goTo(number) {
  const page = shown?.pages[Math.max(1, Math.min(shown.pages.length, Math.round(number) || 1)) - 1];
  if (!page) return;
  page.root.scrollIntoView({ block: "start" });
  followScroll();
}

export function turnPage(step) { if (shown?.page) goTo(shown.page + step); }

/** Keeps the page number and the row of small pages with what is in sight. */
function followScroll(anyway = false) {
  if (!shown?.pages.length) return;
  const view = $("viewer"), middle = view.scrollTop + view.clientHeight / 2;
  let low = 0, high = shown.pages.length - 1;
  while (low < high) {
    const at = (low + high + 1) >> 1;
    if (shown.pages[at].root.offsetTop - view.offsetTop <= middle) low = at; else high = at - 1;
  }
  const page = shown.pages[low];
  if (page.number === shown.page && anyway !== true) return;
  shown.pages[shown.page - 1]?.thumb.removeAttribute("aria-current");
  shown.page = page.number;
  page.thumb.setAttribute("aria-current", "page");
  if (document.activeElement !== $("number")) $("number").value = page.number;
  const printed = page.label && page.label !== String(page.number) ? ` (printed ${page.label})` : "";
  $("count").textContent = `of ${shown.pages.length}${printed}`;
  const row = $("thumbs"), top = page.thumb.offsetTop - row.offsetTop;
  if (top < row.scrollTop || top + page.thumb.offsetHeight > row.scrollTop + row.clientHeight) row.scrollTop = top - row.clientHeight / 3;
  moved();
}

/** Makes pages or text larger or smaller by a step. */
export function zoom(step) {
  if (!shown) return;
  shown.isFitted = false;
  resize(1.2 ** step);
}

function showZoom() {
  if (!shown.pane) $("viewer").style.setProperty("--scale", shown.scale);
  $("zoom").textContent = `${Math.round(100 * (shown.pane ? shown.pane.size : shown.scale / CSS_PIXELS))}%`;
}

/** Shows a document without pages as its format means it to look, in a frame that runs nothing; or its text again. */
function toggleLooks() {
  const fragment = shown.hits.find((each) => each.now)?.locations[0]?.text_fragment;
  if (shown.frame) {
    shown.frame = null;
    $("viewer").replaceChildren(shown.pane.root);
  } else {
    const address = `v1/documents/${shown.record.id}/view${fragment ? `#${fragment.replace(/^#/, "")}` : ""}`;
    shown.frame = el("iframe", { title: shown.record.name, sandbox: "", src: address });
    $("viewer").replaceChildren(shown.frame);
  }
  $("looks").setAttribute("aria-pressed", String(Boolean(shown.frame)));
}
