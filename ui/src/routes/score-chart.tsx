// The score over time. It is a picture: the list of changes below it says the same in words.

import type { ScorePoint } from "../api/types";
import { estateStrings } from "../estate-strings";
import { exact, relative } from "../lib/format";
import { usePreferences } from "../lib/preferences";
import { path, steps } from "../lib/score-steps";

const t = estateStrings.score;
const WIDTH = 1000;
const HEIGHT = 120;

export function ScoreChart({ points, days }: { points: ScorePoint[]; days: number }) {
  const { clock } = usePreferences();
  const now = new Date();
  const line = steps(points, days, now);
  const [first, last] = [line[0], line.at(-1)];
  if (first === undefined || last === undefined) return null;
  const told = (share: number) => `${Math.round(share * 100)}%`;
  const drawn = path(line, WIDTH, HEIGHT);
  const start = new Date(Math.max(now.getTime() - days * 86_400_000, new Date(first.at).getTime()));
  return (
    <figure className="score-chart">
      <svg viewBox={`0 -4 ${WIDTH} ${HEIGHT + 8}`} preserveAspectRatio="none" role="img" aria-label={t.chart(told(first.y), told(last.y))}>
        {[0, 0.5, 1].map((share) => (
          <line key={share} x1="0" x2={WIDTH} y1={HEIGHT * (1 - share)} y2={HEIGHT * (1 - share)} />
        ))}
        <path className="score-area" d={`${drawn}V${HEIGHT}H${first.x * WIDTH}Z`} />
        <path className="score-line" d={drawn} />
        {line.map((step) => (
          <rect key={step.at} className="score-hover" x={step.x * WIDTH - 4} y="-4" width="8" height={HEIGHT + 8}>
            <title>{t.chartPoint(exact(new Date(step.at), clock), told(step.y))}</title>
          </rect>
        ))}
      </svg>
      <div className="score-scale" aria-hidden="true">
        <span>100%</span>
        <span>50%</span>
        <span>0%</span>
      </div>
      <div className="score-times" aria-hidden="true">
        <span>{relative(start, now)}</span>
        <span>{t.now}</span>
      </div>
    </figure>
  );
}
