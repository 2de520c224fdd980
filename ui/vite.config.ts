// How the UI is built: one bundle per route, and next to each text file its brotli form, which the server hands out
// as it is.

import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const TEXT = /\.(?:js|css|html|svg|json|webmanifest)$/;

function precompress(): Plugin {
  const compress = promisify(brotliCompress);
  let folder = "";
  return {
    name: "seareeve:precompress",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !TEXT.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        await writeFile(`${path}.br`, await compress(await readFile(path), { params }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), precompress()],
  build: {
    target: "baseline-widely-available",
    // Read by scripts/budget.js.
    manifest: true,
    // The content security policy allows no data: addresses in scripts and styles.
    assetsInlineLimit: 0,
    // Its inline script would break the policy too, and every browser of the target preloads modules.
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": "http://127.0.0.1:7300" } },
  test: { include: ["src/**/*.test.ts"] },
});
