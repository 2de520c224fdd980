// What a change of a detection or a list is, in a few words; and what people type, as a change.

import type { TuningChange } from "../api/types";

/** Operators that exceptions may have; those that take a list come last. */
export const OPERATORS = ["=", "!=", "startswith", "endswith", "contains", "glob", "in", "pmatch", "intersects"] as const;
export type Operator = (typeof OPERATORS)[number];
const OF_LISTS: readonly string[] = ["in", "pmatch", "intersects"];

export function changeInWords(change: TuningChange): string {
  switch (change.kind) {
    case "switch":
      return change.is_on ? "switched on" : "switched off";
    case "severity":
      return `severity ${change.severity}`;
    case "exception": {
      const rows = change.values.map((row) =>
        row
          .map((value, at) => {
            const shown = typeof value === "string" ? value : `(${value.join(", ")})`;
            return `${change.fields[at] ?? ""} ${change.comps?.[at] ?? "="} ${shown}`;
          })
          .join(" and "),
      );
      return `except ${rows.join(", or ")}`;
    }
    case "list":
      return [
        ...((change.add ?? []).length > 0 ? [`added ${(change.add ?? []).join(", ")}`] : []),
        ...((change.remove ?? []).length > 0 ? [`took out ${(change.remove ?? []).join(", ")}`] : []),
      ].join("; ");
  }
}

export interface Comparison {
  field: string;
  operator: Operator;
  value: string;
}

/** Comparisons that have to hold together; nothing when none is whole. */
export function exception(comparisons: readonly Comparison[]): TuningChange | undefined {
  const whole = comparisons
    .map(({ field, operator, value }) => ({ field: field.trim(), operator, value: value.trim() }))
    .filter(({ field, value }) => field !== "" && value !== "");
  if (whole.length === 0) return undefined;
  return {
    kind: "exception",
    fields: whole.map(({ field }) => field),
    comps: whole.map(({ operator }) => operator),
    values: [whole.map(({ operator, value }) => (OF_LISTS.includes(operator) ? split(value, ",") : value))],
  };
}

/** Lines or parts, without blanks around them. */
export function split(text: string, by: string): string[] {
  return text
    .split(by)
    .map((part) => part.trim())
    .filter(Boolean);
}
