// What is known of an alert, in the order in which somebody works through it: inspect, mitigate, prevent, automate,
// suppress. The pane beside the list and the page of its own show the same.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { alertStrings, entityName, spelled } from "../alert-strings";
import { suppressionsQuery } from "../api/alert-queries";
import type { AlertDetail, AlertEntity } from "../api/types";
import { Attack } from "../components/alert-words";
import { Command, Digest, ExactTime, Fact, Time } from "../components/bits";
import { Markdown } from "../components/markdown";
import { sentence } from "../lib/sentence";
import { useMay } from "../lib/role";
import { NoteForm } from "./alert-actions";
import { Related } from "./alert-related";
import { SuppressDialog } from "./suppress-dialog";

const t = alertStrings.alert;

export function AlertFacts({ alert }: { alert: AlertDetail }) {
  return (
    <>
      {alert.is_sample && <p className="banner is-quiet">{t.sampleHint}</p>}
      {alert.suppressed_by != null && <SuppressedBy id={alert.suppressed_by} />}
      <dl className="facts is-column">
        {alert.compromised_entity !== "" && <Fact name={t.facts.entity}>{alert.compromised_entity}</Fact>}
        <Fact name={t.facts.cluster}>
          {alert.cluster_id == null ? (
            alert.cluster
          ) : (
            <Link to="/clusters/$id" params={{ id: String(alert.cluster_id) }} search={{}}>
              {alert.cluster}
            </Link>
          )}
        </Fact>
        {alert.cluster_id != null &&
          alert.workloads?.map(({ id, kind, namespace, name }) => (
            <Fact key={id} name={kind}>
              <Link to="/clusters/$id" params={{ id: String(alert.cluster_id) }} search={{ tab: "workloads", workload: id }}>
                {namespace}/{name}
              </Link>
            </Fact>
          ))}
        <Fact name={t.facts.first}>
          <ExactTime at={alert.first_seen} />
        </Fact>
        <Fact name={t.facts.last}>
          <ExactTime at={alert.last_seen} /> ({alertStrings.alerts.seen(alert.seen)})
        </Fact>
        <Fact name={t.owner}>{alert.owner ?? <span className="muted">{t.nobody}</span>}</Fact>
        <Fact name={t.facts.detection}>
          {alert.is_sample ? (
            <span className="is-mono">{alert.rule}</span>
          ) : (
            <Link to="/detections/$id" params={{ id: alert.rule }} className="is-mono">
              {alert.rule}
            </Link>
          )}
        </Fact>
        {alert.aliases.length > 0 && (
          <Fact name={t.facts.also}>
            <span className="is-mono">{alert.aliases.join(", ")}</span>
          </Fact>
        )}
        {alert.incident != null && (
          <Fact name={t.facts.incident}>
            <Link to="/incidents/$id" params={{ id: alert.incident }}>
              {alertStrings.alerts.inIncident}
            </Link>
          </Fact>
        )}
        {alert.tactics.length + alert.techniques.length > 0 && (
          <Fact name={t.tactics}>
            <Attack tactics={alert.tactics} techniques={alert.techniques} />
          </Fact>
        )}
      </dl>
    </>
  );
}

function SuppressedBy({ id }: { id: number }) {
  const { data: list } = useQuery(suppressionsQuery);
  return (
    <p className="banner is-quiet">
      <span>
        {t.suppressedHint} <Link to="/suppressions">{list?.rules.find((rule) => rule.id === id)?.name ?? alertStrings.alerts.suppressions}</Link>
      </span>
    </p>
  );
}

export function Inspect({ alert }: { alert: AlertDetail }) {
  const first = alert.events[0];
  const told = sentence(first?.event);
  return (
    <section className="alert-section">
      <h3>{t.inspect}</h3>
      <Markdown source={alert.description} />
      {told !== undefined && (
        <p className="alert-sentence">
          {told}
          {first !== undefined && (
            <span className="muted">
              {" "}
              <Time at={first.at} />
            </span>
          )}
        </p>
      )}
      <Entities entities={alert.entities} />
      <Matched evidence={alert.evidence} />
      <Raw alert={alert} />
    </section>
  );
}

