// Connectors to clouds, and the assets that they bring.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, data, done } from "../api/client";
import { cloudAssetsQuery, connectorsQuery } from "../api/cloud-queries";
import { keys } from "../api/queries";
import type { CloudAsset, Connector } from "../api/types";
import { Time, useTitle } from "../components/bits";
import { ControlStatus } from "../components/control-status";
import { Confirm, Dialog } from "../components/dialog";
import { Icon } from "../components/icon";
import { SeverityCounts } from "../components/severity";
import { Empty, ErrorState, FormError, Skeleton } from "../components/states";
import { cloudStrings } from "../cloud-strings";
import { count } from "../lib/format";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { strings } from "../strings";
import { ConnectorForm } from "./connect-form";
import { Tested } from "./connect-tested";
import "./connect.css";
import "./hosts.css";

const t = cloudStrings.connect;

export function ConnectPage() {
  useTitle(t.title);
  const connectors = useQuery(connectorsQuery);
  const assets = useQuery(cloudAssetsQuery);
  const [isAdding, setAdding] = useState(false);
  const mayAdd = useMay("security_admin");
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t.title}</h1>
        {mayAdd ? (
          <button type="button" className="button is-primary" onClick={() => setAdding(true)}>
            {t.add}
          </button>
        ) : (
          <p className="muted">{t.forbidden}</p>
        )}
      </div>
      <p className="muted connect-lead">{t.lead}</p>
      {connectors.isError ? (
        <ErrorState error={connectors.error} retry={() => void connectors.refetch()} />
      ) : connectors.data === undefined ? (
        <Skeleton rows={3} />
      ) : connectors.data.connectors.length === 0 ? (
        <Empty title={t.none}>
          <p>{t.noneHint}</p>
        </Empty>
      ) : (
        <Connectors connectors={connectors.data.connectors} />
      )}
      {connectors.data !== undefined && connectors.data.connectors.length > 0 && (
        <section className="panel" aria-labelledby="assets-title">
          <header className="panel-header">
            <h2 id="assets-title">{cloudStrings.assets.title}</h2>
          </header>
          {assets.isError ? (
            <ErrorState error={assets.error} retry={() => void assets.refetch()} />
          ) : assets.data === undefined ? (
            <Skeleton rows={4} />
          ) : assets.data.assets.length === 0 ? (
            <p className="muted connect-none">{cloudStrings.assets.empty}</p>
          ) : (
            <Assets assets={assets.data.assets} />
          )}
        </section>
      )}
      {isAdding && <ConnectorForm onClose={() => setAdding(false)} />}
    </div>
  );
}

