//! Packages: one row for equal packages, whichever images hold them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use seareeve_model::{Package, PackageKind, SourcePackage};
use serde::Serialize;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{BATCH, clean, fingerprint, int, rows, texts};
use crate::{Changes, PackageId, Store, StoreError, Tx};

/// Names are matched by their first bytes only, because an index entry has a limit and a hostile package
/// name has none. No advisory has a longer name.
const MATCH_NAME_BYTES: usize = 200;

/// The name under which a package is found again when advisories change: lower case, runs of `-`, `_` and
/// `.` as one `-` (PEP 503). It is applied to all ecosystems, so it may find a package too many, never one
/// too few; whoever matches again compares names exactly.
fn match_name(name: &str) -> String {
    let mut folded = String::new();
    for c in clean(name).chars() {
        let c = if matches!(c, '-' | '_' | '.') {
            '-'
        } else {
            c.to_ascii_lowercase()
        };
        if c == '-' && folded.ends_with('-') {
            continue;
        }
        if folded.len() + c.len_utf8() > MATCH_NAME_BYTES {
            break;
        }
        folded.push(c);
    }
    folded
}

/// The columns that [`from_row`] reads, of a package called `p`.
macro_rules! package_columns {
    () => {
        "p.id AS package_id, p.kind AS kind, p.name AS package_name, p.version AS version, \
         p.source_name AS source_name, p.source_version AS source_version, \
         p.ecosystem AS ecosystem, p.purl AS purl "
    };
}
pub(crate) use package_columns;

pub(crate) fn from_row(row: &AnyRow) -> Result<(PackageId, Package), StoreError> {
    let columns = Columns::new(row, "package", &["package_id"]);
    let source = match (
        columns.opt_text("source_name")?,
        columns.opt_text("source_version")?,
    ) {
        (Some(name), Some(version)) => Some(SourcePackage { name, version }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err(columns.corrupt("source_version", &"half a source package"));
        }
    };
    let package = Package {
        kind: columns.word("kind", PackageKind::parse)?,
        name: columns.text("package_name")?,
        version: columns.text("version")?,
        source,
        ecosystem: columns.text("ecosystem")?,
        purl: columns.parsed("purl")?,
    };
    Ok((PackageId(columns.int("package_id")?), package))
}

const BY_MATCH_NAMES: &str = concat!(
    "SELECT ",
    package_columns!(),
    "FROM package p WHERE p.match_name IN (SELECT value ->> 't' FROM json_each($1)) ORDER BY p.id"
);

/// The packages that advisories over these names may be about, as the ecosystem spells them; see
/// [`Package::advisory_name`]. May hold a package too many, never one too few.
///
/// # Errors
/// When the database fails.
pub async fn by_match_names(
    store: &Store,
    names: &[String],
) -> Result<Vec<(PackageId, Package)>, StoreError> {
    let names: BTreeSet<String> = names.iter().map(|name| match_name(name)).collect();
    let rows = sqlx::query(BY_MATCH_NAMES)
        .bind(texts(names.iter().map(String::as_str)))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(from_row).collect()
}

const ALL: &str = concat!(
    "SELECT ",
    package_columns!(),
    "FROM package p WHERE p.id > $1 ORDER BY p.id LIMIT $2"
);

/// Up to `limit` packages behind `after`, to match everything again in portions. Start with `None`.
///
/// # Errors
/// When the database fails.
pub async fn all(
    store: &Store,
    after: Option<PackageId>,
    limit: usize,
) -> Result<Vec<(PackageId, Package)>, StoreError> {
    let rows = sqlx::query(ALL)
        .bind(after.map_or(0, |id| id.0))
        .bind(int(limit))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(from_row).collect()
}

#[derive(Serialize)]
struct NewPackage {
    kind: &'static str,
    name: String,
    version: String,
    source_name: Option<String>,
    source_version: Option<String>,
    ecosystem: String,
    purl: String,
}

#[derive(Serialize)]
struct NewRow<'a> {
    identity: &'a str,
    match_name: String,
    #[serde(flatten)]
    package: &'a NewPackage,
}

const BY_IDENTITY: &str = "SELECT id, identity FROM package \
     WHERE identity IN (SELECT value ->> 't' FROM json_each($1))";
const INSERT: &str = "INSERT INTO package \
     (identity, kind, name, version, source_name, source_version, ecosystem, purl, match_name) \
     SELECT n.value ->> 'identity', n.value ->> 'kind', n.value ->> 'name', n.value ->> 'version', \
       n.value ->> 'source_name', n.value ->> 'source_version', n.value ->> 'ecosystem', \
       n.value ->> 'purl', n.value ->> 'match_name' \
     FROM json_each($1) AS n RETURNING id, identity";

/// The ids of `packages`, in their order; those that are new are stored.
pub(crate) async fn put<'a>(
    tx: &mut Tx,
    packages: impl Iterator<Item = &'a Package>,
    changes: &mut Changes,
) -> Result<Vec<PackageId>, StoreError> {
    let mut order = Vec::new();
    let mut wanted = BTreeMap::new();
    for package in packages {
        let source = package.source.as_ref();
        let new = NewPackage {
            kind: package.kind.as_str(),
            name: clean(&package.name),
            version: clean(&package.version),
            source_name: source.map(|source| clean(&source.name)),
            source_version: source.map(|source| clean(&source.version)),
            ecosystem: clean(&package.ecosystem),
            purl: package.purl.as_str().to_owned(),
        };
        let identity = fingerprint(&new);
        order.push(identity.clone());
        wanted
            .entry(identity)
            .or_insert_with(|| (match_name(package.advisory_name()), new));
    }

    let mut ids = HashMap::new();
    let mut note = |found: Vec<AnyRow>| -> Result<u64, StoreError> {
        for row in &found {
            let columns = Columns::new(row, "package", &["id"]);
            ids.insert(columns.text("identity")?, PackageId(columns.int("id")?));
        }
        Ok(found.len() as u64)
    };
    let known = sqlx::query(BY_IDENTITY)
        .bind(texts(wanted.keys().map(String::as_str)))
        .fetch_all(tx.connection())
        .await?;
    for row in &known {
        wanted.remove(&Columns::new(row, "package", &["id"]).text("identity")?);
    }
    note(known)?;
    let mut missing: Vec<NewRow<'_>> = wanted
        .iter()
        .map(|(identity, (match_name, package))| NewRow {
            identity,
            match_name: match_name.clone(),
            package,
        })
        .collect();
    missing.sort_by(|a, b| a.package.purl.cmp(&b.package.purl));
    for batch in missing.chunks(BATCH) {
        let inserted = sqlx::query(INSERT)
            .bind(rows(batch))
            .fetch_all(tx.connection())
            .await?;
        changes.inserted += note(inserted)?;
    }
    let id = |identity| ids.get(identity).copied();
    order
        .iter()
        .map(|identity| id(identity).ok_or(StoreError::NotFound { what: "package" }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::match_name;

    #[test]
    fn names_meet_in_every_spelling_of_their_ecosystem() {
        assert_eq!(match_name("Zope.Interface"), match_name("zope-_interface"));
        assert_eq!(match_name("@babel/core"), "@babel/core");
        assert_eq!(match_name(&"ä".repeat(300)).len(), 200);
    }
}
