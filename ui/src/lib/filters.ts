// What the addresses of the image pages may hold, and how it becomes filters of the API.

import type { FindingFilters, ImageFilters, PackageFilters, SecretFilters } from "../api/queries";
import { flag, index, oneOf, share, someOf, text } from "./address";
import { SEVERITIES, type Severity } from "./severity";

export const IMAGE_SORTS = ["severity", "newest", "name"] as const;
export const KINDS = [
  "deb",
  "apk",
  "rpm",
  "pypi",
  "npm",
  "maven",
  "golang",
  "cargo",
  "gem",
  "composer",
  "nuget",
] as const;
export const FINDING_SORTS = ["severity", "epss"] as const;
export const STATUSES = ["fixed", "affected", "will_not_fix", "fix_deferred", "end_of_life"] as const;

type Values = Record<string, unknown>;

/** The list of images. */
export interface ImagesSearch {
  q?: string;
  /** The least. */
  severity?: Severity;
  fixable?: true;
  exploited?: true;
  sort?: (typeof IMAGE_SORTS)[number];
}

export function imagesSearch(values: Values): ImagesSearch {
  return {
    q: text(values.q),
    severity: oneOf(SEVERITIES, values.severity),
    fixable: flag(values.fixable),
    exploited: flag(values.exploited),
    sort: oneOf(IMAGE_SORTS, values.sort),
  };
}

export function imageFilters({ q, severity, fixable, exploited, sort }: ImagesSearch): ImageFilters {
  return { q, severity, fixable, exploited, sort: sort ?? "severity" };
}

/** One image. */
export interface ImageSearch {
  tab?: "packages" | "secrets" | "uses";
  /** Of what uses it, only what runs. */
  running?: true;
  q?: string;
  /** Some, joined by commas. */
  severity?: string;
  layer?: number;
  kind?: (typeof KINDS)[number];
  status?: (typeof STATUSES)[number];
  /** Findings of this package only. */
  of?: number;
  /** Known to be exploited. */
  exploited?: true;
  /** At least this probable. */
  epss?: number;
  /** What does not count, instead of what does. */
  suppressed?: true;
  sort?: (typeof FINDING_SORTS)[number];
  vulnerable?: true;
  /** The finding in the pane, with its package. */
  finding?: string;
  package?: number;
}

export function imageSearch(values: Values): ImageSearch {
  return {
    tab: oneOf(["packages", "secrets", "uses"] as const, values.tab),
    running: flag(values.running),
    q: text(values.q),
    severity: someOf(SEVERITIES, values.severity),
    layer: index(values.layer),
    kind: oneOf(KINDS, values.kind),
    status: oneOf(STATUSES, values.status),
    of: index(values.of),
    exploited: flag(values.exploited),
    epss: share(values.epss),
    suppressed: flag(values.suppressed),
    sort: oneOf(FINDING_SORTS, values.sort),
    vulnerable: flag(values.vulnerable),
    finding: text(values.finding),
    package: index(values.package),
  };
}

export function findingFilters(search: ImageSearch): FindingFilters {
  const { q, severity, layer, kind, status, of, exploited, epss, suppressed, sort } = search;
  return { q, severity, layer, kind, status, package: of, exploited, epss_min: epss, suppressed, sort };
}

export function secretFilters({ q, severity, layer }: ImageSearch): SecretFilters {
  return { q, severity, layer };
}

export function packageFilters({ q, layer, kind, vulnerable }: ImageSearch): PackageFilters {
  return { q, layer, kind, vulnerable };
}
