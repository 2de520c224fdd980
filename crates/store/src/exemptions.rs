//! Exemptions: assets that a recommendation does not count.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::clean;
use crate::{AssetId, ExemptionId, Store, StoreError, Tx};

/// An exemption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// The row.
    pub id: ExemptionId,
    /// The asset's name; nothing for one of all assets.
    pub asset_name: Option<String>,
    /// What it says.
    pub said: NewExemption,
    /// Who made it.
    pub author: String,
    /// When.
    pub created: Timestamp,
}

/// One to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExemption {
    /// The recommendation.
    pub recommendation: String,
    /// The asset; nothing for more than one.
    pub asset: Option<AssetId>,
    /// All assets of this environment; nothing for one asset, or for all of all environments.
    pub environment: Option<String>,
    /// What kind it is.
    pub kind: ExemptionKind,
    /// Why.
    pub reason: String,
    /// Until when.
    pub expires: Option<Timestamp>,
}

/// Why an asset need not do what is recommended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExemptionKind {
    /// Something else makes up for it.
    Mitigated,
    /// The risk is accepted.
    Waiver,
}

impl ExemptionKind {
    /// The stable name used on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mitigated => "mitigated",
            Self::Waiver => "waiver",
        }
    }

    /// The kind with the stable name `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Mitigated, Self::Waiver]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

const CREATE: &str = "INSERT INTO exemption (recommendation, asset, kind, reason, author, created, expires, environment) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id";

/// Makes an exemption.
///
/// # Errors
/// When the database fails, also because there is no such asset.
pub async fn create(
    tx: &mut Tx,
    new: &NewExemption,
    author: &str,
    now: Timestamp,
) -> Result<ExemptionId, StoreError> {
    let row = sqlx::query(CREATE)
        .bind(clean(&new.recommendation))
        .bind(new.asset.map(|asset| asset.0))
        .bind(new.kind.as_str())
        .bind(clean(&new.reason))
        .bind(clean(author))
        .bind(now.as_millisecond())
        .bind(new.expires.map(Timestamp::as_millisecond))
        .bind(new.environment.as_deref().map(clean))
        .fetch_one(tx.connection())
        .await?;
    let id = Columns::new(&row, "exemption", &["id"]).int("id")?;
    Ok(ExemptionId(id))
}

const LIST: &str = "SELECT e.id AS id, e.recommendation AS recommendation, e.asset AS asset, a.name AS asset_name, e.kind AS kind, \
       e.reason AS reason, e.author AS author, e.created AS created, e.expires AS expires, \
       e.environment AS environment \
     FROM exemption e LEFT JOIN asset a ON a.id = e.asset ORDER BY e.id";

/// All exemptions, those that have ended included.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<Exemption>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<Exemption, StoreError> {
    let columns = Columns::new(row, "exemption", &["id"]);
    Ok(Exemption {
        id: ExemptionId(columns.int("id")?),
        asset_name: columns.opt_text("asset_name")?,
        said: said(&columns)?,
        author: columns.text("author")?,
        created: columns.time("created")?,
    })
}

fn said(columns: &Columns<'_>) -> Result<NewExemption, StoreError> {
    Ok(NewExemption {
        recommendation: columns.text("recommendation")?,
        asset: columns.opt_int("asset")?.map(AssetId),
        environment: columns.opt_text("environment")?,
        kind: columns.word("kind", ExemptionKind::parse)?,
        reason: columns.text("reason")?,
        expires: columns.opt_time("expires")?,
    })
}

const DELETE: &str = "DELETE FROM exemption WHERE id = $1 \
     RETURNING id, recommendation, asset, kind, reason, expires, environment";

/// Takes an exemption back. Returns what it said, if there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: ExemptionId) -> Result<Option<NewExemption>, StoreError> {
    let row = sqlx::query(DELETE)
        .bind(id.0)
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| said(&Columns::new(&row, "exemption", &["id"])))
        .transpose()
}
