//! What is counted of all assets, kept so that no list and no score has to look at each of them: numbers by
//! environment, score group, recommendation and a word, and what each asset is in each group.
//!
//! What the words mean is for whoever counts to say. Each asset's part is kept beside the sums as it was added, and is
//! taken away as it was added, whatever has changed meanwhile: the sums are those of the parts at any time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{BATCH, clean, int, json, rows};
use crate::{AssetId, Cursor, Page, Store, StoreError, Tx};

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CountKey {
    /// The score group; empty for what is counted outside of all.
    pub group: String,
    /// The recommendation; empty for what is counted of the whole group.
    pub recommendation: String,
    /// What.
    pub word: String,
}

/// Numbers by what they count.
pub type Counts = BTreeMap<CountKey, i64>;

/// What one asset adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Each counts once.
    pub counted: BTreeSet<CountKey>,
    /// What the asset is in score groups.
    pub groups: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Shift<'a> {
    environment: &'a str,
    group: &'a str,
    recommendation: &'a str,
    word: &'a str,
    number: i64,
}

#[derive(Serialize)]
struct StoredGroup<'a> {
    group: &'a str,
    state: &'a str,
}

const STORED: &str = "SELECT a.id AS asset, a.environment AS environment, s.environment AS counted_in, s.shares AS shares \
     FROM asset a LEFT JOIN asset_share s ON s.asset = a.id WHERE a.id = $1";
const PUT_SHARE: &str = "INSERT INTO asset_share (asset, environment, shares) VALUES ($1, $2, $3) \
     ON CONFLICT (asset) DO UPDATE SET environment = excluded.environment, shares = excluded.shares";
const DELETE_SHARE: &str = "DELETE FROM asset_share WHERE asset = $1";
const SHIFT: &str = "INSERT INTO health_count (environment, score_group, recommendation, word, number) \
     SELECT n.value ->> 'environment', n.value ->> 'group', n.value ->> 'recommendation', n.value ->> 'word', \
       CAST(n.value ->> 'number' AS BIGINT) FROM json_each($1) AS n WHERE true \
     ON CONFLICT (environment, score_group, recommendation, word) \
       DO UPDATE SET number = health_count.number + excluded.number";
const GROUPS: &str = "SELECT score_group, asset, state FROM asset_group WHERE asset = $1";
const PUT_GROUPS: &str = "INSERT INTO asset_group (score_group, asset, state, name, environment) \
     SELECT n.value ->> 'group', a.id, n.value ->> 'state', a.name, a.environment \
     FROM json_each($2) AS n JOIN asset a ON a.id = $1 WHERE true \
     ON CONFLICT (score_group, asset) DO UPDATE SET state = excluded.state";
const DELETE_GROUPS: &str = "DELETE FROM asset_group WHERE asset = $1 \
     AND score_group IN (SELECT n.value ->> 'group' FROM json_each($2) AS n)";

/// Makes `share` what an asset adds. Returns the environments whose sums differ by it: those that it was and is in.
///
/// # Errors
/// When the database fails. Then the transaction must be dropped.
pub async fn settle(
    tx: &mut Tx,
    asset: AssetId,
    share: &Share,
) -> Result<BTreeSet<String>, StoreError> {
    let Some(stored) = stored(tx, asset).await? else {
        return Ok(BTreeSet::new());
    };
    let touched = shift(tx, &stored, &share.counted).await?;
    if !touched.is_empty() {
        sqlx::query(PUT_SHARE)
            .bind(asset.0)
            .bind(clean(&stored.environment))
            .bind(json(&share.counted))
            .execute(tx.connection())
            .await?;
    }
    put_groups(tx, asset, &share.groups).await?;
    Ok(touched)
}

