// What a recommendation says of a cluster, object by object.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { clusterRecommendationQuery } from "../api/cluster-queries";
import { clusterStrings } from "../cluster-strings";
import { ControlStatus } from "../components/control-status";
import { Pane } from "../components/pane";
import { SeverityLabel } from "../components/severity";
import { ErrorState, Skeleton } from "../components/states";
import { asSeverity } from "../lib/severity";
import { Objects } from "./host-control";

const t = clusterStrings.recommendation;

interface Props {
  cluster: number;
  recommendation: string;
  onClose: () => void;
}

export function RecommendationPane({ cluster, recommendation, onClose }: Props) {
  const { data, error, refetch } = useQuery(clusterRecommendationQuery(cluster, recommendation));
  return (
    <Pane label={`${t.label} ${recommendation}`} title={data?.title ?? recommendation} of={recommendation} onClose={onClose}>
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : data === undefined ? (
        <Skeleton rows={6} />
      ) : (
        <>
          <p className="pane-rating">
            <ControlStatus status={data.health} />
            <SeverityLabel severity={asSeverity(data.severity)} />
          </p>
          {data.reason != null && (data.unhealthy_count === 0 || data.health !== "unhealthy") && <p>{data.reason}</p>}
          <p>{t.counts(data.unhealthy_count, data.healthy_count, data.not_applicable_count, data.unknown_count)}</p>
          {data.excluded_namespaces.length > 0 && (
            <p className="muted">
              {t.excluded}: {data.excluded_namespaces.join(", ")}
            </p>
          )}
          <p>
            <Link to="/recommendations/$id" params={{ id: data.id }} search={{}}>
              {t.all}
            </Link>
          </p>
          <Objects objects={data.unhealthy} unlisted={data.unhealthy_count - data.unhealthy.length} />
        </>
      )}
    </Pane>
  );
}
