// How far a scan is: shape and word for the state, a bar while it runs.

import type { Scan } from "../api/types";
import { share } from "../lib/scan-news";
import { strings } from "../strings";
import "./scan-state.css";

export function ScanStateLabel({ state }: { state: Scan["state"] }) {
  return (
    <span className={`scan-state is-${state}`}>
      <span className="scan-dot" aria-hidden="true" />
      {strings.scans.state[state]}
    </span>
  );
}

export function ScanProgress({ scan, name }: { scan: Scan; name: string }) {
  const { progress } = scan;
  if (scan.state === "queued") return <span className="muted">{strings.scans.waiting}</span>;
  if (scan.state !== "running") return null;
  const part = share(scan);
  return (
    <span className="scan-progress">
      <progress aria-label={name} max={1} {...(part === undefined ? {} : { value: part })} />
      {progress != null && progress.layers > 0 && (
        <span className="muted">
          {strings.scans.progress(progress.layer, progress.layers)} ·{" "}
          {strings.scans.progressBytes(progress.bytes_read, progress.bytes_total)}
        </span>
      )}
    </span>
  );
}
