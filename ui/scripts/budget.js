// Holds the size of the UI to its budget (brotli): the first route with all that it loads, and what each further
// route or part adds to it. Reads what `npm run build` left.

import { readFileSync } from "node:fs";

const KB = 1024;
const FIRST_SCRIPT = 150 * KB;
const FIRST_STYLE = 15 * KB;
const FURTHER = 60 * KB;
const ENTRY = "index.html";
const FIRST = "src/routes/overview.tsx";

/**
 * @typedef {{ file: string, imports?: string[], css?: string[], isDynamicEntry?: boolean }} Chunk
 */

const dist = new URL("../dist/", import.meta.url);
/** @type {Record<string, Chunk>} */
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));

/**
 * All files that loading `names` loads.
 * @param {string[]} names
 */
function closure(names) {
  const files = new Set();
  const seen = new Set();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const chunk = manifest[name];
    if (chunk === undefined) throw new Error(`the manifest has no ${name}`);
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
    waiting.push(...(chunk.imports ?? []));
  }
  return files;
}

/**
 * @param {Iterable<string>} files
 * @param {string} ending
 */
function size(files, ending) {
  const chosen = [...files].filter((file) => file.endsWith(ending));
  return chosen.reduce((sum, file) => sum + readFileSync(new URL(`${file}.br`, dist)).length, 0);
}

let isOver = false;
/**
 * @param {string} what
 * @param {number} bytes
 * @param {number} limit
 */
function hold(what, bytes, limit) {
  const verdict = bytes <= limit ? "ok" : "OVER";
  isOver ||= bytes > limit;
  console.log(`${verdict.padEnd(4)} ${(bytes / KB).toFixed(1).padStart(6)} of ${String(limit / KB).padStart(3)} KB  ${what}`);
}

const first = closure([ENTRY, FIRST]);
hold("first route, script", size(first, ".js"), FIRST_SCRIPT);
hold("first route, style", size(first, ".css"), FIRST_STYLE);
for (const [name, chunk] of Object.entries(manifest)) {
  if (chunk.isDynamicEntry !== true || first.has(chunk.file)) continue;
  const added = [...closure([name])].filter((file) => !first.has(file));
  hold(name, size(added, ".js") + size(added, ".css"), FURTHER);
}
process.exitCode = isOver ? 1 : 0;
