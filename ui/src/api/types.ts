// Short names for the generated types.

import type { components } from "./schema";

type Schemas = components["schemas"];

export type CloudAsset = Schemas["CloudAsset"];
export type CloudAssetDetail = Schemas["CloudAssetDetail"];
export type Connector = Schemas["Connector"];
export type ConnectorCredentials = Schemas["ConnectorCredentials"];
export type ControlChange = Schemas["ControlChange"];
export type Database = Schemas["Database"];
export type Epss = Schemas["Epss"];
export type Event = Schemas["Event"];
export type FacetCount = Schemas["FacetCount"];
export type Finding = Schemas["Finding"];
export type FindingFacets = Schemas["FindingFacets"];
export type FindingPage = Schemas["FindingPage"];
export type FindingView = Schemas["FindingView"];
export type HostContainer = Schemas["HostContainer"];
export type HostDetail = Schemas["HostDetail"];
export type HostSummary = Schemas["HostSummary"];
export type ImageDetail = Schemas["ImageDetail"];
export type ImagePage = Schemas["ImagePage"];
export type ImageSummary = Schemas["ImageSummary"];
export type KnownExploited = Schemas["KnownExploited"];
export type LayerDetail = Schemas["LayerDetail"];
export type NewConnector = Schemas["NewConnector"];
export type Overview = Schemas["Overview"];
export type PackagePage = Schemas["PackagePage"];
export type PackageView = Schemas["PackageView"];
export type PostureReport = Schemas["PostureReport"];
export type Recommendation = Schemas["Recommendation"];
export type ReleaseSupport = Schemas["ReleaseSupport"];
export type ReportControl = Schemas["ReportControl"];
export type ReportProblem = Schemas["ReportProblem"];
export type Scan = Schemas["Scan"];
export type ScanPage = Schemas["ScanPage"];
export type Score = Schemas["Score"];
export type SecretPage = Schemas["SecretPage"];
export type SecretView = Schemas["SecretView"];
export type Session = Schemas["Session"];
export type SeverityCounts = Schemas["SeverityCounts"];
export type Status = Schemas["Status"];
export type Suppression = Schemas["Suppression"];
export type Token = Schemas["Token"];
export type VexEntry = Schemas["VexEntry"];
