import { expect, test } from "vitest";

import { path, steps } from "./score-steps";

const now = new Date("2030-01-31T00:00:00Z");

test("each score holds until the next, and the last until now", () => {
  const line = steps(
    [
      { at: "2030-01-16T00:00:00Z", points: 4, max: 4 },
      { at: "2029-12-01T00:00:00Z", points: 1, max: 4 },
    ],
    30,
    now,
  );
  expect(line.map(({ x, y }) => [x, y])).toEqual([
    [0, 0.25],
    [0.5, 1],
  ]);
  expect(path(line, 600, 100)).toBe("M0 75H300V0H600");
});

test("what is younger than the time asked for fills the width", () => {
  const line = steps(
    [
      { at: "2030-01-30T00:00:00Z", points: 2, max: 4 },
      { at: "2030-01-30T12:00:00Z", points: 4, max: 4 },
    ],
    30,
    now,
  );
  expect(path(line, 600, 100)).toBe("M0 50H300V0H600");
  expect(steps([{ at: now.toISOString(), points: 2, max: 4 }], 30, now).map(({ x }) => x)).toEqual([0]);
});

test("without points to be had there is nothing to draw", () => {
  expect(steps([{ at: "2030-01-16T00:00:00Z", points: 0, max: 0 }], 30, now)).toEqual([]);
  expect(path([], 600, 100)).toBe("");
});
