//! One finding of all the records that hit one package with one vulnerability.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use seareeve_model::{
    AdvisoryMatch, Finding, FindingStatus, Package, Severity, SeveritySource, SuppressedBy,
    Suppression, Vulnerability,
};

use super::range::{self, Reading};
use crate::advisories::stored::{Disposition, EventKind, Statement, StoredRating};
use crate::advisories::{self, DatabaseError};
use crate::versions::Order;

/// A statement of a record that hits the package.
pub(super) struct Hit<'a> {
    pub(super) id: &'a str,
    pub(super) modified: Option<Timestamp>,
    /// The installed version, as it was compared.
    pub(super) version: &'a str,
    pub(super) statement: &'a Statement<'a>,
    pub(super) reading: Reading<'a>,
}

/// Makes the finding of `hits`, of which there is at least one. `general` is how severe the vulnerability is,
/// whatever the package.
pub(super) fn make(
    package: &Package,
    order: Order,
    vulnerability: Arc<Vulnerability>,
    general: Option<StoredRating>,
    hits: Vec<Hit<'_>>,
) -> Result<Finding, DatabaseError> {
    let (severity_source, severity) = severity(general, &hits)?;
    let fixed_versions = fixed_versions(package.advisory_version(), order, &hits);
    let status = if fixed_versions.is_empty() {
        unfixed(&hits)
    } else {
        FindingStatus::Fixed
    };
    Ok(Finding {
        vulnerability,
        severity,
        severity_source,
        status,
        remediation: remediation(package, order, status, &fixed_versions, &hits),
        fixed_versions: fixed_versions.into_iter().map(str::to_owned).collect(),
        advisories: advisories(&hits),
        vex: None,
        suppressed: unimportant(package, &hits),
    })
}

/// What the distribution has decided where there is no fix; of several decisions the most final one.
fn unfixed(hits: &[Hit<'_>]) -> FindingStatus {
    let decided = hits.iter().map(|hit| hit.statement.disposition).max();
    match decided.unwrap_or_default() {
        Disposition::None | Disposition::Unimportant => FindingStatus::Affected,
        Disposition::FixDeferred => FindingStatus::FixDeferred,
        Disposition::WillNotFix => FindingStatus::WillNotFix,
        Disposition::EndOfLife => FindingStatus::EndOfLife,
    }
}

/// A finding does not count when a record says that it has no security impact and none rates it otherwise:
/// an advisory (DSA, DLA) that lists the same vulnerability repeats no urgency.
fn unimportant(package: &Package, hits: &[Hit<'_>]) -> Option<Suppression> {
    let says = |hit: &&Hit<'_>| hit.statement.disposition == Disposition::Unimportant;
    let record = hits.iter().find(says)?;
    let is_rated = |hit: &Hit<'_>| hit.statement.rating.is_some();
    if hits.iter().any(|hit| !says(&hit) && is_rated(hit)) {
        return None;
    }
    let distribution = advisories::base(&package.ecosystem);
    Some(Suppression {
        by: SuppressedBy::Distribution,
        reason: format!("{distribution} says that it has no security impact in its package"),
        source: record.id.to_owned(),
        expires: None,
    })
}

/// The first that is there of: the distribution's word for this package, the vectors given for it, what is
/// known of the vulnerability. Where records differ, the better source counts, then the worse severity.
fn severity(
    general: Option<StoredRating>,
    hits: &[Hit<'_>],
) -> Result<(SeveritySource, Severity), DatabaseError> {
    let read = |rating: StoredRating| {
        rating
            .read()
            .ok_or(DatabaseError::Damaged { part: "statements" })
    };
    let stated = hits.iter().filter_map(|hit| hit.statement.rating);
    let stated: Vec<_> = stated.map(read).collect::<Result<_, _>>()?;
    let best = stated
        .into_iter()
        .min_by_key(|(source, severity)| (*source, std::cmp::Reverse(*severity)));
    if let Some(best) = best {
        return Ok(best);
    }
    let general = general.map(read).transpose()?;
    Ok(general.unwrap_or((SeveritySource::None, Severity::Unknown)))
}

/// The fixed versions of the ranges that hit which are newer than the installed one, lowest first.
fn fixed_versions<'a>(installed: &str, order: Order, hits: &[Hit<'a>]) -> Vec<&'a str> {
    let ranges = hits.iter().flat_map(|hit| &hit.reading.ranges).flatten();
    let fixed = ranges.filter(|event| event.kind == EventKind::Fixed);
    let mut versions: Vec<&str> = fixed
        .map(|event| event.version)
        .filter(|version| {
            order
                .compare(installed, version)
                .is_some_and(|order| order.is_lt())
        })
        .collect();
    // Equal versions may be spelled differently (1.0 and 1.0.0): the first in the alphabet stays.
    versions.sort_unstable();
    versions.sort_by(|a, b| order.compare(a, b).unwrap_or_else(|| a.cmp(b)));
    versions.dedup_by(|a, b| order.compare(a, b).map_or(a == b, |order| order.is_eq()));
    versions
}

fn advisories(hits: &[Hit<'_>]) -> Vec<AdvisoryMatch> {
    let mut records: BTreeMap<&str, (Option<Timestamp>, Vec<String>)> = BTreeMap::new();
    for hit in hits {
        let (modified, ranges) = records.entry(hit.id).or_default();
        *modified = hit.modified;
        if hit.reading.listed {
            ranges.push(format!("listed version {}", hit.version));
        }
        ranges.extend(
            hit.reading
                .ranges
                .iter()
                .map(|events| range::in_words(events)),
        );
    }
    records
        .into_iter()
        .map(|(id, (modified, ranges))| AdvisoryMatch {
            id: id.to_owned(),
            range: ranges.join(" || "),
            modified,
        })
        .collect()
}

/// What to do, in words. The version advised is the lowest that none of the records says is affected too.
fn remediation(
    package: &Package,
    order: Order,
    status: FindingStatus,
    fixed: &[&str],
    hits: &[Hit<'_>],
) -> String {
    let name = &package.name;
    let is_clean = |version: &&&str| {
        let mut readings = hits
            .iter()
            .map(|hit| range::read(order, version, hit.statement));
        readings.all(|reading| !reading.is_hit())
    };
    if let Some(version) = fixed.iter().find(is_clean) {
        return upgrade(package, version);
    }
    if let Some(version) = fixed.last() {
        let upgrade = upgrade(package, version);
        return format!("{upgrade}; not every advisory agrees that this is enough");
    }
    if status == FindingStatus::EndOfLife {
        return format!(
            "no fixed version of {name} will come, as this release is no longer looked after; move to a release that is"
        );
    }
    if status == FindingStatus::WillNotFix {
        return format!(
            "the distribution will not fix it; remove {name} if it is not needed, or limit who can reach it"
        );
    }
    if status == FindingStatus::FixDeferred {
        return format!(
            "the distribution will fix it later, with something else; until then limit who can reach {name}"
        );
    }
    format!(
        "no fixed version is known; remove {name} if it is not needed, or limit who can reach it"
    )
}

/// Distributions publish the version of the source; a binary package's own may differ from it.
fn upgrade(package: &Package, version: &str) -> String {
    let name = &package.name;
    match &package.source {
        Some(source) if source.version != package.version => {
            format!("upgrade {name} to a build of {} {version}", source.name)
        }
        Some(_) | None => format!("upgrade {name} to {version}"),
    }
}
