// node scripts/build.mjs OUT: bundles the dashboard with Vite, compresses each file, and writes what the program embeds:
//
//   OUT/assets.bin   every file as it is, gzip and brotli, one after the other
//   OUT/assets.inc   a row a file: path, type, tag and where its three forms lie in assets.bin
//   OUT/first_view.inc  bytes over the wire until a project page shows its first view, without the API's answers
//   OUT/early.inc    the Link header that names the scripts and styles of that view
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const { build } = await import("vite").catch(() => {
  console.error("weir: what builds the dashboard is missing; run tools/install_packages build first");
  process.exit(1);
});

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = process.argv[2];
if (!out) throw new Error("usage: node scripts/build.mjs OUT");
const dist = join(out, "dist");
// What a first view of a project loads: these and all they import at once. The graph's code comes after what its numbers need.
const FIRST_VIEW = ["index.html", "src/pages/project/Dashboard.tsx"];
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
await build({ root, configFile: join(root, "vite.config.ts"), logLevel: "warn", build: { outDir: dist, emptyOutDir: true } });
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

const first = new Set(["index.html"]);
const visit = (key) => {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`the bundle has no ${key}`);
  if (first.has(chunk.file)) return;
  first.add(chunk.file);
  for (const style of chunk.css ?? []) first.add(style);
  for (const asset of chunk.assets ?? []) first.add(asset);
  for (const key of chunk.imports ?? []) visit(key);
};
FIRST_VIEW.forEach(visit);
const atOnce = [...first];
visit(AFTERWARDS);
const bytes = [...first].reduce((sum, file) => sum + wire.get(file), 0);
// A browser fetches what the header of the page names before it has made room for the page itself, which takes a slow phone a
// tenth of a second; "modulepreload" would wait for that. "crossorigin": the page's own tags ask so, else it is fetched twice.
const early = atOnce.filter((file) => /^assets\/.*\.(js|css)$/.test(file)).sort();
const link = early.map((file) => `</ui/${file}>; rel=preload; as=${file.endsWith(".js") ? "script" : "style"}; crossorigin`).join(", ");

writeFileSync(join(out, "assets.bin"), Buffer.concat(pieces));
writeFileSync(join(out, "assets.inc"), rows.join("\n") + "\n");
writeFileSync(join(out, "first_view.inc"), `// Bytes, brotli, of ${first.size} files.\n${bytes}\n`);
writeFileSync(join(out, "early.inc"), `${JSON.stringify(link)}\n`);
console.log(`dashboard: ${files.length} files, first view of a project ${bytes} bytes compressed (${[...first].join(", ")})`);
