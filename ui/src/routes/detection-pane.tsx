// One detection beside the list: O switches it, E excepts something.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { detectionQuery } from "../api/detection-queries";
import { Pane } from "../components/pane";
import { ErrorState, Skeleton } from "../components/states";
import { detectionStrings } from "../detection-strings";
import { About, Coverage, Facts, Noise, Tunings } from "./detection-body";
import { DetectionActions } from "./detection-actions";

const t = detectionStrings.detection;

export function DetectionPane({ id, onClose }: { id: string; onClose: () => void }) {
  const { data: detection, error, refetch } = useQuery(detectionQuery(id));
  return (
    <Pane label={t.label} title={detection?.title ?? t.label} of={id} onClose={onClose}>
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : detection === undefined ? (
        <Skeleton rows={6} />
      ) : (
        <>
          <p>
            <Link to="/detections/$id" params={{ id }}>
              {t.whole}
            </Link>
          </p>
          <DetectionActions detection={detection} />
          <Facts detection={detection} />
          <About detection={detection} />
          <Coverage detection={detection} />
          <Noise detection={detection} />
          <Tunings detection={detection} />
        </>
      )}
    </Pane>
  );
}
