// What is known of a detection. The pane beside the list and the page of its own show the same parts.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { severityName } from "../alert-strings";
import { api, done } from "../api/client";
import { keys } from "../api/queries";
import type { DetectionDetail, Tuning } from "../api/types";
import { AlertSeverityLabel, Attack } from "../components/alert-words";
import { Fact, Time } from "../components/bits";
import { DetectionStatusLabel, NoiseBars, SightLabel } from "../components/detection-words";
import { ExternalLink } from "../components/external-link";
import { Markdown } from "../components/markdown";
import { FormError } from "../components/states";
import { detectionStrings } from "../detection-strings";
import { count } from "../lib/format";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { changeInWords } from "../lib/tuning-words";
import "./alerts.css";
import "./detections.css";
import "./estate.css";

const t = detectionStrings.detection;
const l = detectionStrings.detections;

interface Props {
  detection: DetectionDetail;
}

export function Facts({ detection }: Props) {
  const { severities, noise, origin } = detection;
  const editions = Object.entries(severities);
  return (
    <dl className="facts is-column">
      <Fact name={l.columns.status}>
        <DetectionStatusLabel detection={detection} />
        {detection.differs_in.length > 0 && <span className="muted"> {l.differs(detection.differs_in.join(", "))}</span>}
      </Fact>
      <Fact name={t.facts.severity}>
        <AlertSeverityLabel severity={detection.severity} />
        {detection.severity !== detection.given_severity && (
          <span className="muted">
            {" "}
            {t.facts.given}: {severityName(detection.given_severity)}
          </span>
        )}
      </Fact>
      {editions.length > 0 && (
        <Fact name={t.facts.editions}>{editions.map(([edition, severity]) => t.edition(edition, severityName(severity))).join(", ")}</Fact>
      )}
      <Fact name={t.facts.attack}>
        <Attack tactics={detection.tactics} techniques={detection.techniques} />
      </Fact>
      <Fact name={t.facts.id}>
        <span className="is-mono">{detection.id}</span>
      </Fact>
      {detection.aliases.length > 0 && (
        <Fact name={t.facts.also}>
          <span className="is-mono">{detection.aliases.join(", ")}</span>
        </Fact>
      )}
      <Fact name={t.facts.origin}>
        {origin === "built_in" ? (
          t.builtIn
        ) : (
          <Link to="/detections/files" className="is-mono">
            {origin}
          </Link>
        )}
      </Fact>
      <Fact name={t.facts.kind}>{t.kinds[detection.kind] ?? detection.kind}</Fact>
      <Fact name={t.facts.last}>{noise.last == null ? l.never : <Time at={noise.last} />}</Fact>
      <Fact name={t.facts.cost}>
        {detection.cost_ns == null ? <span className="muted">{t.costUnknown}</span> : t.cost(detection.cost_ns)}
      </Fact>
    </dl>
  );
}

