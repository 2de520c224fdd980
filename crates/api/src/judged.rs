//! What a server's report says of the packages that were sent to it, in the words of the model again: for a program
//! that goes on working with it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use seareeve_model as model;

use crate::{
    Cvss, Epss, ImageReport, KnownExploited, Reference, ReportFinding, ReportPackage, Suppression,
    VexVerdict,
};

/// Why a report cannot be used. The server is of another version, or none of ours.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A word that we do not know.
    #[error("{value:?} is no {what}")]
    Word {
        /// What the word should be.
        what: &'static str,
        /// The word.
        value: String,
    },
    /// A finding in a package that was not asked about.
    #[error("{id} is said of {purl} in {path}, which the image does not hold")]
    Package {
        /// The vulnerability.
        id: String,
        /// The package.
        purl: String,
        /// Where it should be.
        path: String,
    },
}

impl ImageReport {
    /// The findings for each package of `inventory`, which the report must be about, and the problems of both
    /// reading and matching.
    ///
    /// # Errors
    /// When the report speaks of other packages, or in words that are not ours.
    pub fn judgements(
        &self,
        inventory: &model::Inventory,
    ) -> Result<(Vec<Vec<model::Finding>>, Vec<model::Problem>), ReportError> {
        let package = |installed| ReportPackage::new(installed, &inventory.image.layers);
        let packages: Vec<ReportPackage> = inventory.packages.iter().map(package).collect();
        let sent: HashSet<&ReportPackage> = packages.iter().collect();
        let mut by_package: HashMap<&ReportPackage, BTreeMap<&str, model::Finding>> =
            HashMap::new();
        for finding in self.findings.iter().chain(&self.suppressed) {
            if !sent.contains(&finding.package) {
                return Err(ReportError::Package {
                    id: finding.id.clone(),
                    purl: finding.package.purl.clone(),
                    path: finding.package.path.clone(),
                });
            }
            let findings = by_package.entry(&finding.package).or_default();
            findings.insert(&finding.id, finding.try_into()?);
        }
        let findings = |package| {
            let findings = by_package.get(package).into_iter();
            findings.flat_map(BTreeMap::values).cloned().collect()
        };
        let findings = packages.iter().map(findings).collect();
        let problem = |problem: &crate::ReportProblem| {
            let code = model::ProblemCode::parse(&problem.code)
                .ok_or_else(|| word("problem", &problem.code))?;
            let (place, message) = (problem.place.as_str(), problem.message.as_str());
            Ok(model::Problem::new(code, place, message))
        };
        let problems: Result<_, ReportError> = self.problems.iter().map(problem).collect();
        Ok((findings, problems?))
    }
}

fn word(what: &'static str, value: &str) -> ReportError {
    ReportError::Word {
        what,
        value: value.chars().take(100).collect(),
    }
}

impl TryFrom<&ReportFinding> for model::Finding {
    type Error = ReportError;

    fn try_from(finding: &ReportFinding) -> Result<Self, Self::Error> {
        let severity = finding
            .severity
            .parse()
            .map_err(|_no_severity: model::SeverityError| word("severity", &finding.severity))?;
        let advisory = |advisory: &crate::AdvisoryMatch| model::AdvisoryMatch {
            id: advisory.id.clone(),
            range: advisory.range.clone(),
            modified: advisory.modified,
        };
        let source = &finding.severity_source;
        Ok(Self {
            vulnerability: Arc::new(model::Vulnerability {
                id: finding.id.clone(),
                aliases: finding.aliases.clone(),
                title: finding.title.clone(),
                description: finding.description.to_string(),
                cvss: finding.cvss.iter().map(model::CvssVector::from).collect(),
                published: finding.published,
                modified: finding.modified,
                references: finding
                    .references
                    .iter()
                    .map(model::Reference::from)
                    .collect(),
                known_exploited: finding
                    .known_exploited
                    .as_ref()
                    .map(model::KnownExploited::from),
                epss: finding
                    .epss
                    .as_ref()
                    .map(model::Epss::try_from)
                    .transpose()?,
            }),
            severity,
            severity_source: model::SeveritySource::parse(source)
                .ok_or_else(|| word("source of a severity", source))?,
            status: model::FindingStatus::parse(&finding.status)
                .ok_or_else(|| word("status", &finding.status))?,
            fixed_versions: finding.fixed_versions.clone(),
            remediation: finding.remediation.clone(),
            advisories: finding.advisories.iter().map(advisory).collect(),
            vex: finding
                .vex
                .as_ref()
                .map(model::VexVerdict::try_from)
                .transpose()?,
            suppressed: finding
                .suppression
                .as_ref()
                .map(model::Suppression::try_from)
                .transpose()?,
        })
    }
}

impl From<&Cvss> for model::CvssVector {
    fn from(cvss: &Cvss) -> Self {
        Self {
            version: cvss.version.clone(),
            vector: cvss.vector.clone(),
            score: cvss.score,
        }
    }
}

impl From<&Reference> for model::Reference {
    fn from(reference: &Reference) -> Self {
        Self {
            kind: reference.kind.clone(),
            url: reference.url.clone(),
        }
    }
}

impl From<&KnownExploited> for model::KnownExploited {
    fn from(known: &KnownExploited) -> Self {
        Self {
            date_added: known.date_added,
            due_date: known.due_date,
            ransomware: known.ransomware,
        }
    }
}

impl TryFrom<&Epss> for model::Epss {
    type Error = ReportError;

    fn try_from(epss: &Epss) -> Result<Self, Self::Error> {
        let probability = |value: f64| {
            model::Probability::new(value).ok_or_else(|| word("probability", &value.to_string()))
        };
        Ok(Self {
            score: probability(epss.score)?,
            percentile: probability(epss.percentile)?,
            date: epss.date,
        })
    }
}

impl TryFrom<&VexVerdict> for model::VexVerdict {
    type Error = ReportError;

    fn try_from(verdict: &VexVerdict) -> Result<Self, Self::Error> {
        let justification = |text: &String| {
            model::VexJustification::parse(text)
                .ok_or_else(|| word("justification of a VEX statement", text))
        };
        Ok(Self {
            status: model::VexStatus::parse(&verdict.status)
                .ok_or_else(|| word("status of a VEX statement", &verdict.status))?,
            justification: verdict
                .justification
                .as_ref()
                .map(justification)
                .transpose()?,
            statement: verdict.statement.clone(),
            document: verdict.document.clone(),
            timestamp: verdict.timestamp,
        })
    }
}

impl TryFrom<&Suppression> for model::Suppression {
    type Error = ReportError;

    fn try_from(suppression: &Suppression) -> Result<Self, Self::Error> {
        Ok(Self {
            by: model::SuppressedBy::parse(&suppression.by)
                .ok_or_else(|| word("word for who suppresses", &suppression.by))?,
            reason: suppression.reason.clone(),
            source: suppression.source.clone(),
            expires: suppression.expires,
        })
    }
}
