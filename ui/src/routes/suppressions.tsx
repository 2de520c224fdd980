// Suppression rules: what they fit, why, until when, and how much they dismissed.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { alertStrings, entityName } from "../alert-strings";
import { suppressionsQuery } from "../api/alert-queries";
import { api, done } from "../api/client";
import { keys } from "../api/queries";
import type { SuppressionRule } from "../api/types";
import { Time, useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { Loaded } from "../components/loaded";
import { Removal } from "../components/removal";
import { Empty } from "../components/states";
import { count } from "../lib/format";
import { useMay } from "../lib/role";
import { AlertTabs } from "./alerts-tabs";
import { SuppressDialog } from "./suppress-dialog";
import "./estate.css";
import "./hosts.css";

const t = alertStrings.suppressions;

export function SuppressionsPage() {
  useTitle(t.title);
  const mayChange = useMay("security_admin");
  const list = useQuery(suppressionsQuery);
  const [edited, setEdited] = useState<SuppressionRule | "new">();
  const [doomed, setDoomed] = useState<SuppressionRule>();
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t.title}</h1>
        {mayChange && (
          <button type="button" className="button is-primary" onClick={() => setEdited("new")}>
            {t.add}
          </button>
        )}
      </div>
      <AlertTabs />
      <p className="muted">{t.lead}</p>
      <Loaded query={list} rows={4}>
        {({ rules }) =>
          rules.length === 0 ? (
            <Empty title={t.empty}>
              <p>{t.emptyHint}</p>
            </Empty>
          ) : (
            <DataTable
              label={t.title}
              columns={columns(mayChange ? { edit: setEdited, remove: setDoomed } : undefined)}
              rows={rules}
              rowKey={({ id }) => String(id)}
              rowHeight={3.25}
              total={rules.length}
            />
          )
        }
      </Loaded>
      {edited !== undefined && <SuppressDialog {...(edited === "new" ? {} : { rule: edited })} onClose={() => setEdited(undefined)} />}
      <Removal
        item={doomed}
        title={t.deleteTitle}
        text={({ name }) => t.deleteText(name)}
        verb={t.delete}
        remove={({ id }) => done(api.DELETE("/api/v1/suppressions/{id}", { params: { path: { id } } }))}
        told={t.deleted}
        stale={keys.alerts}
        onClose={() => setDoomed(undefined)}
      />
    </div>
  );
}

interface Acts {
  edit: (rule: SuppressionRule) => void;
  remove: (rule: SuppressionRule) => void;
}

function columns(acts: Acts | undefined): Column<SuppressionRule>[] {
  const action: Column<SuppressionRule> = {
    id: "action",
    header: <span className="visually-hidden">{t.columns.action}</span>,
    width: "6.5rem",
    align: "end",
    cell: (rule) => (
      <button type="button" className="button is-small" aria-label={`${t.delete}: ${rule.name}`} onClick={() => acts?.remove(rule)}>
        {t.delete}
      </button>
    ),
  };
  return [
    {
      id: "name",
      header: t.columns.name,
      width: "20%",
      cell: (rule) => (
        <span className="two-lines">
          {acts === undefined ? (
            rule.name
          ) : (
            <button type="button" className="link-button" data-row-link="" onClick={() => acts.edit(rule)}>
              {rule.name}
            </button>
          )}
          <span className="muted">{rule.author}</span>
        </span>
      ),
    },
    { id: "fits", header: t.columns.fits, cell: (rule) => <span title={fits(rule)}>{fits(rule)}</span> },
    {
      id: "reason",
      header: t.columns.reason,
      width: "20%",
      isMinor: true,
      cell: ({ reason, comment }) => (
        <span className="two-lines">
          <span>{t.reasons[reason] ?? reason}</span>
          <span className="muted" title={comment ?? ""}>
            {comment}
          </span>
        </span>
      ),
    },
    { id: "alerts", header: t.columns.alerts, width: "6.5rem", align: "end", cell: ({ alerts }) => count(alerts) },
    {
      id: "until",
      header: t.columns.until,
      width: "8rem",
      cell: ({ expires, is_on: isOn, is_in_force: isInForce }) => (
        <span className="two-lines">
          {expires == null ? t.noEnd : <Time at={expires} />}
          {!isInForce && <span className="muted">{isOn === false ? t.off : t.ended}</span>}
        </span>
      ),
    },
    ...(acts === undefined ? [] : [action]),
  ];
}

function fits({ rule, criteria }: SuppressionRule): string {
  const parts = (criteria ?? []).map(({ kind, names }) => `${entityName(kind)} ${names.join(" or ")}`);
  return [rule ?? t.anyDetection, ...parts].join("; ");
}
