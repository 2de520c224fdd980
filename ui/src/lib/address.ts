// Search parameters as people write them: `?severity=critical,high&layer=2`. The router's own form would put JSON there.

export type SearchValues = Record<string, unknown>;

export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

/** Leaves out what is empty, so that an unfiltered list has a plain address. */
export function stringifySearch(values: SearchValues): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === "" || value === false) continue;
    const text = encodeURIComponent(String(value)).replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
    parts.push(`${encodeURIComponent(key)}=${text}`);
  }
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

/** Text, or nothing. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A whole number from 0, or nothing. */
export function index(value: unknown): number | undefined {
  const number = typeof value === "number" ? value : typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : -1;
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** A probability above 0, or nothing. */
export function share(value: unknown): number | undefined {
  const number = typeof value === "string" && /^[01]?\.?\d{0,6}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number > 0 && number <= 1 ? number : undefined;
}

/** True, or nothing. */
export function flag(value: unknown): true | undefined {
  return value === true || value === "true" ? true : undefined;
}

/** One of `options`, or nothing. */
export function oneOf<T extends string>(options: readonly T[], value: unknown): T | undefined {
  return options.find((option) => option === value);
}

/** A list without doubles, in the order of `options`, joined by commas; nothing if none is left. */
export function someOf<T extends string>(options: readonly T[], value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const wanted = new Set(value.split(","));
  return text(options.filter((option) => wanted.has(option)).join(","));
}

/** `list` with `value` added, or taken out if it was there. */
export function toggled<T extends string>(options: readonly T[], list: string | undefined, value: T): string | undefined {
  const values = new Set(list?.split(",") ?? []);
  if (!values.delete(value)) values.add(value);
  return someOf(options, [...values].join(","));
}

/** An address inside this application, fit to be followed after sign-in; anything else is the first page. */
export function localPath(value: unknown): string {
  if (typeof value !== "string" || !value.startsWith("/")) return "/";
  // The browser's own parser decides: `//host`, `/\host` and the like lead elsewhere.
  const url = URL.parse(value, "http://here.invalid");
  if (url === null || url.origin !== "http://here.invalid" || url.pathname === "/sign-in") return "/";
  return url.pathname + url.search;
}