function Entities({ entities }: { entities: readonly AlertEntity[] }) {
  if (entities.length === 0) return null;
  return (
    <>
      <h4>{t.entities}</h4>
      <ul className="plain-list">
        {entities.map(({ kind, name, fields }) => (
          <li key={`${kind} ${name}`}>
            <span className="muted">{entityName(kind)}</span>{" "}
            <Link to="/alerts" search={{ entity: name, state: "any" }} title={fieldsInWords(fields)}>
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}

function fieldsInWords(fields: AlertEntity["fields"]): string {
  return Object.entries(fields ?? {})
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
}

/** The engine's own form, which the API hands through; what a newer one adds is left out. */
interface Evidence {
  content?: string;
  matched?: { field: string; operator: string; wanted: string[]; seen: string[]; holds: boolean }[];
  reasons?: string[];
  correlated?: { events: number; samples: { time: string; rule: string; output: string }[] };
}

function Matched({ evidence }: { evidence: unknown }) {
  const { content, matched = [], reasons = [], correlated } = (evidence ?? {}) as Evidence;
  if (matched.length === 0 && reasons.length === 0 && correlated === undefined) return null;
  return (
    <>
      {reasons.length > 0 && (
        <ul className="bullets">
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
      {correlated !== undefined && (
        <details>
          <summary>{t.correlated(correlated.events)}</summary>
          <ul className="plain-list">
            {correlated.samples.map(({ time, output }, at) => (
              <li key={at}>
                <ExactTime at={time} /> {output}
              </li>
            ))}
          </ul>
        </details>
      )}
      <details>
        <summary>{t.matched}</summary>
        <ul className="plain-list">
          {matched.map(({ field, operator, wanted, seen, holds }, at) => (
            <li key={at}>
              <code>
                {holds ? "" : "not "}
                {field} {operator} {wanted.join(", ")}
              </code>
              {seen.length > 0 && <span className="muted"> {t.was(seen.join(", "))}</span>}
            </li>
          ))}
        </ul>
        {content !== undefined && (
          <p className="muted">
            {t.content} <Digest value={content} />
          </p>
        )}
      </details>
    </>
  );
}

function Raw({ alert }: { alert: AlertDetail }) {
  const first = alert.events[0];
  if (first === undefined) return null;
  return (
    <details>
      <summary>{t.raw}</summary>
      {first.event == null ? (
        <p>{t.rawMissing}</p>
      ) : (
        <div className="control-code">
          <pre tabIndex={0}>{JSON.stringify(first.event, null, 2)}</pre>
        </div>
      )}
    </details>
  );
}

export function TakeAction({ alert }: { alert: AlertDetail }) {
  const maySuppress = useMay("security_admin");
  const [isSuppressing, setSuppressing] = useState(false);
  return (
    <>
      <section className="alert-section remedy">
        <h3>{t.mitigate}</h3>
        {alert.remediation_steps.length === 0 && <p className="muted">{t.mitigateNone}</p>}
        <ol className="steps">
          {alert.remediation_steps.map((step) => (
            <li key={step}>
              <Markdown source={step} />
            </li>
          ))}
        </ol>
      </section>
      <section className="alert-section">
        <h3>{t.prevent}</h3>
        <p>
          {t.preventLead}{" "}
          <Link to="/recommendations" search={{ kind: "kubernetes-cluster" }}>
            {t.preventLink}
          </Link>
        </p>
      </section>
      <section className="alert-section">
        <h3>{t.automate}</h3>
        <p>{t.automateLead}</p>
        <Command text={`seareeve server alerts change ${alert.id} --state resolved`} />
      </section>
      <section className="alert-section">
        <h3>{t.suppress}</h3>
        {alert.false_positives.length > 0 && (
          <>
            <h4>{t.falsePositives}</h4>
            <ul className="bullets">
              {alert.false_positives.map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </>
        )}
        <p>{t.suppressLead}</p>
        {maySuppress && (
          <p>
            <button type="button" className="button" onClick={() => setSuppressing(true)}>
              {t.suppressAction}
            </button>
          </p>
        )}
        {isSuppressing && <SuppressDialog alert={alert} onClose={() => setSuppressing(false)} />}
      </section>
    </>
  );
}

export function More({ alert }: { alert: AlertDetail }) {
  // A detection names more fields than every event has.
  const properties = Object.entries(alert.extended_properties).filter(([, value]) => value !== null && value !== "");
  return (
    <>
      <Related alert={alert} />
      {properties.length > 0 && (
        <section className="alert-section">
          <h3>{t.properties}</h3>
          <dl className="facts is-column is-fitting">
            {properties.map(([name, value]) => (
              <Fact key={name} name={name}>
                {typeof value === "string" ? value : Array.isArray(value) ? value.join(", ") : JSON.stringify(value)}
              </Fact>
            ))}
          </dl>
        </section>
      )}
      <section className="alert-section">
        <h3>{t.history}</h3>
        {alert.history.length === 0 && <p className="muted">{t.noHistory}</p>}
        <ul className="plain-list">
          {alert.history.map(({ at, author, what, was, value }, index) => (
            <li key={index}>
              <strong>{author}</strong>{" "}
              {what === "note" ? value : t.wasNow(t.historyNames[what] ?? spelled(what), spelled(was ?? t.nobody), spelled(value ?? t.nobody))}{" "}
              <span className="muted">
                <Time at={at} />
              </span>
            </li>
          ))}
        </ul>
        <NoteForm id={alert.id} />
      </section>
    </>
  );
}
