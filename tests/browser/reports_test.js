// What people make of a project's page: goals, segments, notes, a range of their own, and the detail view in depth.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { accessible, caller, join, launch, open, signIn } from "./browser.js";
import { Weir, waitFor } from "./weir.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (ago) => new Date(Date.now() - ago).toISOString();
const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const PAGES = 60;

let weir, browser, owner, viewer;
before(async () => {
  weir = await Weir.start({ projects: "shop" });
  browser = await launch();
  owner = await signIn(browser, weir);
  viewer = await join(browser, weir, owner, { email: "vera@example.org", name: "Vera Viewer", role: "viewer", project: "shop" });
  const ask = await caller(browser, weir, owner);
  await ask("POST", "/api/v1/goals", { project: "shop", name: "Purchase", event: "purchase", currency: "EUR" });
  await ask("POST", "/api/v1/goals", { project: "shop", name: "Visit /hot", page: "/hot" });
  await ask("POST", "/api/v1/properties", { project: "shop", name: "plan", key: "plan" });
  // Sixty pages, each with one visitor of its own; a hot one with three of them, who were four a month before; two buy.
  const events = [];
  const see = (user_id, path, ago) => events.push({ type: "pageview", user_id, timestamp: at(ago), url: `https://shop.example${path}` });
  for (let page = 0; page < PAGES; ++page) see(`v${page}`, `/page-${String(page).padStart(2, "0")}`, 30 * HOUR + page * 60_000);
  for (let visitor = 0; visitor < 3; ++visitor) see(`v${visitor}`, "/hot", 30 * HOUR - 60_000);
  for (let visitor = 0; visitor < 4; ++visitor) see(`old${visitor}`, "/hot", 35 * DAY);
  for (const [user_id, amount, plan] of [
    ["v0", "12.50", "pro"],
    ["v1", "7.50", "team"],
  ])
    events.push({ type: "purchase", user_id, timestamp: at(29 * HOUR), path: "/hot", revenue: { amount, currency: "EUR" }, details: { plan } });
  await weir.send(events, "shop", { "User-Agent": CHROME });
  await weir.loaded();
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});

const top = (page, title) => page.locator(".top-number", { hasText: title }).locator(".top-value");
const shows = (page, title, value) => waitFor(async () => (await top(page, title).textContent()) === value, `${title} ${value}`);
const panel = (page, name) => page.getByRole("region", { name, exact: true });
const row = (page, name, text) => panel(page, name).getByRole("row", { name: new RegExp(`^${text}`) });
const button = (page, name) => page.getByRole("button", { name, exact: true });
const query = (page) => decodeURIComponent(new URL(page.url()).search.replaceAll("+", " "));
const url = (search = "?period=all") => `${weir.url}/ui/p/shop${search}`;

test("goals say who reached them and what it brought", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner, viewport: { width: 1280, height: 2600 } });
  await page.goto(url());
  const goals = "Goals and events";
  await row(page, goals, "Purchase").waitFor();
  const cells = async (text) => (await row(page, goals, text).locator("td").allTextContents()).map((each) => each.trim());
  // 64 visitors: two of them bought, seven saw the page.
  assert.deepEqual(await cells("Purchase"), ["2", "2", "3.1%", "€20.00"]);
  assert.deepEqual((await cells("Visit /hot")).slice(0, 3), ["7", "7", "10.9%"]);

  // By a goal, the numbers at the top are those of its visitors.
  await row(page, goals, "Purchase").getByRole("link").click();
  await page.getByRole("button", { name: "Change: Goal is Purchase" }).waitFor();
  await shows(page, "Unique visitors", "2");
  await shows(page, "Total revenue", "€20.00");
  await shows(page, "Average revenue", "€10.00");
  await page.getByRole("link", { name: /Total revenue/ }).click();
  await page.waitForURL(/metric=total_revenue/);
  await page.getByRole("img", { name: /Graph of Total revenue/ }).waitFor();
  await accessible(page, "filtered by a goal");

  // Properties of its events.
  await panel(page, goals).getByRole("tab", { name: "Properties" }).click();
  await row(page, goals, "team").getByRole("link").click();
  await shows(page, "Total revenue", "€7.50");
  quiet();
  await context.close();
});

