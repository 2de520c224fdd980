import { describe, expect, it } from "vitest";

import { bytes, count, duration, exact, percent, plural, relative, shortDigest } from "./format";

describe("numbers", () => {
  it("probabilities are short and never nothing when there is some", () => {
  expect([0.94321, 0.1, 0.0123, 0.01, 0.00043, 0, 1].map((share) => percent(share).replaceAll("\u00a0", " "))).toEqual(["94 %", "10 %", "1.2 %", "1 %", "< 0.1 %", "0 %", "100 %"]);
});

it("separates thousands and never rounds", () => {
    expect(count(1234567)).toBe("1,234,567");
  });
  it("knows one from many", () => {
    expect([0, 1, 2000].map((n) => plural(n, "image"))).toEqual(["0 images", "1 image", "2,000 images"]);
    expect(plural(2, "advisory", "advisories")).toBe("2 advisories");
  });
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 KB"],
    [999_499, "999 KB"],
    [999_500, "1.00 MB"],
    [1_460_000, "1.46 MB"],
    [12_340_000, "12.3 MB"],
    [5e15, "5000 TB"],
  ])("writes %d bytes as %s", (n, text) => {
    expect(bytes(n)).toBe(text);
  });
});

describe("times", () => {
  const now = new Date("2026-11-22T12:00:00Z");
  it.each([
    ["2026-11-22T11:59:31Z", "just now"],
    ["2026-11-22T11:58:00Z", "2 minutes ago"],
    ["2026-11-21T11:59:00Z", "yesterday"],
    ["2026-11-22T15:00:00Z", "in 3 hours"],
    ["2024-11-20T12:00:00Z", "2 years ago"],
  ])("writes %s as %s", (time, text) => {
    expect(relative(new Date(time), now)).toBe(text);
  });
  it("writes durations in one unit", () => {
    expect([0, 1000, 59_000, 60_000, 7.5 * 86_400_000].map(duration)).toEqual([
      "0 seconds",
      "1 second",
      "59 seconds",
      "1 minute",
      "1 week",
    ]);
  });
  it("writes exact times in the wanted zone", () => {
    expect(exact(new Date("2026-03-04T05:06:07Z"), "utc")).toBe("2026-03-04 05:06:07 UTC");
  });
});

describe("digests", () => {
  it("shortens them", () => {
    expect(shortDigest("sha256:0123456789abcdef0123")).toBe("0123456789ab");
    expect(shortDigest("0123")).toBe("0123");
  });
});
