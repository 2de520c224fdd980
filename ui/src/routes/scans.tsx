// Every scan, newest first.

import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { api, done } from "../api/client";
import { scansQuery } from "../api/queries";
import type { Scan } from "../api/types";
import { Time, useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { ScanProgress, ScanStateLabel } from "../components/scan-state";
import { Empty, ErrorState, Skeleton } from "../components/states";
import { duration } from "../lib/format";
import { useMay } from "../lib/role";
import { scanName } from "../lib/scan-news";
import { strings } from "../strings";

const t = strings.scans;

export function ScansPage() {
  useTitle(t.title);
  const query = useInfiniteQuery(scansQuery);
  const scans = query.data?.pages.flatMap((page) => page.scans) ?? [];
  const content = query.isError ? (
    <ErrorState error={query.error} retry={() => void query.refetch()} />
  ) : query.isPending ? (
    <Skeleton rows={8} />
  ) : scans.length === 0 ? (
    <Empty title={t.empty}>
      <p>{t.emptyHint}</p>
      <Link to="/" className="button is-primary">
        {strings.images.emptyAction}
      </Link>
    </Empty>
  ) : (
    <DataTable
      label={t.title}
      columns={COLUMNS}
      rows={scans}
      rowKey={(scan) => String(scan.id)}
      rowHeight={3.25}
      hasMore={query.hasNextPage}
      isLoadingMore={query.isFetchingNextPage}
      onEndReached={() => void query.fetchNextPage()}
    />
  );
  return (
    <div className="page">
      <h1>{t.title}</h1>
      {content}
    </div>
  );
}

const COLUMNS: Column<Scan>[] = [
  {
    id: "source",
    header: t.columns.source,
    cell: (scan) => (
      <span className="two-lines">
        {scan.image == null ? (
          <span tabIndex={-1} data-row-link="" title={scanName(scan)}>
            {scanName(scan)}
          </span>
        ) : (
          <Link
            to="/images/$digest"
            params={{ digest: scan.image }}
            search={{}}
            title={scanName(scan)}
            data-row-link=""
          >
            {scanName(scan)}
          </Link>
        )}
        <span className="muted">{t.kind[scan.source.kind]}</span>
      </span>
    ),
  },
  { id: "state", header: t.columns.state, width: "8rem", cell: (scan) => <ScanStateLabel state={scan.state} /> },
  { id: "progress", header: t.columns.progress, width: "26rem", cell: (scan) => <Outcome scan={scan} /> },
  { id: "by", header: t.columns.by, width: "9rem", isMinor: true, cell: (scan) => scan.requested_by },
  { id: "when", header: t.columns.when, width: "9rem", cell: (scan) => <Time at={scan.created} /> },
  {
    id: "cancel",
    header: <span className="visually-hidden">{t.columns.action}</span>,
    width: "6.5rem",
    cell: (scan) => (scan.finished == null ? <Cancel scan={scan} /> : null),
  },
];

function Outcome({ scan }: { scan: Scan }) {
  if (scan.finished == null) return <ScanProgress scan={scan} name={scanName(scan)} />;
  if (scan.error != null) {
    return (
      <span className="scan-error" title={scan.error}>
        {scan.error}
      </span>
    );
  }
  return (
    <span className="muted">
      {t.took(duration(Date.parse(scan.finished) - Date.parse(scan.created)))}
      {scan.problems > 0 && (
        <>
          {" "}
          <span className="tag is-warning">{t.partial(scan.problems)}</span>
        </>
      )}
    </span>
  );
}

function Cancel({ scan }: { scan: Scan }) {
  const cancel = useMutation({
    mutationFn: () => done(api.DELETE("/api/v1/scans/{id}", { params: { path: { id: scan.id } } })),
  });
  if (!useMay("operator")) return null;
  const label = `${t.cancel}: ${scanName(scan)}`;
  return (
    <button
      type="button"
      className="button is-small"
      aria-label={label}
      disabled={cancel.isPending || cancel.isSuccess}
      onClick={() => cancel.mutate()}
    >
      {strings.common.cancel}
    </button>
  );
}
