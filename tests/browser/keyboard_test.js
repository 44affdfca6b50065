// Every page by the keyboard alone, in light and dark: Tab reaches everything and shows where it is, dialogs take the focus and
// give it back, and axe finds nothing that keeps people out.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, caller, launch, open, PASSWORD, signIn } from "./browser.js";
import { Weir, waitFor } from "./weir.js";

const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const STOPS_MAX = 300;

let weir, browser, owner, ask;
before(async () => {
  weir = await Weir.start({ projects: "shop,blog" });
  browser = await launch();
  owner = await signIn(browser, weir);
  ask = await caller(browser, weir, owner);
  const now = Date.now();
  const events = ["/", "/a", "/b"].map((path, index) => ({
    type: "pageview",
    user_id: `v${index}`,
    timestamp: new Date(now - index * 60_000).toISOString(),
    url: `https://shop.example${path}`,
    referrer: "https://www.google.com/",
  }));
  await weir.send(events, "shop", { "User-Agent": CHROME });
  await ask("POST", "/api/v1/goals", { project: "shop", name: "Visit /a", page: "/a" });
  await weir.loaded();
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});

// What has the focus: its name, whether it shows it, whether something lies over it.
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body || element === document.documentElement) return null;
    const box = element.getBoundingClientRect();
    const outlined = (each) => each && getComputedStyle(each).outlineStyle !== "none" && parseFloat(getComputedStyle(each).outlineWidth) > 0;
    const x = box.left + Math.min(box.width / 2, innerWidth - box.left - 1);
    const y = box.top + Math.min(box.height, innerHeight - box.top - 1) / 2;
    const there = document.elementFromPoint(x, y);
    const seen = box.width > 0 && box.height > 0 && there !== null && (element.contains(there) || there.contains(element) || there.closest("label") !== null);
    const name = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent ?? "";
    window.stops ??= new Map();
    if (!window.stops.has(element)) window.stops.set(element, window.stops.size);
    return {
      name: `${element.tagName.toLowerCase()} ${name.trim().replace(/\s+/g, " ").slice(0, 60)}`,
      stop: window.stops.get(element),
      // A field of values has its outline around the values as well.
      visible: Boolean(outlined(element) || outlined(element.closest(".values")) || outlined(element.closest(".sql-editor"))),
      seen,
    };
  });

// Tabs from where the focus is until it comes around; answers the names of all stops.
async function walk(page, what) {
  const names = [];
  const first = new Set();
  for (let steps = 0; ; ++steps) {
    assert.ok(steps < STOPS_MAX, `${what}: Tab does not come to an end: ${names.slice(-8).join(", ")}`);
    await page.keyboard.press("Tab");
    const now = await focused(page);
    if (now === null || first.has(now.stop)) return names;
    first.add(now.stop);
    assert.ok(now.visible, `${what}: ${now.name} does not show that it has the focus`);
    assert.ok(now.seen, `${what}: ${now.name} has the focus where it cannot be seen`);
    names.push(now.name);
  }
}

// Tabs until what has the focus is called so.
async function tabTo(page, name) {
  for (let steps = 0; steps < STOPS_MAX; ++steps) {
    await page.keyboard.press("Tab");
    const now = await focused(page);
    if (now && (name instanceof RegExp ? name.test(now.name) : now.name.endsWith(` ${name}`))) return;
  }
  assert.fail(`Tab does not reach ${name}`);
}

// A dialog that opens by Enter has the focus within, keeps it, and gives it back when Esc closes it.
async function dialogAndBack(page, opener, title, { wait } = {}) {
  const before = await focused(page);
  await page.keyboard.press("Enter");
  if (wait) await wait();
  const dialog = page.getByRole("dialog", { name: title });
  await dialog.waitFor();
  await waitFor(() => page.evaluate(() => document.activeElement?.closest("dialog") !== null), `${title} has the focus`);
  await walk(page, title);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  const now = await focused(page);
  assert.equal(now?.name, opener ?? before.name, `the focus after ${title}`);
  assert.ok(now.visible, `${title}: where the focus comes back it shows`);
}

const TALL = { width: 1280, height: 2600 }; // what lies further down is loaded when it comes near
const settled = async (page) => {
  await page.locator("main h1, main form").first().waitFor({ state: "attached" });
  await waitFor(async () => (await page.locator(".skeleton").count()) === 0, "it has loaded");
};
const OF_PROJECT = ["general", "snippet", "goals", "properties", "segments", "annotations", "exclusions", "shares", "people", "keys"];
const OF_WEIR = ["account", "people", "keys", "system", "audit"];
const PAGES = [
  "/ui/",
  "/ui/p/shop?period=day",
  "/ui/p/blog",
  "/ui/p/shop?period=day&compare=previous&f=is,event:page,/a&detail=event:page",
  "/ui/p/shop/live",
  "/ui/p/shop/live?view=debugger",
  "/ui/sql",
  "/ui/p/shop/sql",
  ...OF_PROJECT.map((tab) => `/ui/p/shop/settings/${tab}`),
  ...OF_WEIR.map((tab) => `/ui/settings/${tab}`),
  "/ui/nowhere",
];

