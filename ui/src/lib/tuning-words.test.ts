import { expect, test } from "vitest";

import { changeInWords, exception, split } from "./tuning-words";

test("changes are told in words", () => {
  expect(changeInWords({ kind: "switch", is_on: false })).toBe("switched off");
  expect(changeInWords({ kind: "severity", severity: "low" })).toBe("severity low");
  expect(changeInWords({ kind: "list", add: ["a", "b"], remove: ["c"] })).toBe("added a, b; took out c");
  const change = { kind: "exception", fields: ["x", "y"], comps: ["=", "in"], values: [["1", ["2", "3"]]] } as const;
  expect(changeInWords(change as never)).toBe("except x = 1 and y in (2, 3)");
});

test("what is typed becomes an exception, and what is not whole is left out", () => {
  expect(exception([{ field: " ", operator: "=", value: "x" }])).toBeUndefined();
  expect(
    exception([
      { field: "ka.user.name", operator: "=", value: " eve " },
      { field: "kube.namespace", operator: "in", value: "a, b,," },
      { field: "kube.name", operator: "=", value: "" },
    ]),
  ).toEqual({
    kind: "exception",
    fields: ["ka.user.name", "kube.namespace"],
    comps: ["=", "in"],
    values: [["eve", ["a", "b"]]],
  });
  expect(split("a\n\n b ", "\n")).toEqual(["a", "b"]);
});
