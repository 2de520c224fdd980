//! The database itself: made, opened again, protected, the same on both sides, and damaged.

use std::os::unix::fs::PermissionsExt as _;

use seareeve_model::Severity;
use seareeve_store::images::{self, FindingFilter, FindingSort, ImageFilter, ImageSort};
use seareeve_store::users::{self, Role};
use seareeve_store::{DatabaseUrl, Dialect, Store, StoreError, packages, summary};

use crate::both::both;
use crate::sample::{at, deb, finding, inventory, save};

#[test]
fn what_was_committed_is_there_after_opening_again() {
    both(|fixture| async move {
        let store = &fixture.store;
        store.ping().await?;
        users::create(store, "ann", None, Role::Owner, at(0)).await?;
        let lost = store.begin().await?;
        drop(lost);
        // Opened a second time beside the first, as after kill -9: nothing was closed.
        let again = Store::open(&fixture.url).await?;
        assert_eq!(users::count(&again).await?, 1);
        again.close().await;
        Ok(())
    });
}

#[test]
fn the_file_belongs_to_its_owner_alone() {
    both(|fixture| async move {
        let DatabaseUrl::Sqlite(path) = &fixture.url else {
            return Ok(());
        };
        users::create(&fixture.store, "ann", None, Role::Owner, at(0)).await?;
        for suffix in ["", "-wal", "-shm"] {
            let mode = std::fs::metadata(format!("{path}{suffix}")).unwrap();
            assert_eq!(mode.permissions().mode() & 0o777, 0o600, "{suffix}");
        }
        Ok(())
    });
}

#[test]
fn a_file_that_cannot_be_made_is_named() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url: DatabaseUrl = "sqlite:/proc/no/such/place.db".parse().unwrap();
    let error = runtime.block_on(Store::open(&url)).unwrap_err();
    assert!(matches!(error, StoreError::File { path, .. } if path == "/proc/no/such/place.db"));
}

#[test]
fn both_databases_have_the_same_tables_and_columns() {
    let seen = std::sync::Mutex::new(Vec::new());
    both(|fixture| {
        let seen = &seen;
        async move {
            let sql = match fixture.store.dialect() {
                Dialect::Sqlite => {
                    "SELECT t.name || '.' || c.name || ' ' || c.type || \
                       CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN '' ELSE ' NULL' END \
                     FROM sqlite_master t JOIN pragma_table_info(t.name) c \
                     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' \
                       AND t.name <> '_sqlx_migrations' ORDER BY 1"
                }
                Dialect::Postgres => {
                    "SELECT CAST(table_name || '.' || column_name || ' ' || CASE data_type \
                         WHEN 'bigint' THEN 'INTEGER' WHEN 'bytea' THEN 'BLOB' \
                         ELSE upper(data_type) END || \
                       CASE is_nullable WHEN 'NO' THEN '' ELSE ' NULL' END AS TEXT) COLLATE \"C\" \
                     FROM information_schema.columns WHERE table_schema = current_schema() \
                       AND table_name <> '_sqlx_migrations' ORDER BY 1"
                }
            };
            let columns = fixture.texts(sql).await;
            seen.lock().unwrap().push(columns);
            Ok(())
        }
    });
    let seen = seen.into_inner().unwrap();
    assert!(seen[0].contains(&"image.distro_id TEXT NULL".to_owned()));
    if let Some(postgres) = seen.get(1) {
        assert_eq!(&seen[0], postgres);
    }
}

#[test]
fn damaged_rows_are_named() {
    both(|fixture| async move {
        let store = &fixture.store;
        let packages = vec![deb("openssl", "3"), deb("zlib", "1")];
        let findings = [vec![finding("CVE-1", Severity::High)], vec![]];
        let image = save(store, &inventory(1, &["a:1"], packages), &findings, 0)
            .await?
            .image;
        let place = |error: StoreError| match error {
            StoreError::Corrupt {
                table, column, row, ..
            } => format!("{table}.{column} {row}"),
            other => panic!("{other}"),
        };

        fixture
            .raw("UPDATE package_vulnerability SET severity = 7")
            .await;
        let error = images::findings(
            store,
            image,
            &FindingFilter::default(),
            FindingSort::Severity,
            None,
            9,
        )
        .await;
        assert_eq!(
            place(error.unwrap_err()),
            "package_vulnerability.severity 1/CVE-1"
        );
        fixture
            .raw("UPDATE package_vulnerability SET severity = 3")
            .await;
        fixture.raw("UPDATE vulnerability SET cvss = '{'").await;
        let error = images::findings(
            store,
            image,
            &FindingFilter::default(),
            FindingSort::Severity,
            None,
            9,
        )
        .await;
        assert_eq!(place(error.unwrap_err()), "vulnerability.cvss CVE-1");
        fixture
            .raw("UPDATE image SET digest = 'sha256:12', critical = -1")
            .await;
        let error = images::list(store, &ImageFilter::default(), ImageSort::Newest, None, 9).await;
        assert_eq!(place(error.unwrap_err()), "image.digest 1");
        let error = summary::totals(store).await.unwrap_err();
        assert_eq!(place(error), "image.critical ");
        fixture
            .raw("UPDATE package SET source_version = NULL WHERE id = 2")
            .await;
        let error = packages::all(store, None, 9).await.unwrap_err();
        assert_eq!(place(error), "package.source_version 2");
        Ok(())
    });
}
