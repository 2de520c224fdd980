// One finding beside the list: what to do first, then why we say so.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { findingQuery } from "../api/queries";
import type { Epss, Finding, KnownExploited, Suppression } from "../api/types";
import { CopyButton, ExactTime, Fact, Time } from "../components/bits";
import { ExploitedTag } from "../components/exploitation";
import { ExternalLink } from "../components/external-link";
import { Icon } from "../components/icon";
import { Markdown } from "../components/markdown";
import { SeverityLabel } from "../components/severity";
import { ErrorState, Skeleton } from "../components/states";
import { percent } from "../lib/format";
import { useHotkeys } from "../lib/hotkeys";
import { asSeverity } from "../lib/severity";
import { severitySourceName, statusName, suppressedByName, vexStatusName } from "../lib/words";
import { strings } from "../strings";
import "./finding-pane.css";

interface Props {
  digest: string;
  id: string;
  packageId: number;
  onClose: () => void;
}

const t = strings.finding;

export function FindingPane({ digest, id, packageId, onClose }: Props) {
  const { data: finding, error, refetch } = useQuery(findingQuery(digest, id, packageId));
  const heading = useRef<HTMLHeadingElement>(null);
  const pane = useRef<HTMLElement>(null);
  useHotkeys({ Escape: onClose });
  // Opening it, or walking on with J and K, is heard: the heading has the focus.
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    pane.current?.scrollTo(0, 0);
  }, [id, packageId]);
  // Closing it gives the focus back to the row it came from. The page has forgotten by then which row that was.
  const row = useRef<string>(undefined);
  useEffect(() => {
    row.current = document.querySelector("tr[aria-current]")?.getAttribute("data-index") ?? row.current;
  });
  useEffect(
    () => () => {
      const link = document.querySelector<HTMLElement>(`tr[data-index="${row.current}"] [data-row-link]`);
      link?.focus({ preventScroll: true });
    },
    [],
  );
  return (
    <aside ref={pane} className="pane" aria-label={`${t.label} ${id}`}>
      <header className="pane-header">
        <h2 ref={heading} tabIndex={-1}>
          {id}
        </h2>
        <CopyButton text={id} what={id} />
        <button type="button" className="button icon-button" aria-label={strings.common.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : finding === undefined ? (
        <Skeleton rows={6} />
      ) : (
        <Body finding={finding} />
      )}
    </aside>
  );
}

