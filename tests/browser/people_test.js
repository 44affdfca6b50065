// People: the set-up link, the first event, an invitation, the second factor, and what a viewer does not see.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, fits, launch, open, PASSWORD } from "./browser.js";
import { Weir, waitFor } from "./weir.js";

let weir, browser;
before(async () => {
  weir = await Weir.start({ projects: "" });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});

const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const setUpLink = () => waitFor(() => /https?:\/\/\S+(\/ui\/setup#\S+)/.exec(weir.words())?.[1], "the set-up link is printed");
const button = (page, name) => page.getByRole("button", { name, exact: true });
const field = (page, label) => page.getByLabel(label, { exact: true });

async function signIn(page, email, password = PASSWORD) {
  await page.goto(`${weir.url}/ui/login`);
  await field(page, "E-mail").fill(email);
  await field(page, "Password").fill(password);
  await button(page, "Sign in").click();
}

// The code of a second factor at this moment (RFC 6238), `steps` half minutes away.
function totp(secret, steps = 0) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replaceAll(" ", "")].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const hash = createHmac("sha1", key).update(counter).digest();
  return String((hash.readUInt32BE(hash[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

test("from the set-up link to the first account, a project, its first event and its page", async () => {
  const { page, context, quiet } = await open(browser, { userAgent: CHROME });
  await page.goto(weir.url);
  await page.waitForURL(/\/ui\/setup$/);
  await page.getByText("prints a one-time set-up link").waitFor();
  await accessible(page, "set-up without its link");

  await page.goto(weir.url + (await setUpLink()));
  await page.reload(); // the part behind # alone loads nothing anew
  await field(page, "Your name").fill("Ada");
  await field(page, "E-mail").fill("ada@example.com");
  await field(page, "Password").fill("short");
  await button(page, "Create the account").click();
  await page.getByRole("alert").filter({ hasText: "12" }).waitFor();
  await accessible(page, "set-up");
  await field(page, "Password").fill(PASSWORD);
  await button(page, "Create the account").click();

  await page.getByText("No project yet").waitFor();
  await accessible(page, "no projects");
  await button(page, "New project").click();
  await field(page, "Name").fill("shop.example");
  await page.getByLabel("Time zone").selectOption("Europe/Berlin");
  await accessible(page, "a new project");
  await button(page, "Create").click();

  await page.waitForURL(/\/ui\/p\/shop\.example\/settings\/snippet$/);
  await page.getByText("Waiting for the first event…").waitFor();
  await accessible(page, "the snippet");
  // What the page gives for copying is what a site runs.
  const snippet = await page.locator("#snippet pre").textContent();
  const address = /sendBeacon\(("[^"]+")/.exec(snippet)[1];
  assert.equal(JSON.parse(address), `${weir.url}/v1/events?app=shop.example`);
  const site = await context.newPage();
  await site.goto(`${weir.url}/ready`);
  const sent = await site.evaluate((code) => {
    Object.defineProperty(document, "title", { value: "The shop" });
    const script = new Function("addEventListener", code.replace(/^<script>|<\/script>$/g, ""));
    const visit = () => script((_, loaded) => loaded());
    const sendBeacon = navigator.sendBeacon.bind(navigator);
    let beacons = 0;
    navigator.sendBeacon = (...given) => ++beacons && sendBeacon(...given);
    localStorage.weir_ignore = "1"; // who does not want to be counted
    visit();
    const ignored = beacons;
    delete localStorage.weir_ignore;
    visit();
    return [ignored, beacons];
  }, snippet);
  assert.deepEqual(sent, [0, 1]);
  await page.getByText("An event came:").waitFor();
  await page.getByRole("link", { name: "To the reports" }).click();
  await page.waitForURL(/\/ui\/p\/shop\.example\?period=day/);
  await waitFor(async () => (await page.locator(".top-number", { hasText: "Unique visitors" }).locator(".top-value").textContent()) === "1", "one visitor in the reports");

  await page.goto(`${weir.url}/ui/`);
  const card = page.getByRole("link", { name: /shop\.example/ });
  await card.getByText("visitor in 24 hours").waitFor();
  await accessible(page, "the projects");
  // The link has done its work.
  await page.goto(weir.url + (await setUpLink()));
  await page.reload();
  await page.getByText("weir is set up").waitFor();
  quiet();
  await context.close();
});

test("an invited viewer joins, and sees reports but nothing of administrators", async () => {
  const ada = await open(browser);
  await signIn(ada.page, "ada@example.com");
  await ada.page.getByRole("heading", { name: "Projects" }).waitFor();
  await ada.page.goto(`${weir.url}/ui/p/shop.example/settings/people`);
  await field(ada.page, "E-mail").fill("bob@example.com");
  await button(ada.page, "Make the link").click();
  const link = await ada.page.locator(".secret code").textContent();
  assert.ok(link.startsWith(`${weir.url}/ui/invite#`), link);
  await ada.page.getByRole("table", { name: "Open invitations" }).getByText("bob@example.com").waitFor();
  await accessible(ada.page, "people of a project");

  const bob = await open(browser, { viewport: { width: 360, height: 740 } });
  await bob.page.goto(link);
  await bob.page.getByText("As viewer of").waitFor();
  await accessible(bob.page, "an invitation");
  await fits(bob.page);
  await field(bob.page, "Your name").fill("Bob");
  await field(bob.page, "Password").fill(PASSWORD);
  await button(bob.page, "Join").click();
  await bob.page.waitForURL(/\/ui\/p\/shop\.example/);
  await bob.page.getByText("Unique visitors").first().waitFor();
  assert.equal(await bob.page.getByRole("link", { name: "SQL" }).count(), 0);
  // What is not shown is refused as well, whatever address is opened.
  await bob.page.goto(`${weir.url}/ui/p/shop.example/sql`);
  await bob.page.getByText("SQL is for editors").waitFor();
  await bob.page.goto(`${weir.url}/ui/p/shop.example/settings/keys`);
  await bob.page.getByText("There are no such settings").waitFor();
  await bob.page.goto(`${weir.url}/ui/p/shop.example/live`);
  await bob.page.getByText("in the last 5 minutes").waitFor();
  assert.equal(await bob.page.getByRole("region", { name: "Events" }).count(), 0);
  const refused = await bob.page.evaluate(() =>
    Promise.all(["/api/v1/keys", "/api/v1/users", "/api/v1/system", "/api/v1/live?project=shop.example&rows=yes"].map(async (path) => (await fetch(path)).status)),
  );
  assert.ok(refused.every((status) => status === 403 || status === 404), String(refused));

  // A link works once.
  const again = await open(browser);
  await again.page.goto(link);
  await again.page.getByText("This invitation does not work").waitFor();
  // Taken out of the project, nothing of it is left.
  await ada.page.reload();
  ada.page.removeAllListeners("dialog");
  ada.page.once("dialog", (dialog) => dialog.accept());
  await ada.page.getByRole("button", { name: "Take Bob out of the project" }).click();
  await waitFor(async () => (await ada.page.getByRole("table", { name: "All people" }).getByText("bob@example.com").count()) === 0, "Bob is out");
  await bob.page.goto(`${weir.url}/ui/`);
  await bob.page.getByText("No project yet").waitFor();
  for (const one of [ada, bob, again]) one.quiet();
  for (const one of [ada, bob, again]) await one.context.close();
});

test("a second factor is set up, asked for, and replaced by a recovery code once", async () => {
  const { page, context, quiet } = await open(browser);
  await signIn(page, "ada@example.com", "not the password");
  await page.getByRole("alert").waitFor();
  await accessible(page, "a refused sign-in");
  await field(page, "Password").fill(PASSWORD);
  await button(page, "Sign in").click();
  await page.getByRole("heading", { name: "Projects" }).waitFor();
  await page.goto(`${weir.url}/ui/settings/account`);
  await button(page, "Set it up").click();
  await page.getByRole("img", { name: /The secret/ }).waitFor();
  const secret = await page.getByText("Or type it:").locator("code").textContent();
  await accessible(page, "setting up a second factor");
  const wrong = totp(secret) === "000000" ? "000001" : "000000";
  await field(page, "Code").fill(wrong);
  await button(page, "Turn it on").click();
  await page.getByRole("alert").filter({ hasText: "code" }).waitFor();
  await field(page, "Code").fill(totp(secret));
  await button(page, "Turn it on").click();
  const codes = await waitFor(async () => {
    const shown = await page.locator(".codes li").allTextContents();
    return shown.length > 0 && shown;
  }, "the recovery codes");
  await accessible(page, "recovery codes");
  await button(page, "I have kept them").click();
  await page.getByText("Signing in asks for a code").waitFor();

  const other = await open(browser);
  await signIn(other.page, "ada@example.com");
  await field(other.page, "Code of your authenticator").fill(wrong);
  await accessible(other.page, "the second step");
  await button(other.page, "Sign in").click();
  await other.page.getByRole("alert").waitFor();
  await field(other.page, "Code of your authenticator").fill(totp(secret, 1)); // the one just used counts once
  await button(other.page, "Sign in").click();
  await other.page.getByRole("heading", { name: "Projects" }).waitFor();
  // Both sessions stand in the list; one ends the other.
  await page.reload();
  const sessions = page.getByRole("table", { name: "Sessions" });
  await sessions.getByText("this one").waitFor();
  page.removeAllListeners("dialog");
  page.on("dialog", (dialog) => dialog.accept());
  const others = () => sessions.getByRole("button", { name: /^Sign out/ });
  const before = await others().count();
  assert.ok(before >= 1);
  for (let left = before; left > 0; --left) {
    await others().first().click();
    await waitFor(async () => (await others().count()) === left - 1, "a session ended");
  }
  await other.page.goto(`${weir.url}/ui/`);
  await other.page.waitForURL(/\/ui\/login/);

  await signIn(other.page, "ada@example.com");
  await field(other.page, "Code of your authenticator").fill(codes[0]);
  await button(other.page, "Sign in").click();
  await other.page.getByRole("heading", { name: "Projects" }).waitFor();
  await other.page.getByRole("button", { name: "Account and appearance" }).click();
  await other.page.getByRole("menuitem", { name: "Sign out" }).click();
  await other.page.waitForURL(/\/ui\/login/);
  await signIn(other.page, "ada@example.com");
  await field(other.page, "Code of your authenticator").fill(codes[0]);
  await button(other.page, "Sign in").click();
  await other.page.getByRole("alert").waitFor();
  quiet();
  other.quiet();
  await context.close();
  await other.context.close();
});
