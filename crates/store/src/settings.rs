//! What the program remembers about itself, such as the advisory database that was matched last.

use crate::columns::Columns;
use crate::{Store, StoreError, Tx};

const GET: &str = "SELECT name, value FROM setting WHERE name = $1";

/// The value of `name`.
///
/// # Errors
/// When the database fails.
pub async fn get(store: &Store, name: &str) -> Result<Option<String>, StoreError> {
    let row = sqlx::query(GET)
        .bind(name)
        .fetch_optional(&store.pool)
        .await?;
    row.map(|row| Columns::new(&row, "setting", &["name"]).text("value"))
        .transpose()
}

const SET: &str = "INSERT INTO setting (name, value) VALUES ($1, $2) \
     ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE setting.value <> excluded.value";

/// Remembers `value`, together with the change that it tells of. Returns whether it is another than before.
///
/// # Errors
/// When the database fails.
pub async fn set(tx: &mut Tx, name: &str, value: &str) -> Result<bool, StoreError> {
    let done = sqlx::query(SET)
        .bind(name)
        .bind(value)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