function Connectors({ connectors }: { connectors: Connector[] }) {
  const client = useQueryClient();
  const mayRead = useMay("operator");
  const mayDelete = useMay("security_admin");
  const [doomed, setDoomed] = useState<Connector>();
  const [edited, setEdited] = useState<Connector>();
  const again = () => client.invalidateQueries({ queryKey: keys.posture });
  const read = useMutation({
    mutationFn: (id: number) => data(api.POST("/api/v1/connectors/{id}/read", { params: { path: { id } } })),
    onSuccess: () => {
      notify(t.asked);
      return again();
    },
  });
  const pause = useMutation({
    mutationFn: ({ id, paused }: Connector) =>
      data(api.PATCH("/api/v1/connectors/{id}", { params: { path: { id } }, body: { paused: !paused } })),
    onSuccess: ({ name, paused }) => {
      notify(paused ? t.pausedDone(name) : t.resumedDone(name));
      return again();
    },
  });
  const remove = useMutation({
    mutationFn: (id: number) => done(api.DELETE("/api/v1/connectors/{id}", { params: { path: { id } } })),
    onSuccess: () => {
      notify(t.deleted);
      return again();
    },
    onSettled: () => setDoomed(undefined),
  });
  return (
    <section className="panel" aria-labelledby="connectors-title">
      <header className="panel-header">
        <h2 id="connectors-title">{t.connectors}</h2>
      </header>
      <FormError error={read.error ?? pause.error ?? remove.error} />
      <div className="table-scroll" tabIndex={0} role="group" aria-labelledby="connectors-title">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{t.columns.name}</th>
              <th scope="col">{t.columns.who}</th>
              <th scope="col">{t.columns.state}</th>
              <th scope="col" className="is-end">{t.columns.assets}</th>
              <th scope="col">
                <span className="visually-hidden">{t.columns.action}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {connectors.map((one) => (
              <tr key={one.id}>
                <td>
                  <span className="two-lines">
                    <strong>{one.name}</strong>
                    <span className="muted">
                      {cloudName(one.cloud)}, {t.every(one.every_hours)}
                    </span>
                  </span>
                </td>
                <td>
                  <span className="two-lines">
                    <span>{cloudStrings.credentials[one.credentials.kind]}</span>
                    <span className="muted is-mono">{reference(one)}</span>
                  </span>
                </td>
                <td>
                  <State connector={one} />
                </td>
                <td className="is-end">{count(one.assets)}</td>
                <td className="is-end connect-actions">
                  {mayRead && (
                    <>
                      <button
                        type="button"
                        className="button"
                        disabled={one.reading || read.isPending}
                        aria-label={`${t.readNow}: ${one.name}`}
                        onClick={() => read.mutate(one.id)}
                      >
                        {t.readNow}
                      </button>
                      <TestButton connector={one} />
                    </>
                  )}
                  {mayDelete && (
                    <>
                      <button
                        type="button"
                        className="button"
                        disabled={pause.isPending}
                        aria-label={`${one.paused ? t.resume : t.pause}: ${one.name}`}
                        onClick={() => pause.mutate(one)}
                      >
                        {one.paused ? t.resume : t.pause}
                      </button>
                      <button type="button" className="button" aria-label={`${t.edit}: ${one.name}`} onClick={() => setEdited(one)}>
                        {t.edit}
                      </button>
                    </>
                  )}
                  {mayDelete && (
                    <button
                      type="button"
                      className="button icon-button"
                      aria-label={`${strings.common.delete} ${one.name}`}
                      title={strings.common.delete}
                      onClick={() => setDoomed(one)}
                    >
                      <Icon name="trash" />
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {edited !== undefined && <ConnectorForm connector={edited} onClose={() => setEdited(undefined)} />}
      {doomed !== undefined && (
        <Confirm
          title={t.deleteTitle}
          text={t.deleteText(doomed.name, doomed.assets)}
          verb={strings.common.delete}
          isBusy={remove.isPending}
          onConfirm={() => remove.mutate(doomed.id)}
          onClose={() => setDoomed(undefined)}
        />
      )}
    </section>
  );
}

/** Tries the credentials, and says what came of it. */
function TestButton({ connector: { id, name } }: { connector: Connector }) {
  const [isOpen, setOpen] = useState(false);
  const test = useMutation({
    meta: { showsError: true },
    mutationFn: () => data(api.POST("/api/v1/connectors/{id}/test", { params: { path: { id } } })),
    onSettled: () => setOpen(true),
  });
  return (
    <>
      <button type="button" className="button" disabled={test.isPending} aria-label={`${t.test}: ${name}`} onClick={() => test.mutate()}>
        {test.isPending ? t.testing : t.test}
      </button>
      {isOpen && (
        <Dialog title={`${t.test}: ${name}`} onClose={() => setOpen(false)}>
          <FormError error={test.error} />
          {test.data !== undefined && <Tested test={test.data} />}
        </Dialog>
      )}
    </>
  );
}

function State({ connector }: { connector: Connector }) {
  const { state, reading, paused, tried, succeeded, next, problems, seen } = connector;
  const names: Readonly<Record<string, string>> = t.states;
  const wrong = problems.length + seen.reduce((sum, one) => sum + one.problems.length, 0);
  return (
    <span className="connect-state">
      <span>
        <span className="connect-sign" aria-hidden="true">
          {reading || state === "new" ? "–" : state === "ok" ? "✓" : state === "failed" ? "✕" : "!"}
        </span>
        {reading ? t.reading : (names[state] ?? state)} {!reading && tried != null && <Time at={tried} />}
        {state === "failed" && succeeded != null && (
          <span className="muted">
            {" "}
            ({t.read} <Time at={succeeded} />)
          </span>
        )}
      </span>
      {paused ? (
        <span className="tag">{t.paused}</span>
      ) : (
        !reading && next != null && (
          <span className="muted">
            {new Date(next) <= new Date() ? t.nextNow : (
              <>
                {t.next} <Time at={next} />
              </>
            )}
          </span>
        )
      )}
      {(problems.length > 0 || seen.length > 0) && (
        <details>
          <summary>{wrong > 0 ? t.problems(wrong) : t.subscriptions(seen.length)}</summary>
          <ul>
            {problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
            {seen.map((one) => (
              <li key={one.id} title={one.id}>
                {one.name || one.id}: {t.found(one.clusters, one.registries)}
                {one.problems.length > 0 && (
                  <ul>
                    {one.problems.map((problem) => (
                      <li key={problem}>{problem}</li>
                    ))}
                  </ul>
                )}
              </li>
            ))}
          </ul>
        </details>
      )}
    </span>
  );
}

function cloudName(cloud: string): string {
  const names: Readonly<Record<string, string>> = t.clouds;
  return names[cloud] ?? cloud;
}

/** Who it is, and where the secret lies. */
function reference({ credentials }: Connector): string {
  switch (credentials.kind) {
    case "secret_file":
    case "certificate_file":
      return `${credentials.client} ${credentials.file}`;
    case "secret_variable":
      return `${credentials.client} ${credentials.variable}`;
    case "managed_identity":
    case "workload_identity":
      return credentials.client ?? "";
  }
}

function Assets({ assets }: { assets: CloudAsset[] }) {
  const words = cloudStrings.assets;
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-labelledby="assets-title">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">{words.columns.name}</th>
            <th scope="col">{words.columns.kind}</th>
            <th scope="col">{words.columns.state}</th>
            <th scope="col">{words.columns.failed}</th>
            <th scope="col">{words.columns.seen}</th>
          </tr>
        </thead>
        <tbody>
          {assets.map((asset) => (
            <tr key={asset.id}>
              <td>
                <span className="two-lines">
                  <Link to="/connect/$id" params={{ id: String(asset.id) }} search={{}}>
                    {asset.name}
                  </Link>
                  <span className="muted connect-id" title={asset.cloud_id}>
                    {group(asset.cloud_id)}
                    {asset.part_of != null && (
                      <>
                        , <Link to="/clusters/$id" params={{ id: String(asset.part_of.id) }} search={{}}>{words.partOf(asset.part_of.name)}</Link>
                      </>
                    )}
                  </span>
                </span>
              </td>
              <td>{kindName(asset.kind)}</td>
              <td title={asset.reason ?? undefined}>
                <ControlStatus status={asset.state} />
              </td>
              <td>{asset.kind === "kubernetes-cluster" ? <SeverityCounts counts={asset.failed} /> : <span className="muted">{words.none}</span>}</td>
              <td>
                <Time at={asset.last_seen} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function kindName(kind: string): string {
  const names: Readonly<Record<string, string>> = cloudStrings.assets.kinds;
  return names[kind] ?? kind;
}

/** The resource group of an id, or the id of a subscription. */
function group(id: string): string {
  const [, , subscription = "", , name] = id.split("/");
  return name ?? subscription;
}
