// How many assets need something: a number, and its share as a bar.

import { estateStrings } from "../estate-strings";
import { count } from "../lib/format";

const t = estateStrings.recommendations;

interface Props {
  healthy: number;
  unhealthy: number;
  unknown: number;
}

export function Health({ healthy, unhealthy, unknown }: Props) {
  const all = healthy + unhealthy + unknown;
  if (all === 0) return <span className="muted">–</span>;
  const width = (part: number) => ({ width: `${(part * 100) / all}%` });
  return (
    <span className="two-lines" title={t.healthOf(unhealthy, healthy, unknown)}>
      <span>
        {healthy + unhealthy === 0 ? count(0) : t.of(unhealthy, healthy + unhealthy)}
        {unknown > 0 && <span className="muted"> {t.unknown(unknown)}</span>}
      </span>
      <span className="health-bar" aria-hidden="true">
        <span className="is-unhealthy" style={width(unhealthy)} />
        <span className="is-healthy" style={width(healthy)} />
        <span className="is-unknown" style={width(unknown)} />
      </span>
    </span>
  );
}
