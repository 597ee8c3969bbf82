// Builds elements. Strings become text nodes, always: what a device told us is never markup.

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    else if (name === "class") element.className = value;
    else if (name === "value" || name === "max" || name === "disabled" || name === "title" || name === "type") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : String(c))));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** A button with a stable key, so that it keeps the focus when its table is drawn anew. */
export const button = (key, label, act, style) => el("button", { type: "button", class: style, "data-key": key, on: { click: act } }, label);

/** Draws the rows anew only when the data changed, and gives the focus back to the control that had it. */
const drawn = new WeakMap();
export function draw(body, data, toRows, columns, nothing) {
  const text = JSON.stringify(data);
  if (drawn.get(body) === text) return;
  drawn.set(body, text);
  const focused = body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const rows = toRows(data);
  body.replaceChildren(...(rows.length ? rows : [el("tr", {}, el("td", { colspan: columns, class: "quiet" }, nothing))]));
  if (focused) body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

/** Sets the options of a select and keeps what is chosen. */
export function options(select, entries) {
  const text = JSON.stringify(entries);
  if (drawn.get(select) === text) return;
  drawn.set(select, text);
  const chosen = new Set([...select.selectedOptions].map((o) => o.value));
  select.replaceChildren(...entries.map(([value, label]) => el("option", { value }, label)));
  for (const option of select.options) if (chosen.has(option.value)) option.selected = true;
}

export function notice(text, hint = "") {
  const place = byId("notice");
  place.textContent = hint ? `${text} ${hint}` : text;
  place.hidden = !text;
}

/** Runs what a person asked for and shows how it failed. */
export async function attempt(action) {
  notice("");
  try {
    await action();
    return true;
  } catch (problem) {
    notice(problem.message, problem.hint);
    return false;
  }
}

/** Asks in a dialog; true for yes. */
export function ask(text) {
  const dialog = byId("question");
  byId("question-text").textContent = text;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

export function showDetails(title, ...content) {
  byId("details-title").textContent = title;
  byId("details-body").replaceChildren(...content);
  if (!byId("details").open) byId("details").showModal();
}

/** Shows the parts of a form whose data-for lists the value. */
export function showFor(form, value) {
  for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(value);
}
