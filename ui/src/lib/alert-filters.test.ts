import { expect, test } from "vitest";

import { alertQuery, alertsSearch, nextStates } from "./alert-filters";

test("what an address says that we do not know is left out", () => {
  expect(alertsSearch({ state: "gone", severity: "high,worst", sort: "name", q: "x" })).toEqual({
    ...alertsSearch({}),
    severity: "high",
    q: "x",
  });
});

test("a list is asked for open alerts unless it says otherwise", () => {
  expect(alertQuery({}).state).toBe("open");
  expect(alertQuery({ state: "any" }).state).toBeUndefined();
  expect(alertQuery({ state: "resolved", alert: "a1", q: "exec" })).toEqual({ state: "resolved", query: "exec" });
});

test("what is closed can only be opened again", () => {
  expect(nextStates("resolved")).toEqual(["active"]);
  expect(nextStates("dismissed")).toEqual(["active"]);
  expect(nextStates("in_progress")).not.toContain("in_progress");
});
