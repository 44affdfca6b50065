// The live view with real events: numbers, the tail and its filters, the debugger.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, fits, launch, open, signIn } from "./browser.js";
import { Weir, waitFor } from "./weir.js";

const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
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
const events = (page) => page.getByRole("region", { name: "Events", exact: true });
const button = (page, name) => page.getByRole("button", { name, exact: true });

test("visitors and events stand there as they come", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/live`);
  await page.getByText("Waiting for events.").waitFor();
  await accessible(page, "a quiet live view");
  await weir.send([{ type: "pageview", user_id: "1", url: "https://shop.example/a", referrer: "https://www.google.com/" }], "shop", { "User-Agent": CHROME });
  await weir.send([{ type: "elsewhere" }], "blog", { "User-Agent": CHROME });
  await weir.send([{ type: "signup", user_id: "1", path: "/a", details: { plan: '<img src=x onerror="alert(1)">' } }], "shop", { "User-Agent": CHROME });
  await weir.send([{ type: "probe", path: "/b" }], "shop", { "User-Agent": "curl/8" });
  await events(page).getByRole("button", { name: /signup/ }).waitFor();
  await events(page).getByRole("button", { name: /probe.*bot/ }).waitFor();
  assert.equal(await events(page).getByRole("button", { name: /elsewhere/ }).count(), 0);
  await waitFor(async () => (await page.locator(".live-big").textContent()) === "1", "one visitor now");
  await page.getByRole("region", { name: "Pages", exact: true }).getByText("/a", { exact: true }).waitFor();
  await page.getByRole("region", { name: "Sources", exact: true }).getByText("Google").waitFor();
  await accessible(page, "the live view");

  await events(page).getByRole("button", { name: /signup/ }).click();
  await page.getByRole("dialog").getByText('<img src=x onerror="alert(1)">').waitFor();
  await accessible(page, "one event");
  await page.keyboard.press("Escape");

  // A filter narrows what comes, stands in the address, and is undone by Back.
  await page.getByLabel("How to compare").selectOption("is_not");
  await page.getByLabel("What to filter by").selectOption("traffic");
  await page.getByLabel("Value").fill("bot");
  await button(page, "Add filter").click();
  await page.getByText("Traffic is not bot").waitFor();
  assert.match(decodeURIComponent(page.url()), /filter=\[\["is_not","traffic",\["bot"\]\]\]/);
  await page.getByText("Waiting for events.").waitFor();
  await waitFor(async () => (await page.locator(".live-status").getAttribute("data-on")) === "true", "connected again");
  await weir.send([{ type: "crawled" }], "shop", { "User-Agent": "curl/8" });
  await weir.send([{ type: "seen", path: "/c" }], "shop", { "User-Agent": CHROME });
  await events(page).getByRole("button", { name: /seen/ }).waitFor();
  assert.equal(await events(page).getByRole("button", { name: /crawled/ }).count(), 0);
  await page.goBack();
  await waitFor(async () => (await page.getByText("Traffic is not bot").count()) === 0, "Back takes the filter away");

  // Paused, what comes waits.
  await waitFor(async () => (await page.locator(".live-status").getAttribute("data-on")) === "true", "connected again");
  await button(page, "Pause").click();
  await weir.send([{ type: "later" }], "shop", { "User-Agent": CHROME });
  await weir.loaded();
  await waitFor(async () => Number(await page.locator(".live-side dd").nth(2).textContent()) >= 4, "it is counted");
  assert.equal(await events(page).getByRole("button", { name: /later/ }).count(), 0);
  await button(page, "Go on").click();
  await events(page).getByRole("button", { name: /later/ }).waitFor();
  quiet();
  await context.close();
});

test("an event is followed through each stage, and told why it is labelled or refused", async () => {
  const { page, context, quiet } = await open(browser, { storageState: owner });
  await page.goto(`${weir.url}/ui/p/shop/live?view=debugger`);
  const text = page.getByLabel("The event, as JSON");
  await button(page, "Send and follow it").click();
  for (const stage of ["Accepted", "In the journal", "Enriched and stored", "Labelled bot"]) await page.getByText(stage, { exact: true }).waitFor();
  await page.getByText("HeadlessChrome").filter({ visible: true }).first().waitFor();
  await accessible(page, "an event that was followed");
  const id = await page.locator("section code").filter({ hasText: /^debug-/ }).textContent();

  await text.fill('{"type":""}');
  await button(page, "Send and follow it").click();
  await page.getByText("Refused", { exact: true }).waitFor();
  await page.getByText(/400: .*type/).waitFor();
  await text.fill("{");
  await button(page, "Send and follow it").click();
  await page.getByRole("alert").filter({ hasText: "Not an event" }).waitFor();

  await text.fill(JSON.stringify({ type: "pageview", user_agent: CHROME, ip: "8.8.8.8", referrer: "https://chatgpt.com/" }));
  await button(page, "Explain without sending").click();
  await page.getByText("What would become of it").waitFor();
  await page.getByText("no list and no rule says otherwise").filter({ visible: true }).first().waitFor();
  await accessible(page, "an explained event");

  await page.getByLabel("Where is my event?").fill(id);
  await button(page, "Find it").click();
  await page.getByText("Labelled bot", { exact: true }).waitFor();
  await page.getByLabel("Where is my event?").fill("nobody-knows-it");
  await button(page, "Find it").click();
  await page.getByText("Not found", { exact: true }).waitFor();
  quiet();
  await context.close();
});

test("on a phone nothing stands out beyond the side", async () => {
  const { page, context } = await open(browser, { storageState: owner, viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  await page.goto(`${weir.url}/ui/p/shop/live`);
  await page.locator(".live-big").waitFor();
  await fits(page);
  await accessible(page, "the live view on a phone");
  await page.goto(`${weir.url}/ui/p/shop/live?view=debugger`);
  await page.getByLabel("The event, as JSON").waitFor();
  await fits(page);
  await context.close();
});
