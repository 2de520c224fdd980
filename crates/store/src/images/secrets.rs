//! Credentials that images carry. Their kind and place are kept, and nothing of the secrets themselves.

use std::collections::BTreeSet;

use seareeve_model::{Confidence, SecretFinding, SecretPlace, Severity};
use serde::Serialize;
use sqlx::any::AnyRow;

use crate::columns::{Columns, severity_number};
use crate::images::paths;
use crate::images::save::lists::replace;
use crate::rows::{clean, contains_pattern, int, numbers};
use crate::{Changes, Cursor, ImageId, Page, SeverityCounts, Store, StoreError, Tx};

#[derive(PartialEq, Eq, Serialize)]
struct SecretRow {
    position: i64,
    rule: String,
    title: String,
    provider: String,
    severity: i64,
    confidence: String,
    /// The field, in the configuration.
    path: String,
    /// `None` in the configuration.
    layer: Option<i64>,
    is_hidden: i64,
    line: i64,
    start: i64,
}

impl SecretRow {
    fn new(position: usize, secret: &SecretFinding) -> Self {
        let (path, layer, is_hidden) = match &secret.place {
            SecretPlace::Configuration { field } => (clean(field), None, false),
            SecretPlace::File {
                path,
                layer,
                is_hidden,
            } => (paths::escape(path), Some(i64::from(*layer)), *is_hidden),
        };
        Self {
            position: int(position),
            rule: clean(&secret.rule),
            title: clean(&secret.title),
            provider: clean(&secret.provider),
            severity: severity_number(secret.severity),
            confidence: secret.confidence.as_str().to_owned(),
            path,
            layer,
            is_hidden: i64::from(is_hidden),
            line: i64::from(secret.line),
            start: i64::from(secret.column),
        }
    }

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            position: columns.int("position")?,
            rule: columns.text("rule")?,
            title: columns.text("title")?,
            provider: columns.text("provider")?,
            severity: columns.int("severity")?,
            confidence: columns.text("confidence")?,
            path: columns.text("path")?,
            layer: columns.opt_int("layer")?,
            is_hidden: columns.int("is_hidden")?,
            line: columns.int("line")?,
            start: columns.int("start")?,
        })
    }
}

const STORED: &str = "SELECT image, position, rule, title, provider, severity, confidence, path, layer, \
       is_hidden, line, start \
     FROM image_secret WHERE image = $1 ORDER BY position";
const DELETE: &str = "DELETE FROM image_secret WHERE image = $1";
const INSERT: &str = "INSERT INTO image_secret (image, position, rule, title, provider, severity, \
       confidence, path, layer, is_hidden, line, start) \
     SELECT $1, CAST(n.value ->> 'position' AS BIGINT), n.value ->> 'rule', n.value ->> 'title', \
       n.value ->> 'provider', CAST(n.value ->> 'severity' AS BIGINT), n.value ->> 'confidence', \
       n.value ->> 'path', CAST(n.value ->> 'layer' AS BIGINT), \
       CAST(n.value ->> 'is_hidden' AS BIGINT), CAST(n.value ->> 'line' AS BIGINT), \
       CAST(n.value ->> 'start' AS BIGINT) \
     FROM json_each($2) AS n";
const COUNT: &str =
    "UPDATE image SET secrets = $2 WHERE id = $1 AND (secrets IS NULL OR secrets <> $2)";

/// Makes these the secrets of an image. Nothing is written when they are the same.
///
/// # Errors
/// When the database fails.
pub async fn set_secrets(
    tx: &mut Tx,
    image: ImageId,
    secrets: &[SecretFinding],
) -> Result<Changes, StoreError> {
    crate::matches::lock(tx).await?;
    let new: Vec<SecretRow> = secrets
        .iter()
        .enumerate()
        .map(|(position, secret)| SecretRow::new(position, secret))
        .collect();
    let stored = sqlx::query(STORED)
        .bind(image.0)
        .fetch_all(tx.connection())
        .await?;
    let old: Vec<SecretRow> = stored
        .iter()
        .map(|row| SecretRow::read(&Columns::new(row, "image_secret", &["image", "position"])))
        .collect::<Result<_, _>>()?;
    let mut changes = Changes::default();
    replace(tx, image, (&old, &new), (DELETE, INSERT), &mut changes).await?;
    let done = sqlx::query(COUNT)
        .bind(image.0)
        .bind(int(new.len()))
        .execute(tx.connection())
        .await?;
    changes.summaries += done.rows_affected();
    Ok(changes)
}

