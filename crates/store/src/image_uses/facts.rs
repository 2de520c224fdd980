//! What scans found in the images of an asset, as far as checks ask for it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seareeve_model::{Digest, Severity};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{int, numbers, texts};
use crate::{AssetId, Store, StoreError};

/// A stored image that an asset uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// Its digest.
    pub digest: Digest,
    /// Digest of its configuration.
    pub config_digest: Digest,
    /// Identities and names of the asset's images that are this one.
    pub named: Vec<(String, String)>,
    /// Its own references.
    pub references: Vec<String>,
    /// When it was read last.
    pub scanned: Option<Timestamp>,
    /// How many packages it has.
    pub packages: u64,
    /// Names of packages that begin as it was asked for.
    pub package_names: Vec<String>,
    /// Its findings that count, one for each vulnerability, the gravest first.
    pub findings: Vec<FoundInImage>,
    /// Whether there are more than were asked for.
    pub has_more: bool,
    /// Title, place and layer of its secrets; nothing where nobody looked for them.
    pub secrets: Option<Vec<(String, String, String)>>,
    /// Its files with setuid or setgid; nothing where nobody looked for them.
    pub raising: Option<Vec<RaisingRow>>,
    /// What could not be read or judged.
    pub problems: Vec<String>,
}

/// A vulnerability of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundInImage {
    /// Its id.
    pub id: String,
    /// The gravest of the packages that have it.
    pub severity: Severity,
    /// Whether an upgrade mends it.
    pub is_fixable: bool,
    /// When it became known.
    pub published: Option<Timestamp>,
}

/// A file that runs as its owner or group, whoever starts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaisingRow {
    /// Where it is, from the root on.
    pub path: String,
    /// The twelve permission bits.
    pub mode: u32,
    /// The owner's number.
    pub uid: u64,
    /// The group's number.
    pub gid: u64,
}

/// Places of one kind in one image that are read.
const MOST_PLACES: usize = 1_000;
/// Texts of what could not be read of one image.
const MOST_PROBLEMS: i64 = 100;

const IMAGES: &str = "SELECT i.id AS id, i.digest AS digest, i.config_digest AS config_digest, i.scanned AS scanned, \
       i.packages AS packages, i.secrets AS secrets, i.raising AS raising, a.identity AS identity, a.name AS name \
     FROM asset_image a JOIN image i ON i.id = a.image WHERE a.asset = $1 ORDER BY i.id, a.identity LIMIT $2";
const REFERENCES: &str = "SELECT image, reference FROM image_reference \
     WHERE image IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1)) ORDER BY image, reference";
const NAMES: &str = "SELECT DISTINCT ip.image AS image, p.name AS name FROM image_package ip \
     JOIN package p ON p.id = ip.package \
     JOIN json_each($2) AS k ON substr(p.name, 1, length(k.value ->> 't')) = k.value ->> 't' \
     WHERE ip.image IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1)) ORDER BY image, name";
/// `worst`: the gravest severity, and of equal ones that which can be mended.
const FINDINGS: &str = "SELECT x.image AS image, v.name AS name, v.published AS published, x.worst AS worst FROM ( \
       SELECT place.image AS image, m.vulnerability AS vulnerability, \
         CAST(MAX(m.severity * 2 + CASE WHEN m.status = 'fixed' THEN 1 ELSE 0 END) AS BIGINT) AS worst \
       FROM (SELECT DISTINCT image, package FROM image_package WHERE image = $1) AS place \
       JOIN package_vulnerability m ON m.package = place.package AND m.suppression IS NULL \
       LEFT JOIN image_verdict y ON y.image = place.image AND y.package = m.package \
         AND y.vulnerability = m.vulnerability \
       WHERE y.reason IS NULL GROUP BY place.image, m.vulnerability) AS x \
     JOIN vulnerability v ON v.id = x.vulnerability ORDER BY x.worst DESC, v.name LIMIT $2";
const SECRETS: &str = "SELECT s.image AS image, s.position AS position, s.title AS title, s.path AS path, \
       s.layer AS layer, l.diff_id AS diff_id \
     FROM image_secret s LEFT JOIN layer l ON l.image = s.image AND l.position = s.layer \
     WHERE s.image = $1 ORDER BY s.position LIMIT $2";
const RAISING: &str = "SELECT image, position, path, mode, owner, grp FROM image_raising WHERE image = $1 \
     ORDER BY position LIMIT $2";
const PROBLEMS: &str = "SELECT image, position, code, place, message FROM problem WHERE image = $1 \
     ORDER BY position LIMIT $2";

