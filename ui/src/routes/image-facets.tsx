// Filters with the number of findings that each would leave.

import type { ReactNode } from "react";

import type { FacetCount, FindingFacets } from "../api/types";
import { SeverityGlyph } from "../components/severity";
import { oneOf, toggled } from "../lib/address";
import { type ImageSearch, KINDS, STATUSES } from "../lib/filters";
import { count, percent } from "../lib/format";
import { asSeverity, SEVERITIES } from "../lib/severity";
import { kindName, statusName } from "../lib/words";
import { strings } from "../strings";

interface Props {
  facets: FindingFacets | undefined;
  search: ImageSearch;
  change: (part: ImageSearch) => void;
}

export function Facets({ facets, search, change }: Props) {
  const severities = search.severity?.split(",") ?? [];
  return (
    <div className="facets">
      <Group name={strings.severity.label}>
        {shown(facets?.severity, severities, SEVERITIES).map(({ value, count }) => {
          const severity = asSeverity(value);
          return (
            <Chip
              key={value}
              count={count}
              isOn={severities.includes(value)}
              onClick={() => change({ severity: toggled(SEVERITIES, search.severity, severity) })}
            >
              <SeverityGlyph severity={severity} />
              {strings.severity[severity]}
            </Chip>
          );
        })}
      </Group>
      <Group name={strings.status.label}>
        {shown(facets?.status, [search.status], STATUSES).map(({ value, count }) => (
          <Chip
            key={value}
            count={count}
            isOn={value === search.status}
            onClick={() => change({ status: value === search.status ? undefined : oneOf(STATUSES, value) })}
          >
            {statusName(value)}
          </Chip>
        ))}
      </Group>
      <Group name={strings.findings.kind}>
        {shown(facets?.kind, [search.kind], KINDS).map(({ value, count }) => (
          <Chip
            key={value}
            count={count}
            isOn={value === search.kind}
            onClick={() => change({ kind: value === search.kind ? undefined : oneOf(KINDS, value) })}
          >
            {kindName(value)}
          </Chip>
        ))}
      </Group>
      <Exploitation facets={facets} search={search} change={change} />
      {search.of !== undefined && (
        <Group name={strings.findings.package}>
          <Chip isOn onClick={() => change({ of: undefined })}>
            {strings.findings.onePackage}
          </Chip>
        </Group>
      )}
    </div>
  );
}

/** Known or probable. Of the probabilities only one is chosen: the higher is part of the lower. */
function Exploitation({ facets, search, change }: Props) {
  const { exploited, epss } = search;
  const steps = (facets?.epss ?? []).map(({ value, count }) => ({ value: Number(value), count }));
  const left = steps.filter(({ value, count }) => count > 0 || value === epss);
  if (epss !== undefined && !left.some(({ value }) => value === epss)) left.push({ value: epss, count: facets?.total ?? 0 });
  const isKnown = (facets?.exploited ?? 0) > 0 || exploited === true;
  if (!isKnown && left.length === 0) return null;
  return (
    <Group name={strings.exploitation.label}>
      {isKnown && (
        <Chip
          count={facets?.exploited ?? 0}
          isOn={exploited === true}
          onClick={() => change({ exploited: exploited === true ? undefined : true })}
        >
          {strings.exploitation.known}
        </Chip>
      )}
      {left.map(({ value, count }) => (
        <Chip
          key={value}
          count={count}
          isOn={value === epss}
          onClick={() => change({ epss: value === epss ? undefined : value })}
        >
          {strings.exploitation.atLeast(percent(value))}
        </Chip>
      ))}
    </Group>
  );
}

/**
 * What leaves something, and what is chosen: a chosen filter that leaves nothing must be there to be undone. Always in
 * the same order, so that nothing moves under the pointer.
 */
function shown(
  counts: FacetCount[] | undefined,
  chosen: (string | undefined)[],
  order: readonly string[],
): FacetCount[] {
  const left = (counts ?? []).filter(({ value, count }) => count > 0 || chosen.includes(value));
  const missing = chosen.filter((value) => value !== undefined && !left.some((facet) => facet.value === value));
  const rank = (facet: FacetCount) => order.includes(facet.value) ? order.indexOf(facet.value) : order.length;
  return [...left, ...missing.map((value) => ({ value: value ?? "", count: 0 }))].sort((a, b) => rank(a) - rank(b));
}

function Group({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="facet-group" role="group" aria-label={name}>
      <span className="facet-name" aria-hidden="true">
        {name}
      </span>
      {children}
    </div>
  );
}

interface ChipProps {
  count?: number;
  isOn: boolean;
  onClick: () => void;
  children: ReactNode;
}

function Chip({ count: number, isOn, onClick, children }: ChipProps) {
  return (
    <button type="button" className="chip" aria-pressed={isOn} onClick={onClick}>
      {children}
      {number !== undefined && <span className="chip-count">{count(number)}</span>}
    </button>
  );
}
