// A weir of one's own for a test: its data directory, free ports, and what a test asks of it.
import { spawn, execFile } from "node:child_process";
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const BINARY = process.env.WEIR_BINARY ?? join(root, "build", "release", "weir");
const run = promisify(execFile);

// A port nothing listens on, below those Linux gives to outgoing connections: one of those may be taken by somebody's
// connection before the server listens on it.
export const freePort = async () => {
  for (;;) {
    const port = 10000 + Math.floor(Math.random() * 22000);
    const server = createServer();
    const free = await new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
};

// Waits until `condition` answers something true, and answers that; fails naming what did not happen.
export async function waitFor(condition, what, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class Weir {
  static async start({ projects = "shop", args = [] } = {}) {
    const weir = new Weir();
    weir.data = mkdtempSync(join(tmpdir(), "weir-browser-"));
    const [port, metrics] = [await freePort(), await freePort()];
    weir.url = `http://127.0.0.1:${port}`;
    weir.metricsUrl = `http://127.0.0.1:${metrics}`;
    weir.log = join(weir.data, "..", `${weir.data.split("/").pop()}.log`);
    const log = openSync(weir.log, "a");
    weir.process = spawn(
      BINARY,
      ["--data", weir.data, "serve", "--listen", `127.0.0.1:${port}`, "--metrics.listen", `127.0.0.1:${metrics}`, "--projects", projects, ...args],
      { stdio: ["ignore", log, log] },
    );
    closeSync(log);
    weir.ended = new Promise((resolve) => weir.process.once("exit", resolve));
    await waitFor(async () => {
      if (weir.process.exitCode !== null) throw new Error(`weir ended with ${weir.process.exitCode}:\n${weir.words()}`);
      const answer = await fetch(`${weir.url}/ready`).catch(() => null);
      return answer?.status === 200 && ((await answer.json()).checks.store ?? "ok") === "ok";
    }, "weir is ready");
    return weir;
  }

  words() {
    return readFileSync(this.log, "utf8");
  }

  async stop() {
    this.process.kill("SIGTERM");
    await this.ended;
    rmSync(this.data, { recursive: true, force: true });
    rmSync(this.log, { force: true });
  }

  // The command line; answers what it printed.
  async command(...args) {
    const { stdout } = await run(BINARY, ["--data", this.data, ...args], { maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  }

  // Sends events as a client does.
  async send(events, project = "shop", headers = {}) {
    const answer = await fetch(`${this.url}/v1/events`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-App": project, ...headers },
      body: JSON.stringify(events),
    });
    if (answer.status !== 201) throw new Error(`events: ${answer.status} ${await answer.text()}`);
  }

  // Until what was accepted can be asked for.
  async loaded(seconds = 60) {
    await waitFor(async () => {
      const text = await (await fetch(`${this.metricsUrl}/metrics`)).text();
      const lags = [...text.matchAll(/^weir_load_lag_events\{[^}]*\} (\d+)/gm)];
      return lags.length > 0 && lags.every((lag) => lag[1] === "0");
    }, "all events loaded", seconds);
  }
}
