// The dashboard in Debian's Firefox: from the set-up link to a filtered page, the live view, SQL, a shared page, and every
// other page once. What it should look like in detail is asked in Chromium (the other files here).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { PASSWORD } from "./browser.js";
import { Weir, waitFor } from "./weir.js";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
const HOUR = 3_600_000;

let weir, browser, page;
const complaints = [];
before(async () => {
  weir = await Weir.start({ projects: "shop" });
  browser = await puppeteer.launch({ browser: "firefox", executablePath: process.env.WEIR_FIREFOX ?? "/usr/bin/firefox-esr" });
  page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  page.setDefaultTimeout(60_000);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
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
  await browser?.close();
  await weir?.stop();
});

const text = (words) => page.locator(`::-p-text(${words})`).wait();
const button = (name) => page.locator(`::-p-aria([name="${name}"][role="button"])`);
const field = (label) => page.locator(`::-p-aria([name="${label}"])`);
const visitors = () => page.$eval(".top-value", (value) => value.textContent);

test("the first account is made, and its sign-in outlives the page", async () => {
  await page.goto(/http:\S+\/ui\/setup#\S+/.exec(weir.words())[0]);
  await field("Your name").fill("Olga Owner");
  await field("E-mail").fill("owner@example.org");
  await field("Password").fill(PASSWORD);
  await button("Create the account").click();
  await text("shop");
  await page.goto(`${weir.url}/ui/settings`);
  await text("Where you are signed in");
  assert.deepEqual(complaints, []);
});

test("a project's page shows its numbers, and a click on a row filters them", async () => {
  await page.goto(`${weir.url}/ui/p/shop?period=7d`);
  await waitFor(async () => (await page.$(".top-value")) !== null && (await visitors()) === "3", "three visitors");
  await page.waitForSelector(".main-graph canvas");
  await page.waitForSelector("svg path[d]");
  await page.locator("a ::-p-text(/pricing)").click();
  await waitFor(async () => (await visitors()) === "2", "two of them saw /pricing");
  assert.match(decodeURIComponent(page.url()), /event:page|pricing/);
  await page.goBack();
  await waitFor(async () => (await visitors()) === "3", "Back takes the filter away");
  await page.keyboard.press("d"); // today
  await waitFor(async () => page.url().includes("period=day"), "a key chooses the period");
  assert.deepEqual(complaints, []);
});

test("what happens now stands in the live view", async () => {
  await page.goto(`${weir.url}/ui/p/shop/live`);
  await text("Waiting for events.");
  await weir.send([{ type: "signup", user_id: "1", path: "/a" }], "shop", { "User-Agent": FIREFOX });
  await text("signup");
  await waitFor(async () => (await page.$eval(".live-big", (value) => value.textContent)) === "1", "one visitor now");
  assert.deepEqual(complaints, []);
});

test("a statement in SQL is answered", async () => {
  await page.goto(`${weir.url}/ui/p/shop/sql`);
  await button("Run").click();
  await text("pageviews");
  await waitFor(async () => (await page.$$("td")).length > 0, "rows of the answer");
  assert.deepEqual(complaints, []);
});

test("every other page draws itself", async () => {
  for (const [path, words] of [
    ["/ui/", "shop"],
    ["/ui/settings/people", "Olga Owner"],
    ["/ui/settings/keys", "key"],
    ["/ui/settings/system", "Version"],
    ["/ui/settings/audit", "owner@example.org"],
    ["/ui/p/shop/settings", "Time zone"],
    ["/ui/p/shop/settings/goals", "goal"],
    ["/ui/p/shop/settings/snippet", "curl"],
  ]) {
    await page.goto(weir.url + path);
    await text(words);
  }
  const [link] = (await weir.command("share", "create", "--project", "shop", "--name", "all", "--format", "plain")).trim().split("\n");
  await page.goto(weir.url + link);
  await page.waitForSelector(".top-value");
  assert.deepEqual(complaints, []);
});
