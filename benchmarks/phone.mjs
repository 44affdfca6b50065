// tools/node/run benchmarks/phone.mjs [--rounds N] [--cpu FACTOR]... [--events N]: when the page of a project can be
// used on a slow phone: Chromium with a screen of 360 by 740, a processor slowed down FACTOR times (default: until it is as slow as
// the phones below) and the network of Lighthouse's "slow 4G" (150 ms to each answer's first byte, 1.6 Mbit/s down, 0.75 up). A weir
// of its own, with 100,000 seeded events over 120 days; the medians of N rounds (default 5). The first visit has an empty cache,
// the next one has the page's files.
//
// The browser is spoken to directly: what drives it in tests makes two script contexts of its own in each page, which a slowed-down
// processor pays for before the page's first byte is read. And it does not share its processor with weir, which is elsewhere when a
// phone is slow: what weir answers, and when, is recorded while nothing else runs, and given to the phone again (class Elsewhere).
import { spawn } from "node:child_process";
import { createServer, request } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launch, signIn } from "../tests/browser/browser.js";
import { Weir } from "../tests/browser/weir.js";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    cpu: { type: "string", multiple: true },
    events: { type: "string", default: "100000" },
  },
});
const NETWORK = { offline: false, latency: 150, downloadThroughput: (1.6 * 1024 * 1024) / 8, uploadThroughput: (0.75 * 1024 * 1024) / 8 };
const SCREEN = { width: 360, height: 740, deviceScaleFactor: 2, mobile: true };

// What Chromium's developer tools calibrate themselves for: a Moto G Power of 2022 and a Pixel 5, by the measure of speed().
const PHONES = { "slow phone": 264, "middling phone": 1000 };

// Debian's Chromium by its own protocol over a pipe: JSON, each message ended by a zero byte.
class Browser {
  constructor() {
    this.home = mkdtempSync(join(tmpdir(), "weir-phone-"));
    const program = process.env.WEIR_CHROMIUM ?? "/usr/bin/chromium";
    const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking", `--user-data-dir=${this.home}`];
    this.process = spawn("nice", ["-n", "15", program, ...flags, "--remote-debugging-pipe"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    this.waiting = new Map();
    this.last = 0;
    let rest = "";
    this.process.stdio[4].setEncoding("utf8").on("data", (text) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop();
      for (const message of messages) this.take(JSON.parse(message));
    });
  }
  take({ id, result, error }) {
    const wait = this.waiting.get(id);
    if (!wait) return;
    this.waiting.delete(id);
    if (error) wait.reject(new Error(error.message));
    else wait.resolve(result);
  }
  send(method, params = {}, sessionId = undefined) {
    const id = ++this.last;
    this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }
  // A window of its own with these cookies; answers what speaks to its page, and what closes it.
  async phone(cookies, factor) {
    const { browserContextId } = await this.send("Target.createBrowserContext");
    await this.send("Storage.setCookies", { browserContextId, cookies });
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank", browserContextId, width: SCREEN.width, height: SCREEN.height });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = (method, params) => this.send(method, params, sessionId);
    await page("Page.enable");
    await page("Network.enable");
    await page("Emulation.setDeviceMetricsOverride", SCREEN);
    await page("Emulation.setTouchEmulationEnabled", { enabled: true });
    await page("Page.addScriptToEvaluateOnNewDocument", { source: `(${watch})()` });
    await page("Network.emulateNetworkConditions", NETWORK);
    await page("Emulation.setCPUThrottlingRate", { rate: factor });
    return { page, close: () => this.send("Target.disposeBrowserContext", { browserContextId }) };
  }
  async close() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    await this.send("Browser.close");
    await ended;
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

// weir as it is seen from far away: each answer with the bytes that weir gave to the same request before, piece by piece after the
// same time. What was not asked before, and what happens live, is passed on.
class Elsewhere {
  constructor(weir) {
    this.weir = new URL(weir);
    this.known = new Map(); // request -> how to ask it again, and the answer
    this.server = createServer((incoming, outgoing) => {
      const chunks = [];
      incoming.on("data", (chunk) => chunks.push(chunk));
      incoming.on("end", () => {
        const { method, url, headers } = incoming;
        const body = Buffer.concat(chunks);
        const key = `${method} ${url} ${body}`;
        const answer = this.known.get(key)?.answer;
        if (answer) this.give(answer, outgoing);
        else this.ask({ method, url, headers, body }, url.startsWith("/api/v1/live") ? null : key, outgoing);
      });
    });
  }
  async open() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }
  give({ status, headers, pieces }, outgoing) {
    const begin = performance.now();
    const next = (index) => {
      if (index === pieces.length) return outgoing.end();
      if (index === 0) outgoing.writeHead(status, headers);
      outgoing.write(pieces[index].bytes);
      wait(index + 1);
    };
    const wait = (index) => setTimeout(() => next(index), index < pieces.length ? Math.max(0, pieces[index].at - (performance.now() - begin)) : 0);
    wait(0);
  }
  // `key`: null: not to be kept. `outgoing`: null: nobody waits for it.
  ask(question, key, outgoing) {
    return new Promise((resolve, reject) => {
      const begin = performance.now();
      const { method, url, headers, body } = question;
      const asked = request({ host: this.weir.hostname, port: this.weir.port, agent: false, method, path: url, headers }, (answer) => {
        const pieces = [];
        delete answer.headers["transfer-encoding"];
        outgoing?.writeHead(answer.statusCode, answer.headers);
        outgoing?.flushHeaders();
        answer.on("data", (bytes) => {
          pieces.push({ at: performance.now() - begin, bytes });
          outgoing?.write(bytes);
        });
        answer.on("end", () => {
          outgoing?.end();
          if (pieces.length === 0) pieces.push({ at: performance.now() - begin, bytes: "" });
          if (key) this.known.set(key, { question, answer: { status: answer.statusCode, headers: answer.headers, pieces } });
          resolve();
        });
      });
      asked.on("error", reject);
      outgoing?.on("close", () => asked.destroy());
      asked.end(body);
    }).catch(() => outgoing?.destroy());
  }
  // Asks all that was asked once more, one after the other.
  async settle() {
    for (const [key, { question }] of [...this.known]) await this.ask(question, key, null);
  }
  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

// In a page: how fast its scripts run, in tens of texts a second, each of 10,000 characters and made one by one.
function speed() {
  const begin = performance.now();
  let texts = 0;
  while (performance.now() - begin < 500) {
    let text = "";
    while (text.length < 10_000) text += "a";
    ++texts;
  }
  return texts / 10 / ((performance.now() - begin) / 1000);
}

// In the page: notes when each of these is there and painted.
function watch() {
  const wanted = {
    frame: ".frame-bar .menu > button, .frame-nav a",
    controls: ".periods .menu > button",
    numbers: ".top-value",
    graph: ".main-graph canvas",
  };
  window.seen = {};
  // Asked from frame to frame once the graph is there: where something stands is told by a layout that the page would do later.
  const lookWhole = () => {
    const waits = [...document.querySelectorAll(".skeleton")].some((each) => each.getBoundingClientRect().top < innerHeight);
    if (waits) requestAnimationFrame(lookWhole);
    else window.seen.whole = performance.now();
  };
  // Once a frame, just before it is painted; the time is that just after, before any timer that the page sets.
  let due = false;
  const look = () => {
    due = false;
    const found = Object.keys(wanted).filter((name) => !(name in window.seen) && document.querySelector(wanted[name]));
    if (found.length === 0) return;
    if (found.includes("graph")) requestAnimationFrame(lookWhole);
    const painted = new MessageChannel();
    painted.port1.onmessage = () => found.forEach((name) => (window.seen[name] = performance.now()));
    painted.port2.postMessage(null);
  };
  new MutationObserver(() => {
    if (!due) requestAnimationFrame(look);
    due = true;
  }).observe(document, { childList: true, subtree: true });
  window.blocked = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.blocked += Math.max(0, entry.duration - 50)))).observe({ type: "longtask", buffered: true });
}

