// A detection, a change or a rule file, run on past events: what it raises now, and what it would raise.

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, data, done } from "../api/client";
import { backtestQuery } from "../api/detection-queries";
import type { BacktestGroup, BacktestResult, BacktestSample, BacktestTime, NewBacktest } from "../api/types";
import { AlertSeverityLabel } from "../components/alert-words";
import { ExactTime } from "../components/bits";
import { FormError } from "../components/states";
import { detectionStrings } from "../detection-strings";
import { count } from "../lib/format";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { changeInWords } from "../lib/tuning-words";
import "../components/filter-bar.css";
import "./detections.css";

const t = detectionStrings.backtest;
const SPANS = ["0", "1", "7", "30"] as const;
/** Rows of a table that are shown at first. */
const SHOWN = 8;

/** A back-test that this page asked for. */
export function useBacktest() {
  const [id, setId] = useState<number>();
  const [asked, setAsked] = useState<NewBacktest>();
  const [days, setDays] = useState("0");
  const send = useMutation({
    meta: { showsError: true },
    mutationFn: (body: NewBacktest) => data(api.POST("/api/v1/backtests", { body })),
    onSuccess: (made, body) => {
      setId(made.id);
      setAsked(body);
    },
  });
  const start = (body: NewBacktest) => {
    const since = Number(days) > 0 ? new Date(Date.now() - Number(days) * 86_400_000).toISOString() : null;
    send.mutate({ ...body, since });
  };
  return { id, asked, days, setDays, start, send };
}

interface Props {
  backtest: ReturnType<typeof useBacktest>;
  /** What the button tries; nothing when there is nothing to try yet. */
  asked: () => NewBacktest | undefined;
}

export function Backtest({ backtest, asked }: Props) {
  const mayRun = useMay("operator");
  const { id, days, setDays, start, send } = backtest;
  return (
    <section className="alert-section" aria-labelledby="backtest-title">
      <h3 id="backtest-title">{t.title}</h3>
      <p className="muted">{t.lead}</p>
      {mayRun && (
        <div className="backtest-form">
          <label className="choice">
            <span>{t.span}</span>
            <select value={days} onChange={(event) => setDays(event.target.value)}>
              {SPANS.map((span) => (
                <option key={span} value={span}>
                  {t.spans[span]}
                </option>
              ))}
            </select>
          </label>
          <button
            type="button"
            className="button is-primary"
            disabled={send.isPending}
            onClick={() => {
              const body = asked();
              if (body !== undefined) start(body);
            }}
          >
            {t.run}
          </button>
        </div>
      )}
      <FormError error={send.error} />
      {id !== undefined && <State id={id} tuning={backtest.asked?.tuning} />}
    </section>
  );
}

function State({ id, tuning }: { id: number; tuning: NewBacktest["tuning"] }) {
  const { data: one, error } = useQuery(backtestQuery(id));
  const stop = useMutation({
    mutationFn: () => done(api.DELETE("/api/v1/backtests/{id}", { params: { path: { id } } })),
    onSuccess: () => notify(t.stopped),
  });
  if (error !== null) return <FormError error={error} />;
  if (one === undefined) return null;
  const isOver = one.ended != null;
  return (
    <div className="alert-section">
      {tuning != null && <p className="alert-sentence">{changeInWords(tuning.change)}</p>}
      {!isOver && (
        <p className="backtest-form" role="status">
          <progress max={Math.max(1, one.total)} value={one.seen} aria-label={t.title} />
          {one.state === "queued" ? t.waiting : t.running(one.seen, one.total)}
          <button type="button" className="button is-small" disabled={stop.isPending} onClick={() => stop.mutate()}>
            {t.stop}
          </button>
        </p>
      )}
      {one.state === "cancelled" && <p>{t.cancelled}</p>}
      {one.state === "failed" && (
        <p className="form-error">
          {t.failed}: {one.problem}
        </p>
      )}
      {one.result != null && <Result result={one.result} />}
    </div>
  );
}

