// Settings: what is changed is kept and does what it says; every tab is open to those who see and hear differently.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, fits, launch, open, signIn } from "./browser.js";
import { Weir, waitFor } from "./weir.js";

const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const OF_PROJECT = ["general", "snippet", "goals", "properties", "segments", "annotations", "exclusions", "shares", "people", "keys"];
const OF_WEIR = ["account", "people", "keys", "system", "audit"];
let weir, browser, owner;
before(async () => {
  weir = await Weir.start({ projects: "shop,blog" });
  browser = await launch();
  owner = await signIn(browser, weir);
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});
const button = (page, name) => page.getByRole("button", { name, exact: true });
const field = (page, label) => page.getByLabel(label, { exact: true });
const table = (page, name) => page.getByRole("table", { name, exact: true });
const says = (page, yes = true) => {
  page.removeAllListeners("dialog");
  page.once("dialog", (dialog) => (yes ? dialog.accept() : dialog.dismiss()));
};
const allTabs = () => [...OF_PROJECT.map((tab) => `/ui/p/shop/settings/${tab}`), ...OF_WEIR.map((tab) => `/ui/settings/${tab}`)];

for (const [name, options] of [
  ["in a window", {}],
  ["on a phone, in the dark", { viewport: { width: 360, height: 740 }, colorScheme: "dark" }],
])
  test(`every tab shows what it is for, ${name}`, async () => {
    const { page, context, quiet } = await open(browser, { storageState: owner, ...options });
    for (const tab of allTabs()) {
      await page.goto(weir.url + tab);
      await page.locator(".settings-nav [aria-current=page]").waitFor();
      await waitFor(async () => (await page.locator(".skeleton").count()) === 0, `${tab} has loaded`);
      assert.deepEqual(await page.locator(".state-error").allTextContents(), [], tab);
      await accessible(page, tab);
      await fits(page);
    }
    quiet();
    await context.close();
  });

test("a project is renamed, and its old name goes on to be taken", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/blog/settings/general`);
  await field(page, "Another name").fill("blog.example");
  await button(page, "Add").click();
  await table(page, "All outside names").getByText("blog.example").waitFor();
  await page.getByLabel("Time zone").selectOption("Europe/Paris");
  await page.getByLabel("Keep events for so many days").fill("30");
  const foreign = page.getByLabel("Label events from pages of other hosts as spam");
  assert.ok(await foreign.isDisabled(), "without hosts of its own there are no others");
  await page.getByLabel("Hosts of its own sites").fill("blog.example\n*.blog.example");
  await foreign.check();
  await page.getByLabel("Do not count browsers that ask for it").check();
  await field(page, "Name").fill("journal");
  await button(page, "Save").click();
  await page.waitForURL(/\/ui\/p\/journal\/settings\/general/);
  await page.reload();
  await waitFor(async () => (await page.getByLabel("Keep events for so many days").inputValue()) === "30", "it is kept");
  assert.equal(await page.getByLabel("Time zone").inputValue(), "Europe/Paris");
  await waitFor(async () => (await page.getByLabel("Hosts of its own sites").inputValue()) === "*.blog.example\nblog.example", "its hosts are kept, sorted");
  await weir.send([{ type: "pageview", path: "/x" }], "blog.example", { "User-Agent": CHROME });
  // What was set does what it says.
  for (const [id, host] of [
    ["own", "www.blog.example"],
    ["foreign", "copy.example"],
  ])
    await weir.send([{ type: "pageview", id, url: `https://${host}/` }], "journal", { "User-Agent": CHROME });
  const refused = await fetch(`${weir.url}/v1/events`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-App": "journal", "User-Agent": CHROME, "Sec-GPC": "1" },
    body: JSON.stringify({ type: "pageview", id: "unasked" }),
  });
  assert.equal(refused.headers.get("X-Weir-Dropped"), "gpc");
  await weir.loaded();
  const labels = await weir.command("query", "--format", "TSV", "SELECT event_id, traffic FROM events WHERE event_id IN ('own', 'foreign', 'unasked') ORDER BY event_id");
  assert.equal(labels.trim(), "foreign\tspam\nown\thuman");
  // What is wrong with a host is said.
  await page.getByLabel("Hosts of its own sites").fill("not a host!");
  await button(page, "Save").click();
  await page.getByRole("alert").filter({ hasText: "host" }).waitFor();
  await page.getByLabel("Hosts of its own sites").fill("blog.example");
  // What is wrong is said, and nothing changes.
  await field(page, "Name").fill("shop");
  await button(page, "Save").click();
  await page.getByRole("alert").filter({ hasText: "shop" }).waitFor();
  await page.getByLabel(/^Type journal to delete it/).fill("journa");
  assert.ok(await button(page, "Delete journal").isDisabled());
  await page.getByLabel(/^Type journal to delete it/).fill("journal");
  await button(page, "Delete journal").click();
  await page.waitForURL(/\/ui\/$/);
  assert.equal(await page.getByRole("link", { name: /journal/ }).count(), 0);
  quiet();
  await context.close();
});

