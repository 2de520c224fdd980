import { expect, test } from "vitest";

import { apiAddress, complianceSearch, recommendationSearch, recommendationsSearch } from "./estate-filters";

test("what an address may hold is kept, and nothing else", () => {
  expect(recommendationsSearch({ view: "assets", status: "unhealthy", severity: "low,high,odd", group: "", all: "no" })).toEqual({
    view: "assets",
    status: "unhealthy",
    severity: "high,low",
  });
  expect(recommendationSearch({ tab: "unhealthy", q: "a" })).toEqual({ q: "a" });
  expect(complianceSearch({ asset: "1e3", status: "fail", version: "1.8.0" })).toEqual({ status: "fail", version: "1.8.0" });
});

test("addresses of files carry what is filtered by", () => {
  expect(apiAddress("/api/v1/x", {})).toBe("/api/v1/x");
  expect(apiAddress("/api/v1/x", { environment: "a&b", q: undefined })).toBe("/api/v1/x?environment=a%26b");
});
