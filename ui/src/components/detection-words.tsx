// Status, sight and noise of detections, as signs with words.

import { detectionStrings, SIGHTS, type Sight } from "../detection-strings";
import type { DetectionSummary } from "../api/types";
import "../routes/detections.css";

const t = detectionStrings.detections;
const SIGNS: Record<Sight, string> = { sees: "✓", partial: "◐", blind: "✕", unknown: "?" };

export function SightLabel({ sight }: { sight: string }) {
  const known = sight in SIGHTS ? (sight as Sight) : "unknown";
  return (
    <span className={`sight is-${known}`}>
      <span aria-hidden="true">{SIGNS[known]}</span> {SIGHTS[known]}
    </span>
  );
}

export function DetectionStatusLabel({ detection }: { detection: DetectionSummary }) {
  const { is_on: isOn, is_tuned: isTuned, differs_in: differs } = detection;
  return (
    <span className="detection-status">
      <span className={isOn ? "switch-state is-on" : "switch-state"}>
        <span aria-hidden="true">{isOn ? "●" : "○"}</span> {isOn ? t.on : t.off}
      </span>
      {isTuned && (
        <span className="tag" title={differs.length > 0 ? t.differs(differs.join(", ")) : undefined}>
          {t.tuned}
        </span>
      )}
    </span>
  );
}

/** Alerts by day, the last day on the right. The number beside it says it in words. */
export function NoiseBars({ days, label }: { days: readonly number[]; label?: string }) {
  const most = Math.max(1, ...days);
  const named = label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label };
  return (
    <svg className="noise-bars" viewBox={`0 0 ${days.length * 4} 20`} preserveAspectRatio="none" {...named}>
      <line x1="0" x2={days.length * 4} y1="19.5" y2="19.5" />
      {days.map((n, at) => (n === 0 ? null : <rect key={at} x={at * 4} width="3" y={19 - (n / most) * 18} height={(n / most) * 18} />))}
    </svg>
  );
}