function Body({ finding }: { finding: Finding }) {
  return (
    <div className="pane-body">
      {finding.title !== "" && <p className="pane-title">{finding.title}</p>}
      <p className="pane-rating">
        <SeverityLabel severity={asSeverity(finding.severity)} />
        <span className="muted">{severitySourceName(finding.severity_source)}</span>
        <span className="tag">{statusName(finding.status)}</span>
        {finding.known_exploited != null && <ExploitedTag known={finding.known_exploited} />}
      </p>
      {finding.suppression != null && <Suppressed suppression={finding.suppression} />}
      <section className="remedy">
        <h3>{t.remedy}</h3>
        <div className="remedy-line">
          <p>{finding.remediation}</p>
          <CopyButton text={finding.remediation} what={t.remedy.toLowerCase()} />
        </div>
        {finding.fixed_versions.length > 0 && (
          <p>
            {strings.findings.columns.fixed} <code>{finding.fixed_versions.join(", ")}</code>
          </p>
        )}
      </section>
      {(finding.known_exploited != null || finding.epss != null) && (
        <Exploitation known={finding.known_exploited} epss={finding.epss} />
      )}
      {finding.vex != null && <Vex vex={finding.vex} />}
      <section>
        <h3>{t.description}</h3>
        {finding.description.trim() === "" ? (
          <p className="muted">{t.noDescription}</p>
        ) : (
          <Markdown source={finding.description} />
        )}
      </section>
      <Evidence finding={finding} />
      {finding.cvss.length > 0 && (
        <section>
          <h3>{t.cvss}</h3>
          <ul className="plain-list">
            {finding.cvss.map(({ version, vector, score }) => (
              <li key={vector}>
                <strong>{t.score(version, score)}</strong> <code className="vector">{vector}</code>
              </li>
            ))}
          </ul>
        </section>
      )}
      {finding.aliases.length > 0 && (
        <section>
          <h3>{t.aliases}</h3>
          <p className="wrap-list">
            {finding.aliases.map((alias) => (
              <code key={alias}>{alias}</code>
            ))}
          </p>
        </section>
      )}
      <section>
        <h3>{t.times}</h3>
        <dl className="facts is-column">
          {finding.published != null && (
            <Fact name={t.published}>
              <ExactTime at={finding.published} />
            </Fact>
          )}
          {finding.modified != null && (
            <Fact name={t.modified}>
              <ExactTime at={finding.modified} />
            </Fact>
          )}
          <Fact name={t.seen}>
            <Time at={finding.first_seen} />
          </Fact>
          <Fact name={strings.images.title}>{t.images(finding.images)}</Fact>
        </dl>
      </section>
      {finding.references.length > 0 && (
        <section>
          <h3>{t.references}</h3>
          <ul className="plain-list references">
            {finding.references.map(({ kind, url }) => (
              <li key={`${kind} ${url}`}>
                <ExternalLink href={url}>{url}</ExternalLink> <span className="muted">{kind.toLowerCase()}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function Suppressed({ suppression: { by, reason, source, expires } }: { suppression: Suppression }) {
  const words = strings.suppression;
  return (
    <section className="suppressed">
      <h3>{words.title}</h3>
      <p>{reason}</p>
      <dl className="facts is-column">
        <Fact name={words.who}>{suppressedByName(by)}</Fact>
        <Fact name={words.source}>
          <code>{source}</code>
        </Fact>
        <Fact name={words.until}>{expires == null ? words.noEnd : <ExactTime at={expires} />}</Fact>
      </dl>
    </section>
  );
}

interface ExploitationProps {
  known: KnownExploited | null | undefined;
  epss: Epss | null | undefined;
}

function Exploitation({ known, epss }: ExploitationProps) {
  const words = strings.exploitation;
  return (
    <section>
      <h3>{words.label}</h3>
      <dl className="facts is-column">
        {known != null && (
          <>
            <Fact name={words.known}>
              {known.date_added == null ? words.sinceElsewhere : `${words.since}, ${known.date_added}`}
            </Fact>
            {known.due_date != null && <Fact name={words.due}>{words.dueFor(known.due_date)}</Fact>}
            <Fact name={words.ransomware}>{known.ransomware ? words.ransomwareYes : words.ransomwareNo}</Fact>
          </>
        )}
        {epss != null && (
          <Fact name={words.epss}>
            <span>
              <strong>{percent(epss.score)}</strong> {words.probability}, {words.percentile(percent(epss.percentile))}{" "}
              <span className="muted">({epss.date})</span>
            </span>
          </Fact>
        )}
      </dl>
    </section>
  );
}

function Vex({ vex }: { vex: NonNullable<Finding["vex"]> }) {
  const words = strings.vex;
  return (
    <section>
      <h3>{words.title}</h3>
      <dl className="facts is-column">
        <Fact name={words.statusLabel}>{vexStatusName(vex.status)}</Fact>
        {vex.justification != null && <Fact name={words.justification}>{vex.justification.replaceAll("_", " ")}</Fact>}
        {vex.statement !== "" && <Fact name={words.statement}>{vex.statement}</Fact>}
        <Fact name={words.document}>{vex.document}</Fact>
        {vex.timestamp != null && (
          <Fact name={words.made}>
            <ExactTime at={vex.timestamp} />
          </Fact>
        )}
      </dl>
    </section>
  );
}

function Evidence({ finding: { advisories, package: installed, locations } }: { finding: Finding }) {
  return (
    <section>
      <h3>{t.evidence}</h3>
      <dl className="facts is-column">
        <Fact name={t.installed}>
          <code>
            {installed.name} {installed.version}
          </code>
        </Fact>
        {installed.source != null && (
          <Fact name={t.source}>
            <code>
              {installed.source.name} {installed.source.version}
            </code>
          </Fact>
        )}
        <Fact name={t.purl}>
          <code>{installed.purl}</code>
        </Fact>
        {locations.map(({ path, layer, diff_id }) => (
          <Fact key={`${diff_id} ${path}`} name={t.found}>
            <code>{path}</code> <span className="nowrap">{strings.image.layer(layer)}</span>
          </Fact>
        ))}
      </dl>
      <table className="small-table">
        <thead>
          <tr>
            <th scope="col">{t.record}</th>
            <th scope="col">{t.statement}</th>
          </tr>
        </thead>
        <tbody>
          {advisories.map(({ id, range }) => (
            <tr key={`${id} ${range}`}>
              <td>
                <code>{id}</code>
              </td>
              <td>
                <code>{range}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