test("goals, properties and annotations are made and taken away", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/settings/goals`);
  await page.getByLabel("Event's name").fill("purchase");
  await page.getByLabel("It brings revenue").check();
  await field(page, "Currency").fill("eur");
  await button(page, "Add the goal").click();
  await table(page, "All goals").getByText("EUR").waitFor();
  await page.getByLabel("Reached by").selectOption("page");
  await field(page, "Page").fill("thanks");
  await button(page, "Add the goal").click();
  await page.getByRole("alert").waitFor(); // no path begins so
  await field(page, "Page").fill("/thanks*");
  await button(page, "Add the goal").click();
  await table(page, "All goals").getByText("Visit /thanks*").waitFor();
  says(page);
  await page.getByRole("button", { name: "Delete purchase" }).click();
  await waitFor(async () => (await table(page, "All goals").getByText("purchase").count()) === 0, "the goal is gone");

  await page.goto(`${weir.url}/ui/p/shop/settings/properties`);
  await field(page, "Property").fill("plan");
  await button(page, "Show it").click();
  await table(page, "All properties").getByText("plan").waitFor();
  await page.goto(`${weir.url}/ui/p/shop/settings/annotations`);
  await field(page, "Day").fill("2026-03-01");
  await field(page, "What happened").fill("The launch");
  await button(page, "Add").click();
  await table(page, "All annotations").getByText("The launch").waitFor();
  quiet();
  await context.close();
});

test("an exclusion labels what comes behind it", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/settings/exclusions`);
  await page.getByLabel("Looks at").selectOption("path");
  await field(page, "Value").fill("/admin");
  await field(page, "Note").fill("us");
  await button(page, "Add the rule").click();
  await table(page, "Rules").getByText("/admin").waitFor();
  await weir.send([{ type: "pageview", path: "/admin/x", id: "ours" }], "shop", { "User-Agent": CHROME });
  await weir.loaded();
  const labelled = await weir.command("query", "--format", "TSV", "SELECT traffic, traffic_reason FROM events WHERE event_id = 'ours'");
  assert.equal(labelled.trim(), "internal\trule: path /admin (us)");
  says(page);
  await page.getByRole("button", { name: "Delete the rule /admin" }).click();
  await page.getByText("No rule yet.").waitFor();
  quiet();
  await context.close();
});

test("a key is shown once, works, and stops when it is deleted", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/settings/keys`);
  await field(page, "Name").fill("grafana");
  await page.getByLabel("Scope").selectOption("sql");
  await button(page, "Make a key").click();
  const secret = await page.locator(".secret code").textContent();
  const ask = async () => (await fetch(`${weir.url}/api/v1/sql`, { method: "POST", body: "SELECT 1", headers: { Authorization: `Bearer ${secret}` } })).status;
  assert.equal(await ask(), 200);
  await page.reload();
  await table(page, "All keys").getByText("grafana").waitFor();
  assert.equal(await page.getByText(secret).count(), 0);
  says(page);
  await page.getByRole("button", { name: "Delete the key grafana" }).click();
  await page.getByText("No key yet.").waitFor();
  assert.equal(await ask(), 401);
  quiet();
  await context.close();
});

test("a shared link shows the page to whoever knows its password, until it is deleted", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/settings/shares`);
  await field(page, "Name").fill("for the press");
  await field(page, "Password").fill("open sesame 123");
  await page.getByLabel("May be shown in pages of").fill("https://www.example.com");
  await button(page, "Make the link").click();
  const link = await page.locator(".secret code").textContent();
  await page.getByText(`<iframe src="${link}?embed=1"`).waitFor();
  await table(page, "All shared links").getByText("asked for").waitFor();
  await accessible(page, "a new link");
  const guest = await open(browser);
  await guest.page.goto(link);
  await guest.page.getByLabel("Password").fill("open sesame 123");
  await guest.page.keyboard.press("Enter");
  await guest.page.getByText("Unique visitors").first().waitFor();
  says(page);
  await page.getByRole("button", { name: "Delete the link for the press" }).click();
  await page.getByText("No link yet.").waitFor();
  await guest.page.reload();
  await waitFor(async () => (await guest.page.getByText("Unique visitors").count()) === 0, "the page is shown no more");
  quiet();
  await context.close();
  await guest.context.close();
});

test("the system page tells how weir does, and the audit log what was changed", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/settings/system`);
  await page.getByText("All checks are good").waitFor();
  await table(page, "All packs").getByText("regexes.yaml", { exact: true }).waitFor();
  await table(page, "Disk by part").getByText("journal", { exact: true }).waitFor();
  await page.getByRole("img", { name: /Events a second of the last ten minutes/ }).waitFor();
  await page.goto(`${weir.url}/ui/settings/audit`);
  const log = table(page, "All changes");
  await log.getByText("grafana").first().waitFor();
  await log.getByText(/deleted/).first().waitFor();
  quiet();
  await context.close();
});