test("a segment is saved, for oneself or for everybody, asked for again, and deleted", async () => {
  const one = await open(browser, { storageState: owner });
  const { page } = one;
  const save = async (name, shared) => {
    await button(page, "Filter").click();
    await page.getByRole("menuitem", { name: /^Save these filters/ }).click();
    const dialog = page.getByRole("dialog", { name: "Save as a segment" });
    await dialog.getByText("Page is /hot").waitFor();
    await dialog.getByLabel("Name").fill(name);
    if (shared) await dialog.getByLabel("For everybody in this project").check();
    await accessible(page, "saving a segment");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: `Change: Segment is ${name}` }).waitFor();
    await shows(page, "Unique visitors", "7");
  };
  await page.goto(url("?period=all&f=is,event:page,/hot"));
  await shows(page, "Unique visitors", "7");
  await save("Mine", false);
  await page.goto(url("?period=all&f=is,event:page,/hot"));
  await save("Everybody's", true);
  const segments = async (where) => {
    await button(where, "Filter").click();
    const names = (await where.getByRole("menuitemradio").allTextContents()).filter((text) => /^(Mine|Everybody's|Vera's)/.test(text));
    await where.keyboard.press("Escape");
    return names.sort();
  };
  assert.deepEqual(await segments(page), ["Everybody's", "Mineyours"]);

  // Somebody else has the shared one, and makes their own.
  const two = await open(browser, { storageState: viewer });
  await two.page.goto(url());
  await shows(two.page, "Unique visitors", "64");
  await waitFor(async () => (await segments(two.page)).join() === "Everybody's", "the shared segment alone");
  await button(two.page, "Filter").click();
  await two.page.getByRole("menuitemradio", { name: "Everybody's" }).click();
  await shows(two.page, "Unique visitors", "7");
  assert.match(query(two.page), /f=is,segment,/);
  await two.page.goto(url("?period=all&f=is,event:page,/page-07"));
  await button(two.page, "Filter").click();
  await two.page.getByRole("menuitem", { name: /^Save these filters/ }).click();
  const theirs = two.page.getByRole("dialog", { name: "Save as a segment" });
  assert.equal(await theirs.getByLabel("For everybody in this project").count(), 0);
  assert.equal(await theirs.getByRole("button", { name: "Delete: Everybody's" }).count(), 0);
  await theirs.getByLabel("Name").fill("Vera's");
  await theirs.getByRole("button", { name: "Save" }).click();
  await shows(two.page, "Unique visitors", "1");
  // Taken apart, it is the filters it was made of.
  await two.page.getByRole("button", { name: "Change: Segment is Vera's" }).click();
  await button(two.page, "Take it apart into its filters").click();
  await two.page.getByRole("button", { name: "Change: Page is /page-07" }).waitFor();
  assert.deepEqual(await segments(page), ["Everybody's", "Mineyours"], "nobody else sees Vera's");

  await button(page, "Filter").click();
  await page.getByRole("menuitem", { name: /^Save these filters/ }).click();
  for (const name of ["Mine", "Everybody's"]) {
    await button(page, `Delete: ${name}`).click();
    await button(page, `Delete: ${name}`).waitFor({ state: "detached" });
  }
  await two.page.reload();
  await shows(two.page, "Unique visitors", "1");
  await waitFor(async () => (await segments(two.page)).join() === "Vera'syours", "the shared segment is gone");
  one.quiet();
  two.quiet();
  await one.context.close();
  await two.context.close();
});

test("a note stands in everybody's graph and its table until it is deleted", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  const day = at(30 * HOUR).slice(0, 10);
  await page.goto(url("?period=28d"));
  const note = async (text) => {
    await button(page, "Note").click();
    const dialog = page.getByRole("dialog", { name: "Notes in the graph" });
    await dialog.getByLabel("Day").fill(day);
    await dialog.getByLabel("What happened").fill(text);
    await accessible(page, "a new note");
    await button(page, "Add the note").click();
    await dialog.waitFor({ state: "detached" });
    await page.locator(".graph-notes").getByText(text).waitFor();
  };
  await note("The launch <b>of</b> it");
  await note("A newspaper");
  await button(page, "As a table").click();
  await page.getByRole("table", { name: /by day/ }).getByRole("row", { name: "The launch <b>of</b> it; A newspaper" }).waitFor();

  const other = await open(browser, { storageState: viewer });
  await other.page.goto(url("?period=28d"));
  await other.page.locator(".graph-notes").getByText("The launch <b>of</b> it").waitFor();
  await other.page.locator(".graph-notes").getByText("A newspaper").waitFor();
  assert.equal(await button(other.page, "Note").count(), 0);

  await button(page, "Note").click();
  await button(page, "Delete: The launch <b>of</b> it").click();
  await button(page, "Delete: A newspaper").click();
  await waitFor(async () => (await page.getByRole("list", { name: "Notes" }).count()) === 0, "no note is left");
  await page.keyboard.press("Escape");
  await other.page.reload();
  await top(other.page, "Unique visitors").waitFor();
  await waitFor(async () => (await other.page.locator(".graph-notes").count()) === 0, "nobody sees it any more");
  quiet();
  other.quiet();
  await context.close();
  await other.context.close();
});

