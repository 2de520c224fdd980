// How many verdicts of each kind: a bar, and the numbers in words.

import type { ControlCounts } from "../api/types";
import { estateStrings } from "../estate-strings";
import { count } from "../lib/format";
import "./verdict-counts.css";

const { statuses: t, counted } = estateStrings.compliance;
export const VERDICTS = ["fail", "needs_review", "not_collected", "error", "excepted", "pass", "not_applicable"] as const;

export const verdicts = (counts: ControlCounts) => VERDICTS.reduce((sum, kind) => sum + counts[kind], 0);

/** Only for the eye: the numbers stand beside it. */
export function VerdictBar({ counts }: { counts: ControlCounts }) {
  const all = verdicts(counts);
  if (all === 0) return null;
  return (
    <span className="verdict-bar" aria-hidden="true">
      {VERDICTS.filter((kind) => counts[kind] > 0).map((kind) => (
        <span key={kind} className={`is-${kind}`} style={{ flexGrow: counts[kind] }} title={`${t[kind]}: ${count(counts[kind])}`} />
      ))}
    </span>
  );
}

/** The kinds that there are, in words. */
export function VerdictWords({ counts }: { counts: ControlCounts }) {
  const told = VERDICTS.filter((kind) => counts[kind] > 0).map((kind) => `${count(counts[kind])} ${counted[kind]}`);
  return <span title={told.join(", ")}>{told.length === 0 ? "–" : told.join(", ")}</span>;
}
