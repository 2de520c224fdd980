//! The image report: what `seareeve image --format json` prints and the server answers for a sent SBOM.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use seareeve_model as model;

use crate::{Database, Epss, KnownExploited, ReportSecret, SbomSource, Suppression, VexVerdict};

/// The result of scanning one image. The same image, database and lists of what does not count give the same bytes,
/// as long as no day passes on which the distribution's release or an entry of such a list ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImageReport {
    /// Version of this schema: 1.
    pub schema_version: u32,
    /// The image.
    pub image: ReportImage,
    /// The distribution, when the image says one.
    pub distro: Option<ReportDistro>,
    /// The advisory database that was asked.
    pub database: Database,
    /// Worst first, then by id, package and path.
    pub findings: Vec<ReportFinding>,
    /// Findings that do not count, each with the reason; in the same order.
    #[serde(default)]
    pub suppressed: Vec<ReportFinding>,
    /// Credentials in the image, worst first; `null` when nobody looked for them.
    #[serde(default)]
    pub secrets: Option<Vec<ReportSecret>>,
    /// Those that do not count, each with the reason.
    #[serde(default)]
    pub suppressed_secrets: Vec<ReportSecret>,
    /// Everything found, vulnerable or not.
    pub packages: Vec<ReportPackage>,
    /// What could not be read or judged. When it is not empty, the result is partial.
    pub problems: Vec<ReportProblem>,
    /// What a reader should know besides; it makes no result partial.
    #[serde(default)]
    pub notices: Vec<ReportNotice>,
}

/// The distribution of a report's image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportDistro {
    /// Such as `debian`.
    pub id: String,
    /// Such as `12`.
    pub version: String,
    /// For people.
    pub name: String,
    /// The last day on which the release is looked after by its makers without payment, where that is known.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub end_of_life: Option<Date>,
    /// Whether that day was over when the report was made.
    #[serde(default)]
    pub is_end_of_life: Option<bool>,
}

