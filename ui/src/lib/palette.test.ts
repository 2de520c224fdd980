import { expect, it } from "vitest";

import { matches } from "./palette";

it.each([
  ["Update the advisory database", "", true],
  ["Update the advisory database", "upd data", true],
  ["Update the advisory database", "DATABASE up", true],
  ["Update the advisory database", "base", false],
  ["Theme: dark", "dark", true],
])("%s is found by %j: %s", (label, typed, found) => {
  expect(matches(label, typed)).toBe(found);
});
