// One detection on a page of its own: what it is, what it sees and raises, what is changed, and trying it.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { detectionQuery } from "../api/detection-queries";
import { useTitle } from "../components/bits";
import { Icon } from "../components/icon";
import { ErrorState, Skeleton } from "../components/states";
import { detectionStrings } from "../detection-strings";
import { Backtest, useBacktest } from "./detection-backtest";
import { DetectionActions } from "./detection-actions";
import { About, Condition, Coverage, Facts, Noise, Tunings } from "./detection-body";
import "./alerts.css";
import "./detections.css";
import "./finding-pane.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/detections/$id");
const t = detectionStrings.detection;

export function DetectionPage() {
  const { id } = route.useParams();
  const { data: detection, error, refetch } = useQuery(detectionQuery(id));
  const backtest = useBacktest();
  useTitle(detection?.title ?? t.label);
  return (
    <div className="page">
      <Link to="/detections" search={{}} className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : detection === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <>
          <h1>{detection.title}</h1>
          <DetectionActions detection={detection} onTry={(tuning) => backtest.start({ tuning, clusters: [] })} />
          <div className="alert-columns">
            <div>
              <h2 className="visually-hidden">{t.itself}</h2>
              <div className="panel alert-card">
                <About detection={detection} />
                <Condition detection={detection} />
              </div>
              <div className="panel alert-card">
                <Backtest backtest={backtest} asked={() => ({ detection: detection.id, clusters: [] })} />
              </div>
            </div>
            <div>
              <h2 className="visually-hidden">{t.effect}</h2>
              <div className="panel alert-card">
                <Facts detection={detection} />
              </div>
              <div className="panel alert-card">
                <Noise detection={detection} />
              </div>
              <div className="panel alert-card">
                <Coverage detection={detection} />
              </div>
              <div className="panel alert-card">
                <Tunings detection={detection} />
              </div>
            </div>
          </div>
        </>
      )}
    </div>
  );
}
