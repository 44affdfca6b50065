// Debian's Chromium for tests, and what they all ask of a page.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import assert from "node:assert/strict";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const PASSWORD = "correct horse battery staple";

export const launch = () =>
  chromium.launch({ executablePath: process.env.WEIR_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });

// A window of its own. What the page complains of (errors, what its policy forbids) fails the test that calls quiet().
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-US", timezoneId: "UTC", ...options });
  context.setDefaultTimeout(60_000); // what is waited for comes at once, unless the machine is very busy
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) complaints.push(message.text());
  });
  page.on("dialog", (dialog) => {
    complaints.push(`a script ran: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { context, page, quiet: () => assert.deepEqual(complaints, []) };
}

// Nothing on the page that keeps people out, as far as axe finds it.
export async function accessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const bad = violations.filter((found) => found.impact === "serious" || found.impact === "critical");
  assert.deepEqual(
    bad.map((found) => `${found.id}: ${found.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`),
    [],
    what,
  );
}

// Nothing stands out beyond the window's side.
export async function fits(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `the page is ${content} wide in a window of ${window}`);
}

// Sets the first owner up by the link that weir prints, and answers what a window needs to be theirs (storageState).
export async function signIn(browser, weir) {
  const token = weir.words().match(/\/ui\/setup#([\w-]+)/)?.[1];
  assert.ok(token, `weir printed no set-up link:\n${weir.words()}`);
  const context = await browser.newContext();
  const answer = await context.request.post(`${weir.url}/api/v1/setup`, {
    headers: { Origin: weir.url },
    data: { token, email: "owner@example.org", name: "Olga Owner", password: PASSWORD },
  });
  assert.ok(answer.ok(), `set-up: ${answer.status()} ${await answer.text()}`);
  const state = await context.storageState();
  await context.close();
  return state;
}

// Asks the API as whoever the window's state is of; answers what came back.
export async function caller(browser, weir, storageState) {
  const context = await browser.newContext({ storageState });
  const { csrf } = await (await context.request.get(`${weir.url}/api/v1/session`)).json();
  const headers = { Origin: weir.url, "X-Weir-CSRF": csrf };
  return async (method, path, data) => {
    const answer = await context.request.fetch(weir.url + path, { method, headers, data });
    assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
    const text = await answer.text();
    return text === "" ? null : JSON.parse(text);
  };
}

// Invites somebody into the project and takes the invitation up; answers their windows' state.
export async function join(browser, weir, owner, { email, name, role, project }) {
  const ask = await caller(browser, weir, owner);
  const { link } = await ask("POST", "/api/v1/invitations", { email, role, project });
  const context = await browser.newContext();
  const answer = await context.request.post(`${weir.url}/api/v1/invitations/accept`, {
    headers: { Origin: weir.url },
    data: { token: decodeURIComponent(new URL(link, weir.url).hash.slice(1)), name, password: PASSWORD },
  });
  assert.ok(answer.ok(), `invitation: ${answer.status()} ${await answer.text()}`);
  const state = await context.storageState();
  await context.close();
  return state;
}
