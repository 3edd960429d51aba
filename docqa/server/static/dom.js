// Small helpers. Elements are made of text, never of markup, so that no document can inject any.

export const $ = (id) => document.getElementById(id);

/** Returns a new element with properties; `ariaX` and `role` become attributes, `style` holds custom properties. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "style") for (const [key, one] of Object.entries(value)) made.style.setProperty(key, one);
    else if (name.startsWith("aria")) made.setAttribute(`aria-${name.slice(4).toLowerCase()}`, value);
    else if (name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const button = (words, onclick, properties = {}) =>
  el("button", { type: "button", textContent: words, onclick, ...properties });

export const counted = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

export const percent = (score) => `${Math.round(score * 100)}%`;

/** Returns words for the first place of an answer, such as "p. 3". */
export function placeWords(locations, heading) {
  const place = locations[0];
  if (place?.kind === "page") return `p. ${place.page_label || place.page_number}`;
  if (place?.kind === "text") return `line ${place.line}`;
  if (place?.slide_number) return `slide ${place.slide_number}`;
  return heading ? `under “${heading}”` : "";
}

/** Returns a citation for people, such as `"1908" (handbook.pdf, p. 1)`. */
export function citation(answer) {
  const where = [answer.document.source, placeWords(answer.locations, answer.heading)];
  return `"${answer.answer}" (${where.filter(Boolean).join(", ")})`;
}

/** Copies words to the clipboard, also where the page came over plain HTTP. */
export async function copy(words) {
  if (navigator.clipboard) return navigator.clipboard.writeText(words);
  const field = el("textarea", { value: words, className: "unseen" });
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

/** Saves bytes as a file of the reader. */
export function save(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** A text whose characters are counted as docqa does, by code points; JavaScript counts UTF-16 units. */
export class CodePoints {
  constructor(words) {
    this.words = words;
    this.wide = []; // the code points that take two units
    if (!/[\ud800-\udbff]/.test(words)) return;
    let point = 0;
    for (const character of words) {
      if (character.length === 2) this.wide.push(point);
      point += 1;
    }
  }

  /** Returns the unit at which a code point begins. */
  unit(point) {
    let low = 0, high = this.wide.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.wide[middle] < point) low = middle + 1; else high = middle;
    }
    return point + low;
  }
}
