import { defineConfig } from "vitest/config";

// `npm run dev` serves the sources at /ui/ and passes the API on to a weir (WEIR_URL, default the one of ./run).
const weir = process.env.WEIR_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/ui/",
  build: {
    target: ["chrome109", "firefox115", "safari16.4"],
    manifest: true,
    assetsInlineLimit: 0, // the page's policy allows styles and scripts of its own files only
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        // What all pages are made of is one file: over HTTP/1.1 a dozen small ones would wait for each other.
        codeSplitting: {
          groups: [
            { name: "index", test: /\/src\/main\.ts|vite\/preload-helper/, priority: 1 }, // which needs nothing of the rest
            {
              name: "shared",
              test: /\/src\/(ui|state|api|format)\/|\/src\/(start|pages\/(App|Frame|NotFoundPage|routes)|reports\/lazy)\.tsx?|\/node_modules\/preact\//,
            },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": weir, "/v1": weir } },
  test: { include: ["src/**/*.test.ts"] },
});
