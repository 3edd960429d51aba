// Files: dropped or chosen, sent, loaded; each with its progress, its reason, its cancel.

import * as api from "./api.js";
import { $, el } from "./dom.js";

const AT_ONCE = 3;

export class Files {
  /** `onReady` gets the record of each document that was loaded. */
  constructor(onReady, onChange) {
    this.onReady = onReady;
    this.onChange = onChange;
    this.waiting = [];
    this.active = 0;
    this.rows = new Set();
  }

  get busy() { return this.active + this.waiting.length; }

  add(files) {
    for (const file of files) this.#queue({ file, row: this.#row(file.name) });
    this.#next();
  }

  #row(name) {
    const row = el("li", {},
      el("span", { className: "name", textContent: name }),
      el("button", { type: "button", textContent: "Cancel", ariaLabel: `Cancel ${name}` }),
      el("span", { className: "what", textContent: "waits" }),
      el("progress", { max: 1, value: 0, ariaLabel: `Progress of ${name}` }));
    $("files").append(row);
    $("files").hidden = false;
    return row;
  }

  #queue(task) {
    task.stop = new AbortController();
    task.row.querySelector("button").onclick = () => {
      task.stop.abort();
      this.waiting = this.waiting.filter((each) => each !== task);
      this.#drop(task.row);
      this.onChange();
    };
    this.waiting.push(task);
  }

  #drop(row) {
    row.remove();
    $("files").hidden = !$("files").children.length;
  }

  async #next() {
    this.onChange();
    while (this.active < AT_ONCE && this.waiting.length) {
      this.active += 1;
      const task = this.waiting.shift();
      this.#load(task).finally(() => {
        this.active -= 1;
        this.#next();
      });
    }
  }

  async #load(task) {
    const { file, row, stop, password } = task;
    const what = row.querySelector(".what"), bar = row.querySelector("progress");
    const said = (words, share) => {
      what.textContent = words;
      if (share === null) bar.removeAttribute("value"); else bar.value = share;
    };
    try {
      said("is sent", 0);
      let job = await api.upload(file, {
        password, signal: stop.signal,
        onSent: (share) => said(`sent ${Math.round(share * 100)}%`, share),
      });
      const leave = () => api.remove(`v1/jobs/${job.id}`).catch(() => undefined);
      stop.signal.addEventListener("abort", leave);
      while (["waiting", "running"].includes(job.state)) {
        said(job.total ? `page ${job.done} of ${job.total}` : "is read", job.total ? job.done / job.total : null);
        job = await api.get(`v1/jobs/${job.id}?wait=1`, { signal: stop.signal });
      }
      if (job.state === "failed") throw new api.Problem(job.problem || {}, 422);
      if (job.state !== "done") throw new DOMException("stopped", "AbortError");
      const record = await api.get(`v1/${job.result}`);
      this.#drop(row);
      for (const warning of record.warnings.slice(0, 3)) this.#note(record.name, warning.message);
      this.onReady(record);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#failed(task, error);
    }
  }

  #note(name, message) {
    const row = el("li", {}, el("span", { className: "name", textContent: name }),
      el("button", { type: "button", textContent: "Dismiss", ariaLabel: `Dismiss the note on ${name}` }),
      el("span", { className: "what", textContent: message }));
    row.querySelector("button").onclick = () => this.#drop(row);
    $("files").append(row);
    $("files").hidden = false;
  }

  #failed(task, error) {
    const { row, file } = task;
    row.querySelector("progress")?.remove();
    const what = row.querySelector(".what");
    what.textContent = error.message;
    what.classList.add("failed");
    const dismiss = row.querySelector("button");
    dismiss.textContent = "Dismiss";
    dismiss.onclick = () => this.#drop(row);
    const again = (password) => {
      const fresh = this.#row(file.name);
      row.replaceWith(fresh);
      this.#queue({ file, row: fresh, password });
      this.#next();
    };
    if (error.kind === "encrypted") {
      const field = el("input", { type: "password", ariaLabel: `Password of ${file.name}`, placeholder: "Password" });
      const form = el("form", {}, field, el("button", { type: "submit", textContent: "Open" }));
      form.onsubmit = (event) => { event.preventDefault(); again(field.value); };
      row.append(form);
      field.focus();
    } else {
      row.append(el("button", { type: "button", textContent: "Try again", onclick: () => again() }));
    }
  }
}
