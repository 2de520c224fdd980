//! Attestations: people's answers to what no check can tell of an asset.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::clean;
use crate::{AssetId, AttestationId, Store, StoreError, Tx};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// The row.
    pub id: AttestationId,
    /// The asset's name.
    pub asset_name: String,
    /// What it says.
    pub said: NewAttestation,
    /// The name of the text that it rests on.
    pub evidence: Option<String>,
    /// Who says so.
    pub author: String,
    /// When.
    pub created: Timestamp,
}

/// One to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAttestation {
    /// Of which asset.
    pub asset: AssetId,
    /// The benchmark.
    pub benchmark: String,
    /// Its edition.
    pub version: String,
    /// The control.
    pub control: String,
    /// The outcome's stable name.
    pub outcome: String,
    /// Why, or where the evidence lies.
    pub reason: String,
    /// Until when it holds.
    pub expires: Option<Timestamp>,
}

/// A text that an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Its name, such as a file's.
    pub name: String,
    /// The text.
    pub text: String,
}

const CREATE: &str = "INSERT INTO attestation (asset, benchmark, version, control, outcome, reason, author, created, expires, \
       evidence_name, evidence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id";

/// Keeps an answer. Of several, the last counts.
///
/// # Errors
/// When the database fails, also because there is no such asset.
pub async fn create(
    tx: &mut Tx,
    new: &NewAttestation,
    evidence: Option<&Evidence>,
    author: &str,
    now: Timestamp,
) -> Result<AttestationId, StoreError> {
    let row = sqlx::query(CREATE)
        .bind(new.asset.0)
        .bind(clean(&new.benchmark))
        .bind(clean(&new.version))
        .bind(clean(&new.control))
        .bind(clean(&new.outcome))
        .bind(clean(&new.reason))
        .bind(clean(author))
        .bind(now.as_millisecond())
        .bind(new.expires.map(Timestamp::as_millisecond))
        .bind(evidence.map(|evidence| clean(&evidence.name)))
        .bind(evidence.map(|evidence| clean(&evidence.text)))
        .fetch_one(tx.connection())
        .await?;
    let id = Columns::new(&row, "attestation", &["id"]).int("id")?;
    Ok(AttestationId(id))
}

const LIST: &str = "SELECT t.id AS id, t.asset AS asset, a.name AS asset_name, t.benchmark AS benchmark, t.version AS version, \
       t.control AS control, t.outcome AS outcome, t.reason AS reason, t.author AS author, t.created AS created, \
       t.expires AS expires, t.evidence_name AS evidence_name FROM attestation t JOIN asset a ON a.id = t.asset \
     WHERE ($1 = 0 OR t.asset = $1) ORDER BY t.id";

/// The answers about an asset, or all, those that have ended included.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store, asset: Option<AssetId>) -> Result<Vec<Attestation>, StoreError> {
    let rows = sqlx::query(LIST)
        .bind(asset.map_or(0, |asset| asset.0))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<Attestation, StoreError> {
    let columns = Columns::new(row, "attestation", &["id"]);
    Ok(Attestation {
        id: AttestationId(columns.int("id")?),
        asset_name: columns.text("asset_name")?,
        said: NewAttestation {
            asset: AssetId(columns.int("asset")?),
            benchmark: columns.text("benchmark")?,
            version: columns.text("version")?,
            control: columns.text("control")?,
            outcome: columns.text("outcome")?,
            reason: columns.text("reason")?,
            expires: columns.opt_time("expires")?,
        },
        evidence: columns.opt_text("evidence_name")?,
        author: columns.text("author")?,
        created: columns.time("created")?,
    })
}

const EVIDENCE: &str = "SELECT id, evidence_name, evidence FROM attestation \
     WHERE id = $1 AND evidence_name IS NOT NULL AND evidence IS NOT NULL";

/// The text that an answer rests on, if it came with one.
///
/// # Errors
/// When the database fails.
pub async fn evidence(store: &Store, id: AttestationId) -> Result<Option<Evidence>, StoreError> {
    let row = sqlx::query(EVIDENCE)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let columns = Columns::new(&row, "attestation", &["id"]);
    Ok(Some(Evidence {
        name: columns.text("evidence_name")?,
        text: columns.text("evidence")?,
    }))
}

const DELETE: &str = "DELETE FROM attestation WHERE id = $1 RETURNING asset";

/// Takes an answer back. Returns which asset it was about, if there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: AttestationId) -> Result<Option<AssetId>, StoreError> {
    let row = sqlx::query(DELETE)
        .bind(id.0)
        .fetch_optional(tx.connection())
        .await?;
    let asset = |row| Columns::new(&row, "attestation", &[]).int("asset");
    Ok(row.map(asset).transpose()?.map(AssetId))
}