test("the numbers tell how they changed, and what they were when compared", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(url("?period=28d"));
  const change = page.locator(".top-number", { hasText: "Unique visitors" }).locator(".top-foot");
  await change.waitFor();
  // Sixty after four.
  assert.match((await change.textContent()).trim(), /^↑up \s*1,?400%$/);
  assert.equal(await change.getAttribute("title"), "before: 4");
  await page.keyboard.press("x");
  await page.waitForURL(/compare=previous/);
  await waitFor(async () => /1,?400%4$/.test((await change.textContent()).trim()), "what they were");
  await page.goto(url("?period=all"));
  await shows(page, "Unique visitors", "64");
  assert.equal(await page.locator(".top-foot").count(), 0, "nothing is before all");
  quiet();
  await context.close();
});

test("the detail view pages, sorts, searches, compares, and shows a row over time", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(url("?period=28d&compare=previous&detail=event:page"));
  const dialog = page.getByRole("dialog", { name: "Page" });
  const rows = dialog.locator("tbody tr");
  const first = () => rows.first().locator(".row-link").textContent();
  await dialog.getByText(`${PAGES + 1} rows`).waitFor();
  assert.equal(await rows.count(), 50);
  // Three visitors after four: a quarter less, said beside the number.
  assert.equal(await first(), "/hot");
  assert.match(await rows.first().locator("td").nth(1).textContent(), /^3\s*↓down\s*25%$/);
  assert.equal(await rows.first().locator(".change").first().getAttribute("title"), "before: 4");
  await accessible(page, "a compared detail view");

  await button(dialog, "Next").click();
  await waitFor(async () => (await rows.count()) === PAGES + 1 - 50, "the rest on the second page");
  assert.match(query(page), /page=2/);
  assert.ok(await button(dialog, "Next").isDisabled());
  await page.goBack();
  await waitFor(async () => (await rows.count()) === 50, "Back pages back");

  // By another column, then the other way around.
  const column = dialog.getByRole("columnheader", { name: "Pageviews" });
  await column.getByRole("button").click();
  await waitFor(async () => (await column.getAttribute("aria-sort")) === "descending", "sorted by pageviews");
  assert.match(query(page), /sort=pageviews/);
  await waitFor(async () => (await first()) === "/hot", "the most viewed first");
  await column.getByRole("button").click();
  await waitFor(async () => (await column.getAttribute("aria-sort")) === "ascending" && (await first()) !== "/hot", "the least viewed first");
  assert.match(query(page), /sort=-pageviews/);

  await dialog.getByRole("searchbox").fill("PAGE-3");
  await dialog.getByText("10 rows").waitFor();
  await dialog.getByRole("searchbox").fill("nowhere");
  await dialog.getByText("Nothing has “nowhere” in it").waitFor();
  await button(dialog, "Clear the search").click();
  await dialog.getByText(`${PAGES + 1} rows`).waitFor();

  await dialog.getByRole("searchbox").fill("hot");
  await dialog.getByText("1 row", { exact: true }).waitFor();
  await button(dialog, "/hot over time").click();
  const evolution = dialog.getByRole("region", { name: "/hot over time" });
  await evolution.getByRole("img", { name: /Pageviews of \/hot by day/ }).waitFor();
  await button(dialog, "/hot over time").click();
  await evolution.waitFor({ state: "detached" });

  // The file has all rows, whatever page is shown, as they are searched and sorted.
  await dialog.getByRole("searchbox").fill("page-");
  await dialog.getByText(`${PAGES} rows`).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), button(dialog, "CSV").click()]);
  const lines = readFileSync(await download.path(), "utf8").trim().split(/\r?\n/);
  assert.equal(lines.length, PAGES + 1);
  assert.match(lines[0], /^event:page,visitors,percentage,pageviews,/);
  assert.ok(lines.slice(1).every((line) => /^\/page-\d\d,1,/.test(line)));
  quiet();
  await context.close();
});

