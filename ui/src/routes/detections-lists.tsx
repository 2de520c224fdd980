// Named lists that detections compare with, and what is added to or taken out of them.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import { detectionListsQuery } from "../api/detection-queries";
import type { DetectionNamedList } from "../api/types";
import { useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { TextFilter } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { Pane } from "../components/pane";
import { ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { detectionStrings } from "../detection-strings";
import { count } from "../lib/format";
import type { ListsSearch } from "../lib/detection-filters";
import { useMay } from "../lib/role";
import { strings } from "../strings";
import { TuningLine } from "./detection-body";
import { TuneDialog } from "./tune-dialog";
import "./alerts.css";
import "./detections.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/detections/lists");
const t = detectionStrings.lists;

export function DetectionListsPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const lists = useQuery(detectionListsQuery);
  const change = (part: ListsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const open = (list: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, list }), replace: search.list !== undefined, resetScroll: false });
  const q = search.q?.toLowerCase();
  const shown = lists.data?.lists.filter(({ name, items }) => q === undefined || [name, ...items].some((part) => part.toLowerCase().includes(q))) ?? [];
  const chosen = lists.data?.lists.find(({ name }) => name === search.list);
  return (
    <div className={chosen === undefined ? "page" : "page has-pane"}>
      <Link to="/detections" search={{}} className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      <h1>{t.title}</h1>
      <p className="muted">{t.lead}</p>
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(text) => change({ q: text })} />
        <span className="filter-count" role="status">
          {lists.isSuccess && t.shown(shown.length)}
        </span>
      </div>
      {lists.isError ? (
        <ErrorState error={lists.error} retry={() => void lists.refetch()} />
      ) : lists.data === undefined ? (
        <Skeleton rows={8} />
      ) : shown.length === 0 ? (
        <FilteredEmpty
          title={t.filteredEmpty}
          filters={[{ label: strings.filters.text(search.q ?? ""), drop: () => change({ q: undefined }) }]}
          clear={() => change({ q: undefined })}
        />
      ) : (
        <DataTable
          label={t.title}
          columns={columns(search)}
          rows={shown}
          rowKey={({ name }) => name}
          rowHeight={3.25}
          total={shown.length}
          onOpen={({ name }) => open(name)}
          openKey={search.list}
        />
      )}
      {chosen !== undefined && <ListPane list={chosen} onClose={() => open(undefined)} />}
    </div>
  );
}

function columns(search: ListsSearch): Column<DetectionNamedList>[] {
  return [
    {
      id: "name",
      header: t.columns.name,
      cell: ({ name, items, origin }) => (
        <span className="two-lines">
          <Link to="/detections/lists" search={{ ...search, list: name }} resetScroll={false} data-row-link="" className="is-mono">
            {name}
          </Link>
          <span className="muted">
            {origin === "built_in" ? "" : `${origin}: `}
            {items.slice(0, 6).join(", ")}
          </span>
        </span>
      ),
    },
    { id: "items", header: t.columns.items, width: "6rem", align: "end", cell: ({ items }) => count(items.length) },
    { id: "detections", header: t.columns.detections, width: "8rem", align: "end", cell: ({ detections }) => count(detections.length) },
    {
      id: "changed",
      header: t.columns.changed,
      width: "7rem",
      cell: ({ tunings }) => tunings.length > 0 && <span className="tag">{t.tuned}</span>,
    },
  ];
}

function ListPane({ list, onClose }: { list: DetectionNamedList; onClose: () => void }) {
  const mayChange = useMay("security_admin");
  const [isChanging, setChanging] = useState(false);
  return (
    <Pane label={t.label} title={list.name} of={list.name} onClose={onClose}>
      {mayChange && (
        <p>
          <button type="button" className="button" onClick={() => setChanging(true)}>
            {t.change}
          </button>
        </p>
      )}
      {list.tunings.length > 0 && (
        <section className="alert-section">
          <h3>{detectionStrings.detection.tuning}</h3>
          {list.tunings.map((tuning) => (
            <TuningLine key={tuning.id} tuning={tuning} of={list.name} />
          ))}
        </section>
      )}
      <section className="alert-section">
        <h3>
          {t.items} ({count(list.items.length)})
        </h3>
        <ul className="list-items" tabIndex={0}>
          {list.items.map((item) => (
            <li key={item}>{item}</li>
          ))}
        </ul>
      </section>
      {list.removed.length > 0 && (
        <section className="alert-section">
          <h3>{t.removed}</h3>
          <ul className="list-items">
            {list.removed.map((item) => (
              <li key={item}>
                <s>{item}</s>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section className="alert-section">
        <h3>{t.users}</h3>
        {list.detections.length === 0 && <p className="muted">{t.usersNone}</p>}
        <ul className="plain-list">
          {list.detections.map((id) => (
            <li key={id}>
              <Link to="/detections/$id" params={{ id }}>
                {id}
              </Link>
            </li>
          ))}
        </ul>
      </section>
      {isChanging && <TuneDialog kind="list" target={list.name} title={list.name} onClose={() => setChanging(false)} />}
    </Pane>
  );
}
