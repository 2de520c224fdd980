import { expect, it } from "vitest";

import { parse } from "./preferences";

const FIRST = { theme: "system", density: "comfortable", clock: "local" };

it.each([
  [null, FIRST],
  ["", FIRST],
  ["not json", FIRST],
  ["null", FIRST],
  ['{"theme":"purple","density":7}', FIRST],
  ['{"theme":"dark","clock":"utc"}', { theme: "dark", density: "comfortable", clock: "utc" }],
])("reads %s", (stored, preferences) => {
  expect(parse(stored)).toEqual(preferences);
});
