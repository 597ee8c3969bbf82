import { get } from "/api.js";
import { byId, draw, el } from "/dom.js";
import { bytes, time } from "/format.js";

export let all = [];

export function start() {}

export async function refresh() {
  all = (await get("images?limit=1000")).items;
  draw(byId("image-rows"), all, (list) => list.map(row), 6, "No images yet. Order a capture.");
}

const row = (image) => el("tr", {},
  el("td", {}, image.name, image.description && el("span", { class: "quiet" }, ` ${image.description}`)),
  el("td", {}, image.newestVersion ? `version ${image.newestVersion} of ${image.versions}` : "none sealed yet"),
  el("td", {}, bytes(image.diskBytes)), el("td", {}, bytes(image.usedBytes)), el("td", {}, bytes(image.storedBytes)),
  el("td", {}, time(image.sealedAt)));
