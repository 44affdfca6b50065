// tools/node/run benchmarks/phone.mjs [--rounds N] [--cpu FACTOR]... [--events N]: when the page of a project can be
// used on a slow phone: Chromium with a screen of 360 by 740, a processor slowed down FACTOR times (default 4 and 6) and the network
// of Lighthouse's "slow 4G" (150 ms to each answer's first byte, 1.6 Mbit/s down, 0.75 up). A weir of its own, with 100,000 seeded
// events over 120 days; the medians of N rounds (default 5). The first visit has an empty cache, the next one has the page's files.
import { parseArgs } from "node:util";
import { launch, open, signIn } from "../tests/browser/browser.js";
import { Weir } from "../tests/browser/weir.js";

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, cpu: { type: "string", multiple: true, default: ["4", "6"] }, events: { type: "string", default: "100000" } },
});
const NETWORK = { offline: false, latency: 150, downloadThroughput: (1.6 * 1024 * 1024) / 8, uploadThroughput: (0.75 * 1024 * 1024) / 8 };

// In the page: notes when each of these is there and painted.
function watch() {
  const wanted = {
    frame: ".frame-bar .menu > button, .frame-nav a",
    controls: ".periods .menu > button",
    numbers: ".top-value",
    graph: ".main-graph canvas",
  };
  window.seen = {};
  const look = () => {
    for (const [name, selector] of Object.entries(wanted))
      if (!(name in window.seen) && document.querySelector(selector)) {
        window.seen[name] = performance.now();
        requestAnimationFrame(() => setTimeout(() => (window.seen[name] = performance.now()), 0));
      }
    const waits = [...document.querySelectorAll(".skeleton")].some((each) => each.getBoundingClientRect().top < innerHeight);
    if (!("whole" in window.seen) && "graph" in window.seen && !waits) window.seen.whole = performance.now();
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
  window.blocked = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.blocked += Math.max(0, entry.duration - 50)))).observe({ type: "longtask", buffered: true });
}

async function visit(page, url) {
  await page.goto(url);
  await page.waitForFunction(() => "whole" in window.seen, null, { timeout: 60_000 });
  return page.evaluate(() => {
    const requests = performance.getEntriesByType("resource");
    return {
      ...window.seen,
      blocked: window.blocked,
      requests: requests.length,
      kilobytes: requests.reduce((sum, each) => sum + each.transferSize, performance.getEntriesByType("navigation")[0].transferSize) / 1024,
    };
  });
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const weir = await Weir.start({ projects: "demo" });
const browser = await launch();
try {
  const owner = await signIn(browser, weir);
  await weir.command("seed", "--project", "demo", "--events", options.events, "--days", "120");
  await weir.loaded(600);
  console.log("| processor | visit | frame | controls | numbers | graph | everything in view | script beyond 50 ms | requests | kB |\n|---|---|---|---|---|---|---|---|---|---|");
  for (const factor of options.cpu) {
    const rounds = { first: [], next: [] };
    for (let round = 0; round < Number(options.rounds); ++round) {
      const { page, context } = await open(browser, { storageState: owner, viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
      await page.addInitScript(watch);
      const phone = await context.newCDPSession(page);
      await phone.send("Network.enable");
      await phone.send("Network.emulateNetworkConditions", NETWORK);
      await phone.send("Emulation.setCPUThrottlingRate", { rate: Number(factor) });
      for (const kind of ["first", "next"]) rounds[kind].push(await visit(page, `${weir.url}/ui/p/demo`));
      await context.close();
    }
    for (const [kind, all] of Object.entries(rounds)) {
      const of = (name, digits = 0) => median(all.map((each) => each[name])).toFixed(digits);
      const times = ["frame", "controls", "numbers", "graph", "whole", "blocked"].map((name) => `${of(name)} ms`);
      console.log(`| ${factor} times slower | ${kind} | ${times.join(" | ")} | ${of("requests")} | ${of("kilobytes")} |`);
    }
  }
} finally {
  await browser.close();
  await weir.stop();
}
