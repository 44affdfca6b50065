// The SQL page: schema, running, cancelling, errors at their place, charts, saved queries, exports.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { accessible, fits, launch, open, signIn } from "./browser.js";
import { Weir, waitFor } from "./weir.js";

let weir, browser, owner;
before(async () => {
  weir = await Weir.start({ projects: "shop,blog" });
  browser = await launch();
  owner = await signIn(browser, weir);
  await weir.send([
    { type: "pageview", user_id: "1", path: "/a", timestamp: "2026-03-01T10:00:00Z" },
    { type: "pageview", user_id: "2", path: "/a", timestamp: "2026-03-02T10:00:00Z" },
    { type: "=1+1", user_id: "2", path: "/b", timestamp: "2026-03-02T10:01:00Z", details: { note: "<b>bold</b>" } },
  ]);
  await weir.loaded();
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});
const button = (page, name) => page.getByRole("button", { name, exact: true });
const rows = (page) => page.getByRole("table", { name: "Rows of the result" }).locator("tbody tr");
async function run(page, sql) {
  await page.getByLabel("SQL statement").fill(sql);
  await page.getByLabel("SQL statement").press("Control+Enter");
}

test("a statement answers a table and a chart, and stands in the address", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/sql`);
  await page.getByRole("region", { name: "Schema" }).getByRole("button", { name: /^visitor_id/ }).waitFor();
  await page.getByRole("region", { name: "Limits" }).getByText("1,000,000").waitFor();
  await run(page, "SELECT toDate(timestamp) AS day, count() AS events, max(visitor_id) AS big FROM events GROUP BY day ORDER BY day");
  await waitFor(async () => (await rows(page).count()) === 2, "two rows");
  assert.deepEqual((await rows(page).nth(1).locator("td").allTextContents()).slice(0, 2), ["2026-03-02", "2"]);
  // 64 bits keep their digits.
  const big = (await weir.command("query", "--format", "TSV", "SELECT max(visitor_id) FROM events WHERE timestamp >= '2026-03-02'")).trim();
  assert.equal(await rows(page).nth(1).locator("td").nth(2).textContent(), big);
  await accessible(page, "a result");
  await page.getByRole("tab", { name: "Chart" }).click();
  await page.getByRole("img", { name: /events, big by day/ }).waitFor();
  await accessible(page, "a chart");
  const address = page.url();
  const again = await open(browser, { storageState: owner });
  await again.page.goto(address);
  assert.match(await again.page.getByLabel("SQL statement").inputValue(), /max\(visitor_id\)/);
  quiet();
  await context.close();
  await again.context.close();
});

test("an error is shown where it is", async () => {
  const { page, context } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/sql`);
  await run(page, "SELECT count(),\n  nope\nFROM events");
  await page.locator(".sql-error mark", { hasText: "nope" }).waitFor();
  await page.getByText("2:", { exact: false }).first().waitFor();
  await button(page, "Go there").click();
  assert.equal(await page.getByLabel("SQL statement").evaluate((area) => area.selectionStart), 18);
  await run(page, "SELECT 1\nFORM events");
  await page.locator(".sql-error mark", { hasText: "events" }).waitFor();
  await run(page, "SELECT * FROM system.users");
  await page.getByRole("alert").filter({ hasText: "not one of the public views" }).waitFor();
  await accessible(page, "an error");
  await context.close();
});

test("a long statement is cancelled, here and in the store", async () => {
  const { page, context } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/sql`);
  await run(page, "SELECT count() FROM events AS a, events AS b, numbers(100000000000) AS c");
  await button(page, "Cancel").click();
  await button(page, "Run").waitFor();
  await run(page, "SELECT 7 AS seven");
  await waitFor(async () => (await rows(page).count()) === 1, "the next statement answers");
  await context.close();
});

test("a query is saved, opened by its address, changed and deleted", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/sql`);
  await page.getByLabel("SQL statement").fill("SELECT count() FROM events");
  await button(page, "Save…").click();
  await page.getByLabel("Name").fill('All <i>events"');
  await page.getByLabel("For me alone").uncheck();
  await accessible(page, "saving a query");
  await button(page, "Save").click();
  const saved = page.getByRole("region", { name: "Saved queries" });
  await saved.getByRole("link", { name: 'All <i>events"' }).waitFor();
  const address = page.url();
  assert.match(address, /query=/);
  const again = await open(browser, { storageState: owner });
  await again.page.goto(address);
  await waitFor(async () => (await again.page.getByLabel("SQL statement").inputValue()) === "SELECT count() FROM events", "the saved statement");
  await again.page.getByLabel("SQL statement").fill("SELECT count() + 1 FROM events");
  await button(again.page, "Save…").click();
  await button(again.page, "Save the change").click();
  await again.page.getByText("Saved as").waitFor();
  await page.reload();
  await waitFor(async () => (await page.getByLabel("SQL statement").inputValue()) === "SELECT count() + 1 FROM events", "the changed statement");
  page.removeAllListeners("dialog");
  page.once("dialog", (dialog) => dialog.accept());
  await saved.getByRole("button", { name: /^Delete the query/ }).click();
  await saved.getByText("None yet").waitFor();
  quiet();
  await context.close();
  await again.context.close();
});

test("a result is exported, and no spreadsheet runs what a visitor sent", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/sql`);
  await run(page, "SELECT name, count() AS n, any(properties) AS p FROM events GROUP BY name ORDER BY name");
  await waitFor(async () => (await rows(page).count()) === 2, "two rows");
  const exported = async (format) => {
    await page.getByRole("button", { name: "Export the whole result" }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: format }).click()]);
    return readFileSync(await download.path());
  };
  assert.equal(String(await exported("CSV")), `name,n,p\r\n'=1+1,1,"{""note"":""<b>bold</b>""}"\r\npageview,2,{}\r\n`);
  assert.deepEqual(JSON.parse(String(await exported("JSON lines")).split("\n")[1]), { name: "pageview", n: 2, p: {} });
  assert.equal((await exported("Parquet")).subarray(0, 4).toString(), "PAR1");
  quiet();
  await context.close();
});

test("on a phone it fits", async () => {
  const { page, context } = await open(browser, { storageState: owner, viewport: { width: 360, height: 740 } });
  await page.goto(`${weir.url}/ui/sql`);
  await page.getByLabel("SQL statement").waitFor();
  await fits(page);
  await accessible(page, "SQL on a phone");
  await context.close();
});
