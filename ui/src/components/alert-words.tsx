// Severity and state of alerts, as signs with words.

import { severityName, spelled, stateName } from "../alert-strings";
import { isSeverity } from "../lib/severity";
import { ExternalLink } from "./external-link";
import { SeverityGlyph } from "./severity";
import "./severity.css";

/** Alerts have no "critical", and their least is "informational". */
export function AlertSeverityLabel({ severity }: { severity: string }) {
  return (
    <span className="severity-label">
      <SeverityGlyph severity={isSeverity(severity) ? severity : "unknown"} />
      {severityName(severity)}
    </span>
  );
}

const SIGNS: Readonly<Record<string, string>> = { new: "●", active: "●", in_progress: "◐", resolved: "✓", dismissed: "–" };

export function AlertStateLabel({ state }: { state: string }) {
  return (
    <span className={`alert-state is-${state}`}>
      <span aria-hidden="true">{SIGNS[state] ?? "?"}</span> {stateName(state)}
    </span>
  );
}

/** ATT&CK: tactics in words, techniques by number with a link to what they are. Other matrices have other numbers. */
export function Attack({ tactics, techniques }: { tactics: readonly string[]; techniques: readonly string[] }) {
  return (
    <span className="chips">
      {tactics.map((tactic) => (
        <span key={tactic} className="tag">
          {spelled(tactic)}
        </span>
      ))}
      {techniques.map((technique) => (
        <span key={technique} className="tag">
          {/^T\d/.test(technique) ? (
            <ExternalLink href={`https://attack.mitre.org/techniques/${technique.replace(".", "/")}/`}>{technique}</ExternalLink>
          ) : (
            technique
          )}
        </span>
      ))}
    </span>
  );
}
