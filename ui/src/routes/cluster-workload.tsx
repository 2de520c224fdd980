// One workload beside the list: what checks say of it, how it is mended, and what was seen.

import { useQuery } from "@tanstack/react-query";

import { workloadQuery } from "../api/cluster-queries";
import { clusterStrings } from "../cluster-strings";
import { ControlStatus } from "../components/control-status";
import { Markdown } from "../components/markdown";
import { Pane } from "../components/pane";
import { SeverityCounts, SeverityLabel } from "../components/severity";
import { ErrorState, Skeleton } from "../components/states";
import { imageUseStrings } from "../image-use-strings";
import { asSeverity } from "../lib/severity";
import { InUse } from "./asset-images";

const t = clusterStrings.workload;

export function WorkloadPane({ cluster, workload, onClose }: { cluster: number; workload: string; onClose: () => void }) {
  const { data, error, refetch } = useQuery(workloadQuery(cluster, workload));
  const told = data?.results.filter(({ status }) => status !== "pass" && status !== "not_applicable") ?? [];
  return (
    <Pane label={`${t.label} ${workload}`} title={workload} of={workload} onClose={onClose}>
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : data === undefined ? (
        <Skeleton rows={6} />
      ) : (
        <>
          <section>
            <h3>{t.results}</h3>
            {told.map((result, at) => (
              <div key={at} className="control-object">
                <div className="control-object-name">
                  <span>{result.title}</span>
                  <span className="control-object-rating">
                    <SeverityLabel severity={asSeverity(result.severity)} />
                    <ControlStatus status={result.status} />
                  </span>
                </div>
                {result.messages.map((message, number) => (
                  <p key={number}>{message}</p>
                ))}
                {result.reason != null && <p className="muted">{result.reason}</p>}
                {result.status === "fail" && (
                  <details>
                    <summary>{t.fix}</summary>
                    <Markdown source={result.fix} />
                    <Markdown source={result.why} />
                  </details>
                )}
              </div>
            ))}
            <p className="muted">{t.passed(data.results.length - told.length)}</p>
          </section>
          <section>
            <h3>{imageUseStrings.images.title}</h3>
            {data.images.map((image, at) => (
              <div key={at} className="control-object">
                <div className="control-object-name">
                  <InUse image={image} />
                  {image.image == null ? (
                    <span className="muted">{imageUseStrings.images.notScanned}</span>
                  ) : (
                    <SeverityCounts counts={image.findings} isTerse />
                  )}
                </div>
              </div>
            ))}
            {data.images.length === 0 && <p className="muted">{imageUseStrings.images.none}</p>}
          </section>
          <section>
            <details>
              <summary>{t.seen}</summary>
              <div className="control-code">
                <pre tabIndex={0} aria-label={t.seen}>
                  {JSON.stringify(data.fact, null, 2)}
                </pre>
              </div>
            </details>
          </section>
        </>
      )}
    </Pane>
  );
}
