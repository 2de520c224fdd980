// Lists of threat intelligence: where they come from, how old they are, and what of them is not used.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { intelQuery } from "../api/alert-queries";
import { api, data, done } from "../api/client";
import { keys } from "../api/queries";
import type { IntelList } from "../api/types";
import { Time, useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { Loaded } from "../components/loaded";
import { Removal } from "../components/removal";
import { Empty } from "../components/states";
import { intelStrings as t } from "../intel-strings";
import { count } from "../lib/format";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { AlertTabs } from "./alerts-tabs";
import { AddList } from "./intel-add";
import { Details, UploadDialog } from "./intel-details";
import "./estate.css";
import "./hosts.css";

export function IntelPage() {
  useTitle(t.title);
  const client = useQueryClient();
  const mayChange = useMay("security_admin");
  const mayFetch = useMay("operator");
  const lists = useQuery(intelQuery);
  const [isAdding, setAdding] = useState(false);
  const [shown, setShown] = useState<number>();
  const [uploads, setUploads] = useState<IntelList>();
  const [doomed, setDoomed] = useState<IntelList>();
  const refresh = () => client.invalidateQueries({ queryKey: keys.alerts });
  const fetchNow = useMutation({
    mutationFn: (id: number) => data(api.POST("/api/v1/intel/lists/{id}/fetch", { params: { path: { id } } })),
    onSuccess: () => notify(t.fetching),
    onSettled: refresh,
  });
  const toggle = useMutation({
    mutationFn: ({ id, is_on: isOn }: IntelList) =>
      data(api.PATCH("/api/v1/intel/lists/{id}", { params: { path: { id } }, body: { is_on: !isOn } })),
    onSuccess: (list) => notify(t.switched(list.name, list.is_on)),
    onSettled: refresh,
  });
  const open = lists.data?.lists.find(({ id }) => id === shown);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t.title}</h1>
        {mayChange && (
          <button type="button" className="button is-primary" onClick={() => setAdding(true)}>
            {t.add}
          </button>
        )}
      </div>
      <AlertTabs />
      <p className="muted">{t.lead}</p>
      <Loaded query={lists} rows={4}>
        {({ lists: rows }) =>
          rows.length === 0 ? (
            <Empty title={t.empty}>
              <p>{t.emptyHint}</p>
            </Empty>
          ) : (
            <DataTable label={t.title} columns={columns(setShown)} rows={rows} rowKey={({ id }) => String(id)} rowHeight={3.25} total={rows.length} />
          )
        }
      </Loaded>
      {isAdding && <AddList named={lists.data?.named ?? []} onClose={() => setAdding(false)} />}
      {open !== undefined && doomed === undefined && uploads === undefined && (
        <Details
          list={open}
          onClose={() => setShown(undefined)}
          {...(mayFetch && open.address != null && { onFetch: () => fetchNow.mutate(open.id) })}
          {...(mayChange && open.address == null && { onUpload: () => setUploads(open) })}
          {...(mayChange && { onToggle: () => toggle.mutate(open), onDelete: () => setDoomed(open) })}
        />
      )}
      {uploads !== undefined && <UploadDialog list={uploads} onClose={() => setUploads(undefined)} />}
      <Removal
        item={doomed}
        title={t.deleteTitle}
        text={({ name }) => t.deleteText(name)}
        verb={t.delete}
        remove={({ id }) => done(api.DELETE("/api/v1/intel/lists/{id}", { params: { path: { id } } }))}
        told={t.deleted}
        stale={keys.alerts}
        onClose={() => setDoomed(undefined)}
      />
    </div>
  );
}

function columns(show: (id: number) => void): Column<IntelList>[] {
  return [
    {
      id: "name",
      header: t.columns.name,
      width: "26%",
      cell: ({ id, name, address, is_on: isOn }) => (
        <span className="two-lines">
          <span>
            <button type="button" className="link-button" data-row-link="" onClick={() => show(id)}>
              {name}
            </button>{" "}
            {!isOn && <span className="tag is-warning">{t.off}</span>}
          </span>
          <span className="muted" title={address ?? ""}>
            {address ?? t.upload}
          </span>
        </span>
      ),
    },
    {
      id: "extends",
      header: t.columns.extends,
      isMinor: true,
      cell: ({ extends: lists }) => <span title={lists.join(", ")}>{lists.length === 0 ? t.excludes : lists.join(", ")}</span>,
    },
    {
      id: "entries",
      header: t.columns.entries,
      width: "9rem",
      align: "end",
      cell: (list) => (
        <span className="two-lines">
          <span>{count(list.entries)}</span>
          <Unused list={list} />
        </span>
      ),
    },
    {
      id: "age",
      header: t.columns.age,
      width: "30%",
      cell: ({ succeeded, problem, reading }) => (
        <span className="two-lines">
          <span>
            {succeeded == null ? t.nothing : <Time at={succeeded} />} {reading && <span className="muted">({t.reading})</span>}
          </span>
          {problem != null && (
            <span className="warning-text" title={problem}>
              {problem}
            </span>
          )}
        </span>
      ),
    },
  ];
}

function Unused({ list: { unused, left_out: leftOut } }: { list: IntelList }) {
  const all = [...unused, ...leftOut].reduce((sum, one) => sum + one.count, 0);
  return all === 0 ? null : <span className="muted">{t.unused(all)}</span>;
}
