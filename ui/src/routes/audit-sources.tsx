// The sources of one cluster's audit events, and the form for another one.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { alertStrings } from "../alert-strings";
import { api, data, done } from "../api/client";
import { keys } from "../api/queries";
import type { AuditCluster, AuditSourceCreated, AuditSourceSettings } from "../api/types";
import { CopyButton, Time } from "../components/bits";
import { Dialog } from "../components/dialog";
import { FormActions } from "../components/form-actions";
import { Removal } from "../components/removal";
import { notify } from "../lib/messages";
import "../components/parameter-fields.css";

const t = alertStrings.audit;
const KINDS = ["webhook", "file", "kafka"] as const;
type Kind = (typeof KINDS)[number];

interface Props {
  cluster: AuditCluster;
  mayChange: boolean;
}

export function Sources({ cluster: { name, sources }, mayChange }: Props) {
  const [isAdding, setAdding] = useState(false);
  const [made, setMade] = useState<AuditSourceCreated["webhook"]>();
  const [doomed, setDoomed] = useState<number>();
  return (
    <div className="alert-section">
      <h3>{t.sources}</h3>
      {sources.length === 0 && <p className="muted">{t.noSource}</p>}
      <ul className="plain-list">
        {sources.map((source) => (
          <li key={source.id}>
            {t.kinds[source.kind] ?? source.kind} {source.kind !== "webhook" && <code>{place(source)}</code>}{" "}
            <span className="muted">
              {source.received == null ? (
                t.never
              ) : (
                <>
                  {t.heard} <Time at={source.received} />
                </>
              )}
            </span>{" "}
            {source.problem != null && <span className="warning-text">{source.problem}</span>}{" "}
            {mayChange && (
              <button
                type="button"
                className="button is-small"
                aria-label={`${t.removeSource}: ${t.kinds[source.kind] ?? source.kind}`}
                onClick={() => setDoomed(source.id)}
              >
                {t.removeSource}
              </button>
            )}
          </li>
        ))}
      </ul>
      {mayChange && (
        <p>
          <button type="button" className="button is-small" onClick={() => setAdding(true)}>
            {t.addSource}
          </button>
        </p>
      )}
      {isAdding && (
        <AddSource
          name={name}
          onClose={() => setAdding(false)}
          onMade={({ webhook }) => {
            setAdding(false);
            setMade(webhook);
          }}
        />
      )}
      {made != null && (
        <Dialog title={t.webhookTitle} onClose={() => setMade(undefined)}>
          <p>{t.webhookLead}</p>
          <div className="control-code">
            <pre tabIndex={0}>{made.kubeconfig}</pre>
            <CopyButton text={made.kubeconfig} what={t.webhookTitle} />
          </div>
        </Dialog>
      )}
      <Removal
        item={doomed}
        title={t.removeSourceTitle}
        text={() => t.removeSourceText}
        verb={t.removeSource}
        remove={(id) => done(api.DELETE("/api/v1/audit/clusters/{name}/sources/{id}", { params: { path: { name, id } } }))}
        told={t.removed}
        stale={keys.alerts}
        onClose={() => setDoomed(undefined)}
      />
    </div>
  );
}

function place(source: AuditSourceSettings): string {
  switch (source.kind) {
    case "webhook":
      return "";
    case "file":
      return source.path;
    case "kafka":
      return `${source.topic} @ ${source.brokers.join(", ")}`;
  }
}

function settings(fields: FormData, kind: Kind): AuditSourceSettings {
  const of = (name: string) => String(fields.get(name) ?? "").trim();
  const fromStart = fields.get("from_start") !== null;
  switch (kind) {
    case "webhook":
      return { kind };
    case "file":
      return { kind, path: of("path"), from_start: fromStart };
    case "kafka":
      return {
        kind,
        brokers: of("brokers").split(",").map((broker) => broker.trim()).filter(Boolean),
        topic: of("topic"),
        tls: fields.get("tls") !== null,
        username: of("username") || null,
        password_file: of("password_file") || null,
        ...(of("username") !== "" && { mechanism: of("mechanism") }),
        ...(of("ca_file") !== "" && { ca_file: of("ca_file") }),
        from_start: fromStart,
      };
  }
}

interface AddProps {
  name: string;
  onClose: () => void;
  onMade: (made: AuditSourceCreated) => void;
}

function AddSource({ name, onClose, onMade }: AddProps) {
  const client = useQueryClient();
  const [kind, setKind] = useState<Kind>("webhook");
  const create = useMutation({
    mutationFn: (body: AuditSourceSettings) => data(api.POST("/api/v1/audit/clusters/{name}/sources", { params: { path: { name } }, body })),
    onSuccess: (made) => {
      notify(t.sourceSaved);
      onMade(made);
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(settings(new FormData(event.currentTarget), kind));
  };
  const field = (id: string, label: string, isRequired: boolean) => (
    <label className="field">
      {label}
      <input className="input" name={id} required={isRequired} autoComplete="off" />
    </label>
  );
  return (
    <Dialog title={t.addSource} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <label className="field">
          {t.kind}
          <select value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
            {KINDS.map((one) => (
              <option key={one} value={one}>
                {t.kinds[one]}
              </option>
            ))}
          </select>
        </label>
        {kind === "file" && field("path", t.path, true)}
        {kind === "kafka" && (
          <>
            {field("brokers", t.brokers, true)}
            {field("topic", t.topic, true)}
            {field("username", t.username, false)}
            {field("password_file", t.passwordFile, false)}
            <label className="field">
              {t.mechanism}
              <select name="mechanism" defaultValue="plain">
                {Object.entries(t.mechanisms).map(([id, text]) => (
                  <option key={id} value={id}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
            {field("ca_file", t.caFile, false)}
            <label className="checkbox-field">
              <input type="checkbox" name="tls" defaultChecked />
              {t.tls}
            </label>
          </>
        )}
        {kind !== "webhook" && (
          <label className="checkbox-field">
            <input type="checkbox" name="from_start" />
            {t.fromStart}
          </label>
        )}
        <FormActions error={create.error} verb={t.create} isBusy={create.isPending} onClose={onClose} />
      </form>
    </Dialog>
  );
}