/// An asset may be in another environment than it was: what it adds moves along. Returns the environments whose sums
/// differ by it.
///
/// # Errors
/// When the database fails. Then the transaction must be dropped.
pub(crate) async fn follow(tx: &mut Tx, asset: AssetId) -> Result<BTreeSet<String>, StoreError> {
    let Some(stored) = stored(tx, asset).await? else {
        return Ok(BTreeSet::new());
    };
    let Some((_, counted)) = &stored.share else {
        return Ok(BTreeSet::new());
    };
    let touched = shift(tx, &stored, counted).await?;
    if !touched.is_empty() {
        sqlx::query(PUT_SHARE)
            .bind(asset.0)
            .bind(clean(&stored.environment))
            .bind(json(counted))
            .execute(tx.connection())
            .await?;
    }
    Ok(touched)
}

/// Takes away what an asset adds, before it goes.
///
/// # Errors
/// When the database fails. Then the transaction must be dropped.
pub(crate) async fn leave(tx: &mut Tx, asset: AssetId) -> Result<(), StoreError> {
    let Some(stored) = stored(tx, asset).await? else {
        return Ok(());
    };
    shift(tx, &stored, &BTreeSet::new()).await?;
    sqlx::query(DELETE_SHARE)
        .bind(asset.0)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// What an asset adds, and where it is.
struct Stored {
    environment: String,
    /// The environment in which it was counted, and what was.
    share: Option<(String, BTreeSet<CountKey>)>,
}

async fn stored(tx: &mut Tx, asset: AssetId) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query(STORED)
        .bind(asset.0)
        .fetch_optional(tx.connection())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let columns = Columns::new(&row, "asset_share", &["asset"]);
    let share = columns.opt_json("shares")?;
    Ok(Some(Stored {
        environment: columns.text("environment")?,
        share: columns.opt_text("counted_in")?.zip(share),
    }))
}

/// Changes the sums by the difference between what was added and what is to be.
async fn shift(
    tx: &mut Tx,
    stored: &Stored,
    fresh: &BTreeSet<CountKey>,
) -> Result<BTreeSet<String>, StoreError> {
    let mut numbers: BTreeMap<(&str, &CountKey), i64> = BTreeMap::new();
    let mut touched = BTreeSet::new();
    if let Some((environment, counted)) = &stored.share {
        touched.insert(environment.clone());
        for environment in ["", environment.as_str()] {
            for key in counted {
                *numbers.entry((environment, key)).or_default() -= 1;
            }
        }
    }
    if !fresh.is_empty() {
        touched.insert(stored.environment.clone());
    }
    for environment in ["", stored.environment.as_str()] {
        for key in fresh {
            *numbers.entry((environment, key)).or_default() += 1;
        }
    }
    let shifts: Vec<Shift<'_>> = numbers
        .into_iter()
        .filter(|(_, number)| *number != 0)
        .map(|((environment, key), number)| Shift {
            environment,
            group: &key.group,
            recommendation: &key.recommendation,
            word: &key.word,
            number,
        })
        .collect();
    if shifts.is_empty() {
        return Ok(BTreeSet::new());
    }
    for batch in shifts.chunks(BATCH) {
        sqlx::query(SHIFT)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
    }
    Ok(touched)
}

