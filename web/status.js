// The status page: asks the API for everything every two seconds while the page is visible.
import { call, get } from "/api.js";
import { attempt, byId } from "/dom.js";
import * as bootServices from "/boot-services.js";
import * as events from "/events.js";
import * as hosts from "/hosts.js";
import * as images from "/images.js";
import * as jobs from "/jobs.js";
import * as tokens from "/tokens.js";

const features = [hosts, images, bootServices, events, tokens, jobs];
const interval = 2000;
let timer = null;
let asking = false;

async function refresh() {
  clearTimeout(timer);
  if (asking) return;
  asking = true;
  // One part that fails must not blank the others.
  const results = await Promise.allSettled(features.filter((f) => f !== jobs).map((f) => f.refresh()));
  // The job form offers the hosts and images just heard of.
  results.push(...await Promise.allSettled([jobs.refresh()]));
  asking = false;
  const failed = results.filter((r) => r.status === "rejected").map((r) => r.reason);
  if (failed.some((f) => f.status === 401)) return location.replace("/login");
  byId("connection").textContent = failed.length ? failed[0].message : "";
  if (!document.hidden) timer = setTimeout(refresh, interval);
}

async function start() {
  try {
    byId("who").textContent = (await get("session")).name;
  } catch (problem) {
    if (problem.status === 401) {
      const { needed } = await get("setup");
      return location.replace(needed ? "/setup" : "/login");
    }
    byId("connection").textContent = problem.message;
  }
  for (const feature of features) feature.start(refresh);
  byId("sign-out").addEventListener("click", () => attempt(async () => {
    await call("DELETE", "session");
    location.replace("/login");
  }));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  await refresh();
}

start();
