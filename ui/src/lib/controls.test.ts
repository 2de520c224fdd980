import { expect, test } from "vitest";

import { gravestFirst } from "./controls";

test("what fails comes first, the gravest of it before the rest, and numbers decide what is alike", () => {
  const controls = [
    { id: "1.1.1", status: "fail", severity: "low", level: 1 },
    { id: "1.1.2", status: "pass", severity: "critical", level: 1 },
    { id: "1.2.1", status: "needs_review", severity: null, level: 1 },
    { id: "2.2", status: "fail", severity: "high", level: 2 },
    { id: "2.10", status: "fail", severity: "high", level: 1 },
    { id: "2.11", status: "fail", severity: "high", level: 1 },
    { id: "5.5", status: "fail", severity: "critical", level: 1 },
    { id: "5.23", status: "not_collected", severity: "medium", level: 2 },
  ];
  expect(gravestFirst(controls).map(({ id }) => id)).toEqual(["5.5", "2.10", "2.11", "2.2", "1.1.1", "5.23", "1.2.1", "1.1.2"]);
});