// In the page, once all is seen.
function tell() {
  if (!("whole" in (window.seen ?? {}))) return null;
  const requests = performance.getEntriesByType("resource");
  return {
    ...window.seen,
    blocked: window.blocked,
    page: performance.getEntriesByType("navigation")[0].responseEnd,
    requests: requests.length,
    kilobytes: requests.reduce((sum, each) => sum + each.transferSize, performance.getEntriesByType("navigation")[0].transferSize) / 1024,
  };
}

async function visit(page, url) {
  await page("Page.navigate", { url });
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    const { result } = await page("Runtime.evaluate", { expression: `(${tell})()`, returnByValue: true });
    if (result.value) return result.value;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const { result } = await page("Runtime.evaluate", { expression: "JSON.stringify(window.seen) + document.body?.innerText" });
  throw new Error(`${url}: not all was seen within a minute: ${result.value}`);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const weir = await Weir.start({ projects: "demo" });
const browser = new Browser();
const elsewhere = new Elsewhere(weir.url);
try {
  const other = await launch();
  const { cookies } = await signIn(other, weir);
  await other.close();
  await weir.command("seed", "--project", "demo", "--events", options.events, "--days", "120");
  await weir.loaded(600);
  await elsewhere.open();
  const url = `${elsewhere.url}/ui/p/demo`;
  for (let i = 0; i < 2; ++i) {
    const { page, close } = await browser.phone(cookies, 1);
    for (let visits = 0; visits < 2; ++visits) await visit(page, url);
    await close();
    await elsewhere.settle();
  }
  const factors = (options.cpu ?? []).map((factor) => [`${factor} times slower`, Number(factor)]);
  if (!options.cpu) {
    const { page, close } = await browser.phone([], 1);
    const speeds = [];
    for (let i = 0; i < 7; ++i) speeds.push((await page("Runtime.evaluate", { expression: `(${speed})()`, returnByValue: true })).result.value);
    await close();
    for (const [name, slow] of Object.entries(PHONES)) {
      const factor = Math.max(1, median(speeds) / slow);
      factors.push([`${name}, ${factor.toFixed(1)} times slower`, factor]);
    }
  }
  console.log("| processor | visit | page's last byte | frame | controls | numbers | graph | everything in view | script beyond 50 ms | requests | kB |\n|---|---|---|---|---|---|---|---|---|---|---|");
  for (const [processor, factor] of factors) {
    const rounds = { first: [], next: [] };
    for (let round = 0; round < Number(options.rounds); ++round) {
      const { page, close } = await browser.phone(cookies, factor);
      for (const kind of ["first", "next"]) rounds[kind].push(await visit(page, url));
      await close();
    }
    for (const [kind, all] of Object.entries(rounds)) {
      const of = (name, digits = 0) => median(all.map((each) => each[name])).toFixed(digits);
      const times = ["page", "frame", "controls", "numbers", "graph", "whole", "blocked"].map((name) => `${of(name)} ms`);
      console.log(`| ${processor} | ${kind} | ${times.join(" | ")} | ${of("requests")} | ${of("kilobytes")} |`);
    }
  }
} finally {
  await browser.close();
  elsewhere.close();
  await weir.stop();
}
