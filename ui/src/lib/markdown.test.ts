import { describe, expect, it } from "vitest";

import { parseInline, parseMarkdown, safeLink } from "./markdown";

describe("blocks", () => {
  it("are told apart", () => {
    const source = [
      "## Impact ##",
      "First line",
      "and the second.",
      "",
      "- one",
      "- two `x`",
      "1. first",
      "```js",
      "if (a < b) {}",
      "",
      "```",
      "End.",
    ].join("\r\n");
    expect(parseMarkdown(source)).toEqual([
      { kind: "heading", inline: [{ kind: "text", text: "Impact" }] },
      { kind: "paragraph", inline: [{ kind: "text", text: "First line and the second." }] },
      {
        kind: "list",
        isOrdered: false,
        items: [
          [{ kind: "text", text: "one" }],
          [
            { kind: "text", text: "two " },
            { kind: "code", text: "x" },
          ],
        ],
      },
      { kind: "list", isOrdered: true, items: [[{ kind: "text", text: "first" }]] },
      { kind: "code", text: "if (a < b) {}\n" },
      { kind: "paragraph", inline: [{ kind: "text", text: "End." }] },
    ]);
  });
  it("of an open fence reach to the end", () => {
    expect(parseMarkdown("```\ncode")).toEqual([{ kind: "code", text: "code" }]);
  });
});

describe("inline text", () => {
  it("keeps words with stars and underscores", () => {
    expect(parseInline("2 * 3 * 4 and snake_case_name")).toEqual([
      { kind: "text", text: "2 * 3 * 4 and snake_case_name" },
    ]);
  });
  it("finds emphasis and links", () => {
    expect(parseInline("**bold** *soft* [text](https://a.example/b) https://c.example/d.")).toEqual([
      { kind: "strong", text: "bold" },
      { kind: "text", text: " " },
      { kind: "emphasis", text: "soft" },
      { kind: "text", text: " " },
      { kind: "link", text: "text", href: "https://a.example/b" },
      { kind: "text", text: " " },
      { kind: "link", text: "https://c.example/d", href: "https://c.example/d" },
      { kind: "text", text: "." },
    ]);
  });
  it("shows as text what could harm", () => {
    const hostile = "[x](javascript:alert(1)) <img src=x onerror=alert(1)>";
    const text = parseInline(hostile).map((part) => [part.kind, part.text]);
    expect(text.every(([kind]) => kind === "text")).toBe(true);
    expect(text.map(([, words]) => words).join("")).toBe(hostile);
  });
});

it.each([
  ["https://a.example/b", "https://a.example/b"],
  ["http://a.example", "http://a.example/"],
  ["javascript:alert(1)", undefined],
  ["data:text/html,x", undefined],
  ["/relative", undefined],
  [undefined, undefined],
])("lets %s through as %s", (target, link) => {
  expect(safeLink(target)).toBe(link);
});
