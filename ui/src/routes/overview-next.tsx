// What brings the most points. It stands last in its column, so that nothing jumps when it comes.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { recommendationsQuery } from "../api/estate-queries";
import { ErrorState } from "../components/states";
import { points } from "../lib/format";
import { strings } from "../strings";

const SHOWN = 5;

export function NextSteps() {
  const { data, error, refetch } = useQuery(recommendationsQuery());
  const needed = data?.recommendations.filter(({ unhealthy }) => unhealthy > 0) ?? [];
  // What was told before stays while it cannot be asked again.
  const failed = data === undefined ? error : null;
  if (needed.length === 0 && failed === null) return null;
  const t = strings.overview.next;
  return (
    <section className="panel" aria-labelledby="next-title">
      <header className="panel-header">
        <h2 id="next-title">{t.title}</h2>
        <Link to="/recommendations" search={{}}>
          {t.all}
        </Link>
      </header>
      {failed !== null ? (
        <div className="panel-text">
          <ErrorState error={failed} retry={() => void refetch()} />
        </div>
      ) : (
        <ul className="scan-list">
          {needed.slice(0, SHOWN).map(({ id, title, unhealthy, healthy, potential }) => (
            <li key={id}>
              <div className="scan-list-line">
                <Link className="scan-list-name" to="/recommendations/$id" params={{ id }} search={{}} title={title}>
                  {title}
                </Link>
                {potential > 0 && <span>{t.points(points(potential))}</span>}
              </div>
              <span className="muted">{t.assets(unhealthy, unhealthy + healthy)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
