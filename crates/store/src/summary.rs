//! The numbers at the top of the overview, from the counts that are kept with each image.

use crate::columns::Columns;
use crate::{SeverityCounts, Store, StoreError};

/// Totals over everything stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Images.
    pub images: u64,
    /// Images with at least one critical finding.
    pub images_with_critical: u64,
    /// Images with at least one finding.
    pub images_with_findings: u64,
    /// Images with at least one finding that a newer version fixes.
    pub images_with_fixable: u64,
    /// Images with at least one finding that is known to be exploited.
    pub images_with_exploited: u64,
    /// Images of which something could not be read or judged.
    pub images_with_problems: u64,
    /// Different packages over all images.
    pub packages: u64,
    /// Findings, counted in each image that has them.
    pub findings: SeverityCounts,
    /// Findings that a newer version fixes, counted likewise.
    pub fixable: u64,
}

const TOTALS: &str = "SELECT COUNT(*) AS images, \
       CAST(COALESCE(SUM(CASE WHEN critical > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS with_critical, \
       CAST(COALESCE(SUM(CASE WHEN critical + high + medium + low + unknown > 0 THEN 1 ELSE 0 END), 0) \
         AS BIGINT) AS with_findings, \
       CAST(COALESCE(SUM(CASE WHEN fixable > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS with_fixable, \
       CAST(COALESCE(SUM(CASE WHEN exploited > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS with_exploited, \
       CAST(COALESCE(SUM(CASE WHEN problems > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS with_problems, \
       CAST(COALESCE(SUM(critical), 0) AS BIGINT) AS critical, \
       CAST(COALESCE(SUM(high), 0) AS BIGINT) AS high, \
       CAST(COALESCE(SUM(medium), 0) AS BIGINT) AS medium, \
       CAST(COALESCE(SUM(low), 0) AS BIGINT) AS low, \
       CAST(COALESCE(SUM(unknown), 0) AS BIGINT) AS unknown, \
       CAST(COALESCE(SUM(fixable), 0) AS BIGINT) AS fixable, \
       (SELECT COUNT(*) FROM package) AS all_packages \
     FROM image";

/// Totals over everything stored.
///
/// # Errors
/// When the database fails.
pub async fn totals(store: &Store) -> Result<Totals, StoreError> {
    let row = sqlx::query(TOTALS).fetch_one(&store.pool).await?;
    let columns = Columns::new(&row, "image", &[]);
    Ok(Totals {
        images: columns.count("images")?,
        images_with_critical: columns.count("with_critical")?,
        images_with_findings: columns.count("with_findings")?,
        images_with_fixable: columns.count("with_fixable")?,
        images_with_exploited: columns.count("with_exploited")?,
        images_with_problems: columns.count("with_problems")?,
        packages: columns.count("all_packages")?,
        findings: columns.severity_counts()?,
        fixable: columns.count("fixable")?,
    })
}
