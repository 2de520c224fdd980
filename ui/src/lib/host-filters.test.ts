import { expect, test } from "vitest";

import { hostSearch, hostsSearch } from "./host-filters";

test("only what is known is taken from the address", () => {
  expect(hostsSearch({ q: "build", status: "unhealthy", engine: "docker", sort: "name" })).toEqual({
    q: "build",
    status: "unhealthy",
    engine: "docker",
    sort: "name",
  });
  expect(hostsSearch({ status: "ill", engine: "rkt", sort: "x" })).toEqual({});
  expect(hostSearch({ status: "pass,fail,what", level: "1", control: "5.4", tab: "history" })).toEqual({
    status: "fail,pass",
    level: "1",
    control: "5.4",
    tab: "history",
  });
  expect(hostSearch({ tab: "containers", container: "c1" })).toEqual({ tab: "containers", container: "c1" });
  expect(hostSearch({ level: "3", tab: "x", severity: "" })).toEqual({});
});
