// The last scans, with those that run.

import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { scansQuery } from "../api/queries";
import { Time } from "../components/bits";
import { ScanProgress, ScanStateLabel } from "../components/scan-state";
import { ErrorState, Skeleton } from "../components/states";
import { scanName } from "../lib/scan-news";
import { strings } from "../strings";

const SHOWN = 5;

export function RecentScans() {
  const { data, error, refetch } = useInfiniteQuery(scansQuery);
  const scans = data?.pages[0]?.scans.slice(0, SHOWN);
  return (
    <section className="panel" aria-labelledby="scans-title">
      <header className="panel-header">
        <h2 id="scans-title">{strings.overview.liveScans}</h2>
        <Link to="/scans">{strings.overview.liveScansAll}</Link>
      </header>
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : scans === undefined ? (
        <Skeleton rows={3} />
      ) : scans.length === 0 ? (
        <p className="muted panel-text">{strings.overview.noScans}</p>
      ) : (
        <ul className="scan-list">
          {scans.map((scan) => (
            <li key={scan.id}>
              <div className="scan-list-line">
                {scan.image == null ? (
                  <span className="scan-list-name">{scanName(scan)}</span>
                ) : (
                  <Link className="scan-list-name" to="/images/$digest" params={{ digest: scan.image }}>
                    {scanName(scan)}
                  </Link>
                )}
                <ScanStateLabel state={scan.state} />
              </div>
              <ScanProgress scan={scan} name={scanName(scan)} />
              {scan.error != null && <p className="scan-error">{scan.error}</p>}
              {scan.finished != null && scan.error == null && (
                <span className="muted">
                  <Time at={scan.finished} />
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