/// Which secrets. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretFilter {
    /// Part of the path, of the rule or of what it finds; case does not matter.
    pub query: String,
    /// Of these severities.
    pub severities: BTreeSet<Severity>,
    /// In files of this layer.
    pub layer: Option<u32>,
}

/// $1 image, $2 pattern, $3 severities, $4 layer or -1.
macro_rules! conditions {
    () => {
        "image = $1 AND ($2 = '' OR lower(path) LIKE $2 ESCAPE '!' OR lower(rule) LIKE $2 ESCAPE '!' \
           OR lower(title) LIKE $2 ESCAPE '!') \
         AND ($3 = '[]' OR severity IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($3))) \
         AND ($4 < 0 OR layer = $4) "
    };
}

/// $5 whether a cursor follows: rank (critical is 0), position.
const LIST: &str = concat!(
    "SELECT image, position, rule, title, provider, severity, confidence, path, layer, is_hidden, \
       line, start FROM image_secret WHERE ",
    conditions!(),
    "AND ($5 = 0 OR (4 - severity, position) > ($6, $7)) ORDER BY 4 - severity, position LIMIT $8"
);
const COUNTS: &str = concat!(
    "SELECT image, severity, COUNT(*) AS secrets FROM image_secret WHERE ",
    conditions!(),
    "GROUP BY image, severity"
);

/// Secrets of an image, worst first, then by place; a page at a time, and how many there are of each severity
/// whichever severities are chosen.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn secrets(
    store: &Store,
    image: ImageId,
    filter: &SecretFilter,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<(Page<SecretFinding>, SeverityCounts), StoreError> {
    let severities = numbers(filter.severities.iter().copied().map(severity_number));
    let bound = |statement, severities: String| {
        sqlx::query(statement)
            .bind(image.0)
            .bind(contains_pattern(&filter.query))
            .bind(severities)
            .bind(filter.layer.map_or(-1, i64::from))
    };
    let key: Option<(i64, i64)> = after.map(Cursor::decode).transpose()?;
    let (rank, position) = key.unwrap_or_default();
    let rows = bound(LIST, severities)
        .bind(i64::from(after.is_some()))
        .bind(rank)
        .bind(position)
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows
        .iter()
        .map(from_row)
        .collect::<Result<Vec<_>, StoreError>>()?;
    let page = Page::cut(items, limit, |(secret, position)| {
        (4 - severity_number(secret.severity), *position)
    });
    let mut counts = SeverityCounts::default();
    let rows = bound(COUNTS, "[]".to_owned())
        .fetch_all(&store.pool)
        .await?;
    for row in &rows {
        let columns = Columns::new(row, "image_secret", &["image"]);
        *counts.get_mut(columns.severity("severity")?) = columns.count("secrets")?;
    }
    Ok((page.map(|(secret, _)| secret), counts))
}

fn from_row(row: &AnyRow) -> Result<(SecretFinding, i64), StoreError> {
    let columns = Columns::new(row, "image_secret", &["image", "position"]);
    let place = match columns.opt_int("layer")? {
        None => SecretPlace::Configuration {
            field: columns.text("path")?,
        },
        Some(_) => SecretPlace::File {
            path: columns.word("path", paths::unescape)?,
            layer: columns.count("layer")?,
            is_hidden: columns.int("is_hidden")? != 0,
        },
    };
    let secret = SecretFinding {
        place,
        line: columns.count("line")?,
        column: columns.count("start")?,
        rule: columns.text("rule")?,
        title: columns.text("title")?,
        provider: columns.text("provider")?,
        severity: columns.severity("severity")?,
        confidence: columns.word("confidence", Confidence::parse)?,
    };
    Ok((secret, columns.int("position")?))
}
