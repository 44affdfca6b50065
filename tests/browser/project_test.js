// The page of a project: from its first event to a filtered detail view, its keys, and how it is on a phone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, fits, launch, open, signIn } from "./browser.js";
import { Weir, waitFor } from "./weir.js";

const HOUR = 3_600_000;
const at = (ago) => new Date(Date.now() - ago).toISOString();
const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";

let weir, browser, owner;
before(async () => {
  weir = await Weir.start({ projects: "shop,blog,empty" });
  browser = await launch();
  owner = await signIn(browser, weir);
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});

// Six visitors of shop within the last days: three from a search engine, two of them to /pricing; one signs up.
async function visitors() {
  const events = [];
  for (const [index, [referrer, paths]] of [
    ["https://www.google.com/", ["/", "/pricing"]],
    ["https://www.google.com/", ["/pricing"]],
    ["https://www.google.com/", ["/"]],
    ["https://news.ycombinator.com/", ["/blog/a"]],
    ["", ["/", "/blog/a", "/blog/b"]],
    ["", ["/"]],
  ].entries())
    for (const [step, path] of paths.entries())
      events.push({
        type: "pageview",
        user_id: `visitor-${index}`,
        timestamp: at((30 + index * 5) * HOUR - step * 60_000),
        url: `https://shop.example${path}`,
        referrer: step === 0 ? referrer : "",
        screen: "1920x1080",
        locale: index % 2 ? "de-DE" : "en-GB",
      });
  events.push({ type: "signup", user_id: "visitor-0", timestamp: at(30 * HOUR - 120_000), path: "/pricing", details: { plan: "pro" } });
  await weir.send(events.slice(0, 5), "shop", { "User-Agent": CHROME });
  await weir.send(events.slice(5), "shop", { "User-Agent": FIREFOX });
  await weir.loaded();
}

const top = (page, title) => page.locator(".top-number", { hasText: title }).locator(".top-value");
const panel = (page, name) => page.getByRole("region", { name, exact: true });
const row = (page, name, text) => panel(page, name).getByRole("row", { name: new RegExp(`^${text}`) });
const query = (page) => decodeURIComponent(new URL(page.url()).search.replaceAll("+", " "));

test("a project without events says how to send one, and shows the first by itself", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/empty`);
  await page.getByText("Waiting for the first event of empty").waitFor();
  await accessible(page, "an empty project");
  await weir.send([{ type: "pageview", url: "https://empty.example/first" }], "empty", { "User-Agent": CHROME });
  await page.waitForURL(/period=day/);
  await waitFor(async () => (await top(page, "Unique visitors").textContent()) === "1", "the first visitor is shown");
  await row(page, "Pages", "/first").waitFor();
  quiet();
  await context.close();
});

test("from all visitors to the pages of some, and back", async () => {
  await visitors();
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop?period=all`);
  await waitFor(async () => (await top(page, "Unique visitors").textContent()) === "6", "six visitors");
  assert.equal(await top(page, "Pageviews").textContent(), "9");

  // A click on a row filters by it; the chip says so; the address has it.
  await panel(page, "Sources").getByRole("tab", { name: "Sources" }).click();
  await row(page, "Sources", "Google").getByRole("link").click();
  await waitFor(async () => (await top(page, "Unique visitors").textContent()) === "3", "three visitors from Google");
  assert.match(query(page), /f=is,visit:source,Google/);
  await page.getByRole("button", { name: "Change: Source is Google" }).waitFor();

  // The detail view of their pages, searched, with one page over time.
  await panel(page, "Pages").getByRole("link", { name: /Details/ }).click();
  const dialog = page.getByRole("dialog", { name: "Page" });
  await dialog.getByText("2 rows").waitFor();
  await page.keyboard.press("Tab"); // away from the search box, which has the focus; the key brings it back
  await page.keyboard.press("/");
  await page.keyboard.type("pric");
  await dialog.getByText("1 row", { exact: true }).waitFor();
  await dialog.getByRole("button", { name: "/pricing over time" }).click();
  await dialog.getByRole("region", { name: "/pricing over time" }).getByRole("img").waitFor();
  assert.match(query(page), /detail=event:page&search=pric&row=\/pricing/);
  await accessible(page, "a detail view");

  // The same address shows the same; Back goes back through it.
  await page.reload();
  await dialog.getByText("1 row", { exact: true }).waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.doesNotMatch(query(page), /detail=/);
  await page.keyboard.press("Escape");
  await waitFor(async () => (await top(page, "Unique visitors").textContent()) === "6", "no filter");
  await page.goBack();
  await waitFor(async () => (await top(page, "Unique visitors").textContent()) === "3", "Back brings the filter back");
  quiet();
  await context.close();
});

