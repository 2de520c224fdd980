// The status of a control or an asset: a sign and a word, never a colour alone.

import { hostStrings } from "../host-strings";
import "./control-status.css";

const SIGNS: Record<string, string> = {
  pass: "✓",
  healthy: "✓",
  fail: "✕",
  unhealthy: "✕",
  error: "!",
  not_collected: "?",
  unknown: "?",
  needs_review: "?",
  excepted: "~",
  not_applicable: "–",
};

export function statusName(status: string): string {
  const names: Readonly<Record<string, string>> = { ...hostStrings.hosts.states, ...hostStrings.host.statuses };
  return names[status] ?? status;
}

export function ControlStatus({ status }: { status: string }) {
  return (
    <span className={`control-status is-${status}`}>
      <span className="control-sign" aria-hidden="true">
        {SIGNS[status] ?? "?"}
      </span>
      {statusName(status)}
    </span>
  );
}
