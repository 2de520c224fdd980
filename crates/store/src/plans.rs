//! For tests: how SQLite goes about a statement. Lists must not look at more rows than fill a page, however large the
//! estate is, so their statements have to find an index that is in their order.

use camino::Utf8PathBuf;
use sqlx::{AssertSqlSafe, Row as _};

use crate::{DatabaseUrl, Store};

/// The steps of the plan of a statement.
pub(crate) fn of(statement: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().join("plans.db")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Store::open(&DatabaseUrl::Sqlite(path)).await.unwrap();
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let rows = sqlx::query(explain).fetch_all(&store.pool).await.unwrap();
        let steps = rows.iter().map(|row| row.get("detail")).collect();
        store.close().await;
        steps
    })
}

/// Refuses plans that read a whole table or sort what they read.
#[track_caller]
pub(crate) fn assert_bounded(statement: &str) {
    let steps = of(statement);
    assert!(!steps.is_empty());
    for step in &steps {
        let is_whole = step.starts_with("SCAN") && !step.contains("VIRTUAL TABLE");
        // A scan along an index in the order of the list ends with the page.
        let is_in_order = step.contains("USING INDEX asset_said") || step.contains("SCAN n");
        assert!(!is_whole || is_in_order, "{step} in\n{statement}");
        assert!(!step.contains("TEMP B-TREE"), "{step} in\n{statement}");
    }
}
