// node scripts/build.mjs OUT: bundles the dashboard with Vite, compresses each file, and writes what the program embeds:
//
//   OUT/assets.bin   every file as it is, gzip and brotli, one after the other
//   OUT/assets.inc   a row a file: path, type, tag and where its three forms lie in assets.bin
//   OUT/first_view.inc  bytes over the wire until a project page shows its first view, without the API's answers
//   OUT/early.inc    the Link headers that name the scripts and styles of every page, and of a project's page
//   OUT/policy.inc   which inline scripts the page has, as its policy names them
//   OUT/first_views.inc  a row a first view of a project's page (src/pages/project/firstView.tsx): the address's query, whether editors
//                    see it so, and where in assets.bin lie the page up to its first answers, the rest, and what to ask
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const { build } = await import("vite").catch(() => {
  console.error("weir: what builds the dashboard is missing; run tools/install_packages build first");
  process.exit(1);
});

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = process.argv[2];
if (!out) throw new Error("usage: node scripts/build.mjs OUT");
const dist = join(out, "dist");
// What every page loads, and a first view of a project: these sources or chunks and all they import at once. The graph's code
// comes after what its numbers need.
const EVERY_VIEW = ["index", "shared"];
const FIRST_VIEW = [...EVERY_VIEW, "src/pages/project/Dashboard.tsx"];
const AFTERWARDS = "src/charts/TimeGraph.tsx";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

mkdirSync(out, { recursive: true });
rmSync(dist, { recursive: true, force: true });
const bundle = (options) =>
  build({ root, configFile: join(root, "vite.config.ts"), logLevel: "warn", ssr: { noExternal: true }, build: { emptyOutDir: true, ...options } });
await bundle({ outDir: dist });
const manifest = JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8"));
rmSync(join(dist, ".vite"), { recursive: true });

const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(dist, join(entry.parentPath, entry.name)))
  .sort();
const pieces = [];
const rows = [];
const wire = new Map();
let end = 0;
const place = (bytes) => {
  pieces.push(bytes);
  end += bytes.length;
  return `${end - bytes.length}, ${bytes.length}`;
};
for (const file of files) {
  const bytes = readFileSync(join(dist, file));
  const type = TYPES[extname(file)];
  if (!type) throw new Error(`${file}: scripts/build.mjs knows no media type for it`);
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  const gzip = gzipSync(bytes, { level: 9 });
  const tag = createHash("sha256").update(bytes).digest("base64url").slice(0, 16);
  wire.set(file, brotli.length);
  rows.push(`{"/ui/${file}", "${type}", "${tag}", ${place(bytes)}, ${place(gzip)}, ${place(brotli)}},`);
}

const first = new Set(["index.html"]); // in the order of their need
const visit = (key) => {
  const chunk = manifest[key] ?? Object.values(manifest).find(({ name }) => name === key);
  if (!chunk) throw new Error(`the bundle has no ${key}`);
  if (first.has(chunk.file)) return;
  first.add(chunk.file);
  for (const style of chunk.css ?? []) first.add(style);
  for (const asset of chunk.assets ?? []) first.add(asset);
  for (const key of chunk.imports ?? []) visit(key);
};
EVERY_VIEW.forEach(visit);
const always = [...first];
FIRST_VIEW.forEach(visit);
const atOnce = [...first];
visit(AFTERWARDS);
// A browser fetches what the header of the page names before it has made room for the page itself, which takes a slow phone a
// tenth of a second; "modulepreload" would wait for that. "crossorigin": the page's own tags ask so, else it is fetched twice.
// What the page looks like goes before what it does.
const SOON = /^assets\/(index-.*\.js|.*\.css)$/;
const linkTo = (files) =>
  files
    .filter((file) => /^assets\/.*\.(js|css)$/.test(file))
    .sort((a, b) => SOON.test(b) - SOON.test(a))
    .map((file) => `</ui/${file}>; rel=preload; as=${file.endsWith(".js") ? "script" : "style"}; crossorigin${SOON.test(file) ? "" : "; fetchpriority=low"}`)
    .join(", ");

