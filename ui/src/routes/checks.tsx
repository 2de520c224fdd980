// Checks and benchmarks that people bring: tried, kept, switched and forgotten.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, data, done } from "../api/client";
import { ownChecksQuery } from "../api/estate-queries";
import { keys } from "../api/queries";
import type { OwnCheck } from "../api/types";
import { Time, useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { Confirm } from "../components/dialog";
import { Icon } from "../components/icon";
import { Markdown } from "../components/markdown";
import { Empty, ErrorState, Skeleton } from "../components/states";
import { estateStrings } from "../estate-strings";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { strings } from "../strings";
import { BringChecks } from "./checks-bring";
import "./estate.css";
import "./hosts.css";
import "./image.css";

const t = estateStrings.checks;

export function ChecksPage() {
  useTitle(t.title);
  const client = useQueryClient();
  const mayChange = useMay("security_admin");
  const list = useQuery(ownChecksQuery);
  const [doomed, setDoomed] = useState<OwnCheck>();
  const refresh = (text: string) => {
    notify(text);
    return client.invalidateQueries({ queryKey: keys.posture });
  };
  const flip = useMutation({
    mutationFn: ({ name, enabled }: OwnCheck) =>
      data(api.PATCH("/api/v1/checks/{name}", { params: { path: { name } }, body: { enabled: !enabled } })),
    onSuccess: () => refresh(t.switched),
  });
  const remove = useMutation({
    mutationFn: (name: string) => done(api.DELETE("/api/v1/checks/{name}", { params: { path: { name } } })),
    onSuccess: () => refresh(t.deleted),
    onSettled: () => setDoomed(undefined),
  });
  const actions = mayChange ? { isBusy: flip.isPending, flip: flip.mutate, remove: setDoomed } : undefined;
  return (
    <div className="page">
      <Link to="/compliance" className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      <h1>{t.title}</h1>
      <p className="muted">{t.lead}</p>
      {list.data?.judging === true && <p role="status">{t.judging}</p>}
      {list.isError ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : list.data === undefined ? (
        <Skeleton rows={4} />
      ) : list.data.checks.length === 0 ? (
        <Empty title={t.empty}>
          <Markdown source={t.emptyHint} />
        </Empty>
      ) : (
        <DataTable
          label={t.title}
          columns={columns(actions)}
          rows={list.data.checks}
          rowKey={({ name }) => name}
          rowHeight={3.25}
          total={list.data.checks.length}
        />
      )}
      {mayChange ? <BringChecks /> : <p className="muted">{t.forbidden}</p>}
      {doomed !== undefined && (
        <Confirm
          title={t.deleteTitle}
          text={t.deleteText(doomed.name)}
          verb={strings.common.delete}
          isBusy={remove.isPending}
          onConfirm={() => remove.mutate(doomed.name)}
          onClose={() => setDoomed(undefined)}
        />
      )}
    </div>
  );
}

interface Actions {
  isBusy: boolean;
  flip: (check: OwnCheck) => void;
  remove: (check: OwnCheck) => void;
}

function columns(actions: Actions | undefined): Column<OwnCheck>[] {
  return [
    {
      id: "name",
      header: t.columns.name,
      cell: ({ name, title }) => (
        <span className="two-lines">
          <a href={`/api/v1/checks/${encodeURIComponent(name)}`} download={`${name}.yaml`} data-row-link="" title={t.download}>
            {name}
          </a>
          <span className="muted">{title}</span>
        </span>
      ),
    },
    {
      id: "kind",
      header: t.columns.kind,
      width: "8rem",
      cell: ({ kind, name }) =>
        kind === "benchmark" ? (
          <Link to="/compliance/$benchmark" params={{ benchmark: name.slice(0, name.lastIndexOf("-")) }} search={{}}>
            {t.kinds.benchmark}
          </Link>
        ) : (
          t.kinds.check
        ),
    },
    {
      id: "state",
      header: t.columns.state,
      width: "12rem",
      cell: ({ enabled, problem }) =>
        problem != null ? (
          <span className="warning-text" title={problem}>
            <Icon name="warning" /> {t.unusable}
          </span>
        ) : enabled ? (
          t.on
        ) : (
          <span className="muted">{t.off}</span>
        ),
    },
    { id: "by", header: t.columns.by, width: "8rem", isMinor: true, cell: ({ author }) => author },
    { id: "changed", header: t.columns.changed, width: "8rem", isMinor: true, cell: ({ changed }) => <Time at={changed} /> },
    ...(actions === undefined
      ? []
      : [
          {
            id: "action",
            header: <span className="visually-hidden">{t.columns.action}</span>,
            width: "10rem",
            align: "end" as const,
            cell: (check: OwnCheck) => (
              <>
                <button
                  type="button"
                  className="button is-small"
                  disabled={actions.isBusy}
                  aria-label={`${check.enabled ? t.disable : t.enable} ${check.name}`}
                  onClick={() => actions.flip(check)}
                >
                  {check.enabled ? t.disable : t.enable}
                </button>{" "}
                <button
                  type="button"
                  className="button icon-button"
                  aria-label={`${strings.common.delete} ${check.name}`}
                  title={strings.common.delete}
                  onClick={() => actions.remove(check)}
                >
                  <Icon name="trash" />
                </button>
              </>
            ),
          },
        ]),
  ];
}
