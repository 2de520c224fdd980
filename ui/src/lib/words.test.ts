import { expect, it } from "vitest";

import { kindName, roleName, severitySourceName, statusName } from "./words";

it("names what the wire says", () => {
  expect([kindName("deb"), statusName("will_not_fix"), severitySourceName("none"), roleName("security_admin")]).toEqual([
    "Debian package",
    "Will not be fixed",
    "nobody has rated it",
    "Security admin",
  ]);
});

it("shows words of a newer server as they are", () => {
  expect([kindName("swift"), statusName("toString")]).toEqual(["swift", "toString"]);
});