const page = readFileSync(join(dist, "index.html"), "utf8");
const written = join(out, "first_numbers");
await bundle({
  outDir: written,
  manifest: false,
  lib: { entry: "src/firstNumbers.ts", formats: ["iife"], name: "numbers" },
  rolldownOptions: { output: { codeSplitting: false, entryFileNames: "numbers.js" } },
});
const firstNumbers = readFileSync(join(written, "numbers.js"), "utf8").trim();
// The scripts that stand in pages, which their policy allows by what they are.
const inline = [...page.matchAll(/<script>([^]*?)<\/script>/g)].map(([, text]) => text).concat(firstNumbers);
const policy = inline.map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`).join(" ");

const drawing = join(out, "first_views");
await bundle({ outDir: drawing, ssr: "src/pages/project/firstView.tsx", manifest: false, rolldownOptions: { output: { entryFileNames: "[name].js" } } });
const { NUMBERS_ID, PROJECT, QUESTIONS_ID, firstViews } = await import(pathToFileURL(join(drawing, "firstView.js")).href);
const put = (text, from, to) => {
  if (text.split(from).length !== 2) throw new Error(`index.html: ${from} should be there once`);
  return text.replace(from, () => to);
};
const viewRows = (await firstViews()).map(({ query, role, markup, numbers, questions }) => {
  const forbidden = / (style|on[a-z]+)=|<script|<style/.exec(markup + numbers);
  if (forbidden) throw new Error(`the first view of a project has${forbidden[0]}, which the page's policy forbids`);
  // The script begins as soon as it is there, and not when the last answer is.
  const [script] = page.match(/<script type="module"[^>]*><\/script>/);
  let text = put(page, script, "");
  const asked = `<script type="application/json" id="${QUESTIONS_ID}">${JSON.stringify(questions).replaceAll("<", "\\u003c")}</script>`;
  text = put(text, '<link rel="icon"', `<script>${firstNumbers}</script><link rel="icon"`);
  const looks = `<template id="${NUMBERS_ID}">${numbers}</template>`;
  text = put(text, '<div id="app"></div>', `<div id="app">${markup}</div>${looks}${asked}${script.replace("<script", "<script async")}`);
  text = put(text, "<title>weir</title>", `<title>${PROJECT} · weir</title>`);
  // Styles that the page's script would ask for, before it is drawn; and the session is among its first answers.
  const styles = atOnce.filter((file) => file.endsWith(".css") && !page.includes(file)).map((file) => `<link rel="stylesheet" crossorigin href="/ui/${file}">`);
  text = put(text, "</head>", `${styles.join("")}</head>`);
  text = put(text, '<link rel="preload" as="fetch" href="/api/v1/session" crossorigin  />', "");
  const [before, after] = put(text, "</body>", "\0</body>").split("\0");
  const lines = questions.map(({ method, path, body }) => [method, path, ...(body ? [JSON.stringify(body)] : [])].join(" "));
  wire.set("index.html", Math.max(wire.get("index.html"), gzipSync(before + after).length)); // which it is sent instead of
  const parts = [before, after, lines.join("\n")].map((part) => place(Buffer.from(part)));
  return `{"${query}", ${role === "editor"}, ${parts.join(", ")}},`;
});

writeFileSync(join(out, "assets.bin"), Buffer.concat(pieces));
writeFileSync(join(out, "assets.inc"), rows.join("\n") + "\n");
const bytes = [...first].reduce((sum, file) => sum + wire.get(file), 0);
writeFileSync(join(out, "first_view.inc"), `// Bytes over the wire, of ${first.size} files.\n${bytes}\n`);
writeFileSync(join(out, "early.inc"), `${[always, atOnce].map((files) => JSON.stringify(linkTo(files))).join(",\n")}\n`);
writeFileSync(join(out, "policy.inc"), `${JSON.stringify(policy)}\n`);
writeFileSync(join(out, "first_views.inc"), `${viewRows.join("\n")}\n`);
console.log(`dashboard: ${files.length} files, first view of a project ${bytes} bytes compressed (${[...first].join(", ")})`);
