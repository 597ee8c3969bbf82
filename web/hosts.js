import { call, get, post } from "/api.js";
import { ask, attempt, button, byId, draw, el, showDetails } from "/dom.js";
import { ago, bytes, time, words } from "/format.js";

let again = async () => {};
export let all = [];

export function start(refresh) {
  again = refresh;
  const form = byId("host-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      await post("hosts", { name: form.elements.name.value, macs: [form.elements.mac.value] });
      form.reset();
      await again();
    });
  });
}

export async function refresh() {
  const page = await get("hosts?limit=1000");
  all = page.items;
  draw(byId("host-rows"), all.map((h) => ({ ...h, seen: ago(h.lastSeenAt), lastSeenAt: null })), (list) => list.map(row), 6,
    "No hosts yet. Switch on any machine with network boot, or enter one.");
}

function row(host) {
  const mac = host.macs[0];
  const approve = () => attempt(async () => { await post(`hosts/${mac}/approve`); await again(); });
  const remove = async () => {
    if (await ask(`Forget ${host.name} and its history?`)) attempt(async () => { await call("DELETE", `hosts/${mac}`); await again(); });
  };
  return el("tr", {},
    el("td", {}, button(`open ${mac}`, host.name, () => attempt(() => open(mac)), "link")),
    el("td", { class: "mono nowrap" }, mac, host.macs.length > 1 && ` +${host.macs.length - 1}`),
    el("td", {}, el("span", { class: `state ${host.state}` }, host.state)),
    el("td", {}, [host.manufacturer, host.product].filter(Boolean).join(" "), host.platform && el("span", { class: "quiet" }, ` ${host.platform}`)),
    el("td", {}, host.seen, host.lastSeenAddress && el("span", { class: "quiet mono" }, ` ${host.lastSeenAddress}`)),
    el("td", { class: "actions" },
      host.state === "discovered" && button(`approve ${mac}`, "Approve", approve, "primary"), " ", button(`forget ${mac}`, "Forget", remove)));
}

async function open(mac) {
  const [detail, decision, timeline] = await Promise.all([get(`hosts/${mac}`), get(`hosts/${mac}/boot-decision`), get(`hosts/${mac}/boot-timeline`)]);
  const { host, inventory, tasks } = detail;
  const facts = [
    ["MACs", host.macs.join(" ")], ["UUID", host.uuid], ["Serial", host.serial], ["Asset tag", host.assetTag],
    ["Architecture", host.architecture], ["Last seen", time(host.lastSeenAt)], ["Next boot", `${words(decision.decision)}: ${decision.reason}`],
    ...(inventory ? [["CPU", `${inventory.cpu.model}, ${inventory.cpu.threads} threads`], ["Memory", bytes(inventory.memoryBytes)],
      ...inventory.disks.map((d) => [`Disk ${d.name}`, [bytes(d.sizeBytes), d.model, d.serial ?? d.wwn, d.removable && "removable"].filter(Boolean).join(" · ")])] : []),
  ];
  const table = (rows) => el("div", { class: "scroll" }, el("table", {}, el("tbody", {}, rows)));
  showDetails(host.name,
    table(facts.filter(([, value]) => value).map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value)))),
    el("h3", {}, "Boot timeline"),
    timeline.events.length ? table(timeline.events.map((e) => el("tr", {}, el("td", {}, time(e.at)), el("td", {}, words(e.step)), el("td", {}, e.detail)))) : el("p", { class: "quiet" }, "Not seen booting yet."),
    el("h3", {}, "Latest tasks"),
    tasks.length ? table(tasks.map((t) => el("tr", {}, el("td", {}, `${t.id}`), el("td", {}, words(t.kind)), el("td", {}, el("span", { class: `state ${t.state}` }, words(t.state))), el("td", {}, time(t.createdAt))))) : el("p", { class: "quiet" }, "None."));
}
