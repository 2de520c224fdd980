//! Stored images, their packages and findings.

use jiff::Timestamp;
use jiff::civil::Date;
use seareeve_model as model;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AdvisoryMatch, Cvss, Epss, KnownExploited, Reference, ReportPackage, ReportProblem, SbomDistro,
    Suppression, VexVerdict,
};

/// Numbers of findings by severity. A finding is one vulnerability in one package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SeverityCounts {
    pub critical: u64,
    pub high: u64,
    pub medium: u64,
    pub low: u64,
    pub unknown: u64,
}

/// What the first page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// Stored images.
    pub images: u64,
    /// Images with at least one critical finding.
    pub images_critical: u64,
    /// Images with at least one finding.
    pub images_affected: u64,
    /// Images with at least one finding that is known to be exploited.
    pub images_exploited: u64,
    /// Images of which something could not be read.
    pub images_partial: u64,
    /// Distinct packages.
    pub packages: u64,
    /// Findings summed over images.
    pub findings: SeverityCounts,
    /// How many of them an upgrade mends.
    pub fixable: u64,
}

/// An image in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageSummary {
    /// The manifest's digest (the configuration's, for an archive without manifest).
    pub digest: String,
    /// Names, sorted.
    pub references: Vec<String>,
    /// The distribution's name; absent when the image says none.
    pub distro: Option<String>,
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64`.
    pub architecture: String,
    /// Unpacked bytes.
    pub size_bytes: u64,
    /// When it was first stored.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// Findings.
    pub findings: SeverityCounts,
    /// Findings that an upgrade mends.
    pub fixable: u64,
    /// Findings that are known to be exploited.
    pub exploited: u64,
    /// Whether the distribution's release is past its end of life; absent where that is not known.
    pub is_end_of_life: Option<bool>,
    /// Installed packages.
    pub packages: u64,
    /// Secrets that it carries; absent when nobody looked for them.
    pub secrets: Option<u64>,
    /// Things that could not be read.
    pub problems: u64,
}

/// Images, a page of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImagePage {
    /// The images.
    pub images: Vec<ImageSummary>,
    /// To be sent as `cursor` for the next page.
    pub next: Option<String>,
}

/// One image with its layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageDetail {
    /// As in lists.
    #[serde(flatten)]
    pub summary: ImageSummary,
    /// Digest of the configuration.
    pub config_digest: String,
    /// When the image says it was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created: Option<Timestamp>,
    /// The distribution.
    pub distribution: Option<SbomDistro>,
    /// How long its release is looked after, where that is known.
    pub support: Option<ReleaseSupport>,
    /// Lowest first.
    pub layers: Vec<LayerDetail>,
    /// What could not be read.
    pub unread: Vec<ReportProblem>,
}

/// How long the makers of a distribution look after one of its releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseSupport {
    /// The last day of the usual support.
    #[schema(value_type = String, format = Date)]
    pub standard: Date,
    /// A longer one that costs nothing, such as Debian's LTS.
    pub extended: Option<ExtendedSupport>,
    /// A longer one for customers.
    pub paid: Option<ExtendedSupport>,
    /// The last day on which fixes are published for everyone.
    #[schema(value_type = String, format = Date)]
    pub ends: Date,
    /// Whether that day is over.
    pub is_over: bool,
    /// What that means for what is found, in a sentence; absent while the release is looked after.
    pub notice: Option<String>,
}

/// Support after the usual one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExtendedSupport {
    /// What its makers call it.
    pub name: String,
    /// Its last day.
    #[schema(value_type = String, format = Date)]
    pub until: Date,
}

impl ReleaseSupport {
    /// The wire form, as seen on the day `today`.
    #[must_use]
    pub fn new(
        support: &model::ReleaseSupport,
        notice: Option<&model::Notice>,
        today: Date,
    ) -> Self {
        Self {
            standard: support.standard,
            extended: support.extended.as_ref().map(ExtendedSupport::from),
            paid: support.paid.as_ref().map(ExtendedSupport::from),
            ends: support.ends(),
            is_over: support.is_over(today),
            notice: notice.map(|notice| notice.message.clone()),
        }
    }
}

impl From<&model::ExtendedSupport> for ExtendedSupport {
    fn from(extended: &model::ExtendedSupport) -> Self {
        Self {
            name: extended.name.clone(),
            until: extended.until,
        }
    }
}

/// A layer with what it brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LayerDetail {
    /// From 0, at the bottom.
    pub index: u32,
    /// Digest of the unpacked tar.
    pub diff_id: String,
    /// Digest of the packed blob, where known.
    pub digest: Option<String>,
    /// Unpacked bytes.
    pub size_bytes: u64,
    /// The command that made it.
    pub created_by: String,
    /// Packages it brought.
    pub packages: u64,
    /// Findings in them.
    pub findings: SeverityCounts,
}

/// A package of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackageView {
    /// To filter findings by.
    pub id: i64,
    /// The package at its place.
    #[serde(flatten)]
    pub package: ReportPackage,
    /// Index of the layer that brought it; `layer` is the digest of the same.
    pub layer_index: u32,
    /// Its findings.
    pub findings: SeverityCounts,
}

/// Packages of an image, a page of them, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackagePage {
    /// The packages.
    pub packages: Vec<PackageView>,
    /// To be sent as `cursor` for the next page.
    pub next: Option<String>,
}

/// A finding in a list of one image's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FindingView {
    /// The CVE where there is one.
    pub id: String,
    /// One line.
    pub title: String,
    /// `critical`, `high`, `medium`, `low` or `unknown`.
    pub severity: String,
    /// Highest base score among the vectors.
    pub score: Option<f64>,
    /// `fixed`, `affected`, `will_not_fix`, `fix_deferred` or `end_of_life`.
    pub status: String,
    /// Versions that fix it.
    pub fixed_versions: Vec<String>,
    /// The package's id, to open the finding by.
    pub package_id: i64,
    /// The package at its place.
    pub package: ReportPackage,
    /// Index of the layer that brought the package.
    pub layer: u32,
    /// Whether it is known to be exploited.
    pub known_exploited: Option<KnownExploited>,
    /// How probable it is that it will be.
    pub epss: Option<Epss>,
    /// Why it does not count.
    pub suppression: Option<Suppression>,
}

/// Findings of an image, a page of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FindingPage {
    /// The findings.
    pub findings: Vec<FindingView>,
    /// To be sent as `cursor` for the next page.
    pub next: Option<String>,
}

/// One value of a filter with the number of findings that it leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacetCount {
    /// The value to filter by.
    pub value: String,
    /// Findings that have it, with all other filters applied.
    pub count: u64,
}

/// What an image's findings can be filtered by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingFacets {
    /// All that the filters leave.
    pub total: u64,
    /// By severity, worst first.
    pub severity: Vec<FacetCount>,
    /// By layer index.
    pub layer: Vec<FacetCount>,
    /// By package type (`deb`, `pypi`, …).
    pub kind: Vec<FacetCount>,
    /// By status.
    pub status: Vec<FacetCount>,
    /// Known to be exploited.
    pub exploited: u64,
    /// With an EPSS score of at least each value.
    pub epss: Vec<FacetCount>,
    /// That count.
    pub counted: u64,
    /// That do not count, each for a reason that is said.
    pub suppressed: u64,
}

/// A place where a vulnerable package is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingLocation {
    /// The file that says so.
    pub path: String,
    /// Index of the layer that brought it.
    pub layer: u32,
    /// Digest of that layer's unpacked tar.
    pub diff_id: String,
}

/// One finding with all that is known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// The CVE where there is one.
    pub id: String,
    /// Other ids of the same vulnerability.
    pub aliases: Vec<String>,
    /// One line.
    pub title: String,
    /// Markdown.
    pub description: String,
    /// `critical`, `high`, `medium`, `low` or `unknown`.
    pub severity: String,
    /// Who says so: `distribution`, `cvss_v4`, `cvss_v3`, `cvss_v2`, … or `none`.
    pub severity_source: String,
    /// Vectors, best first.
    pub cvss: Vec<Cvss>,
    /// What can be done.
    pub status: String,
    /// Versions that fix it.
    pub fixed_versions: Vec<String>,
    /// The remedy in words.
    pub remediation: String,
    /// First publication.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub published: Option<Timestamp>,
    /// Last change.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub modified: Option<Timestamp>,
    /// Further reading.
    pub references: Vec<Reference>,
    /// Evidence: the records that hit, and by which statement.
    pub advisories: Vec<AdvisoryMatch>,
    /// Whether it is known to be exploited.
    pub known_exploited: Option<KnownExploited>,
    /// How probable it is that it will be.
    pub epss: Option<Epss>,
    /// What a VEX document says of it.
    pub vex: Option<VexVerdict>,
    /// Why it does not count.
    pub suppression: Option<Suppression>,
    /// The package.
    pub package: ReportPackage,
    /// Where it is installed in this image.
    pub locations: Vec<FindingLocation>,
    /// How many stored images have this finding.
    pub images: u64,
    /// When this package was first found to have it.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
}
