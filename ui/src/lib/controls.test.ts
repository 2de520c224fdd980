import { expect, test } from "vitest";

import { gravestFirst, ofContainer } from "./controls";

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

test("of a container there is what is said of it alone, by status", () => {
  const object = (kind: string, id: string, status: string) => ({ kind, id, status });
  const controls = [
    { id: "5.1", status: "fail", severity: "low", level: 1, objects: [object("docker.container", "web", "fail"), object("docker.container", "db", "fail")] },
    { id: "5.2", status: "fail", severity: "high", level: 1, objects: [object("docker.container", "db", "fail"), object("docker.container", "web", "error")] },
    { id: "5.3", status: "not_collected", severity: "low", level: 1, objects: [object("docker.container", "web", "not_collected")] },
    { id: "5.4", status: "pass", severity: "low", level: 1, objects: [object("docker.container", "web", "pass")] },
    { id: "4.1", status: "fail", severity: "low", level: 1, objects: [object("docker.image", "web", "fail")] },
  ];
  const ids = (id: string, statuses: string[]) => ofContainer(controls, id, statuses).map(({ control, objects }) => `${control.id} ${objects.length}`);
  expect(ids("web", ["fail"])).toEqual(["5.1 1"]);
  expect(ids("web", ["not_collected", "error"])).toEqual(["5.2 1", "5.3 1"]);
  expect(ids("db", ["fail"])).toEqual(["5.2 1", "5.1 1"]);
  expect(ids("cache", ["fail", "error"])).toEqual([]);
});
