import { get, post } from "/api.js";
import { ask, attempt, button, byId, draw, el, options, showDetails, showFor } from "/dom.js";
import { bytes, duration, time, words } from "/format.js";
import * as hosts from "/hosts.js";
import * as images from "/images.js";

let again = async () => {};
let update = () => {};
const ended = new Map();
let orderKey = crypto.randomUUID();

export function start(refresh) {
  again = refresh;
  const form = byId("job-form");
  const f = form.elements;
  update = () => {
    showFor(form, f.kind.value);
    byId("job-summary").textContent = summary(f);
  };
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    order(f);
  });
  update();
}

export async function refresh() {
  const page = await get("jobs?limit=25");
  // What has ended does not change any more and is asked for once.
  const details = await Promise.all(page.items.map(async ({ job, finished }) => {
    if (!ended.has(job.id)) {
      const detail = await get(`jobs/${job.id}`);
      if (!finished || !detail.finished) return detail;
      ended.set(job.id, detail);
    }
    return ended.get(job.id);
  }));
  draw(byId("job-rows"), details, (list) => list.flatMap(rows), 6, "No jobs yet.");
  const f = byId("job-form").elements;
  const approved = hosts.all.filter((h) => h.state === "approved").map((h) => [h.macs[0], `${h.name} (${h.macs[0]})`]);
  options(f.host, approved.length ? approved : [["", "approve a host first"]]);
  options(f.hosts, approved);
  options(f.image, images.all.filter((i) => i.newestVersion).map((i) => [i.name, i.name]));
  byId("image-names").replaceChildren(...images.all.map((i) => el("option", { value: i.name })));
  update();
}

const chosenHosts = (f) => (f.kind.value === "capture" ? [f.host.value].filter(Boolean) : [...f.hosts.selectedOptions].map((o) => o.value));

function summary(f) {
  const count = chosenHosts(f).length;
  const name = count === 1 ? hosts.all.find((h) => h.macs[0] === chosenHosts(f)[0])?.name ?? "one host" : `${count} hosts`;
  const disk = f.disk.value.trim() ? `the disk ${f.disk.value.trim()}` : "the only internal disk";
  if (count === 0) return "Choose a host.";
  if (f.kind.value === "capture") return `Reads ${disk} of ${name} into a new version of image ${f.newImage.value || "…"}. The disk is not changed.`;
  if (f.kind.value === "deploy") return `ERASES ${disk} of ${name} and writes ${f.version.value ? `version ${f.version.value}` : "the newest version"} of image ${f.image.value || "…"} onto it.`;
  return `Boots ${name} once to see what is inside.`;
}

async function order(f) {
  const kind = f.kind.value;
  const targets = chosenHosts(f);
  if (kind === "deploy" && targets.length && !(await ask(`${summary(f)} Go on?`))) return;
  const body = { kind, hosts: targets, after: f.after.value };
  if (kind === "capture") body.image = f.newImage.value.trim();
  if (kind === "deploy") body.image = f.image.value;
  if (kind === "deploy" && f.version.value) body.version = Number(f.version.value);
  if (kind !== "inventory" && f.disk.value.trim()) body.disk = f.disk.value.trim();
  await attempt(async () => {
    // The same key until it worked: a click repeated after a lost answer orders once.
    await post("jobs", body, { "Idempotency-Key": orderKey });
    orderKey = crypto.randomUUID();
    await again();
  });
  // A refused order may be corrected: another request needs another key.
  orderKey = crypto.randomUUID();
}

function rows({ job, finished, tasks }) {
  const cancel = async () => {
    if (await ask(`Cancel job ${job.id}?`)) attempt(async () => { await post(`jobs/${job.id}/cancel`); await again(); });
  };
  const what = `${words(job.kind)} ${job.imageName ?? ""}${job.imageVersion ? ` v${job.imageVersion}` : ""}`;
  return tasks.map((task, i) => el("tr", {},
    el("td", {}, i === 0 && [el("strong", {}, `${job.id}`), ` ${what}`]),
    el("td", {}, button(`task ${task.id}`, task.hostName, () => attempt(() => open(task.id)), "link")),
    el("td", {}, el("span", { class: `state ${task.stalled ? "stalled" : task.state}` }, task.stalled ? "stalled" : words(task.state)),
      task.cancelRequested && task.state !== "cancelled" && el("span", { class: "quiet" }, " cancelling")),
    el("td", {}, progress(task)),
    el("td", {}, i === 0 && [time(job.createdAt), el("div", { class: "quiet" }, job.createdBy)]),
    el("td", { class: "actions" }, i === 0 && !finished && button(`cancel ${job.id}`, "Cancel", cancel))));
}

function progress(task) {
  if (task.failure) return el("div", {}, el("strong", {}, `${words(task.failure.fault)}: `), task.failure.sentence, el("div", { class: "quiet" }, task.failure.cure));
  if (task.finishedAt) return el("div", { class: "quiet" }, task.summary ?? "");
  const left = task.bytesPerSecond > 0 ? `, ${duration((task.bytesTotal - task.bytesDone) / task.bytesPerSecond)} left` : "";
  return el("div", {},
    task.progress !== null && [
      el("progress", { max: 1, value: task.progress, "aria-label": `Progress of ${task.hostName}` }),
      ` ${Math.floor(task.progress * 100)} % · ${bytes(task.bytesDone)} of ${bytes(task.bytesTotal)} · ${bytes(task.bytesPerSecond)}/s${left}`],
    el("div", { class: "quiet" }, task.detail ?? ""));
}

async function open(id) {
  const { task, events } = await get(`host-tasks/${id}`);
  showDetails(`Task ${task.id}: ${words(task.kind)} on ${task.hostName}`,
    task.plan ? el("p", {}, `Plan: ${task.plan.erases}`) : "",
    task.failure ? el("p", { class: "notice" }, `${task.failure.sentence} ${task.failure.cure}`) : "",
    el("div", { class: "scroll" }, el("table", {}, el("tbody", {}, events.map((e) =>
      el("tr", {}, el("td", {}, time(e.at)), el("td", {}, el("span", { class: `state ${e.state}` }, words(e.state))), el("td", {}, e.text)))))));
}
