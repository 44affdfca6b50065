// Strings that would be scripts, formulas or markup if a page or a file took them as such, in every field that is tracked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open, signIn } from "./browser.js";
import { Weir } from "./weir.js";

const SCRIPTS = [
  "<script>alert(1)</script>",
  "\"><img src=x onerror=alert(2)>",
  "'><svg/onload=alert(3)>",
  "javascript:alert(4)",
  "{{constructor.constructor('alert(5)')()}}",
  "</title><script>alert(6)</script>",
];
const FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"];
const DIMENSIONS = [
  "event:page", "event:title", "event:name", "event:hostname", "event:app_version", "visit:entry_page", "visit:exit_page",
  "visit:source", "visit:referrer", "visit:channel", "visit:utm_source", "visit:utm_medium", "visit:utm_campaign", "visit:utm_term",
  "visit:utm_content", "visit:screen", "visit:locale", "visit:browser", "visit:os", "event:props:plan",
]; // prettier-ignore

const BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"; // else they would be a program's

let weir, browser, owner;
before(async () => {
  weir = await Weir.start({ projects: "shop" });
  browser = await launch();
  owner = await signIn(browser, weir);
  const events = [...SCRIPTS, ...FORMULAS].flatMap((text, index) => {
    const utm = ["source", "medium", "campaign", "term", "content"].map((field) => `utm_${field}=${encodeURIComponent(text)}`).join("&");
    const common = {
      user_id: `${text}${index}`,
      url: `https://shop.example/?${utm}`,
      path: text.trim(),
      title: text,
      referrer: `https://evil.example/${encodeURIComponent(text)}`,
      locale: text.trim().slice(0, 20),
      screen: text.trim(),
      appVersion: text.trim(),
      details: { plan: text },
    };
    return [{ ...common, type: "pageview" }, { ...common, type: text.trim() }];
  });
  await weir.send(events, "shop", { "User-Agent": BROWSER });
  await weir.loaded();
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});

test("no tracked string becomes a script or markup, in no panel and no detail view", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner, viewport: { width: 1280, height: 3000 } });
  await page.goto(`${weir.url}/ui/p/shop?period=all&tab.goals=event:name`);
  await page.getByText("<script>alert(1)</script>").first().waitFor();
  for (const dimension of DIMENSIONS) {
    await page.goto(`${weir.url}/ui/p/shop?period=all&detail=${encodeURIComponent(dimension)}`);
    await page.getByRole("dialog").locator("tbody tr").first().waitFor();
  }
  // As filters, in chips and in the address, they are texts too.
  for (const text of SCRIPTS) {
    const filter = `is,event:title,${text.replaceAll("%", "%25").replaceAll(",", "%2C")}`;
    await page.goto(`${weir.url}/ui/p/shop?period=all&f=${encodeURIComponent(filter)}`);
    await page.getByRole("button", { name: `Change: Title is ${text}` }).waitFor();
  }
  assert.equal(await page.locator("#app script, #app img, #app iframe").count(), 0);
  quiet();
  await context.close();
});

test("an export for spreadsheets holds no formula", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop?period=all&detail=event:title`);
  await page.getByRole("dialog").locator("tbody tr").first().waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
  const stream = await download.createReadStream();
  let text = "";
  for await (const piece of stream) text += piece;
  assert.match(download.suggestedFilename(), /^shop-event-title\.csv$/);
  for (const formula of FORMULAS) assert.ok(text.includes(`'${formula}`), `${JSON.stringify(formula)} is made harmless`);
  for (const line of text.split("\n").slice(1)) assert.doesNotMatch(line, /^"?[=+\-@\t\r]/, line);
  quiet();
  await context.close();
});
