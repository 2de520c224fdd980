//! Runs a test on SQLite and on PostgreSQL, each with a database of its own.
//!
//! PostgreSQL is the server at `SEAREEVE_TEST_POSTGRES`; every test makes a schema there. Without the
//! variable the test says that PostgreSQL was not tested, and fails under `SEAREEVE_REQUIRE_SHARED=1`.

use std::sync::atomic::{AtomicU32, Ordering};

use seareeve_store::{DatabaseUrl, Dialect, Store, StoreError};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};

/// An empty store, and a way past it.
#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) url: DatabaseUrl,
    raw_url: String,
}

impl Fixture {
    /// Runs SQL past the store, to damage what it stores or to look at it.
    pub(crate) async fn raw(&self, sql: &str) {
        let mut connection = AnyConnection::connect(&self.raw_url).await.unwrap();
        connection
            .execute(AssertSqlSafe(sql.to_owned()))
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    /// The first column of every row.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let mut connection = AnyConnection::connect(&self.raw_url).await.unwrap();
        let texts = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        texts
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.store.dialect() == Dialect::Sqlite
    }
}

/// Runs `test` on an empty SQLite database and on an empty PostgreSQL schema.
pub(crate) fn both<F>(test: impl Fn(Fixture) -> F)
where
    F: Future<Output = Result<(), StoreError>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        on_sqlite(&test).await;
        on_postgres(&test).await;
    });
}

async fn on_sqlite<F>(test: &impl Fn(Fixture) -> F)
where
    F: Future<Output = Result<(), StoreError>>,
{
    let directory = tempfile::tempdir().unwrap();
    // Characters that mean something in addresses must not.
    let path = directory.path().join("state of 100%?#.db");
    let path = path.to_str().unwrap();
    let url: DatabaseUrl = format!("sqlite:{path}").parse().unwrap();
    let encoded = path
        .replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23")
        .replace(' ', "%20");
    let store = Store::open(&url).await.unwrap();
    let fixture = Fixture {
        store: store.clone(),
        url,
        raw_url: format!("sqlite://{encoded}"),
    };
    test(fixture).await.unwrap();
    store.close().await;
}

async fn on_postgres<F>(test: &impl Fn(Fixture) -> F)
where
    F: Future<Output = Result<(), StoreError>>,
{
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Ok(server) = std::env::var("SEAREEVE_TEST_POSTGRES") else {
        let required = std::env::var("SEAREEVE_REQUIRE_SHARED").is_ok_and(|value| value == "1");
        assert!(!required, "SEAREEVE_TEST_POSTGRES is not set");
        eprintln!("NOT TESTED on PostgreSQL: SEAREEVE_TEST_POSTGRES is not set");
        return;
    };
    let schema = format!(
        "t_{}_{}_{}",
        std::process::id(),
        NUMBER.fetch_add(1, Ordering::Relaxed),
        jiff::Timestamp::now().as_nanosecond()
    );
    sqlx::any::install_default_drivers();
    let mut admin = AnyConnection::connect(&server).await.unwrap();
    let create = format!("CREATE SCHEMA {schema}");
    admin.execute(AssertSqlSafe(create)).await.unwrap();
    let joint = if server.contains('?') { '&' } else { '?' };
    let raw_url = format!("{server}{joint}options[search_path]={schema}");
    let url: DatabaseUrl = raw_url.parse().unwrap();
    let store = Store::open(&url).await.unwrap();
    let fixture = Fixture {
        store: store.clone(),
        url,
        raw_url,
    };
    test(fixture).await.unwrap();
    store.close().await;
    let drop = format!("DROP SCHEMA {schema} CASCADE");
    admin.execute(AssertSqlSafe(drop)).await.unwrap();
    admin.close().await.unwrap();
}