async fn put_groups(
    tx: &mut Tx,
    asset: AssetId,
    groups: &BTreeMap<String, String>,
) -> Result<(), StoreError> {
    let found = sqlx::query(GROUPS)
        .bind(asset.0)
        .fetch_all(tx.connection())
        .await?;
    let mut old: BTreeMap<String, String> = BTreeMap::new();
    for row in &found {
        let columns = Columns::new(row, "asset_group", &["score_group", "asset"]);
        old.insert(columns.text("score_group")?, columns.text("state")?);
    }
    let wire = |(group, state): (&'_ String, &'_ String)| (group.clone(), state.clone());
    let put: Vec<(String, String)> = groups
        .iter()
        .filter(|(group, state)| old.get(*group) != Some(*state))
        .map(wire)
        .collect();
    let gone: Vec<(String, String)> = old
        .iter()
        .filter(|(group, _)| !groups.contains_key(*group))
        .map(wire)
        .collect();
    for (statement, all) in [(PUT_GROUPS, &put), (DELETE_GROUPS, &gone)] {
        if all.is_empty() {
            continue;
        }
        let all: Vec<StoredGroup<'_>> = all
            .iter()
            .map(|(group, state)| StoredGroup { group, state })
            .collect();
        sqlx::query(statement)
            .bind(asset.0)
            .bind(rows(&all))
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

const COUNTS: &str = "SELECT score_group, recommendation, word, number FROM health_count \
     WHERE environment = $1 AND number <> 0";

/// The sums of an environment, or of all together for an empty one.
///
/// # Errors
/// When the database fails.
pub async fn counts(store: &Store, environment: &str) -> Result<Counts, StoreError> {
    let rows = sqlx::query(COUNTS)
        .bind(clean(environment))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(from_row).collect()
}

/// The same, as the transaction sees it.
///
/// # Errors
/// When the database fails.
pub async fn counts_in(tx: &mut Tx, environment: &str) -> Result<Counts, StoreError> {
    let rows = sqlx::query(COUNTS)
        .bind(clean(environment))
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<(CountKey, i64), StoreError> {
    let columns = Columns::new(
        row,
        "health_count",
        &["score_group", "recommendation", "word"],
    );
    let key = CountKey {
        group: columns.text("score_group")?,
        recommendation: columns.text("recommendation")?,
        word: columns.text("word")?,
    };
    Ok((key, columns.int("number")?))
}

/// An asset in a score group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The asset.
    pub asset: AssetId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
}

const MEMBERS: &str = "SELECT g.asset AS asset, g.name AS name, a.kind AS kind FROM asset_group g JOIN asset a ON a.id = g.asset \
     WHERE g.score_group = $1 AND g.state = $2 AND (g.name, g.asset) > ($3, $4) ORDER BY g.name, g.asset LIMIT $5";
const MEMBERS_IN: &str = "SELECT g.asset AS asset, g.name AS name, a.kind AS kind FROM asset_group g JOIN asset a ON a.id = g.asset \
     WHERE g.environment = $6 AND g.score_group = $1 AND g.state = $2 AND (g.name, g.asset) > ($3, $4) \
     ORDER BY g.name, g.asset LIMIT $5";

/// The assets that are something in a score group, of an environment or of all for an empty one, by name, a page at a
/// time.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn members(
    store: &Store,
    group: &str,
    state: &str,
    environment: &str,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Member>, StoreError> {
    let key: Option<(String, i64)> = after.map(Cursor::decode).transpose()?;
    let (name, id) = key.unwrap_or_default();
    let statement = match environment {
        "" => MEMBERS,
        _ => MEMBERS_IN,
    };
    let query = sqlx::query(statement)
        .bind(clean(group))
        .bind(clean(state))
        .bind(name)
        .bind(id)
        .bind(int(limit.saturating_add(1)));
    let query = match environment {
        "" => query,
        _ => query.bind(clean(environment)),
    };
    let rows = query.fetch_all(&store.pool).await?;
    let items = rows
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "asset_group", &["asset"]);
            Ok(Member {
                asset: AssetId(columns.int("asset")?),
                name: columns.text("name")?,
                kind: columns.text("kind")?,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Page::cut(items, limit, |one| {
        (one.name.clone(), one.asset.0)
    }))
}

const ENVIRONMENTS: &str =
    "SELECT DISTINCT environment FROM health_count WHERE environment <> '' ORDER BY environment";

/// The environments in which anything was ever counted.
///
/// # Errors
/// When the database fails.
pub async fn environments(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(ENVIRONMENTS).fetch_all(tx.connection()).await?;
    let name = |row| Columns::new(row, "health_count", &["environment"]).text("environment");
    rows.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::assert_bounded;

    #[test]
    fn sums_and_members_are_read_by_themselves() {
        for statement in [STORED, GROUPS, COUNTS, MEMBERS, MEMBERS_IN] {
            assert_bounded(statement);
        }
    }
}
