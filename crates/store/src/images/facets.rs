//! How many findings there are of each kind, for the filters beside the list.

use std::collections::BTreeMap;

use seareeve_model::{FindingStatus, PackageKind};

use crate::columns::Columns;
use crate::images::findings::{
    Counting, FindingFilter, bind_conditions, finding_conditions, finding_tables, lowest_score,
};
use crate::{ImageId, SeverityCounts, Store, StoreError};

/// The EPSS scores that lists offer to begin at, in millionths: one in a hundred, one in ten, one in two.
pub const EPSS_STEPS: [u32; 3] = [10_000, 100_000, 500_000];

/// Findings by what lists are filtered by. Each counts what the filter would show if its own choice were not made,
/// so that it tells what another choice would give.
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
    /// Known to be exploited.
    pub exploited: u64,
    /// Whose EPSS score is at least each of [`EPSS_STEPS`].
    pub epss: [u64; EPSS_STEPS.len()],
    /// That count.
    pub counted: u64,
    /// That do not count.
    pub suppressed: u64,
}

/// $11 layer or -1, $12 the chosen lowest score or -1; the steps are those of [`EPSS_STEPS`].
const CLASSES: &str = concat!(
    "SELECT MIN(p.id) AS package_id, m.severity AS severity, p.kind AS kind, m.status AS status, \
       CAST(CASE WHEN v.exploited IS NULL THEN 0 ELSE 1 END AS BIGINT) AS is_exploited, \
       CAST(CASE WHEN m.suppression IS NULL AND x.reason IS NULL THEN 0 ELSE 1 END AS BIGINT) AS is_suppressed, \
       CAST(CASE WHEN COALESCE(e.score, -1) >= $12 THEN 1 ELSE 0 END AS BIGINT) AS is_probable, \
       CAST(CASE WHEN e.score >= 500000000 THEN 3 WHEN e.score >= 100000000 THEN 2 \
         WHEN e.score >= 10000000 THEN 1 ELSE 0 END AS BIGINT) AS epss_step, \
       COUNT(*) AS findings \
     FROM (SELECT DISTINCT package FROM image_package \
       WHERE image = $1 AND ($11 < 0 OR layer = $11)) AS place ",
    finding_tables!(),
    "WHERE ",
    finding_conditions!(),
    "GROUP BY m.severity, p.kind, m.status, is_exploited, is_suppressed, is_probable, epss_step"
);
const LAYERS: &str = concat!(
    "SELECT place.layer AS layer, COUNT(*) AS findings \
     FROM (SELECT DISTINCT layer, package FROM image_package WHERE image = $1) AS place ",
    finding_tables!(),
    "WHERE ",
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
    // There are few classes: the choices among them are made here.
    let open = FindingFilter {
        severities: [].into(),
        statuses: [].into(),
        kind: None,
        exploited_only: false,
        min_epss: None,
        ..filter.clone()
    };
    let rows = bind_conditions(CLASSES, image, &open, None)
        .bind(filter.layer.map_or(-1, i64::from))
        .bind(lowest_score(filter))
        .fetch_all(&store.pool)
        .await?;
    for row in &rows {
        let columns = Columns::new(row, "package_vulnerability", &["package_id"]);
        let severity = columns.severity("severity")?;
        let status = columns.word("status", FindingStatus::parse)?;
        let findings: u64 = columns.count("findings")?;
        let is_exploited = columns.int("is_exploited")? == 1;
        let is_suppressed = columns.int("is_suppressed")? == 1;
        let is_probable = columns.int("is_probable")? == 1;
        let epss_step: usize = columns.count("epss_step")?;
        let columns = Columns::new(row, "package", &["package_id"]);
        let kind = columns.word("kind", PackageKind::parse)?;

        let by_severity = filter.severities.is_empty() || filter.severities.contains(&severity);
        let by_status = filter.statuses.is_empty() || filter.statuses.contains(&status);
        let by_kind = filter.kind.is_none_or(|wanted| wanted == kind);
        let by_exploited = !filter.exploited_only || is_exploited;
        let by_counting = is_suppressed == (filter.counting == Counting::Suppressed);
        let choices = [
            by_severity,
            by_status,
            by_kind,
            by_exploited,
            is_probable,
            by_counting,
        ];
        // What the other choices leave, whatever is chosen here.
        let left_but_for = |own: usize| (0..).zip(choices).all(|(at, is_met)| at == own || is_met);
        if choices.iter().all(|is_met| *is_met) {
            facets.total += findings;
        }
        if left_but_for(0) {
            *facets.severities.get_mut(severity) += findings;
        }
        if left_but_for(1) {
            *facets.statuses.entry(status).or_default() += findings;
        }
        if left_but_for(2) {
            *facets.kinds.entry(kind).or_default() += findings;
        }
        if left_but_for(3) && is_exploited {
            facets.exploited += findings;
        }
        if left_but_for(4) {
            for reached in facets.epss.iter_mut().take(epss_step) {
                *reached += findings;
            }
        }
        if left_but_for(5) {
            if is_suppressed {
                facets.suppressed += findings;
            } else {
                facets.counted += findings;
            }
        }
    }
    let rows = bind_conditions(LAYERS, image, filter, Some(filter.counting))
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