/// The image of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportImage {
    /// Names under which it was asked for or tagged.
    pub references: Vec<String>,
    /// The manifest's digest (the configuration's, for an archive without manifest).
    pub digest: String,
    /// The configuration's digest.
    pub config_digest: String,
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64`.
    pub architecture: String,
    /// When the image says it was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created: Option<Timestamp>,
    /// Lowest first.
    pub layers: Vec<ReportLayer>,
}

/// A layer of a report's image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportLayer {
    /// Digest of the unpacked tar.
    pub diff_id: String,
    /// Digest of the packed blob, where the source has one.
    pub digest: Option<String>,
    /// Unpacked bytes.
    pub size_bytes: u64,
    /// The command that made it.
    pub created_by: String,
}

/// A package at its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct ReportPackage {
    /// The type of its package URL, such as `deb`, `rpm`, `pypi` or `golang`.
    pub kind: String,
    /// Name as the package itself spells it.
    pub name: String,
    /// Installed version.
    pub version: String,
    /// The source package, for distributions.
    pub source: Option<SbomSource>,
    /// Package URL.
    pub purl: String,
    /// The file in the image that says so.
    pub path: String,
    /// Digest (diff id) of the layer that brought it.
    pub layer: String,
}

/// One vulnerability in one package at one place.
// What is long is shared between the findings of a vulnerability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportFinding {
    /// The CVE where there is one.
    pub id: String,
    /// Other ids of the same vulnerability, with the records that hit.
    pub aliases: Vec<String>,
    /// `critical`, `high`, `medium`, `low` or `unknown`.
    pub severity: String,
    /// Who says so.
    pub severity_source: String,
    /// One line.
    pub title: String,
    /// Markdown.
    #[schema(value_type = String)]
    pub description: Arc<str>,
    /// The package.
    pub package: ReportPackage,
    /// Versions that fix it and are newer than the installed one.
    pub fixed_versions: Vec<String>,
    /// `fixed` (an upgrade mends it), `affected`, `will_not_fix`, `fix_deferred` or `end_of_life`.
    pub status: String,
    /// Digest (diff id) of the layer that brought the package.
    pub layer: String,
    /// The remedy in words.
    pub remediation: String,
    /// Vectors, best first.
    #[schema(value_type = Vec<Cvss>)]
    pub cvss: Arc<[Cvss]>,
    /// First publication.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub published: Option<Timestamp>,
    /// Last change.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub modified: Option<Timestamp>,
    /// Further reading.
    #[schema(value_type = Vec<Reference>)]
    pub references: Arc<[Reference]>,
    /// Evidence: the records that hit, and by which statement.
    pub advisories: Vec<AdvisoryMatch>,
    /// Whether it is known to be exploited.
    #[serde(default)]
    pub known_exploited: Option<KnownExploited>,
    /// How probable it is that it will be.
    #[serde(default)]
    pub epss: Option<Epss>,
    /// What a VEX document says of it.
    #[serde(default)]
    pub vex: Option<VexVerdict>,
    /// Why it does not count.
    #[serde(default)]
    pub suppression: Option<Suppression>,
}

/// A CVSS vector with its base score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cvss {
    /// `2.0`, `3.0`, `3.1` or `4.0`.
    pub version: String,
    /// As published.
    pub vector: String,
    /// 0.0 to 10.0.
    pub score: f64,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reference {
    /// OSV's reference type.
    pub kind: String,
    /// The address, `http` or `https`.
    pub url: String,
}

/// An advisory record that hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdvisoryMatch {
    /// The record's id.
    pub id: String,
    /// The statement that hit.
    pub range: String,
    /// When the record last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub modified: Option<Timestamp>,
}

/// Something that could not be read or judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportProblem {
    /// A stable word, such as `layer_unreadable`.
    pub code: String,
    /// Where.
    pub place: String,
    /// What happened.
    pub message: String,
}

/// Something worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportNotice {
    /// A stable word, such as `end_of_life`.
    pub code: String,
    /// What it is about.
    pub place: String,
    /// What there is to know.
    pub message: String,
}

/// Puts a report together. `findings` is parallel to `inventory.packages`; `problems` are those of matching.
#[must_use]
pub fn report(
    inventory: &model::Inventory,
    findings: &[Vec<model::Finding>],
    problems: &[model::Problem],
    database: Database,
) -> ImageReport {
    let layers = &inventory.image.layers;
    let mut hits: Vec<(&model::InstalledPackage, &model::Finding)> = inventory
        .packages
        .iter()
        .zip(findings)
        .flat_map(|(package, findings)| findings.iter().map(move |finding| (package, finding)))
        .collect();
    hits.sort_by(|(package_a, a), (package_b, b)| {
        let ids = || a.vulnerability.id.cmp(&b.vulnerability.id);
        let severities = b.severity.cmp(&a.severity);
        let packages = || package_a.cmp(package_b);
        severities.then_with(ids).then_with(packages)
    });
    let mut problems: Vec<&model::Problem> = inventory.problems.iter().chain(problems).collect();
    problems.sort();
    problems.dedup();
    let (suppressed, counted): (Vec<_>, Vec<_>) = hits
        .into_iter()
        .partition(|(_, finding)| finding.suppressed.is_some());
    let findings = |hits: Vec<(&model::InstalledPackage, &model::Finding)>| {
        let mut texts: Option<Texts> = None;
        let hits = hits.into_iter();
        hits.map(|(package, finding)| {
            // Those of one vulnerability stand together.
            let known = texts
                .take()
                .filter(|known| Arc::ptr_eq(&known.of, &finding.vulnerability));
            let known = texts.insert(known.unwrap_or_else(|| Texts::of(finding)));
            report_finding(package, finding, known, layers)
        })
        .collect()
    };
    ImageReport {
        schema_version: 1,
        image: (&inventory.image).into(),
        distro: inventory.distro.as_ref().map(ReportDistro::from),
        database,
        findings: findings(counted),
        suppressed: findings(suppressed),
        secrets: None,
        suppressed_secrets: Vec::new(),
        packages: inventory
            .packages
            .iter()
            .map(|package| ReportPackage::new(package, layers))
            .collect(),
        problems: problems.into_iter().map(ReportProblem::from).collect(),
        notices: Vec::new(),
    }
}

impl ImageReport {
    /// Adds notices, in their order.
    pub fn add_notices(&mut self, notices: &[model::Notice]) {
        self.notices
            .extend(notices.iter().map(|notice| ReportNotice {
                code: notice.code.as_str().to_owned(),
                place: notice.place.clone(),
                message: notice.message.clone(),
            }));
    }

    /// Sets the secrets that were found, with those that do not count.
    pub fn set_secrets(&mut self, secrets: Vec<ReportSecret>) {
        let severity = |secret: &ReportSecret| secret.severity.parse::<model::Severity>().ok();
        let counts = |secret: &ReportSecret| secret.suppression.is_none();
        let (mut counted, mut suppressed): (Vec<_>, Vec<_>) = secrets.into_iter().partition(counts);
        for list in [&mut counted, &mut suppressed] {
            // Stable: by place within a severity, as they came.
            list.sort_by_key(|secret| std::cmp::Reverse(severity(secret)));
        }
        self.secrets = Some(counted);
        self.suppressed_secrets = suppressed;
    }

    /// Says how long the distribution's release is looked after, as seen on the day `today`.
    pub fn set_support(&mut self, support: Option<&model::ReleaseSupport>, today: Date) {
        if let (Some(distro), Some(support)) = (&mut self.distro, support) {
            distro.end_of_life = Some(support.ends());
            distro.is_end_of_life = Some(support.is_over(today));
        }
    }
}

/// What takes most of the room of a finding, and is the same for all of its vulnerability.
struct Texts {
    of: Arc<model::Vulnerability>,
    description: Arc<str>,
    cvss: Arc<[Cvss]>,
    references: Arc<[Reference]>,
}

impl Texts {
    fn of(finding: &model::Finding) -> Self {
        let known = &finding.vulnerability;
        Self {
            of: Arc::clone(known),
            description: Arc::from(known.description.as_str()),
            cvss: known.cvss.iter().map(Cvss::from).collect(),
            references: known.references.iter().map(Reference::from).collect(),
        }
    }
}

fn report_finding(
    installed: &model::InstalledPackage,
    finding: &model::Finding,
    texts: &Texts,
    layers: &[model::Layer],
) -> ReportFinding {
    let vulnerability = &finding.vulnerability;
    let package = ReportPackage::new(installed, layers);
    ReportFinding {
        id: vulnerability.id.clone(),
        aliases: finding.aliases().into_iter().map(str::to_owned).collect(),
        severity: finding.severity.as_str().to_owned(),
        severity_source: finding.severity_source.as_str().to_owned(),
        title: vulnerability.title.clone(),
        description: Arc::clone(&texts.description),
        fixed_versions: finding.fixed_versions.clone(),
        status: finding.status.as_str().to_owned(),
        layer: package.layer.clone(),
        package,
        remediation: finding.remediation.clone(),
        cvss: Arc::clone(&texts.cvss),
        published: vulnerability.published,
        modified: vulnerability.modified,
        references: Arc::clone(&texts.references),
        advisories: finding.advisories.iter().map(AdvisoryMatch::from).collect(),
        known_exploited: vulnerability
            .known_exploited
            .as_ref()
            .map(KnownExploited::from),
        epss: vulnerability.epss.as_ref().map(Epss::from),
        vex: finding.vex.as_ref().map(VexVerdict::from),
        suppression: finding.suppressed.as_ref().map(Suppression::from),
    }
}

impl ReportPackage {
    /// The wire form; `layers` are the image's, to name the layer by its digest.
    #[must_use]
    pub fn new(installed: &model::InstalledPackage, layers: &[model::Layer]) -> Self {
        let package = &installed.package;
        let layer = usize::try_from(installed.layer)
            .ok()
            .and_then(|index| layers.get(index));
        Self {
            kind: package.kind.as_str().to_owned(),
            name: package.name.clone(),
            version: package.version.clone(),
            source: package.source.as_ref().map(SbomSource::from),
            purl: package.purl.to_string(),
            path: installed.path.to_string(),
            layer: layer
                .map(|layer| layer.diff_id.to_string())
                .unwrap_or_default(),
        }
    }
}

impl From<&model::Distro> for ReportDistro {
    fn from(distro: &model::Distro) -> Self {
        Self {
            id: distro.id.clone(),
            version: distro.version.clone(),
            name: distro.name.clone(),
            end_of_life: None,
            is_end_of_life: None,
        }
    }
}

impl From<&model::Image> for ReportImage {
    fn from(image: &model::Image) -> Self {
        Self {
            references: image.references.clone(),
            digest: image.digest.to_string(),
            config_digest: image.config_digest.to_string(),
            os: image.os.clone(),
            architecture: image.architecture.clone(),
            created: image.created,
            layers: image.layers.iter().map(ReportLayer::from).collect(),
        }
    }
}

impl From<&model::Layer> for ReportLayer {
    fn from(layer: &model::Layer) -> Self {
        Self {
            diff_id: layer.diff_id.to_string(),
            digest: layer.digest.as_ref().map(ToString::to_string),
            size_bytes: layer.size_bytes,
            created_by: layer.created_by.clone(),
        }
    }
}

impl From<&model::CvssVector> for Cvss {
    fn from(cvss: &model::CvssVector) -> Self {
        Self {
            version: cvss.version.clone(),
            vector: cvss.vector.clone(),
            score: cvss.score,
        }
    }
}

impl From<&model::Reference> for Reference {
    fn from(reference: &model::Reference) -> Self {
        Self {
            kind: reference.kind.clone(),
            url: reference.url.clone(),
        }
    }
}

impl From<&model::AdvisoryMatch> for AdvisoryMatch {
    fn from(advisory: &model::AdvisoryMatch) -> Self {
        Self {
            id: advisory.id.clone(),
            range: advisory.range.clone(),
            modified: advisory.modified,
        }
    }
}

impl From<&model::Problem> for ReportProblem {
    fn from(problem: &model::Problem) -> Self {
        Self {
            code: problem.code.as_str().to_owned(),
            place: problem.place.clone(),
            message: problem.message.clone(),
        }
    }
}
