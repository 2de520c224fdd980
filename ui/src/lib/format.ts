// Numbers, sizes and times in words. Pure: "now" and the clock come in.

const NUMBER = new Intl.NumberFormat("en");

/** 12345 as "12,345". */
export function count(n: number): string {
  return NUMBER.format(n);
}

/** "1 image", "2 images". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** A probability as people read it: 0.94321 as "94 %", 0.0123 as "1.2 %", 0.0001 as "< 0.1 %". */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.1) return "<\u00a00.1\u00a0%";
  return `${Number(value.toFixed(value >= 10 ? 0 : 1))}\u00a0%`;
}

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** Decimal units as registries use them, three digits at most: "0 B", "1.46 MB", "118 MB". */
export function bytes(n: number): string {
  let unit = 0;
  let value = n;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** "3 days ago", "in 2 hours", "just now". */
export function relative(time: Date, now: Date): string {
  const seconds = (time.getTime() - now.getTime()) / 1000;
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return RELATIVE.format(Math.trunc(seconds / length), unit);
  }
  return "just now";
}

/** "45 seconds", "3 minutes", "12 days": one unit is enough. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  for (const [unit, length] of STEPS) {
    if (seconds >= length) return plural(Math.floor(seconds / length), unit);
  }
  return plural(Math.round(seconds), "second");
}

export type Clock = "local" | "utc";

/** "2026-11-22 00:13:33 UTC", sortable and without doubt about day and month. */
export function exact(time: Date, clock: Clock): string {
  const parts = new Intl.DateTimeFormat("en", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
    ...(clock === "utc" ? { timeZone: "UTC" } : {}),
  }).formatToParts(time);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((p) => p.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")} ${part("hour")}:${part("minute")}:${part("second")} ${part("timeZoneName")}`;
}

/** The first twelve hexadecimal digits, as people and the Docker command line name images. */
export function shortDigest(digest: string): string {
  const hex = digest.slice(digest.indexOf(":") + 1);
  return hex.slice(0, 12);
}

/** Points of the score: exact to the hundredth, without zeros that say nothing. */
export const points = (number: number) => String(Number(number.toFixed(2)));