test("a filter is added by its dialog, with suggestions", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop?period=all`);
  await top(page, "Unique visitors").waitFor();
  await page.keyboard.press("/");
  const dialog = page.getByRole("dialog", { name: "Add a filter" });
  await dialog.getByLabel("What").selectOption({ label: "Page" });
  await dialog.getByLabel("Value of Page").fill("blog");
  await dialog.getByRole("option", { name: /\/blog\/b/ }).click();
  await dialog.getByRole("button", { name: "Apply" }).click();
  await waitFor(async () => (await top(page, "Unique visitors").textContent()) === "1", "one visitor read /blog/b");

  // Who did not do it: everybody else.
  await page.getByRole("button", { name: "Change: Page is /blog/b" }).click();
  const change = page.getByRole("dialog", { name: "Change the filter" });
  await change.getByLabel("Who counts").selectOption("has_not_done");
  await change.getByRole("button", { name: "Apply" }).click();
  await waitFor(async () => (await top(page, "Unique visitors").textContent()) === "5", "five did not");
  quiet();
  await context.close();
});

test("every key does what the list of keys says", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop`);
  await top(page, "Unique visitors").waitFor();
  const range = page.locator(".periods .menu > button").first();
  for (const [key, title] of [
    ["d", "Today"], ["e", "Yesterday"], ["r", "Realtime"], ["h", "Last 24 hours"], ["w", "Last 7 days"], ["f", "Last 28 days"],
    ["t", "Last 30 days"], ["n", "Last 91 days"], ["m", "Month to date"], ["p", "Last month"], ["y", "Year to date"],
    ["s", "Last 6 months"], ["l", "Last 12 months"], ["a", "All time"],
  ]) { // prettier-ignore
    await page.keyboard.press(key);
    await range.getByText(title).waitFor();
  }
  await page.keyboard.press("d");
  await range.getByText("Today").waitFor();
  await page.keyboard.press("ArrowLeft");
  await range.getByText("Yesterday").waitFor();
  await page.keyboard.press("ArrowRight");
  await range.getByText("Today").waitFor();
  await page.keyboard.press("x");
  await page.getByText("Period before").waitFor();
  await page.keyboard.press("x");
  await page.getByText("Period before").waitFor({ state: "detached" });

  await page.keyboard.press("i");
  await page.getByRole("menuitemradio", { name: "Minutes" }).click();
  await page.waitForURL(/interval=minute/);
  await page.keyboard.press("c");
  await page.getByRole("dialog", { name: "Custom range" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });

  await page.keyboard.press("Control+k");
  const palette = page.getByRole("combobox", { name: "Command" });
  await palette.fill("seven");
  await page.getByText("No command has these letters.").waitFor();
  await palette.fill("7 days");
  await page.keyboard.press("Enter");
  await range.getByText("Last 7 days").waitFor();

  // Letters written into a field are letters.
  await page.keyboard.press("/");
  await page.getByLabel("Value of Page").pressSequentially("adr");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await range.getByText("Last 7 days").waitFor();

  // 1 to 9: the projects, in their order.
  await page.keyboard.press("1");
  await page.waitForURL(/\/ui\/p\/blog/);
  quiet();
  await context.close();
});

