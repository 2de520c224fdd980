// What the addresses of the image pages may hold, and how it becomes filters of the API.

import type { FindingFilters, ImageFilters, PackageFilters } from "../api/queries";
import { flag, index, oneOf, someOf, text } from "./address";
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
export const STATUSES = ["fixed", "affected", "will_not_fix", "fix_deferred", "end_of_life"] as const;

type Values = Record<string, unknown>;

/** The list of images. */
export interface ImagesSearch {
  q?: string;
  /** The least. */
  severity?: Severity;
  fixable?: true;
  sort?: (typeof IMAGE_SORTS)[number];
}

export function imagesSearch(values: Values): ImagesSearch {
  return {
    q: text(values.q),
    severity: oneOf(SEVERITIES, values.severity),
    fixable: flag(values.fixable),
    sort: oneOf(IMAGE_SORTS, values.sort),
  };
}

export function imageFilters({ q, severity, fixable, sort }: ImagesSearch): ImageFilters {
  return { q, severity, fixable, sort: sort ?? "severity" };
}

/** One image. */
export interface ImageSearch {
  tab?: "packages";
  q?: string;
  /** Some, joined by commas. */
  severity?: string;
  layer?: number;
  kind?: (typeof KINDS)[number];
  status?: (typeof STATUSES)[number];
  /** Findings of this package only. */
  of?: number;
  vulnerable?: true;
  /** The finding in the pane, with its package. */
  finding?: string;
  package?: number;
}

export function imageSearch(values: Values): ImageSearch {
  return {
    tab: oneOf(["packages"] as const, values.tab),
    q: text(values.q),
    severity: someOf(SEVERITIES, values.severity),
    layer: index(values.layer),
    kind: oneOf(KINDS, values.kind),
    status: oneOf(STATUSES, values.status),
    of: index(values.of),
    vulnerable: flag(values.vulnerable),
    finding: text(values.finding),
    package: index(values.package),
  };
}

export function findingFilters({ q, severity, layer, kind, status, of }: ImageSearch): FindingFilters {
  return { q, severity, layer, kind, status, package: of };
}

export function packageFilters({ q, layer, kind, vulnerable }: ImageSearch): PackageFilters {
  return { q, layer, kind, vulnerable };
}
