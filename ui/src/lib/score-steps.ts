// The score over time, as a line of steps. Pure: "now" comes in.

export interface Step {
  /** 0 at the left, 1 at the right. */
  x: number;
  /** The share of the points, 0 to 1. */
  y: number;
  at: string;
}

interface Point {
  at: string;
  points: number;
  max: number;
}

/**
 * From the first to the last, each holding until the next. A time without any points to be had has no step. Where the
 * first score is younger than the time that is asked for, it begins with that: a server's first hours are no thin line
 * at the end of an empty month.
 */
export function steps(points: readonly Point[], days: number, now: Date): Step[] {
  const known = points.toSorted((a, b) => a.at.localeCompare(b.at)).filter(({ max }) => max > 0);
  const first = known[0];
  if (first === undefined) return [];
  const start = Math.max(now.getTime() - days * 86_400_000, new Date(first.at).getTime());
  const span = Math.max(now.getTime() - start, 60_000);
  return known.map(({ at, points, max }) => ({
    // The one that held when the time began stands at its beginning.
    x: Math.min(1, Math.max(0, (new Date(at).getTime() - start) / span)),
    y: points / max,
    at,
  }));
}

/** The path of the line in a box of this size. */
export function path(line: readonly Step[], width: number, height: number): string {
  const first = line[0];
  if (first === undefined) return "";
  const place = (n: number) => Number(n.toFixed(1));
  const y = (step: Step) => place(height * (1 - step.y));
  const rest = line.slice(1).map((step) => `H${place(step.x * width)}V${y(step)}`);
  return `M${place(first.x * width)} ${y(first)}${rest.join("")}H${width}`;
}
