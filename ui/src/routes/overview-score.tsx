// The secure score in short. It stands last in its column, so that nothing jumps when it comes.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { scoreQuery } from "../api/host-queries";
import { hostStrings } from "../host-strings";
import { points } from "../lib/format";

const t = hostStrings.recommendations;

export function ScorePanel() {
  const { data: score } = useQuery(scoreQuery);
  if (score?.share == null) return null;
  return (
    <section className="panel" aria-labelledby="overview-score-title">
      <header className="panel-header">
        <h2 id="overview-score-title">{t.score}</h2>
        <Link to="/score" search={{}}>
          {t.more}
        </Link>
      </header>
      <p className="panel-text overview-score">
        <b>{Math.round(score.share * 100)}%</b> {t.points(points(score.points), points(score.max))}
      </p>
    </section>
  );
}
