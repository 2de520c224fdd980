import { describe, expect, it } from "vitest";

import { flag, index, localPath, oneOf, parseSearch, someOf, stringifySearch, text, toggled } from "./address";

const LEVELS = ["critical", "high", "low"] as const;

describe("search parameters", () => {
  it("survive the round trip", () => {
    const values = { q: "open ssl & co", severity: "critical,high", layer: "2", path: "a/b:c" };
    expect(stringifySearch(values)).toBe("?q=open%20ssl%20%26%20co&severity=critical,high&layer=2&path=a/b:c");
    expect(parseSearch(stringifySearch(values))).toEqual(values);
  });
  it("leave out what is empty", () => {
    expect(stringifySearch({ q: "", fixable: false, kind: undefined, layer: 0 })).toBe("?layer=0");
    expect(stringifySearch({})).toBe("");
  });
});

describe("values from an address", () => {
  it("are taken or dropped, never trusted", () => {
    expect([text("a"), text(""), text(3)]).toEqual(["a", undefined, undefined]);
    expect(["0", "7", 7, "-1", "1.5", "", "9".repeat(20)].map(index)).toEqual([
      0,
      7,
      7,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect([flag("true"), flag(true), flag("1")]).toEqual([true, true, undefined]);
    expect([oneOf(LEVELS, "low"), oneOf(LEVELS, "x")]).toEqual(["low", undefined]);
  });
  it("become ordered lists without doubles", () => {
    expect(someOf(LEVELS, "low,critical,low,x")).toBe("critical,low");
    expect(someOf(LEVELS, "x")).toBeUndefined();
  });
  it("toggle", () => {
    expect(toggled(LEVELS, undefined, "low")).toBe("low");
    expect(toggled(LEVELS, "low", "critical")).toBe("critical,low");
    expect(toggled(LEVELS, "low", "low")).toBeUndefined();
  });
});

describe("the address wanted before sign-in", () => {
  it.each([
    ["/images?q=a", "/images?q=a"],
    ["//evil.example/x", "/"],
    ["/\\evil.example", "/"],
    ["https://evil.example", "/"],
    ["javascript:alert(1)", "/"],
    ["/sign-in?to=/", "/"],
    [undefined, "/"],
  ])("%s leads to %s", (wanted, path) => {
    expect(localPath(wanted)).toBe(path);
  });
});
