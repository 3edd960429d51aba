// Small helpers: elements are made of text, never of markup, so that no document can inject any.

export const $ = (id) => document.getElementById(id);

/** Returns a new element. `properties` are set on it; `style` entries are custom properties too. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "style") for (const [key, one] of Object.entries(value)) made.style.setProperty(key, one);
    else if (name.startsWith("aria") || name === "role") made.setAttribute(name.replace(/^aria([A-Z])/, (_, c) => `aria-${c.toLowerCase()}`), value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Calls `work` for each of some elements when it comes near to what is seen. */
export function whenNear(root, margin, work) {
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) work(entry.target);
  }, { root, rootMargin: margin });
  return watch;
}

export const inPlace = (answer) => {
  const place = answer.locations[0];
  if (!place) return "";
  if (place.kind === "page") return `p. ${place.page_label || place.page_number}`;
  if (place.kind === "text") return `line ${place.line}`;
  if (place.kind === "part" && place.slide_number) return `slide ${place.slide_number}`;
  return answer.heading ? `under “${answer.heading}”` : "";
};

export const percent = (score) => `${Math.round(score * 100)}%`;

/** Offsets of docqa count code points; those of JavaScript count UTF-16 units. */
export class CodePoints {
  constructor(words) {
    this.words = words;
    this.astral = [];
    if (/[\ud800-\udbff]/.test(words)) {
      let points = 0;
      for (const character of words) {
        if (character.length === 2) this.astral.push(points);
        points += 1;
      }
    }
  }
  unit(point) {
    let low = 0, high = this.astral.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.astral[middle] < point) low = middle + 1; else high = middle;
    }
    return point + low;
  }
}