for (const colorScheme of ["light", "dark"])
  test(`Tab goes around every page and shows where it is, ${colorScheme}`, async () => {
    const { page, context, quiet } = await open(browser, { storageState: owner, colorScheme, viewport: TALL });
    for (const path of PAGES) {
      await page.goto(weir.url + path);
      await settled(page);
      const names = await walk(page, path);
      if (!path.includes("detail=")) assert.match(names[0] ?? "", /Skip to the content/, `${path} begins with the way past its head`);
      assert.ok(names.length >= 5, `${path}: ${names.join(", ")}`);
      await accessible(page, `${path} ${colorScheme}`);
    }
    quiet();
    await context.close();
    const guest = await open(browser, { colorScheme });
    const { link } = await ask("POST", "/api/v1/invitations", { email: `${colorScheme}@example.org`, role: "viewer", project: "shop" });
    for (const path of ["/ui/login", "/ui/setup", new URL(link, weir.url).href.slice(weir.url.length), "/ui/invite", "/ui/share/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]) {
      await guest.page.goto(weir.url + path);
      await guest.page.reload(); // the part behind # alone loads nothing anew
      await waitFor(async () => (await guest.page.locator(".skeleton").count()) === 0 && (await guest.page.locator("main").textContent()) !== "", `${path} is there`);
      await walk(guest.page, path);
      await accessible(guest.page, `${path} ${colorScheme}`);
    }
    guest.quiet();
    await guest.context.close();
  });

test("somebody signs in, makes a project and comes to its page without a mouse", async () => {
  const { page, context, quiet } = await open(browser);
  await page.goto(`${weir.url}/ui/login`);
  await waitFor(async () => /E-mail/.test((await focused(page))?.name ?? ""), "the first field has the focus");
  await page.keyboard.type("owner@example.org");
  await page.keyboard.press("Tab");
  await page.keyboard.type("not the password");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  assert.match((await focused(page)).name, /Password/, "one can go on typing");
  await page.keyboard.press("Control+a");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Projects" }).waitFor();
  await tabTo(page, "New project");
  await dialogAndBack(page, null, "New project");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "New project" }).waitFor();
  await page.keyboard.type("journal");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/ui\/p\/journal\/settings\/snippet/);
  await tabTo(page, "Overview");
  await page.keyboard.press("Enter");
  await page.getByText("Waiting for the first event of journal").waitFor();
  // The menu of a person: down to the last entry, and out.
  await tabTo(page, /Account and appearance/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  assert.equal((await focused(page)).name, "button Sign out");
  await page.keyboard.press("Escape");
  assert.match((await focused(page)).name, /Account and appearance/);
  for (const key of ["Enter", "Home", "ArrowUp"]) await page.keyboard.press(key);
  assert.equal((await focused(page)).name, "button Sign out", "upwards it goes around");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/ui\/login/);
  quiet();
  await context.close();
});

test("an invitation is taken up without a mouse", async () => {
  const { link } = await ask("POST", "/api/v1/invitations", { email: "kay@example.org", role: "viewer", project: "shop" });
  const { page, context, quiet } = await open(browser);
  await page.goto(new URL(link, weir.url).href);
  await page.getByText("As viewer of").waitFor();
  await tabTo(page, /Your name/);
  await page.keyboard.type("Kay");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/ui\/p\/shop/);
  await page.getByText("Unique visitors").first().waitFor();
  quiet();
  await context.close();
});

test("on a project's page all that opens gives the focus back", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner, viewport: TALL });
  await page.goto(`${weir.url}/ui/p/shop?period=day`);
  await settled(page);
  const choose = (entry) => async () => {
    for (let steps = 0; ; ++steps) {
      assert.ok(steps < 40, `no entry ${entry}`);
      const now = (await focused(page))?.name ?? "";
      if (now.includes(entry)) break;
      await page.keyboard.press("ArrowDown");
    }
    await page.keyboard.press("Enter");
  };
  await tabTo(page, "Filter");
  await dialogAndBack(page, "button Filter", "Add a filter", { wait: choose("Add a filter") });
  await tabTo(page, /^button Range/);
  await dialogAndBack(page, null, "Custom range", { wait: choose("Custom range") });
  await tabTo(page, /What is Bounce rate/);
  await dialogAndBack(page, null, "Bounce rate");
  await tabTo(page, "Note");
  await dialogAndBack(page, null, "Notes in the graph");
  await tabTo(page, /Details of Page/);
  await dialogAndBack(page, null, "Page");
  await tabTo(page, /^button Keys/);
  await dialogAndBack(page, null, "Keys");
  await tabTo(page, /^button Commands/);
  await dialogAndBack(page, null, "Commands");

  // Tabs are one stop, and arrows go through them.
  await page.evaluate(() => document.querySelector("#main").focus());
  await tabTo(page, "Top pages");
  await page.keyboard.press("ArrowRight");
  assert.equal((await focused(page)).name, "button Entry pages");
  await page.waitForURL(/tab\.pages=visit:entry_page/);
  await page.keyboard.press("Home");
  assert.equal((await focused(page)).name, "button Top pages");

  // A row that filters keeps the focus; the chip that takes the filter away hands it on.
  await tabTo(page, /^a \/a/);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Change: Page is /a" }).waitFor();
  await waitFor(async () => /^a \/a/.test((await focused(page))?.name ?? ""), "the row has the focus");
  await page.evaluate(() => document.querySelector("#main").focus());
  await tabTo(page, /Take away: Page is \/a/);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Change: Page is /a" }).waitFor({ state: "detached" });
  assert.equal((await focused(page))?.name, "button Filter");
  quiet();
  await context.close();
});

