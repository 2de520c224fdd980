import { expect, it } from "vitest";

import { isStale } from "./stale";

it.each([
  ["2026-11-15T00:00:00Z", false],
  ["2026-11-14T23:59:59Z", true],
])("built %s is stale a week later: %s", (built, stale) => {
  expect(isStale(built, Date.parse("2026-11-22T00:00:00Z"))).toBe(stale);
});
