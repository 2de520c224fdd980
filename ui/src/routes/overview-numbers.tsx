// The strip of numbers. Each is a link to the list behind it.

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { Overview } from "../api/types";
import { SeverityBar, SeverityGlyph } from "../components/severity";
import { count } from "../lib/format";
import { SEVERITIES, total } from "../lib/severity";
import { strings } from "../strings";

interface TileProps {
  name: string;
  search: { severity?: (typeof SEVERITIES)[number]; fixable?: true; exploited?: true };
  value: number | undefined;
  children?: ReactNode;
}

function Tile({ name, search, value, children }: TileProps) {
  return (
    <div className="tile">
      <Link to="/images" search={search} className="tile-link">
        <span className="tile-name">{name}</span>
        <span className="tile-value">{value === undefined ? " " : count(value)}</span>
      </Link>
      <div className="tile-note">{children}</div>
    </div>
  );
}

/** Keeps its place while the numbers are on their way, so that nothing jumps. */
export function NumberStrip({ overview }: { overview: Overview | undefined }) {
  const findings = overview && total(overview.findings);
  const t = strings.overview;
  return (
    <section className="number-strip" aria-label={t.title} aria-busy={overview === undefined}>
      <Tile name={t.images} search={{}} value={overview?.images}>
        {overview && (overview.images_partial > 0 ? t.partial(overview.images_partial) : t.packages(overview.packages))}
      </Tile>
      <Tile name={t.affected} search={{ severity: "unknown" }} value={overview?.images_affected}>
        {overview && t.affectedOf(overview.images)}
      </Tile>
      <Tile name={t.critical} search={{ severity: "critical" }} value={overview?.images_critical}>
        {overview && t.criticalNote(overview.findings.critical)}
      </Tile>
      <Tile name={t.exploited} search={{ exploited: true }} value={overview?.images_exploited}>
        {overview && t.exploitedNote}
      </Tile>
      <Tile name={t.fixable} search={{ fixable: true }} value={overview?.fixable}>
        {overview && t.fixableShare(findings ? Math.floor((overview.fixable / findings) * 100) : 0)}
      </Tile>
      <div className="tile is-wide">
        <Link to="/images" search={{ severity: "unknown" }} className="tile-link">
          <span className="tile-name">{t.findings}</span>
          <span className="tile-value">{findings === undefined ? " " : count(findings)}</span>
        </Link>
        {overview && <SeverityBar counts={overview.findings} />}
        <ul className="tile-severities">
          {overview &&
            SEVERITIES.map((severity) => (
              <li key={severity}>
                <Link to="/images" search={{ severity }}>
                  <span className="tile-severity">
                    <SeverityGlyph severity={severity} />
                    {strings.severity[severity]}
                  </span>{" "}
                  <b>{count(overview.findings[severity])}</b>
                </Link>
              </li>
            ))}
        </ul>
      </div>
    </section>
  );
}