test("with the keyboard alone one comes to a filtered page", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop?period=all`);
  await row(page, "Pages", "/pricing").waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
  await page.keyboard.press("Tab");
  assert.match(await focused(), /Skip to the content/);
  let steps = 0;
  while (!/^\/pricing/.test(await focused())) {
    assert.ok(++steps < 80, "80 tabs do not reach the row");
    await page.keyboard.press("Tab");
  }
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, "none", "what has the focus shows it");
  await page.keyboard.press("Enter");
  await page.waitForURL(/f=is,event:page,\/pricing/);
  await waitFor(async () => (await top(page, "Unique visitors").textContent()) === "2", "two saw /pricing");
  quiet();
  await context.close();
});

test("nothing keeps people out, in light and dark, wide and narrow, and nothing overflows", async () => {
  for (const [width, colorScheme] of [
    [360, "dark"],
    [1280, "light"],
    [2200, "dark"],
  ]) {
    const { page, context, quiet } = await open(browser, { storageState: owner, viewport: { width, height: 2600 }, colorScheme });
    await page.goto(`${weir.url}/ui/p/shop?period=all`);
    await row(page, "Pages", "/pricing").waitFor();
    await page.locator(".week").waitFor();
    await page.locator(".map svg").waitFor();
    await accessible(page, `${width} ${colorScheme}`);
    await fits(page);
    quiet();
    await context.close();
  }
});

test("each number opens its definition, its coverage and its SQL; the graph has a table", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop?period=all`);
  await page.getByRole("button", { name: "What is Bounce rate?" }).click();
  const dialog = page.getByRole("dialog", { name: "Bounce rate" });
  await dialog.getByText(/whole visit has one pageview/).waitFor();
  await dialog.getByLabel("SQL").getByText(/SELECT/).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "As a table" }).click();
  await page.getByRole("table", { name: /Unique visitors by/ }).waitFor();
  quiet();
  await context.close();
});

test("a page has the session asked for beside its files, once; a project's comes with it", async () => {
  for (const [path, ways] of [["/ui/p/shop?period=2000d", ["link"]], ["/ui/settings/account", ["link"]], ["/ui/p/shop?period=all", []]]) {
    const { page, context, quiet } = await open(browser, { storageState: owner });
    await page.goto(weir.url + path);
    await page.getByRole("main").getByRole("heading").first().waitFor();
    await page.getByRole("button", { name: "Account and appearance" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
    const asked = await page.evaluate(() =>
      performance.getEntriesByType("resource").filter((each) => each.name.endsWith("/api/v1/session")).map((each) => each.initiatorType),
    );
    assert.deepEqual(asked, ways, path);
    quiet();
    await context.close();
  }
});

test("the files of the first view are named by the page's header, and come once", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  const header = page.waitForResponse((response) => response.url().includes("/ui/p/shop")).then((response) => response.headers()["link"]);
  await page.goto(`${weir.url}/ui/p/shop?period=all`);
  await top(page, "Unique visitors").waitFor();
  const named = [...(await header).matchAll(/<([^>]+)>/g)].map((found) => found[1]);
  const fetched = await page.evaluate(() => {
    const files = performance.getEntriesByType("resource").filter((each) => each.transferSize > 0 && each.name.includes("/ui/assets/"));
    return files.map((each) => new URL(each.name).pathname);
  });
  assert.deepEqual([...new Set(fetched)].sort(), fetched.toSorted(), "each once");
  assert.deepEqual(named.filter((path) => !fetched.includes(path)), [], "all of them");
  quiet();
  await context.close();
});

test("when questions fail the page says so and tries again when told to", async () => {
  const { page, context } = await open(browser, { storageState: owner });
  let failing = true;
  await page.route("**/api/v1/query", (route) =>
    failing
      ? route.fulfill({ status: 503, contentType: "application/json", body: '{"error":{"code":"unavailable","message":"store: it is away"}}' })
      : route.continue(),
  );
  await page.goto(`${weir.url}/ui/p/shop?period=all`);
  await page.getByText("store: it is away").first().waitFor();
  failing = false;
  // One button brings back what lies behind others, too.
  const again = page.getByRole("button", { name: "Try again" });
  await waitFor(async () => {
    if ((await again.count()) > 0) await again.first().click({ timeout: 1000 }).catch(() => undefined);
    return (await top(page, "Unique visitors").textContent({ timeout: 1000 }).catch(() => "")) === "6";
  }, "the numbers are there");
  await context.close();
});
