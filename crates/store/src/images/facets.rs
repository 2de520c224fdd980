//! How many findings there are of each kind, for the filters beside the list.

use std::collections::BTreeMap;

use seareeve_model::{FindingStatus, PackageKind};

use crate::columns::Columns;
use crate::images::findings::{FindingFilter, bind_conditions, finding_conditions};
use crate::{ImageId, SeverityCounts, Store, StoreError};

/// Findings by severity, layer, kind and status. Each of the four counts what the filter would show if its
/// own choice were not made, so that it tells what another choice would give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingFacets {
    /// Findings that the whole filter shows.
    pub total: u64,
    /// By severity.
    pub severities: SeverityCounts,
    /// By layer. A package that two layers brought counts in both.
    pub layers: BTreeMap<u32, u64>,
    /// By kind of package.
    pub kinds: BTreeMap<PackageKind, u64>,
    /// By status.
    pub statuses: BTreeMap<FindingStatus, u64>,
}

/// $8 layer or -1.
const CLASSES: &str = concat!(
    "SELECT MIN(p.id) AS package_id, m.severity AS severity, p.kind AS kind, m.status AS status, \
       COUNT(*) AS findings \
     FROM (SELECT DISTINCT package FROM image_package \
       WHERE image = $1 AND ($8 < 0 OR layer = $8)) AS place \
     JOIN package p ON p.id = place.package \
     JOIN package_vulnerability m ON m.package = p.id \
     JOIN vulnerability v ON v.id = m.vulnerability \
     WHERE ",
    finding_conditions!(),
    "GROUP BY m.severity, p.kind, m.status"
);
const LAYERS: &str = concat!(
    "SELECT place.layer AS layer, COUNT(*) AS findings \
     FROM (SELECT DISTINCT layer, package FROM image_package WHERE image = $1) AS place \
     JOIN package p ON p.id = place.package \
     JOIN package_vulnerability m ON m.package = p.id \
     JOIN vulnerability v ON v.id = m.vulnerability \
     WHERE ",
    finding_conditions!(),
    "GROUP BY place.layer"
);

/// Counts the findings of an image.
///
/// # Errors
/// When the database fails.
pub async fn finding_facets(
    store: &Store,
    image: ImageId,
    filter: &FindingFilter,
) -> Result<FindingFacets, StoreError> {
    let mut facets = FindingFacets::default();
    // There are few classes of severity, kind and status: the choices among them are made here.
    let open = FindingFilter {
        severities: [].into(),
        statuses: [].into(),
        kind: None,
        ..filter.clone()
    };
    let rows = bind_conditions(CLASSES, image, &open)
        .bind(filter.layer.map_or(-1, i64::from))
        .fetch_all(&store.pool)
        .await?;
    for row in &rows {
        let columns = Columns::new(row, "package_vulnerability", &["package_id"]);
        let severity = columns.severity("severity")?;
        let status = columns.word("status", FindingStatus::parse)?;
        let findings: u64 = columns.count("findings")?;
        let columns = Columns::new(row, "package", &["package_id"]);
        let kind = columns.word("kind", PackageKind::parse)?;

        let by_severity = filter.severities.is_empty() || filter.severities.contains(&severity);
        let by_status = filter.statuses.is_empty() || filter.statuses.contains(&status);
        let by_kind = filter.kind.is_none_or(|wanted| wanted == kind);
        if by_severity && by_status && by_kind {
            facets.total += findings;
        }
        if by_status && by_kind {
            *facets.severities.get_mut(severity) += findings;
        }
        if by_severity && by_kind {
            *facets.statuses.entry(status).or_default() += findings;
        }
        if by_severity && by_status {
            *facets.kinds.entry(kind).or_default() += findings;
        }
    }
    let rows = bind_conditions(LAYERS, image, filter)
        .fetch_all(&store.pool)
        .await?;
    for row in &rows {
        let columns = Columns::new(row, "image_package", &["layer"]);
        facets
            .layers
            .insert(columns.count("layer")?, columns.count("findings")?);
    }
    Ok(facets)
}
