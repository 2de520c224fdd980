// Where audit events come from: clusters, whether their events raise alerts, their sources, and what is not seen.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { alertStrings } from "../alert-strings";
import { auditClustersQuery } from "../api/alert-queries";
import { api, data, done } from "../api/client";
import { keys } from "../api/queries";
import type { AuditCluster } from "../api/types";
import { Command, Fact, Time, useTitle } from "../components/bits";
import { Dialog } from "../components/dialog";
import { FormActions } from "../components/form-actions";
import { Loaded } from "../components/loaded";
import { Removal } from "../components/removal";
import { Empty, FormError } from "../components/states";
import { bytes, count } from "../lib/format";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { strings } from "../strings";
import { AlertTabs } from "./alerts-tabs";
import { Broken } from "./audit-broken";
import { Coverage } from "./audit-coverage";
import { Same } from "./audit-same";
import { Sources } from "./audit-sources";
import "./hosts.css";
import "../components/parameter-fields.css";

const t = alertStrings.audit;

export function AuditPage() {
  useTitle(t.title);
  const mayChange = useMay("security_admin");
  const [isAdding, setAdding] = useState(false);
  const list = useQuery(auditClustersQuery);
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
      <p>
        {t.setup} <Command text="seareeve k8s audit-setup" />
      </p>
      <Loaded query={list} rows={4}>
        {({ clusters, warning }) =>
          clusters.length === 0 ? (
            <Empty title={t.empty}>
              <p>{t.emptyHint}</p>
            </Empty>
          ) : (
            clusters.map((cluster) => <Cluster key={cluster.name} cluster={cluster} warning={warning} mayChange={mayChange} />)
          )
        }
      </Loaded>
      {isAdding && <AddCluster onClose={() => setAdding(false)} />}
    </div>
  );
}

function useRefresh() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: keys.alerts });
}

function AddCluster({ onClose }: { onClose: () => void }) {
  const refresh = useRefresh();
  const create = useMutation({
    mutationFn: (name: string) => data(api.POST("/api/v1/audit/clusters", { body: { name } })),
    onSuccess: () => {
      notify(t.created);
      onClose();
    },
    onSettled: refresh,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(String(new FormData(event.currentTarget).get("name")).trim());
  };
  return (
    <Dialog title={t.add} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <label className="field">
          {t.name}
          <input className="input" name="name" required maxLength={63} pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?" title={t.nameHint} autoComplete="off" />
        </label>
        <p className="muted">{t.nameHint}</p>
        <FormActions error={create.error} verb={t.create} isBusy={create.isPending} onClose={onClose} />
      </form>
    </Dialog>
  );
}

interface ClusterProps {
  cluster: AuditCluster;
  warning: string;
  mayChange: boolean;
}

function Cluster({ cluster, warning, mayChange }: ClusterProps) {
  const { name, on_since: onSince } = cluster;
  const refresh = useRefresh();
  const [asks, setAsks] = useState<"consent" | "remove">();
  const plan = useMutation({
    mutationFn: (isOn: boolean) =>
      done(api.PUT("/api/v1/audit/clusters/{name}/plan", { params: { path: { name } }, body: { is_on: isOn, consent: isOn } })),
    onSuccess: (_, isOn) => {
      notify(t.switched(name, isOn));
      setAsks(undefined);
    },
    onSettled: refresh,
  });
  return (
    <section className="panel audit-cluster" aria-label={name}>
      <div className="page-head">
        <h2>{name}</h2>
        <span className="chips">
          {onSince == null ? (
            <span className="tag is-warning">{t.off}</span>
          ) : (
            <span className="tag">
              {t.onSince} <Time at={onSince} />
            </span>
          )}
          {mayChange && (
            <>
              <button
                type="button"
                className="button is-small"
                disabled={plan.isPending}
                onClick={() => (onSince == null ? setAsks("consent") : plan.mutate(false))}
              >
                {onSince == null ? t.switchOn : t.switchOff}
              </button>
              <button type="button" className="button is-small" onClick={() => setAsks("remove")}>
                {t.remove}
              </button>
            </>
          )}
        </span>
      </div>
      <Problem cluster={cluster} />
      <Same cluster={cluster} mayChange={mayChange} />
      <Numbers cluster={cluster} />
      <Broken cluster={cluster} />
      <Sources cluster={cluster} mayChange={mayChange} />
      <Coverage name={name} mayChange={mayChange} />
      {asks === "consent" && (
        <Consent name={name} warning={warning} isBusy={plan.isPending} error={plan.error} onConsent={() => plan.mutate(true)} onClose={() => setAsks(undefined)} />
      )}
      <Removal
        item={asks === "remove" ? cluster : undefined}
        title={t.removeTitle(name)}
        text={() => t.removeText}
        verb={t.remove}
        remove={() => done(api.DELETE("/api/v1/audit/clusters/{name}", { params: { path: { name } } }))}
        told={t.removed}
        stale={keys.alerts}
        onClose={() => setAsks(undefined)}
      />
    </section>
  );
}

function Problem({ cluster: { problem, problem_at: at } }: { cluster: AuditCluster }) {
  if (problem == null) return null;
  return (
    <p className="banner is-warning">
      <span>
        {t.problem(problem)}{" "}
        {at != null && (
          <span className="muted">
            <Time at={at} />
          </span>
        )}
      </span>
    </p>
  );
}

function Numbers({ cluster }: { cluster: AuditCluster }) {
  return (
    <dl className="facts">
      <Fact name={t.facts.events}>{count(cluster.events)}</Fact>
      <Fact name={t.facts.last}>{cluster.last_event == null ? t.never : <Time at={cluster.last_event} />}</Fact>
      <Fact name={t.facts.backlog}>{bytes(cluster.backlog_bytes)}</Fact>
      <Fact name={t.facts.broken}>{count(cluster.broken_events)}</Fact>
      <Fact name={t.facts.repeated}>{count(cluster.repeated_events)}</Fact>
      <Fact name={t.facts.early}>{count(cluster.early_events)}</Fact>
      <Fact name={t.facts.kept}>{count(cluster.kept_events)}</Fact>
    </dl>
  );
}

interface ConsentProps {
  name: string;
  warning: string;
  isBusy: boolean;
  error: Error | null;
  onConsent: () => void;
  onClose: () => void;
}

function Consent({ name, warning, isBusy, error, onConsent, onClose }: ConsentProps) {
  const [isRead, setRead] = useState(false);
  return (
    <Dialog title={t.consentTitle(name)} onClose={onClose}>
      <div className="form">
        <p>{warning}</p>
        <label className="checkbox-field">
          <input type="checkbox" checked={isRead} onChange={(event) => setRead(event.target.checked)} />
          {t.consent}
        </label>
        <FormError error={error} />
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            {strings.common.cancel}
          </button>
          <button type="button" className="button is-primary" disabled={!isRead || isBusy} onClick={onConsent}>
            {t.switchOn}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
