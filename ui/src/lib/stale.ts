// When an advisory database is too old to be trusted with news.

const STALE_MS = 7 * 24 * 3600 * 1000;

export function isStale(built: string, nowMs: number): boolean {
  return nowMs - Date.parse(built) > STALE_MS;
}
