// What the addresses of the pages about what assets need may hold.

import { oneOf, someOf, text } from "./address";
import { CONTROL_STATUSES, HOST_STATES } from "./host-filters";
import { SEVERITIES } from "./severity";

type Values = Record<string, unknown>;

/** What recommendations say of an asset, what is to be done first. */
export const HEALTH = HOST_STATES;
export type Health = (typeof HEALTH)[number];

/** Assets by what they need. */
export interface AssetsSearch {
  q?: string;
  kind?: string;
  environment?: string;
  status?: Health;
}

/** Recommendations by score group, in one list, or the assets that need them. */
export interface RecommendationsSearch extends AssetsSearch {
  view?: "list" | "assets";
  severity?: string;
  group?: string;
  /** Groups that are open, joined by commas; `all` or `none`. */
  open?: string;
  /** Also those that nothing needs. */
  all?: "yes";
}

export function recommendationsSearch(values: Values): RecommendationsSearch {
  return {
    view: oneOf(["list", "assets"] as const, values.view),
    q: text(values.q),
    kind: text(values.kind),
    environment: text(values.environment),
    status: oneOf(HEALTH, values.status),
    severity: someOf(SEVERITIES, values.severity),
    group: text(values.group),
    open: text(values.open),
    all: oneOf(["yes"] as const, values.all),
  };
}

/** One recommendation. */
export interface RecommendationSearch {
  tab?: Exclude<Health, "unhealthy">;
  q?: string;
  environment?: string;
}

export function recommendationSearch(values: Values): RecommendationSearch {
  return {
    tab: oneOf(["healthy", "unknown", "not_applicable"] as const, values.tab),
    q: text(values.q),
    environment: text(values.environment),
  };
}

/** Exemptions. Those in force, if it says nothing. */
export interface ExemptionsSearch {
  q?: string;
  state?: "ended" | "any";
}

export function exemptionsSearch(values: Values): ExemptionsSearch {
  return { q: text(values.q), state: oneOf(["ended", "any"] as const, values.state) };
}

/** Sensors. */
export interface SensorsSearch {
  q?: string;
  state?: "silent" | "heard";
}

export function sensorsSearch(values: Values): SensorsSearch {
  return { q: text(values.q), state: oneOf(["silent", "heard"] as const, values.state) };
}

/** One asset. */
export interface AssetSearch {
  tab?: Exclude<Health, "unhealthy"> | "images";
  /** Which of its images. */
  only?: (typeof IMAGES_ONLY)[number];
  q?: string;
}

export const IMAGES_ONLY = ["affected", "unscanned"] as const;

export function assetSearch(values: Values): AssetSearch {
  return {
    tab: oneOf(["healthy", "unknown", "not_applicable", "images"] as const, values.tab),
    only: oneOf(IMAGES_ONLY, values.only),
    q: text(values.q),
  };
}

export const HISTORY_DAYS = ["30", "90", "365"] as const;

/** The score. */
export interface ScoreSearch {
  environment?: string;
  days?: (typeof HISTORY_DAYS)[number];
  /** The group that is looked into. */
  group?: string;
}

export function scoreSearch(values: Values): ScoreSearch {
  return { environment: text(values.environment), days: oneOf(HISTORY_DAYS, values.days), group: text(values.group) };
}

/** A benchmark over assets. */
export interface ComplianceSearch {
  version?: string;
  environment?: string;
  /** An asset's number. */
  asset?: string;
  q?: string;
  /** Controls with verdicts of these kinds, joined by commas. */
  status?: string;
  /** The control in the pane. */
  control?: string;
}

export function complianceSearch(values: Values): ComplianceSearch {
  const asset = text(values.asset);
  return {
    version: text(values.version),
    environment: text(values.environment),
    asset: asset !== undefined && /^\d{1,15}$/.test(asset) ? asset : undefined,
    q: text(values.q),
    status: someOf(CONTROL_STATUSES, values.status),
    control: text(values.control),
  };
}

/** An address of the API with what is given behind it. */
export function apiAddress(path: string, query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}
