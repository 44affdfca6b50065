// A project's page as it is served: what can be seen and used before its script is there, and how the script takes it over.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, caller, fits, join, launch, open, signIn } from "./browser.js";
import { Weir, waitFor } from "./weir.js";

const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

let weir, browser, owner;
before(async () => {
  weir = await Weir.start({ projects: "shop,blog" });
  browser = await launch();
  owner = await signIn(browser, weir);
  const yesterday = Date.now() - 86_400_000;
  const events = Array.from({ length: 1234 }, (_, index) => ({
    type: "pageview",
    user_id: `visitor-${index % 1100}`,
    timestamp: new Date(yesterday + index * 1000).toISOString(), // some come again within their visit: there is a time on page
    url: `https://shop.example/${index % 7}`,
  }));
  for (let at = 0; at < events.length; at += 100) await weir.send(events.slice(at, at + 100), "shop", { "User-Agent": CHROME });
  await weir.loaded();
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});

// A window whose page's script, but for the one that stands in the page, comes when release() is called.
async function held(options = {}) {
  const opened = await open(browser, { storageState: owner, ...options });
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await opened.page.route(/\/ui\/assets\/shared-/, async (route) => {
    await released;
    await route.continue();
  });
  const asked = [];
  opened.page.on("request", (request) => {
    if (request.url().includes("/api/")) asked.push(`${request.method()} ${new URL(request.url()).pathname} ${request.postData() ?? ""}`);
  });
  return { ...opened, release, asked };
}
const value = (page, title) => page.locator(".top-number", { hasText: title }).locator(".top-value");
const drawn = (page) => page.locator(".main-graph canvas").waitFor();

test("the numbers, the range and the ways on are there before the script is", async () => {
  const { page, context, quiet, release, asked } = await held();
  await page.goto(`${weir.url}/ui/p/shop`, { waitUntil: "commit" });
  await value(page, "Unique visitors").waitFor();
  assert.equal(await value(page, "Unique visitors").textContent(), "1,100");
  assert.equal(await value(page, "Pageviews").textContent(), "1,234");
  assert.equal(await page.title(), "shop · weir");
  assert.equal(await page.getByRole("button", { name: "Range Last 28 days" }).count(), 1);
  await accessible(page, "the page as it is served");
  assert.deepEqual(asked, []);
  await page.getByRole("navigation").getByRole("link", { name: "Settings" }).click(); // an address, as on any page
  await page.waitForURL(/\/settings\/general$/);
  release();
  await page.getByRole("heading", { name: "Settings of shop" }).waitFor();
  quiet();
  await context.close();
});

test("the script takes over what stands there, asks nothing twice, and does what was pressed before", async () => {
  const { page, context, quiet, release, asked } = await held();
  await page.goto(`${weir.url}/ui/p/shop`, { waitUntil: "commit" });
  await value(page, "Unique visitors").waitFor();
  const served = await page.locator("#app").evaluate((app) => {
    window.served = [...app.querySelectorAll("header, .top-numbers, .top-number:has(.top-value), .periods .button, .main-graph")];
    return app.querySelector(".top-numbers").innerText;
  });
  await page.getByRole("button", { name: "Range Last 28 days" }).click();
  assert.equal(await page.getByRole("menu").count(), 0);
  release();
  await page.getByRole("menuitemradio", { name: "Last 7 days" }).waitFor();
  await drawn(page);
  const kept = await page.locator(".top-numbers").innerText();
  assert.equal(kept.split("\n").slice(0, 3).join(), served.split("\n").slice(0, 3).join());
  const gone = await page.evaluate(() => window.served.filter((element) => !element.isConnected).map((element) => element.outerHTML.slice(0, 80)));
  assert.deepEqual(gone, []);
  const questions = asked.filter((each) => each.startsWith("POST /api/v1/query"));
  for (const first of ['"visits"', '"time:day"', '"coverage"'])
    assert.deepEqual(questions.filter((each) => each.includes(first) && !each.includes("time:hour")), [], `${first} came with the page`);
  assert.deepEqual(asked.filter((each) => /session|goals|segments|annotations|properties/.test(each)), []);
  await page.getByRole("menuitemradio", { name: "Last 7 days" }).click();
  await page.waitForURL(/period=7d/);
  await waitFor(async () => (await value(page, "Pageviews").textContent()) === "1,234", "the numbers of the other range");
  assert.ok(asked.some((each) => each.includes('"7d"')));
  quiet();
  await context.close();
});