test("a range of one's own is chosen in the calendar, by keys, and written", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(url("?period=28d"));
  await top(page, "Unique visitors").waitFor();
  const range = page.locator(".periods .menu > button").first();
  const day = (ago) => at(ago * DAY).slice(0, 10);
  const cell = (dialog, text) => dialog.locator(`[data-day="${text}"]`);
  const turnTo = async (dialog, text) => {
    while ((await cell(dialog, text).count()) === 0) await button(dialog, "The month before").click();
  };

  // By clicks, the later one first; what lies ahead cannot be chosen.
  await page.keyboard.press("c");
  const dialog = page.getByRole("dialog", { name: "Custom range" });
  await accessible(page, "the calendar");
  assert.ok(await cell(dialog, day(0)).isEnabled());
  assert.ok(await button(dialog, "The month after").isDisabled());
  await turnTo(dialog, day(34));
  await cell(dialog, day(34)).click();
  await turnTo(dialog, day(36));
  await cell(dialog, day(36)).click();
  await button(dialog, "Apply").click();
  await page.waitForURL((now) => now.search.includes(`from=${day(36)}&to=${day(34)}`));
  await shows(page, "Unique visitors", "4");

  // The steps move by its length.
  await page.keyboard.press("ArrowLeft");
  await page.waitForURL((now) => now.search.includes(`from=${day(39)}&to=${day(37)}`));
  await page.keyboard.press("ArrowRight");
  await page.waitForURL((now) => now.search.includes(`from=${day(36)}&to=${day(34)}`));

  // By keys alone: the focus stands on a day.
  await page.goto(url("?period=day"));
  await top(page, "Unique visitors").waitFor();
  await page.keyboard.press("c");
  await waitFor(() => page.evaluate((today) => document.activeElement?.dataset.day === today, day(0)), "today has the focus");
  await page.keyboard.press("ArrowUp");
  await waitFor(() => page.evaluate((wanted) => document.activeElement?.dataset.day === wanted, day(7)), "a week before");
  await page.keyboard.press("Enter");
  for (const key of ["ArrowRight", "ArrowRight"]) await page.keyboard.press(key);
  await waitFor(() => page.evaluate((wanted) => document.activeElement?.dataset.day === wanted, day(5)), "two days on");
  await page.keyboard.press("Enter");
  assert.equal(await dialog.getByLabel("From").inputValue(), day(7));
  assert.equal(await dialog.getByLabel("To").inputValue(), day(5));
  await dialog.getByLabel("To").press("Enter");
  await page.waitForURL((now) => now.search.includes(`from=${day(7)}&to=${day(5)}`));

  // Written; the wrong way around it is not taken. One day is that day.
  await page.keyboard.press("c");
  await dialog.getByLabel("From").fill(day(3));
  await dialog.getByLabel("To").fill(day(6));
  await dialog.getByText("It ends before it begins").waitFor();
  assert.ok(await button(dialog, "Apply").isDisabled());
  await dialog.getByLabel("To").fill(day(3));
  await button(dialog, "Apply").click();
  await page.waitForURL((now) => now.search === `?period=day&date=${day(3)}`);

  // What it is compared with, likewise.
  await page.goto(url("?period=28d&compare=previous"));
  await button(page, "Compared vs. Period before").click();
  await page.getByRole("menuitemradio", { name: "Custom range…" }).click();
  const compared = page.getByRole("dialog", { name: "Compare with" });
  await compared.getByLabel("From").fill(day(35));
  await compared.getByLabel("To").fill(day(35));
  await button(compared, "Apply").click();
  await page.waitForURL(/compare=custom&compare_from=/);
  await waitFor(async () => (await page.locator(".top-number", { hasText: "Unique visitors" }).locator(".top-before").textContent()) === "4", "four then");
  await range.getByText("Last 28 days").waitFor();
  quiet();
  await context.close();
});
