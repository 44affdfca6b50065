// A page whose numbers take long shows estimates first, and the exact ones when they are counted.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, launch, open, signIn } from "./browser.js";
import { Weir, waitFor } from "./weir.js";

let weir, browser, owner;
before(async () => {
  weir = await Weir.start({ projects: "shop", args: ["--query.sample_rows", "40000"] });
  await weir.command("seed", "--project", "shop", "--events", "60000", "--days", "20");
  await weir.loaded();
  browser = await launch();
  owner = await signIn(browser, weir);
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});

const url = () => `${weir.url}/ui/p/shop?period=28d&f=${encodeURIComponent("is,visit:device,desktop")}&f=${encodeURIComponent("contains,event:page,/")}`;
const top = (page, title) => page.locator(".top-number", { hasText: title }).locator(".top-value");
const firstRow = (page) => page.getByRole("region", { name: "Sources", exact: true }).locator("tbody tr").first().locator("td").first();
const told = (page) => page.getByText("Estimates (≈) from some of the visitors; the exact numbers are being counted");

// What is asked for exactly waits until it is let go, with this answer or the server's.
async function hold(page) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route("**/api/v1/query", async (route) => {
    if (route.request().postDataJSON().accuracy === "sampled") return route.continue();
    const answer = await released;
    return answer ? route.fulfill(answer) : route.continue();
  });
  return release;
}

test("estimates are shown at once, with their bounds, and the exact numbers later", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner, viewport: { width: 1280, height: 2600 } });
  const release = await hold(page);
  await page.goto(url());
  await told(page).waitFor();
  for (const number of [top(page, "Unique visitors"), top(page, "Bounce rate"), firstRow(page)]) {
    await waitFor(async () => (await number.textContent()).includes("≈ "), "an estimate");
    assert.match(await number.getAttribute("title"), /^≈ \S+ ± \S+$/);
  }
  const estimate = await top(page, "Unique visitors").getAttribute("title");
  await page.getByText(/estimated from one in \d+ visitors/).waitFor();
  await accessible(page, "estimates");

  release(null);
  await told(page).waitFor({ state: "detached" });
  await waitFor(async () => !(await page.locator("main").textContent()).includes("≈"), "no estimate is left");
  const [, guess, bound] = estimate.replaceAll(",", "").match(/^≈ (\S+) ± (\S+)$/);
  const exact = Number((await top(page, "Unique visitors").getAttribute("title")).replaceAll(",", ""));
  assert.ok(Math.abs(exact - Number(guess)) <= Number(bound), `${estimate}, and there are ${exact}`);
  quiet();
  await context.close();
});

test("where the exact numbers cannot be had, the estimates stay and say so", async () => {
  const { page, context } = await open(browser, { storageState: owner, viewport: { width: 1280, height: 2600 } });
  const release = await hold(page);
  await page.goto(url());
  await told(page).waitFor();
  release({ status: 504, contentType: "application/json", body: JSON.stringify({ error: { code: "timeout", message: "query: the answer took too long" } }) });
  await page.getByText("Only estimates could be had: query: the answer took too long").first().waitFor();
  assert.match(await top(page, "Unique visitors").textContent(), /^≈ /);
  await context.close();
});
