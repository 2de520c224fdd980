// The first page: how it stands, what is worst, and where a scan begins.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { imagesQuery, overviewQuery, statusQuery } from "../api/queries";
import { Command, useTitle } from "../components/bits";
import { ScanBox } from "../components/scan-box";
import { StarterBanner } from "../components/starter-banner";
import { ErrorState, Skeleton } from "../components/states";
import { strings } from "../strings";
import { NextSteps } from "./overview-next";
import { NumberStrip } from "./overview-numbers";
import { RecentScans } from "./overview-scans";
import { ScorePanel } from "./overview-score";
import { WorstImages } from "./overview-worst";
import "./overview.css";

export function OverviewPage() {
  useTitle(strings.overview.title);
  const overview = useQuery(overviewQuery);
  const worst = useInfiniteQuery(imagesQuery({ sort: "severity" }, 5));
  const { data: status } = useQuery(statusQuery);
  const isEmpty = overview.data?.images === 0;
  return (
    <div className="page overview">
      <h1>{strings.overview.title}</h1>
      <StarterBanner status={status} />
      {overview.isError ? (
        <ErrorState error={overview.error} retry={() => void overview.refetch()} />
      ) : (
        <NumberStrip overview={overview.data} />
      )}
      <div className="overview-columns">
        <div className="overview-main">
          {isEmpty ? (
            <FirstSteps />
          ) : (
            <section className="panel" aria-labelledby="worst-title">
              <header className="panel-header">
                <h2 id="worst-title">{strings.overview.worst}</h2>
                <Link to="/images">{strings.overview.worstAll}</Link>
              </header>
              {worst.isError ? (
                <ErrorState error={worst.error} retry={() => void worst.refetch()} />
              ) : worst.data === undefined ? (
                <Skeleton rows={5} />
              ) : (
                <WorstImages images={worst.data.pages[0]?.images ?? []} />
              )}
            </section>
          )}
          {!worst.isPending && <NextSteps />}
        </div>
        <div className="overview-side">
          <ScanBox />
          <RecentScans />
          <ScorePanel />
        </div>
      </div>
    </div>
  );
}

function FirstSteps() {
  return (
    <section className="panel first-steps" aria-labelledby="first-title">
      <h2 id="first-title">{strings.overview.emptyTitle}</h2>
      <p>{strings.overview.emptyLead}</p>
      <ol>
        {strings.overview.emptySteps.map(([title, text, command]) => (
          <li key={title}>
            <strong>{title}</strong>
            <span>{text}</span>
            {command !== undefined && command !== "" && <Command text={command} />}
          </li>
        ))}
      </ol>
      <p className="muted">{strings.overview.emptyAfter}</p>
    </section>
  );
}
