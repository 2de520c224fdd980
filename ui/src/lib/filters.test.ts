import { expect, it } from "vitest";

import { parseSearch, stringifySearch } from "./address";
import { findingFilters, imageFilters, imageSearch, imagesSearch, packageFilters } from "./filters";

it("an image's filters survive being an address", () => {
  const address = "?q=ssl&severity=critical,high&layer=0&kind=deb&status=fixed&of=12&exploited=true&epss=0.1&suppressed=true&sort=epss&finding=CVE-2024-1&package=12";
  const search = imageSearch(parseSearch(address));
  expect(stringifySearch({ ...search })).toBe(address);
  expect(findingFilters(search)).toEqual({
    q: "ssl",
    severity: "critical,high",
    layer: 0,
    kind: "deb",
    status: "fixed",
    package: 12,
    exploited: true,
    epss_min: 0.1,
    suppressed: true,
    sort: "epss",
  });
  expect(packageFilters(search)).toEqual({ q: "ssl", layer: 0, kind: "deb", vulnerable: undefined });
});

it("nonsense in an address is no filter", () => {
  const search = imageSearch({ severity: "worst", layer: "-1", kind: "exe", status: "", tab: "x", vulnerable: "no", epss: "2" });
  expect(stringifySearch({ ...search })).toBe("");
});

it("images come worst first unless asked otherwise", () => {
  expect(imageFilters(imagesSearch({})).sort).toBe("severity");
  expect(imageFilters(imagesSearch({ sort: "name", fixable: "true" }))).toEqual({
    q: undefined,
    severity: undefined,
    fixable: true,
    exploited: undefined,
    sort: "name",
  });
});

it("where an image runs survives being an address", () => {
  const address = "?tab=uses&running=true";
  expect(stringifySearch({ ...imageSearch(parseSearch(address)) })).toBe(address);
  expect(imageSearch({ tab: "used", running: "yes" })).toEqual(imageSearch({}));
});
