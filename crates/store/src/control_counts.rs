//! How many assets have which outcome for a control, kept beside the verdicts: benchmarks over a large estate are
//! looked at without counting a million of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::assets::{CONTROLS_OF, control_from_row};
use crate::rows::{BATCH, rows};
use crate::{AssetId, StoreError, Tx};

/// What is counted: benchmark, edition, control and outcome; the last two are empty for assets that were compared with
/// the edition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Counted {
    pub(crate) benchmark: String,
    pub(crate) version: String,
    pub(crate) control: String,
    pub(crate) outcome: String,
}

/// By how much numbers change.
pub(crate) type Shifts = BTreeMap<Counted, i64>;

impl Counted {
    /// Assets that were compared with an edition.
    pub(crate) fn edition(benchmark: &str, version: &str) -> Self {
        Self {
            benchmark: benchmark.to_owned(),
            version: version.to_owned(),
            control: String::new(),
            outcome: String::new(),
        }
    }
}

#[derive(Serialize)]
struct Shift<'a> {
    environment: &'a str,
    benchmark: &'a str,
    version: &'a str,
    control: &'a str,
    outcome: &'a str,
    number: i64,
}

const SHIFT: &str = "INSERT INTO control_count (environment, benchmark, version, control, outcome, number) \
     SELECT n.value ->> 'environment', n.value ->> 'benchmark', n.value ->> 'version', n.value ->> 'control', \
       n.value ->> 'outcome', CAST(n.value ->> 'number' AS BIGINT) FROM json_each($1) AS n WHERE true \
     ON CONFLICT (environment, benchmark, version, control, outcome) \
       DO UPDATE SET number = control_count.number + excluded.number";

/// Changes the numbers of these environments.
///
/// # Errors
/// When the database fails.
pub(crate) async fn shift(
    tx: &mut Tx,
    environments: &[&str],
    shifts: &Shifts,
) -> Result<(), StoreError> {
    let all = environments.iter().flat_map(|environment| {
        let differing = shifts.iter().filter(|(_, number)| **number != 0);
        differing.map(move |(counted, number)| Shift {
            environment,
            benchmark: &counted.benchmark,
            version: &counted.version,
            control: &counted.control,
            outcome: &counted.outcome,
            number: *number,
        })
    });
    let all: Vec<Shift<'_>> = all.collect();
    for batch in all.chunks(BATCH) {
        sqlx::query(SHIFT)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

/// What an asset adds, as its verdicts stand.
///
/// # Errors
/// When the database fails.
pub(crate) async fn of_asset(tx: &mut Tx, asset: AssetId) -> Result<Shifts, StoreError> {
    let found = sqlx::query(CONTROLS_OF)
        .bind(asset.0)
        .fetch_all(tx.connection())
        .await?;
    let (mut shifts, mut editions) = (Shifts::new(), BTreeSet::new());
    for row in &found {
        let row = control_from_row(row)?.row;
        editions.insert(Counted::edition(&row.benchmark, &row.version));
        let counted = Counted {
            benchmark: row.benchmark,
            version: row.version,
            control: row.control,
            outcome: row.outcome,
        };
        *shifts.entry(counted).or_default() += 1;
    }
    shifts.extend(editions.into_iter().map(|edition| (edition, 1)));
    Ok(shifts)
}

/// The same, taken away.
pub(crate) fn taken(shifts: Shifts) -> Shifts {
    let taken = shifts
        .into_iter()
        .map(|(counted, number)| (counted, -number));
    taken.collect()
}
