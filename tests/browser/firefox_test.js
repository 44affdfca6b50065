// The dashboard in Debian's Firefox: from the set-up link to a filtered page, the live view, SQL, a shared page, and every
// other page once. How it looks in detail is asked in Chromium (the other files here).
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { PASSWORD } from "./browser.js";
import { Firefox } from "./firefox.js";
import { Weir, waitFor } from "./weir.js";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
const HOUR = 3_600_000;

let weir, page;
before(async () => {
  weir = await Weir.start({ projects: "shop" });
  page = await Firefox.launch();
  const events = ["/", "/pricing", "/pricing"].map((path, index) => ({
    type: "pageview",
    user_id: `visitor-${index}`,
    timestamp: new Date(Date.now() - (30 + index) * HOUR).toISOString(),
    url: `https://shop.example${path}`,
    referrer: index === 1 ? "https://www.google.com/" : "",
  }));
  await weir.send(events, "shop", { "User-Agent": FIREFOX });
  await weir.loaded();
});
after(async () => {
  await page?.close();
  await weir?.stop();
});
afterEach(async () => assert.deepEqual(await page.complaints(weir.url), []));

const text = (selector) => page.evaluate((of) => document.querySelector(of)?.textContent ?? null, selector);
const shows = (selector, words, what) => waitFor(async () => (await text(selector)) === words, what);

test("the first account is made by the set-up link, and stays signed in", async () => {
  await page.goto(/http:\S+\/ui\/setup#\S+/.exec(weir.words())[0]);
  await page.fill(await page.field("Your name"), "Olga Owner");
  await page.fill(await page.field("E-mail"), "owner@example.org");
  await page.fill(await page.field("Password"), PASSWORD);
  await page.click(await page.words("Create the account", "button"));
  await page.words("shop");
  await page.goto(`${weir.url}/ui/settings`);
  await page.words("Where you are signed in");
});

test("a project's page shows its numbers, and a click on a row filters them", async () => {
  await page.goto(`${weir.url}/ui/p/shop?period=7d`);
  await shows(".top-value", "3", "three visitors");
  await page.element(".main-graph canvas");
  await page.click(await page.words("/pricing"));
  await shows(".top-value", "2", "two of them saw /pricing");
  assert.match(decodeURIComponent(await page.url()), /\/pricing/);
  await page.back();
  await shows(".top-value", "3", "Back takes the filter away");
  await page.press("d");
  await waitFor(async () => (await page.url()).includes("period=day"), "a key chooses the period");
});

test("what happens stands in the live view as it happens", async () => {
  await page.goto(`${weir.url}/ui/p/shop/live`);
  await page.words("Waiting for events.");
  await weir.send([{ type: "signup", user_id: "1", path: "/a" }], "shop", { "User-Agent": FIREFOX });
  await page.words("signup");
  await shows(".live-big", "1", "one visitor now");
});

test("a statement in SQL is answered", async () => {
  await page.goto(`${weir.url}/ui/p/shop/sql`);
  await page.click(await page.words("Run", "button"));
  await page.element("td");
});

test("a shared page and every page of settings draw themselves", async () => {
  for (const [path, words] of [
    ["/ui/", "shop"],
    ["/ui/settings/people", "Olga Owner"],
    ["/ui/settings/keys", "API keys"],
    ["/ui/settings/system", "Version"],
    ["/ui/settings/audit", "owner@example.org"],
    ["/ui/p/shop/settings/general", "Time zone"],
    ["/ui/p/shop/settings/goals", "Goals"],
    ["/ui/p/shop/settings/snippet", "curl"],
    ["/ui/p/shop/settings/shares", "Shared links"],
  ]) {
    await page.goto(weir.url + path);
    await page.words(words);
  }
  const link = await weir.command("share", "create", "--project", "shop", "--name", "all", "--format", "plain");
  await page.goto(weir.url + link.trim());
  await page.element(".top-value");
});
