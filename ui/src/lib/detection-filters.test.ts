import { expect, test } from "vitest";

import type { DetectionSummary } from "../api/types";
import { detectionsSearch, fits, sorted } from "./detection-filters";

const one = (part: Partial<DetectionSummary>): DetectionSummary => ({
  id: "exec-into-pod",
  title: "Command run in a pod",
  origin: "built_in",
  aliases: ["K8S.NODE_X"],
  severity: "low",
  given_severity: "low",
  tactics: ["execution"],
  techniques: ["T1609"],
  kind: "single",
  is_on: true,
  is_given_on: true,
  differs_in: [],
  is_tuned: false,
  coverage: "unknown",
  blind_in: [],
  noise: { alerts_7_days: 0, alerts_30_days: 0, dismissed: 0, suppressed: 0, resolved: 0, days: [] },
  ...part,
});

test("addresses hold what is known and nothing else", () => {
  expect(detectionsSearch({ status: "blind", severity: "critical", sort: "noise", tactic: "impact" })).toEqual({
    status: "blind",
    sort: "noise",
    tactic: "impact",
  });
});

test("detections fit by text, status and the rest", () => {
  for (const q of ["command RUN", "exec-into", "t1609", "node_x"]) expect(fits(one({}), { q })).toBe(true);
  expect(fits(one({}), { q: "secret" })).toBe(false);
  expect(fits(one({ is_on: false }), { status: "off" })).toBe(true);
  expect(fits(one({}), { status: "blind" })).toBe(false);
  expect(fits(one({ blind_in: ["prod"] }), { status: "blind" })).toBe(true);
  expect(fits(one({ origin: "shop.yaml" }), { origin: "own" })).toBe(true);
  expect(fits(one({}), { severity: "high" })).toBe(false);
  expect(fits(one({}), { tactic: "execution", status: "unknown" })).toBe(true);
});

test("the noisiest come first, and the gravest", () => {
  const noisy = one({ id: "b", noise: { ...one({}).noise, alerts_30_days: 9 } });
  const grave = one({ id: "c", severity: "high" });
  expect(sorted([one({}), noisy, grave], "noise").map(({ id }) => id)).toEqual(["b", "exec-into-pod", "c"]);
  expect(sorted([one({}), noisy, grave], "severity").map(({ id }) => id)).toEqual(["c", "exec-into-pod", "b"]);
});
