import { call, get, post } from "/api.js";
import { attempt, button, byId, draw, el, options, showFor } from "/dom.js";
import { words } from "/format.js";

const titles = { proxyDhcp: "proxyDHCP", dhcp: "DHCP", tftp: "TFTP" };
let settings = null;
let touched = false;

export function start(refresh) {
  const form = byId("boot-form");
  const f = form.elements;
  form.addEventListener("input", () => { touched = true; });
  f.dhcp.addEventListener("change", () => showFor(form, f.dhcp.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      await call("PUT", "boot-services/settings", {
        ...settings,
        interface: f.interface.value || null,
        dhcp: f.dhcp.value,
        poolFirst: f.poolFirst.value.trim() || null,
        poolLast: f.poolLast.value.trim() || null,
        gateway: f.gateway.value.trim() || null,
        dns: f.dns.value.split(/[\s,]+/).filter(Boolean),
        tftp: f.tftp.checked,
      });
      touched = false;
      await refresh();
    });
  });
  act = (name, verb) => attempt(async () => {
    await post(`boot-services/${name}/${verb}`);
    await refresh();
  });
}

let act = () => {};

export async function refresh() {
  const [view, networks] = await Promise.all([get("boot-services"), get("network-interfaces")]);
  settings = view.settings;
  const form = byId("boot-form");
  const f = form.elements;
  const usable = networks.filter((n) => !n.loopback || n.name === settings.interface);
  options(f.interface, [["", "none: all off"], ...usable.map((n) => [n.name, `${n.name} ${n.addresses.filter((a) => !a.includes(":")).join(" ")}${n.up ? "" : " (down)"}`])]);
  if (!touched) fill(form, f);
  byId("hint").hidden = settings.interface !== null;
  byId("hint").textContent = "Boot services are off until an interface is chosen below. Then switch on any machine with network boot: it appears under Hosts.";
  draw(byId("service-rows"), view.services, (services) => services.map(row), 5, "No services.");
}

function fill(form, f) {
  f.interface.value = settings.interface ?? "";
  f.dhcp.value = settings.dhcp;
  f.poolFirst.value = settings.poolFirst ?? "";
  f.poolLast.value = settings.poolLast ?? "";
  f.gateway.value = settings.gateway ?? "";
  f.dns.value = (settings.dns ?? []).join(" ");
  f.tftp.checked = settings.tftp;
  showFor(form, f.dhcp.value);
}

function row(service) {
  const { name, state } = service;
  return el("tr", {},
    el("td", {}, titles[name] ?? name),
    el("td", {}, el("span", { class: `state ${state}` }, words(state)), service.sentence && el("div", { class: "quiet" }, `${service.sentence} ${service.cure ?? ""}`)),
    el("td", { class: "mono" }, service.listens.join(", ")),
    el("td", { class: "quiet" }, Object.entries(service.counters).filter(([, n]) => n > 0).map(([what, n]) => `${words(what)} ${n}`).join(" · ")),
    el("td", { class: "actions" },
      state === "running" ? [button(`stop ${name}`, "Stop", () => act(name, "stop")), " ", button(`restart ${name}`, "Restart", () => act(name, "restart"))]
        : button(`start ${name}`, "Start", () => act(name, "start"))));
}