test("what is written first is what the script writes, in whichever language, and what the API says", async () => {
  const ask = await caller(browser, weir, owner);
  const answer = await ask("POST", "/api/v1/query", { site_id: "shop", metrics: ["visitors", "views_per_visit", "bounce_rate"], date_range: "7d" });
  const [visitors, views, bounces] = answer.results[0].metrics;
  for (const [locale, words] of [
    ["en-US", [visitors.toLocaleString("en-US"), views.toLocaleString("en-US", { maximumFractionDigits: 1 }), `${bounces}%`]],
    ["de-DE", ["1.100", views.toLocaleString("de-DE", { maximumFractionDigits: 1 }), `${bounces}%`]],
    ["fr-FR", ["1\u202f100", views.toLocaleString("fr-FR", { maximumFractionDigits: 1 }), `${bounces}%`]],
  ]) {
    const { page, context, quiet, release } = await held({ locale });
    await page.goto(`${weir.url}/ui/p/shop?period=7d`, { waitUntil: "commit" });
    const all = async () => Promise.all(["Unique visitors", "Views per visit", "Bounce rate"].map((title) => value(page, title).textContent()));
    await value(page, "Unique visitors").waitFor();
    const before = await all();
    assert.deepEqual(before, words, locale);
    const markup = () => page.locator(".top-numbers > li").evaluateAll((items) => items.slice(0, 6).map((item) => item.outerHTML));
    const first = await markup();
    release();
    await drawn(page);
    assert.deepEqual(await markup(), first, locale);
    quiet();
    await context.close();
  }
});

test("the chosen colours are there from the first moment", async () => {
  const { page, context, release } = await held({ colorScheme: "light" });
  await context.addInitScript(() => localStorage.setItem("weir.theme", "dark"));
  await page.goto(`${weir.url}/ui/p/shop`, { waitUntil: "commit" });
  await value(page, "Unique visitors").waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor), "rgb(14, 21, 27)");
  release();
  await context.close();
});

test("it fits a phone, before and after", async () => {
  const { page, context, quiet, release } = await held({ viewport: { width: 360, height: 740 } });
  await page.goto(`${weir.url}/ui/p/shop`, { waitUntil: "commit" });
  await value(page, "Unique visitors").waitFor();
  await fits(page);
  const top = () => page.locator(".main-graph").evaluate((element) => element.getBoundingClientRect().top);
  const before = await top();
  release();
  await drawn(page);
  await fits(page);
  await page.locator(".top-number .skeleton").first().waitFor({ state: "detached" });
  assert.ok(Math.abs((await top()) - before) < 1, `the graph stays where it was: ${before}, ${await top()}`);
  quiet();
  await context.close();
});

test("a viewer is shown what a viewer may, and a stranger nothing", async () => {
  const state = await join(browser, weir, owner, { email: "vera@example.org", name: "Vera Viewer", role: "viewer", project: "shop" });
  const { page, context, quiet, release } = await held({ storageState: state });
  await page.goto(`${weir.url}/ui/p/shop`, { waitUntil: "commit" });
  await value(page, "Unique visitors").waitFor();
  assert.equal(await page.getByRole("navigation").getByRole("link", { name: "SQL" }).count(), 0);
  release();
  await drawn(page);
  quiet();
  for (const cookie of [state.cookies.map(({ name, value }) => `${name}=${value}`).join("; "), ""]) {
    const text = await (await fetch(`${weir.url}/ui/p/${cookie ? "blog" : "shop"}`, { headers: { cookie } })).text();
    assert.ok(!text.includes("first-questions") && text.includes('<div id="app"></div>'));
  }
  await context.close();
});

test("a part of the script that does not come is told of", async () => {
  const { page, context } = await open(browser, { storageState: owner });
  await page.route(/\/ui\/assets\/shared-/, (route) => route.abort());
  await page.goto(`${weir.url}/ui/p/shop`);
  await page.getByText("A part of this page could not be loaded; reload it to try again.").waitFor();
  assert.equal(await value(page, "Unique visitors").textContent(), "1,100");
  await context.close();
});
