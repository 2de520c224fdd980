// What people change about a detection: O switches it, E excepts something.

import { useState } from "react";

import type { DetectionDetail, NewTuning } from "../api/types";
import { detectionStrings } from "../detection-strings";
import { useHotkeys } from "../lib/hotkeys";
import { useMay } from "../lib/role";
import { TuneDialog, type TuneKind } from "./tune-dialog";
import "./alerts.css";

const t = detectionStrings.detection;

interface Props {
  detection: DetectionDetail;
  /** Where a change can be tried before it is made. */
  onTry?: (tuning: NewTuning) => void;
}

export function DetectionActions({ detection, onTry }: Props) {
  const mayChange = useMay("security_admin");
  const [kind, setKind] = useState<TuneKind>();
  const flip: TuneKind = detection.is_on ? "off" : "on";
  useHotkeys({ o: () => setKind(flip), e: () => setKind("exception") }, mayChange && kind === undefined);
  if (!mayChange) return null;
  return (
    <div className="alert-actions">
      <button type="button" className="button" onClick={() => setKind(flip)}>
        {detection.is_on ? t.off : t.on} <kbd aria-hidden="true">O</kbd>
      </button>
      <button type="button" className="button" onClick={() => setKind("exception")}>
        {t.except} <kbd aria-hidden="true">E</kbd>
      </button>
      <button type="button" className="button" onClick={() => setKind("severity")}>
        {t.weigh}
      </button>
      {kind !== undefined && (
        <TuneDialog
          kind={kind}
          target={detection.id}
          title={detection.title}
          severity={detection.severity}
          fields={detection.fields}
          {...(onTry === undefined ? {} : { onTry })}
          onClose={() => setKind(undefined)}
        />
      )}
    </div>
  );
}
