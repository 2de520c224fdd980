import { expect, it } from "vitest";

import { asSeverity, inWords, total } from "./severity";

const COUNTS = { critical: 2, high: 0, medium: 1000, low: 0, unknown: 1 };

it("adds up", () => {
  expect(total(COUNTS)).toBe(1003);
});

it("reads what it does not know as unknown", () => {
  expect([asSeverity("high"), asSeverity("catastrophic")]).toEqual(["high", "unknown"]);
});

it("says counts in words, without the empty ones", () => {
  expect(inWords(COUNTS)).toBe("Findings: 2 critical, 1,000 medium, 1 unknown");
  expect(inWords({ critical: 0, high: 0, medium: 0, low: 0, unknown: 0 })).toBe("No findings");
});
