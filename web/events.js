import { get } from "/api.js";
import { byId, draw, el } from "/dom.js";
import { time, words } from "/format.js";

export function start() {}

export async function refresh() {
  const page = await get("events?limit=30");
  draw(byId("event-rows"), page.items, (list) => list.map((e) =>
    el("tr", {}, el("td", {}, time(e.at)), el("td", {}, words(e.kind)), el("td", { class: "mono" }, e.subject), el("td", {}, e.text))), 4, "Nothing to notice.");
}