function Result({ result }: { result: BacktestResult }) {
  const { span, counts, notes } = result;
  const rows = [
    [t.rows.events, counts.now, counts.then],
    [t.rows.alerts, counts.alerts_now, counts.alerts_then],
  ] as const;
  const raises = counts.now + counts.then > 0;
  return (
    <>
      <p>
        {t.ran(span.events)}
        {span.first != null && span.last != null && (
          <>
            {" "}
            {t.between} <ExactTime at={span.first} /> {t.and} <ExactTime at={span.last} />
          </>
        )}
        . <span className="muted">{span.events > 0 && t.cost(result.cost_ns)}</span>
      </p>
      {span.events > 0 && !raises && <p>{t.none}</p>}
      {raises && (
        <>
          <table className="backtest-table" aria-label={t.title}>
            <Head />
            <tbody>
              {rows.map(([name, now, then]) => (
                <Row key={name} name={name} now={now} then={then} />
              ))}
              {counts.suppressed > 0 && (
                <tr>
                  <th scope="row">{t.rows.suppressed}</th>
                  <td className="is-end" />
                  <td className="is-end">{count(counts.suppressed)}</td>
                  <td className="is-end" />
                </tr>
              )}
            </tbody>
          </table>
          <Chart times={result.times} step={result.step} />
          {result.rules.length > 1 && <Groups title={t.by.rules} groups={result.rules} isMono />}
          {result.clusters.length > 1 && <Groups title={t.by.clusters} groups={result.clusters} />}
          <Groups title={t.by.users} groups={result.users} />
          <Samples title={t.added(counts.added)} samples={result.added} />
          <Samples title={t.gone(counts.gone)} samples={result.gone} />
          <Samples title={t.same} samples={result.same} />
        </>
      )}
      {result.redacted.length > 0 && (
        <>
          <h4>{t.redacted}</h4>
          <ul className="bullets">
            {result.redacted.map(({ rule, field, events }) => (
              <li key={`${rule} ${field}`}>
                <code>{field}</code> <span className="muted">{`${rule}, ${t.redactedIn(events)}`}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <h4>{t.notes}</h4>
      <ul className="bullets">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </>
  );
}

function Head() {
  return (
    <thead>
      <tr>
        <td />
        <th scope="col" className="is-end">
          {t.columns.now}
        </th>
        <th scope="col" className="is-end">
          {t.columns.then}
        </th>
        <th scope="col" className="is-end">
          {t.columns.change}
        </th>
      </tr>
    </thead>
  );
}

function Row({ name, now, then, isMono = false }: { name: string; now: number; then: number; isMono?: boolean }) {
  const change = then - now;
  return (
    <tr>
      <th scope="row" className={isMono ? "is-mono" : undefined}>
        {name}
      </th>
      <td className="is-end">{count(now)}</td>
      <td className="is-end">{count(then)}</td>
      <td className={`is-end ${change > 0 ? "more" : change < 0 ? "less" : "muted"}`}>
        {change > 0 ? `+${count(change)}` : change < 0 ? `−${count(-change)}` : "="}
      </td>
    </tr>
  );
}

function Groups({ title, groups, isMono = false }: { title: string; groups: readonly BacktestGroup[]; isMono?: boolean }) {
  if (groups.length === 0) return null;
  const table = (rows: readonly BacktestGroup[]) => (
    <table className="backtest-table" aria-label={title}>
      <Head />
      <tbody>
        {rows.map(({ name, now, then }) => (
          <Row key={name} name={name} now={now} then={then} isMono={isMono} />
        ))}
      </tbody>
    </table>
  );
  return (
    <details open={groups.length <= SHOWN}>
      <summary>
        {title} ({count(groups.length)})
      </summary>
      {table(groups)}
    </details>
  );
}

function Chart({ times, step }: { times: readonly BacktestTime[]; step: string }) {
  const first = times[0];
  const last = times.at(-1);
  if (first === undefined || last === undefined || times.length < 2) return null;
  const length = step === "day" ? 86_400_000 : 3_600_000;
  const begin = Date.parse(first.at);
  const slots = Math.round((Date.parse(last.at) - begin) / length) + 1;
  const most = Math.max(1, ...times.map(({ now, then }) => Math.max(now, then)));
  const height = (n: number) => (n / most) * 94;
  return (
    <figure>
      <svg className="backtest-chart" viewBox={`0 0 ${slots * 10} 100`} preserveAspectRatio="none" role="img" aria-label={t.chart(step)}>
        <line x1="0" x2={slots * 10} y1="99.5" y2="99.5" />
        {times.map(({ at, now, then }) => {
          const x = Math.round((Date.parse(at) - begin) / length) * 10;
          return (
            <g key={at}>
              <rect className="is-now" x={x + 0.5} width="4" y={99 - height(now)} height={height(now)} />
              <rect className="is-then" x={x + 5} width="4" y={99 - height(then)} height={height(then)} />
            </g>
          );
        })}
      </svg>
      <figcaption className="legend">
        {t.chart(step)}
        <span>{t.legend.now}</span>
        <span className="is-then">{t.legend.then}</span>
      </figcaption>
    </figure>
  );
}

interface Evidence {
  matched?: { field: string; operator: string; wanted: string[]; seen: string[]; holds: boolean }[];
  reasons?: string[];
}

function Samples({ title, samples }: { title: string; samples: readonly BacktestSample[] }) {
  if (samples.length === 0) return null;
  return (
    <details>
      <summary>
        {title} <span className="muted">({t.samples(samples.length)})</span>
      </summary>
      {samples.map((sample, at) => (
        <Sample key={at} sample={sample} />
      ))}
    </details>
  );
}

function Sample({ sample }: { sample: BacktestSample }) {
  const { matched = [], reasons = [] } = (sample.evidence ?? {}) as Evidence;
  return (
    <div className="sample">
      <p>
        <AlertSeverityLabel severity={sample.severity} /> {sample.output}
      </p>
      <p className="muted">
        <ExactTime at={sample.at} /> · {sample.cluster} · {sample.user} · <span className="is-mono">{sample.rule}</span>
      </p>
      <details>
        <summary>{t.evidence}</summary>
        <ul className="plain-list">
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
          {matched.map(({ field, operator, wanted, seen, holds }, at) => (
            <li key={at}>
              <code>
                {holds ? "" : "not "}
                {field} {operator} {wanted.join(", ")}
              </code>
              {seen.length > 0 && <span className="muted"> was {seen.join(", ")}</span>}
            </li>
          ))}
        </ul>
        {sample.event == null ? (
          <p className="muted">{t.eventMissing}</p>
        ) : (
          <pre className="condition" tabIndex={0} aria-label={t.event}>
            {JSON.stringify(sample.event, null, 2)}
          </pre>
        )}
      </details>
    </div>
  );
}
