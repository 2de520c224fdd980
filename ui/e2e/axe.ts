// The rules of WCAG that a machine can check.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Page } from "@playwright/test";
import type { AxeResults } from "axe-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Broken rules, one line for each place. */
export async function violations(page: Page): Promise<string[]> {
  // Not as a script tag: the content security policy would refuse it, and rightly.
  await page.evaluate(AXE);
  const results = await page.evaluate(
    (values) => (window as unknown as { axe: typeof import("axe-core") }).axe.run({ runOnly: values }),
    RULES,
  );
  return (results as AxeResults).violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(" ")}: ${failureSummary}`),
  );
}
