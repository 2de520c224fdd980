//! Wire types and the typed client, shared by the server and the command line.
//!
//! A type here is a promise to users: fields are added, never renamed or removed within `v1`. Meaning lives in
//! `seareeve-model`; the conversions stand beside the wire types. Nothing here knows the store or the server.

mod admission;
mod alert;
mod asset;
mod audit;
mod backtest;
mod client;
mod cluster;
mod compliance;
mod connector;
mod database;
mod detection;
mod error;
mod event;
mod host;
mod image;
mod image_use;
mod intel;
mod judged;
mod judgement;
mod manifests;
mod own;
mod page;
mod posture;
mod recommendation;
mod report;
mod sbom;
mod scan;
mod secret;
mod sensor;
mod session;
mod statement;
mod vex;

pub use alert::{
    AlertChange, AlertDetail, AlertEntity, AlertEvent, AlertFacet, AlertFacets, AlertHistory,
    AlertPage, AlertSummary, AlertWorkload, AlertsChanged, IncidentChange, IncidentDetail,
    IncidentPage, IncidentSummary, NewSuppressionRule, RelatedRequest, RelatedRequests,
    SampleAlerts, SuppressionCriterion, SuppressionRule, SuppressionRules, SuppressionTrial,
};
pub use asset::{
    AssetDetail, AssetPage, AssetRecommendation, AssetSummary, Environment, EnvironmentList,
    MoveAsset,
};
pub use audit::{
    AuditCluster, AuditClusterList, AuditCoverage, AuditJoin, AuditPlan, AuditSameCluster,
    AuditSource, AuditSourceCreated, AuditSourceSettings, AuditWebhook, BrokenEvents,
    DetectionCoverage, NewAuditCluster,
};

pub use admission::{
    AdmissionActivity, AdmissionCertificate, AdmissionCount, AdmissionEvent, AdmissionGate,
    AdmissionPolicy, AdmissionPolicyList, AdmissionPreview, AdmissionPreviewHit,
    AdmissionPreviewRequest, AdmissionPreviewRule, AdmissionRefusal, AdmissionReport,
    AdmissionReportTaken, AdmissionRule, AdmissionRuleList, AdmissionSample, AdmissionTotal,
    FixableCounts, ImageCounts, ImageCountsList, ImageCountsRequest, NewAdmissionPolicy,
};
pub use backtest::{
    Backtest, BacktestCounts, BacktestFile, BacktestGroup, BacktestList, BacktestRedacted,
    BacktestResult, BacktestSample, BacktestSpan, BacktestTime, NewBacktest,
};
pub use client::{Client, ClientError, ComplianceScope, ScoreIf, WorkloadFilter};
pub use cluster::{
    ChooseCloud, ClusterAudit, ClusterCloud, ClusterDetail, ClusterNode, ClusterPage,
    ClusterPreview, ClusterRecommendation, ClusterSummary, ClusterWatch, ClusterWorkload,
    ClusterWorkloadDetail, ClusterWorkloadFacets, ClusterWorkloadPage, FactsChanged, FactsIndexed,
    NewRecommendationSettings, RecommendationPreview, RecommendationSettings,
    RecommendationSettingsChange, RecommendationSettingsHistory, WorkloadFacet, WorkloadResult,
};
pub use compliance::{
    BenchmarkEdition, BenchmarkEntry, BenchmarkList, Compliance, ComplianceAsset,
    ComplianceAssetPage, ComplianceControl, ComplianceObject, ComplianceObjects, ComplianceSection,
};
pub use connector::{
    ChangeConnector, CloudAsset, CloudAssetDetail, CloudAssetList, Connector, ConnectorCredentials,
    ConnectorList, ConnectorSubscription, ConnectorTest, NewConnector, PartOf, TestedSubscription,
};
pub use database::{Database, DatabaseFeed, DatabaseSource};
pub use detection::{
    AuditPolicyText, DetectionChange, DetectionDetail, DetectionExample, DetectionFault,
    DetectionFile, DetectionFileList, DetectionFileTested, DetectionHistory, DetectionList,
    DetectionNamedList, DetectionNamedLists, DetectionNeed, DetectionNoise, DetectionSight,
    DetectionSummary, NewTuning, Tuning, TuningChange, TuningList, TuningValue,
};
pub use error::{ErrorBody, ErrorDetail};
pub use event::Event;
pub use host::{
    ControlChange, HostContainer, HostDetail, HostEngine, HostHistory, HostPage,
    HostRecommendation, HostSummary,
};
pub use image::{
    ExtendedSupport, FacetCount, Finding, FindingFacets, FindingLocation, FindingPage, FindingView,
    ImageDetail, ImagePage, ImageSummary, LayerDetail, Overview, PackagePage, PackageView,
    ReleaseSupport, SeverityCounts,
};
pub use image_use::{AssetImage, AssetImagePage, ImageHeld, ImageTally, ImageUse, ImageUsePage};
pub use intel::{
    IntelHeader, IntelList, IntelListChange, IntelLists, IntelNamed, IntelSecret, IntelSettings,
    IntelUnused, NewIntelList,
};
pub use judged::ReportError;
pub use judgement::{Epss, KnownExploited, Suppression, VexVerdict};
pub use manifests::{ManifestObject, ManifestReport, ManifestResult};
pub use own::{OwnCheck, OwnCheckList, OwnFault, OwnSwitch, OwnTested};
pub use page::MAX_PAGE;
pub use posture::{
    ControlCounts, PostureReport, ReportAsset, ReportBenchmark, ReportControl, ReportGap,
    ReportObject, ReportRemedy, posture_report, report_object,
};
pub use recommendation::{
    GroupedRecommendation, Recommendation, RecommendationAsset, RecommendationAssetPage,
    RecommendationDetail, RecommendationGroup, RecommendationList, Score, ScoreAsset, ScoreCause,
    ScoreGroup, ScoreGroupDetail, ScoreHistory, ScorePoint,
};
pub use report::{
    AdvisoryMatch, Cvss, ImageReport, Reference, ReportDistro, ReportFinding, ReportImage,
    ReportLayer, ReportNotice, ReportPackage, ReportProblem, report,
};
pub use sbom::{Sbom, SbomDistro, SbomError, SbomPackage, SbomSource};
pub use scan::{Scan, ScanPage, ScanProgress, ScanRequest, ScanSource, ScanState};
pub use secret::{ReportSecret, SecretPage, SecretView};
pub use sensor::{
    FactsTaken, Join, JoinToken, JoinTokenList, Joined, NewJoinToken, Sensor, SensorList,
};
pub use session::{
    NewPassword, NewToken, NewUser, Session, SignIn, SignInLink, Status, Token, TokenList, User,
    UserCreated, UserList,
};
pub use statement::{
    Attestation, AttestationList, Exception, ExceptionList, Exemption, ExemptionList,
    NewAttestation, NewEvidence, NewException, NewExemption,
};
pub use vex::{VexEntry, VexList};
