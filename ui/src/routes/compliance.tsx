// All benchmarks, and how assets do by their newest editions.

import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";

import { benchmarksQuery } from "../api/estate-queries";
import type { BenchmarkEntry } from "../api/types";
import { useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { ErrorState, Skeleton } from "../components/states";
import { VerdictBar, VerdictWords } from "../components/verdict-counts";
import { estateStrings, kindName } from "../estate-strings";
import { count } from "../lib/format";
import "./estate.css";
import "./hosts.css";
import "./image.css";

const t = estateStrings.compliance;

export function CompliancePage() {
  useTitle(t.title);
  const navigate = useNavigate();
  const list = useQuery(benchmarksQuery);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t.title}</h1>
        <Link to="/checks" className="button">
          {t.own}
        </Link>
      </div>
      <p className="muted">{t.lead}</p>
      {list.isError ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : list.data === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <DataTable
          label={t.title}
          columns={COLUMNS}
          // Those that say something of assets come first.
          rows={list.data.benchmarks.toSorted((a, b) => newest(b).assets - newest(a).assets || a.id.localeCompare(b.id))}
          rowKey={({ id }) => id}
          rowHeight={3.25}
          total={list.data.benchmarks.length}
          onOpen={({ id }) => void navigate({ to: "/compliance/$benchmark", params: { benchmark: id }, search: {} })}
        />
      )}
    </div>
  );
}

const NONE = { pass: 0, fail: 0, not_applicable: 0, not_collected: 0, error: 0, needs_review: 0, excepted: 0 };
const newest = (entry: BenchmarkEntry) => entry.editions[0] ?? { version: "", controls: 0, assets: 0, counts: NONE };

const COLUMNS: Column<BenchmarkEntry>[] = [
  {
    id: "title",
    header: t.columns.title,
    cell: ({ id, title, built_in }) => (
      <span className="two-lines">
        <Link to="/compliance/$benchmark" params={{ benchmark: id }} search={{}} data-row-link="" title={title}>
          {title}
        </Link>
        <span className="muted">
          {id} {!built_in && <span className="tag">{t.ownTag}</span>}
        </span>
      </span>
    ),
  },
  {
    id: "edition",
    header: t.columns.edition,
    width: "9rem",
    cell: (entry) => (
      <span className="two-lines">
        <span>{newest(entry).version}</span>
        <span className="muted">{t.controls(newest(entry).controls)}</span>
      </span>
    ),
  },
  { id: "about", header: t.columns.about, width: "10rem", isMinor: true, cell: ({ asset }) => kindName(asset) },
  { id: "assets", header: t.columns.assets, width: "5rem", align: "end", cell: (entry) => count(newest(entry).assets) },
  {
    id: "result",
    header: t.columns.result,
    width: "24rem",
    cell: (entry) =>
      newest(entry).assets === 0 ? (
        <span className="muted">{t.noAssets}</span>
      ) : (
        <span className="two-lines">
          <VerdictWords counts={newest(entry).counts ?? NONE} />
          <VerdictBar counts={newest(entry).counts ?? NONE} />
        </span>
      ),
  },
];