export function About({ detection }: Props) {
  const { remediation, false_positives: benign, references } = detection;
  return (
    <>
      {detection.description !== "" && (
        <section className="alert-section">
          <h3>{t.about}</h3>
          <Markdown source={detection.description} />
        </section>
      )}
      {remediation.length > 0 && (
        <section className="alert-section">
          <h3>{t.remediation}</h3>
          <ol className="steps">
            {remediation.map((step) => (
              <li key={step}>
                <Markdown source={step} />
              </li>
            ))}
          </ol>
        </section>
      )}
      {benign.length > 0 && (
        <section className="alert-section">
          <h3>{t.falsePositives}</h3>
          <ul className="bullets">
            {benign.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </section>
      )}
      {references.length > 0 && (
        <section className="alert-section">
          <h3>{t.references}</h3>
          <ul className="bullets">
            {references.map((address) => (
              <li key={address}>
                <ExternalLink href={address}>{address}</ExternalLink>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

export function Condition({ detection }: Props) {
  const { fields, lists, output, examples } = detection;
  return (
    <section className="alert-section">
      <h3>{t.condition}</h3>
      <pre className="condition" tabIndex={0}>
        {detection.condition}
      </pre>
      <h4>{t.output}</h4>
      <p className="is-mono">{output}</p>
      {fields.length > 0 && (
        <>
          <h4>{t.fields}</h4>
          <p className="words">
            {fields.map((field) => (
              <code key={field}>{field}</code>
            ))}
          </p>
        </>
      )}
      {lists.length > 0 && (
        <>
          <h4>{t.lists}</h4>
          <p className="words">
            {lists.map((list) => (
              <Link key={list} to="/detections/lists" search={{ list }} className="is-mono">
                {list}
              </Link>
            ))}
          </p>
        </>
      )}
      {examples.length > 0 && (
        <details>
          <summary>
            {t.examples} ({count(examples.length)})
          </summary>
          {examples.map(({ name, fires, events }) => (
            <details key={name}>
              <summary>
                {name}: <span className="muted">{fires ? t.fires : t.quiet}</span>
              </summary>
              <pre className="condition" tabIndex={0}>
                {events.map((event) => JSON.stringify(event, null, 2)).join("\n")}
              </pre>
            </details>
          ))}
        </details>
      )}
    </section>
  );
}

export function Coverage({ detection }: Props) {
  const { coverage_by_cluster: sights, needs } = detection;
  const all = (words: readonly string[], every: string) => (words.includes("*") ? every : words.join(", "));
  return (
    <section className="alert-section">
      <h3>{t.coverage}</h3>
      {sights.length === 0 && <p className="muted">{t.coverageNone}</p>}
      {sights.map(({ cluster, status, lacks, unknown, has_policy: hasPolicy }) => (
        <div key={cluster} className="alert-section">
          <p>
            <strong>{cluster}</strong> <SightLabel sight={status} /> <span className="muted">{hasPolicy ? t.fromPolicy : t.fromEvents}</span>
          </p>
          <Words title={t.lacks} words={lacks} />
          <Words title={t.notShown} words={unknown} />
        </div>
      ))}
      <h4>{t.needs}</h4>
      {needs.length === 0 ? (
        <p className="muted">{t.needsNothing}</p>
      ) : (
        <ul className="bullets">
          {needs.map(({ level, verbs, resources, users }, at) => (
            <li key={at}>{t.need(level, all(verbs, t.needsVerbs), all(resources, t.needsResources), users ?? "people")}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Words({ title, words }: { title: string; words: readonly string[] }) {
  if (words.length === 0) return null;
  return (
    <p>
      <span className="muted">{title}</span> {words.join("; ")}
    </p>
  );
}

export function Noise({ detection }: Props) {
  const { noise, id } = detection;
  const facts = [
    [t.noiseFacts.week, noise.alerts_7_days],
    [t.noiseFacts.month, noise.alerts_30_days],
    [t.noiseFacts.resolved, noise.resolved],
    [t.noiseFacts.dismissed, noise.dismissed],
    [t.noiseFacts.suppressed, noise.suppressed],
  ] as const;
  return (
    <section className="alert-section noise-large">
      <h3>{t.noise}</h3>
      <NoiseBars days={noise.days} label={t.noiseChart(noise.days.length, Math.max(0, ...noise.days))} />
      <dl className="facts">
        {facts.map(([name, n]) => (
          <Fact key={name} name={name}>
            {count(n)}
          </Fact>
        ))}
      </dl>
      <p>
        <Link to="/alerts" search={{ rule: id, state: "any" }}>
          {t.alerts}
        </Link>
      </p>
    </section>
  );
}

export function Tunings({ detection }: Props) {
  const { tunings, history } = detection;
  return (
    <>
      <section className="alert-section">
        <h3>{t.tuning}</h3>
        {tunings.length === 0 ? <p className="muted">{t.tuningNone}</p> : tunings.map((one) => <TuningLine key={one.id} tuning={one} of={detection.id} />)}
      </section>
      <section className="alert-section">
        <h3>{t.history}</h3>
        {history.length === 0 && <p className="muted">{t.historyNone}</p>}
        <ul className="plain-list">
          {history.map(({ at, author, what, target, cluster, text, reason }, index) => (
            <li key={index}>
              <strong>{author}</strong> {t.what[what] ?? what}: {target !== detection.id && <span className="is-mono">{target}</span>}{" "}
              {!what.startsWith("file") && text} {cluster != null && <span className="tag">{cluster}</span>}{" "}
              <span className="muted">
                {reason} <Time at={at} />
              </span>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

/** A change in force, and the way back. */
export function TuningLine({ tuning, of }: { tuning: Tuning; of: string }) {
  const client = useQueryClient();
  const mayChange = useMay("security_admin");
  const remove = useMutation({
    meta: { showsError: true },
    mutationFn: () => done(api.DELETE("/api/v1/detection-tunings/{id}", { params: { path: { id: tuning.id } } })),
    onSuccess: () => notify(t.takenBack),
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  });
  const words = changeInWords(tuning.change);
  return (
    <div className="tuning-line">
      <span>
        {tuning.target !== of && <span className="is-mono">{tuning.target} </span>}
        {words} <span className="tag">{tuning.cluster ?? t.forAll}</span>
        <br />
        <span className="muted">
          {tuning.reason} · {tuning.author} <Time at={tuning.created} />
          {tuning.expires != null && (
            <>
              {" "}
              · {t.until} <Time at={tuning.expires} />
            </>
          )}
        </span>
        {tuning.problem != null && <span className="form-error">{tuning.problem}</span>}
        <FormError error={remove.error} />
      </span>
      {mayChange && (
        <button type="button" className="button is-small" disabled={remove.isPending} aria-label={`${t.takeBack}: ${words}`} onClick={() => remove.mutate()}>
          {t.takeBack}
        </button>
      )}
    </div>
  );
}
