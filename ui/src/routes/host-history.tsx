// How the controls of a host changed.

import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { hostHistoryQuery } from "../api/host-queries";
import type { ControlChange } from "../api/types";
import { Time } from "../components/bits";
import { ControlStatus } from "../components/control-status";
import { type Column, DataTable } from "../components/data-table";
import { Empty, ErrorState, Skeleton } from "../components/states";
import { hostStrings } from "../host-strings";

const t = hostStrings.host;

export function History({ id }: { id: number }) {
  return (
    <Changes
      query={hostHistoryQuery(id)}
      link={({ control, title }) => (
        <Link to="/hosts/$id" params={{ id: String(id) }} search={{ control }} data-row-link="" title={title}>
          {control} {title}
        </Link>
      )}
    />
  );
}

interface Props {
  query: ReturnType<typeof hostHistoryQuery>;
  /** To the control of a change. */
  link: (change: ControlChange) => ReactNode;
}

/** The history of a host or cluster. */
export function Changes({ query: options, link }: Props) {
  const query = useInfiniteQuery(options);
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (query.isPending) return <Skeleton rows={6} />;
  const changes = query.data.pages.flatMap((page) => page.changes);
  if (changes.length === 0) {
    return (
      <Empty title={t.noHistory}>
        <p>{t.noHistoryHint}</p>
      </Empty>
    );
  }
  return (
    <DataTable
      label={t.history}
      columns={columns(link)}
      rows={changes}
      rowKey={({ at, benchmark, version, control }) => `${at} ${benchmark} ${version} ${control}`}
      rowHeight={2.75}
      hasMore={query.hasNextPage}
      isLoadingMore={query.isFetchingNextPage}
      onEndReached={() => void query.fetchNextPage()}
    />
  );
}

const columns = (link: Props["link"]): Column<ControlChange>[] => [
  { id: "at", header: t.changeColumns.at, width: "9rem", cell: ({ at }) => <Time at={at} /> },
  {
    id: "control",
    header: t.changeColumns.control,
    cell: link,
  },
  {
    id: "change",
    header: t.changeColumns.change,
    width: "20rem",
    cell: ({ was, status }) => (
      <>
        {was == null ? <span className="muted">{t.notJudged}</span> : <ControlStatus status={was} />} → <ControlStatus status={status} />
      </>
    ),
  },
];
