import { expect, it } from "vitest";

import { isAtLeast } from "./role";

it("roles include those below them", () => {
  expect(["reader", "operator", "security_admin", "owner"].map((role) => isAtLeast(role, "operator"))).toEqual([
    false,
    true,
    true,
    true,
  ]);
  expect([isAtLeast(undefined, "reader"), isAtLeast("auditor", "owner")]).toEqual([false, true]);
});