test("the live view and its debugger are used without a mouse", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/live`);
  await page.locator(".live-status[data-on=true]").waitFor();
  await weir.send([{ type: "signup", user_id: "1", path: "/a" }], "shop", { "User-Agent": CHROME });
  await page.getByRole("button", { name: /signup/ }).waitFor();
  await tabTo(page, /signup/);
  await dialogAndBack(page, null, "signup");
  await page.evaluate(() => document.querySelector("#main").focus());
  await tabTo(page, /Value/);
  await page.keyboard.type("signup");
  await page.keyboard.press("Enter");
  await page.getByText("Event is signup").waitFor();
  await tabTo(page, /Remove the filter/);
  await page.keyboard.press("Enter");
  await page.getByText("Event is signup").waitFor({ state: "detached" });
  assert.ok(await focused(page), "the focus goes on from where the filter was");
  await page.evaluate(() => document.querySelector("#main").focus());
  await tabTo(page, "Now");
  await page.keyboard.press("ArrowRight");
  await page.getByLabel("The event, as JSON").waitFor();
  await tabTo(page, "Send and follow it");
  await page.keyboard.press("Enter");
  await page.getByText("Enriched and stored", { exact: true }).waitFor();
  await waitFor(async () => (await focused(page))?.name === "button Send and follow it", "the button keeps the focus");
  quiet();
  await context.close();
});

test("SQL is asked and saved without a mouse", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/sql`);
  await settled(page);
  await tabTo(page, /SQL statement/);
  await page.keyboard.press("Control+a");
  await page.keyboard.type("SELECT 7 AS seven");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("table", { name: "Rows of the result" }).waitFor();
  await tabTo(page, "Run");
  await page.keyboard.press("Enter");
  await waitFor(async () => (await focused(page))?.name === "button Run", "Run keeps the focus");
  await tabTo(page, "Save…");
  await dialogAndBack(page, null, "Save the query");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Save the query" }).waitFor();
  await page.keyboard.type("Seven");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "Seven", exact: true }).waitFor();
  await tabTo(page, /Delete the query Seven/);
  page.removeAllListeners("dialog");
  page.once("dialog", (dialog) => dialog.accept());
  await page.keyboard.press("Enter");
  await page.getByText("None yet").waitFor();
  assert.ok(await focused(page), "the focus goes on from where the query was");
  quiet();
  await context.close();
});

test("settings are changed and deleted without a mouse, and the focus is not lost", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/settings/goals`);
  await settled(page);
  await tabTo(page, /Event's name/);
  await page.keyboard.type("signup");
  await page.keyboard.press("Enter");
  await page.getByRole("table", { name: "All goals" }).getByText("signup").first().waitFor();
  assert.match((await focused(page)).name, /Event's name/);
  page.removeAllListeners("dialog");
  page.once("dialog", (dialog) => dialog.accept());
  await tabTo(page, "Delete signup");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Delete signup" }).waitFor({ state: "detached" });
  assert.equal((await focused(page))?.name, "section Goals");

  // A secret that is shown once is read and put away.
  await page.goto(`${weir.url}/ui/p/shop/settings/keys`);
  await settled(page);
  await tabTo(page, /Name/);
  await page.keyboard.type("grafana");
  await page.keyboard.press("Enter");
  await page.getByText("The new key.").waitFor();
  await waitFor(() => page.evaluate(() => document.activeElement?.closest("[role=alert]") !== null), "the secret has the focus");
  await tabTo(page, "Done");
  await page.keyboard.press("Enter");
  await page.getByText("The new key.").waitFor({ state: "detached" });
  assert.equal((await focused(page))?.name, "section API keys");

  // The second factor: each step has the focus where one goes on.
  await page.goto(`${weir.url}/ui/settings/account`);
  await settled(page);
  await tabTo(page, "Set it up");
  await page.keyboard.press("Enter");
  await page.getByRole("img", { name: /The secret/ }).waitFor();
  await waitFor(async () => /^input Code/.test((await focused(page))?.name ?? ""), "the code's field has the focus");
  await tabTo(page, "Cancel");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Set it up" }).waitFor();
  assert.ok(await focused(page), "the focus is somewhere near");
  quiet();
  await context.close();
});
