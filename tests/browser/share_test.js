// A project's page for whoever holds its link.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, launch, open, signIn } from "./browser.js";
import { Weir, waitFor } from "./weir.js";

let weir, browser, owner;
before(async () => {
  weir = await Weir.start({ projects: "shop" });
  browser = await launch();
  owner = await signIn(browser, weir);
  const phone = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";
  const desk = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
  await weir.send([{ type: "pageview", user_id: "a", url: "https://shop.example/a" }], "shop", { "User-Agent": phone });
  await weir.send(["b", "c"].map((user_id) => ({ type: "pageview", user_id, url: "https://shop.example/b" })), "shop", { "User-Agent": desk });
  await weir.loaded();
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});

// Makes a link as the owner; answers its path.
async function share(body) {
  const context = await browser.newContext({ storageState: owner });
  const { csrf } = await (await context.request.get(`${weir.url}/api/v1/session`)).json();
  const answer = await context.request.post(`${weir.url}/api/v1/shares`, {
    headers: { Origin: weir.url, "X-Weir-CSRF": csrf },
    data: { project: "shop", name: "for everybody", ...body },
  });
  assert.ok(answer.ok(), `share: ${answer.status()} ${await answer.text()}`);
  const { link } = await answer.json();
  await context.close();
  return new URL(link, weir.url).pathname;
}

const visitors = (page) => page.locator(".top-number", { hasText: "Unique visitors" }).locator(".top-value").textContent();

test("who has the link and its password sees the numbers, and nothing to change", async () => {
  const path = await share({ password: "open sesame" });
  const { page, context, quiet } = await open(browser);
  await page.goto(`${weir.url}${path}?period=day`);
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Password").fill("open sesame");
  await page.getByRole("button", { name: "Open" }).click();
  await waitFor(async () => (await visitors(page)) === "3", "three visitors");
  await accessible(page, "a shared page");
  assert.equal(await page.getByRole("link", { name: "Settings" }).count(), 0);
  assert.equal(await page.getByRole("button", { name: "Note" }).count(), 0);
  // It can be filtered and looked into all the same.
  await page.getByRole("region", { name: "Pages", exact: true }).getByRole("link", { name: /^\/a/ }).click();
  await waitFor(async () => (await visitors(page)) === "1", "one visitor of /a");
  assert.ok(page.url().startsWith(`${weir.url}${path}`));
  quiet();
  await context.close();
});

test("a link to a part of the visitors shows that part, whatever is asked", async () => {
  const path = await share({ segment: [["is", "visit:device", ["phone"]]] });
  const { page, context, quiet } = await open(browser);
  await page.goto(`${weir.url}${path}?period=day`);
  await waitFor(async () => (await visitors(page)) === "1", "the one on a phone");
  await page.goto(`${weir.url}${path}?period=day&f=is,visit:device,desktop`);
  await waitFor(async () => (await visitors(page)) === "0", "nobody else");
  quiet();
  await context.close();
});

test("the page lies in a frame of the origins that its link names, and of no others", async () => {
  const path = await share({ origins: ["https://blog.example"] });
  const { page, context } = await open(browser);
  const answer = await page.goto(`${weir.url}${path}?period=day&embed=1&theme=dark`);
  assert.match(answer.headers()["content-security-policy"], /frame-ancestors https:\/\/blog\.example$/);
  assert.equal(answer.headers()["x-frame-options"], undefined);
  await waitFor(async () => (await visitors(page)) === "3", "three visitors");
  assert.equal(await page.locator(".frame-top").count(), 0, "no frame of weir's own within another page");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  const other = await page.goto(`${weir.url}/ui/`);
  assert.equal(other.headers()["x-frame-options"], "DENY");
  await context.close();
});

test("a link that was made up says that it leads nowhere", async () => {
  const { page, context, quiet } = await open(browser);
  await page.goto(`${weir.url}/ui/share/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`);
  await page.getByText("This link leads nowhere").waitFor();
  quiet();
  await context.close();
});
