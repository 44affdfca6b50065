// Debian's Firefox for tests, spoken to over Marionette: JSON over TCP, built into every Firefox. (Playwright drives a Firefox of
// its own making only.)
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, waitFor } from "./weir.js";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf"; // the name that WebDriver gives to references of elements

export class Firefox {
  static async launch() {
    const firefox = new Firefox();
    const port = await freePort();
    firefox.profile = mkdtempSync(join(tmpdir(), "weir-firefox-"));
    const settings = { "marionette.port": port, "intl.locale.requested": "en-US", "app.update.disabledForTesting": true };
    writeFileSync(join(firefox.profile, "user.js"), Object.entries(settings).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join(""));
    firefox.process = spawn(process.env.WEIR_FIREFOX ?? "/usr/bin/firefox-esr", ["--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", firefox.profile], { stdio: "ignore" });
    firefox.ended = new Promise((resolve) => firefox.process.once("exit", resolve));
    firefox.socket = await waitFor(() => {
      if (firefox.process.exitCode !== null) throw new Error(`Firefox ended with ${firefox.process.exitCode}`);
      return new Promise((resolve) => {
        const socket = connect(port, "127.0.0.1", () => resolve(socket)).once("error", () => resolve(null));
      });
    }, "Firefox listens");
    firefox.answers = new Map(); // by the question's number: what takes its answer
    firefox.asked = 0;
    let received = Buffer.alloc(0);
    firefox.socket.on("data", (more) => {
      received = Buffer.concat([received, more]);
      for (;;) { // each message: its length in decimal digits, a colon, and JSON
        const colon = received.indexOf(":");
        const end = colon + 1 + Number(received.subarray(0, Math.max(colon, 0)));
        if (colon < 0 || received.length < end) return;
        const message = JSON.parse(received.subarray(colon + 1, end));
        received = received.subarray(end);
        if (Array.isArray(message)) firefox.answers.get(message[1])?.(message[2], message[3]); // else its greeting
      }
    });
    await firefox.ask("WebDriver:NewSession", {});
    await firefox.ask("WebDriver:SetTimeouts", { pageLoad: 60_000, script: 60_000 });
    await firefox.ask("WebDriver:SetWindowRect", { width: 1280, height: 900 });
    return firefox;
  }

  ask(command, parameters = {}) {
    const number = ++this.asked;
    const answer = new Promise((resolve, reject) =>
      this.answers.set(number, (error, value) => {
        this.answers.delete(number);
        if (error) reject(new Error(`${command}: ${error.error}: ${error.message}`));
        else resolve(value?.value ?? value);
      }),
    );
    const text = JSON.stringify([0, number, command, parameters]);
    this.socket.write(`${Buffer.byteLength(text)}:${text}`);
    return answer;
  }

  goto = (url) => this.ask("WebDriver:Navigate", { url });
  back = () => this.ask("WebDriver:Back");
  url = () => this.ask("WebDriver:GetCurrentURL");
  // What a function gives in the page.
  evaluate = (work, ...args) => this.ask("WebDriver:ExecuteScript", { script: `return (${work})(...arguments)`, args });

  // The element once it is there: by a CSS selector, or by its words.
  async find(using, value) {
    return waitFor(async () => (await this.ask("WebDriver:FindElements", { using, value }))[0]?.[ELEMENT], `${value} stands on the page`);
  }
  element = (selector) => this.find("css selector", selector);
  words = (words, tag = "*") => this.find("xpath", `//${tag}[not(self::script)][text()[contains(., ${JSON.stringify(words)})]]`);
  field = (label) => this.find("xpath", `//*[@id=//label[normalize-space()=${JSON.stringify(label)}]/@for]|//label[starts-with(normalize-space(), ${JSON.stringify(label)})]//input`);

  click = (id) => this.ask("WebDriver:ElementClick", { id });
  async fill(id, text) {
    await this.ask("WebDriver:ElementClear", { id });
    await this.ask("WebDriver:ElementSendKeys", { id, text });
  }
  async press(key) {
    await this.ask("WebDriver:ElementSendKeys", { id: await this.element("body"), text: key });
  }

  // What Firefox's console holds of errors in pages of this origin: scripts that failed, what the page's policy forbade.
  async complaints(origin) {
    await this.ask("Marionette:SetContext", { value: "chrome" });
    const all = await this.evaluate(
      (of) =>
        Services.console
          .getMessageArray()
          .filter((each) => each instanceof Ci.nsIScriptError && !(each.flags & Ci.nsIScriptError.warningFlag) && each.sourceName.startsWith(of))
          .map((each) => `${each.sourceName}:${each.lineNumber}: ${each.errorMessage}`),
      origin,
    );
    await this.ask("Marionette:SetContext", { value: "content" });
    return all;
  }

  async close() {
    await this.ask("Marionette:Quit", { flags: ["eForceQuit"] }).catch(() => this.process.kill());
    await this.ended;
    this.socket.destroy();
    rmSync(this.profile, { recursive: true, force: true });
  }
}