/// What was found in the stored images that an asset uses: at most so many images, with so many findings of each, and
/// the names of packages that begin with one of `prefixes`.
///
/// # Errors
/// When the database fails.
pub async fn facts(
    store: &Store,
    asset: AssetId,
    prefixes: &[&str],
    most_images: usize,
    most_findings: usize,
) -> Result<Vec<ImageFacts>, StoreError> {
    let rows = sqlx::query(IMAGES)
        .bind(asset.0)
        .bind(int(most_images))
        .fetch_all(&store.pool)
        .await?;
    let mut images: BTreeMap<i64, (ImageFacts, bool, bool)> = BTreeMap::new();
    for row in &rows {
        let columns = Columns::new(row, "image", &["id"]);
        let id = columns.int("id")?;
        let named = (columns.text("identity")?, columns.text("name")?);
        if let Some((image, ..)) = images.get_mut(&id) {
            image.named.push(named);
            continue;
        }
        let image = ImageFacts {
            digest: columns.parsed("digest")?,
            config_digest: columns.parsed("config_digest")?,
            named: vec![named],
            references: Vec::new(),
            scanned: columns.opt_time("scanned")?,
            packages: columns.count("packages")?,
            package_names: Vec::new(),
            findings: Vec::new(),
            has_more: false,
            secrets: None,
            raising: None,
            problems: Vec::new(),
        };
        let has_secrets = columns.opt_int("secrets")?.is_some();
        let has_raising = columns.opt_int("raising")?.is_some();
        images.insert(id, (image, has_secrets, has_raising));
    }
    let ids = numbers(images.keys().copied());
    let rows = sqlx::query(REFERENCES)
        .bind(ids.as_str())
        .fetch_all(&store.pool)
        .await?;
    for row in &rows {
        let columns = Columns::new(row, "image_reference", &["reference"]);
        if let Some((image, ..)) = images.get_mut(&columns.int("image")?) {
            image.references.push(columns.text("reference")?);
        }
    }
    let rows = sqlx::query(NAMES)
        .bind(ids.as_str())
        .bind(texts(prefixes.iter().copied()))
        .fetch_all(&store.pool)
        .await?;
    for row in &rows {
        let columns = Columns::new(row, "package", &["image"]);
        if let Some((image, ..)) = images.get_mut(&columns.int("image")?) {
            image.package_names.push(columns.text("name")?);
        }
    }
    for (id, (image, has_secrets, has_raising)) in &mut images {
        let rows = of_image(store, FINDINGS, *id, most_findings.saturating_add(1)).await?;
        image.has_more = rows.len() > most_findings;
        let found = rows.iter().take(most_findings).map(finding);
        image.findings = found.collect::<Result<_, _>>()?;
        if *has_secrets {
            let rows = of_image(store, SECRETS, *id, MOST_PLACES).await?;
            image.secrets = Some(rows.iter().map(secret).collect::<Result<_, _>>()?);
        }
        if *has_raising {
            let rows = of_image(store, RAISING, *id, MOST_PLACES).await?;
            image.raising = Some(rows.iter().map(raising).collect::<Result<_, _>>()?);
        }
        let rows = sqlx::query(PROBLEMS)
            .bind(*id)
            .bind(MOST_PROBLEMS)
            .fetch_all(&store.pool)
            .await?;
        image.problems = rows.iter().map(problem).collect::<Result<_, _>>()?;
    }
    Ok(images.into_values().map(|(image, ..)| image).collect())
}

async fn of_image(
    store: &Store,
    statement: &'static str,
    image: i64,
    limit: usize,
) -> Result<Vec<AnyRow>, StoreError> {
    let query = sqlx::query(statement).bind(image).bind(int(limit));
    Ok(query.fetch_all(&store.pool).await?)
}

fn finding(row: &AnyRow) -> Result<FoundInImage, StoreError> {
    let columns = Columns::new(row, "package_vulnerability", &["image", "name"]);
    let worst: usize = columns.count("worst")?;
    Ok(FoundInImage {
        id: columns.text("name")?,
        severity: Severity::ALL
            .get(worst / 2)
            .copied()
            .unwrap_or(Severity::Unknown),
        is_fixable: worst % 2 == 1,
        published: columns.opt_parsed("published")?,
    })
}

fn secret(row: &AnyRow) -> Result<(String, String, String), StoreError> {
    let columns = Columns::new(row, "image_secret", &["image", "position"]);
    let path = columns.text("path")?;
    let path = match columns.opt_int("layer")? {
        Some(_) => format!("/{path}"),
        None => format!("configuration: {path}"),
    };
    let layer = columns.opt_text("diff_id")?.unwrap_or_default();
    Ok((columns.text("title")?, path, layer))
}

fn raising(row: &AnyRow) -> Result<RaisingRow, StoreError> {
    let columns = Columns::new(row, "image_raising", &["image", "position"]);
    Ok(RaisingRow {
        path: format!("/{}", columns.text("path")?),
        mode: columns.count("mode")?,
        uid: columns.count("owner")?,
        gid: columns.count("grp")?,
    })
}

fn problem(row: &AnyRow) -> Result<String, StoreError> {
    let columns = Columns::new(row, "problem", &["image", "position"]);
    let (place, message) = (columns.text("place")?, columns.text("message")?);
    Ok(match place.is_empty() {
        true => message,
        false => format!("{place}: {message}"),
    })
}
