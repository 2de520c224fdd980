// Severity on screen: letter, shape and colour together, so that none of them has to be seen.

import type { SeverityCounts as Counts } from "../api/types";
import { count } from "../lib/format";
import { inWords, SEVERITIES, type Severity } from "../lib/severity";
import { strings } from "../strings";
import "./severity.css";

const SHAPES: Record<Severity, string> = {
  critical: "M6 .5 11.5 6 6 11.5.5 6z",
  high: "M6 1 11.4 10.8H.6z",
  medium: "M1.3 1.3h9.4v9.4H1.3z",
  low: "M6 .8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 6 .8z",
  unknown: "M2.4 5h7.2v2H2.4z",
};

export function SeverityGlyph({ severity }: { severity: Severity }) {
  return (
    <svg className={`glyph glyph-${severity}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <path d={SHAPES[severity]} />
    </svg>
  );
}

/** One severity, as a word. */
export function SeverityLabel({ severity }: { severity: Severity }) {
  return (
    <span className="severity-label">
      <SeverityGlyph severity={severity} />
      {strings.severity[severity]}
    </span>
  );
}

interface CountsProps {
  counts: Counts;
  /** Only those that are there, where nothing has to line up. */
  isTerse?: boolean;
}

/** Five small counts of fixed width, so that they line up from row to row. */
export function SeverityCounts({ counts, isTerse = false }: CountsProps) {
  return (
    <span className={isTerse ? "severity-counts is-terse" : "severity-counts"}>
      <span className="visually-hidden">{inWords(counts)}</span>
      {SEVERITIES.filter((severity) => !isTerse || counts[severity] > 0).map((severity) => (
        <span
          key={severity}
          aria-hidden="true"
          className={counts[severity] === 0 ? "severity-count is-zero" : "severity-count"}
          title={strings.severity[severity]}
        >
          <SeverityGlyph severity={severity} />
          <span className="severity-letter">{strings.severity[severity].charAt(0)}</span>
          <span className="severity-number">{count(counts[severity])}</span>
        </span>
      ))}
    </span>
  );
}

/** The same as one bar; its parts are named beside it. */
export function SeverityBar({ counts }: { counts: Counts }) {
  const sum = SEVERITIES.reduce((all, severity) => all + counts[severity], 0);
  if (sum === 0) return null;
  return (
    <span className="severity-bar" aria-hidden="true">
      {SEVERITIES.filter((severity) => counts[severity] > 0).map((severity) => (
        <span key={severity} className={`bar-${severity}`} style={{ flexGrow: counts[severity] / sum }} />
      ))}
    </span>
  );
}
