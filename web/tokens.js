import { call, get, post } from "/api.js";
import { ask, attempt, button, byId, draw, el } from "/dom.js";
import { ago, time } from "/format.js";

let again = async () => {};

export function start(refresh) {
  again = refresh;
  const form = byId("token-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const f = form.elements;
    attempt(async () => {
      const made = await post("tokens", { name: f.name.value, scopes: [f.scope.value], expiresInDays: f.days.value ? Number(f.days.value) : null });
      const place = byId("token-secret");
      place.textContent = `Keep it now, it is not shown again: ${made.secret}`;
      place.hidden = false;
      f.name.value = "";
      await again();
    });
  });
}

export async function refresh() {
  draw(byId("token-rows"), await get("tokens"), (list) => list.map(row), 6, "No tokens.");
}

function row(token) {
  const remove = async () => {
    if (await ask(`Delete the token ${token.name}? Scripts that use it stop working.`)) attempt(async () => { await call("DELETE", `tokens/${token.id}`); await again(); });
  };
  return el("tr", {},
    el("td", {}, token.name), el("td", {}, token.scopes.join(", ")), el("td", {}, time(token.createdAt)),
    el("td", {}, token.expiresAt ? time(token.expiresAt) : "never"), el("td", {}, ago(token.lastUsedAt)),
    el("td", { class: "actions" }, button(`delete ${token.id}`, "Delete", remove)));
}
