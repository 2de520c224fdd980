import { expect, test } from "vitest";

import { sentence } from "./sentence";

const exec = {
  verb: "create",
  user: { username: "alice" },
  objectRef: { resource: "pods", subresource: "exec", namespace: "shop", name: "cart-1" },
  sourceIPs: ["10.0.0.4"],
  responseStatus: { code: 101 },
};

test("an act is called what it is", () => {
  expect(sentence(exec)).toBe("alice ran a command in pod shop/cart-1 from 10.0.0.4 (101)");
});

test("what was refused is not told as done", () => {
  expect(sentence({ ...exec, verb: "list", objectRef: { resource: "secrets", namespace: "shop" }, responseStatus: { code: 200 } })).toBe(
    "alice listed secrets in shop from 10.0.0.4 (200)",
  );
  expect(sentence({ ...exec, verb: "list", objectRef: { resource: "secrets" }, responseStatus: { code: 403 } })).toBe(
    "alice tried: listed secrets from 10.0.0.4, which was refused (403)",
  );
});

test("somebody who acts as another one is told as both", () => {
  expect(sentence({ verb: "get", user: { username: "bob" }, impersonatedUser: { username: "root" }, requestURI: "/version" })).toBe(
    "bob, as root, read /version",
  );
});

test("what is no request has no sentence", () => {
  for (const event of [null, undefined, "x", 3, [], {}, { verb: 4 }]) expect(sentence(event)).toBeUndefined();
});

test("fields of another type do no harm", () => {
  expect(sentence({ verb: "get", user: 3, objectRef: [], sourceIPs: [1, null], responseStatus: "x" })).toBe("Somebody without a name read something");
});
