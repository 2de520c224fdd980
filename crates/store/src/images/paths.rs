//! Paths inside images as text and back without loss: they are bytes, and the database holds text.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use seareeve_model::ImagePath;
use serde::Serialize;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{BATCH, fingerprint, rows, texts};
use crate::{Changes, StoreError, Tx};

/// UTF-8 as it is, a backslash doubled, any other byte as `\xff`.
pub(super) fn escape(path: &ImagePath) -> String {
    let mut text = String::new();
    for chunk in path.as_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// `None` for a text that [`escape`] does not write.
pub(super) fn unescape(text: &str) -> Option<ImagePath> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        rest = match after.strip_prefix('x') {
            Some(hex) => {
                bytes.push(u8::from_str_radix(hex.get(..2)?, 16).ok()?);
                hex.get(2..)?
            }
            None => {
                bytes.push(b'\\');
                after.strip_prefix('\\')?
            }
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    ImagePath::parse(&bytes)
}

/// The path in column `path`.
pub(super) fn from_row(row: &AnyRow) -> Result<ImagePath, StoreError> {
    let columns = Columns::new(row, "path", &["path_id"]);
    columns.word("path", unescape)
}

#[derive(Serialize)]
struct NewPath {
    identity: String,
    path: String,
}

const BY_IDENTITY: &str =
    "SELECT id, identity FROM path WHERE identity IN (SELECT value ->> 't' FROM json_each($1))";
const INSERT: &str = "INSERT INTO path (identity, path) \
     SELECT n.value ->> 'identity', n.value ->> 'path' FROM json_each($1) AS n \
     RETURNING id, identity";

/// The row ids of `paths`, in their order; those that are new are stored.
pub(super) async fn put<'a>(
    tx: &mut Tx,
    paths: impl Iterator<Item = &'a ImagePath>,
    changes: &mut Changes,
) -> Result<Vec<i64>, StoreError> {
    let mut order = Vec::new();
    let mut wanted = BTreeMap::new();
    for path in paths {
        let path = escape(path);
        let identity = fingerprint(&path);
        order.push(identity.clone());
        wanted.insert(identity, path);
    }
    let mut ids: HashMap<String, i64> = HashMap::new();
    let known = sqlx::query(BY_IDENTITY)
        .bind(texts(wanted.keys().map(String::as_str)))
        .fetch_all(tx.connection())
        .await?;
    for row in &known {
        let columns = Columns::new(row, "path", &["id"]);
        let identity = columns.text("identity")?;
        wanted.remove(&identity);
        ids.insert(identity, columns.int("id")?);
    }
    let mut missing: Vec<NewPath> = wanted
        .into_iter()
        .map(|(identity, path)| NewPath { identity, path })
        .collect();
    missing.sort_by(|a, b| a.path.cmp(&b.path));
    for batch in missing.chunks(BATCH) {
        let inserted = sqlx::query(INSERT)
            .bind(rows(batch))
            .fetch_all(tx.connection())
            .await?;
        for row in &inserted {
            let columns = Columns::new(row, "path", &["id"]);
            ids.insert(columns.text("identity")?, columns.int("id")?);
        }
        changes.inserted += inserted.len() as u64;
    }
    order
        .iter()
        .map(|identity| ids.get(identity).copied())
        .map(|id| id.ok_or(StoreError::NotFound { what: "path" }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_come_back() {
        for raw in [&b"usr/lib"[..], b"a\\x41\\", b"\xff\xfe/\xc3\xa4", b""] {
            let path = ImagePath::parse(raw).unwrap();
            assert_eq!(unescape(&escape(&path)), Some(path));
        }
        assert_eq!(unescape("a\\"), None);
        assert_eq!(unescape("a\\xg0"), None);
        assert_eq!(unescape("a\\x4"), None);
    }
}
