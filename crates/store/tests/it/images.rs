//! Saving, reading back and deleting images.

use std::sync::Arc;

use jiff::Timestamp;
use seareeve_model::{FindingStatus, ImagePath, Severity};
use seareeve_store::images::{self, FindingFilter, FindingSort, PackageFilter};
use seareeve_store::{Changes, ImageId, SeverityCounts, StoreError, packages, summary};

use crate::both::both;
use crate::sample::{at, deb, digest, finding, fixed, inventory, npm, path, save};

#[test]
fn an_inventory_comes_back_without_loss() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut odd = npm("left-pad", "1.0.0", "x");
        odd.path = ImagePath::parse(b"app/\xff\\x41/package.json").unwrap();
        let mut packages = vec![
            deb("libssl3", "3.0.11-1~deb12u2"),
            npm("lodash", "4.17.20", "app/node_modules/lodash/package.json"),
            npm("lodash", "4.17.20", "srv/node_modules/lodash/package.json"),
            odd,
        ];
        packages.sort();
        let full = inventory(1, &["app:1", "app:latest"], packages);
        let findings = vec![vec![]; full.packages.len()];
        let saved = save(store, &full, &findings, 0).await?;
        assert_eq!(images::inventory(store, saved.image).await?, full);

        let mut bare = inventory(2, &[], vec![]);
        bare.distro = None;
        bare.image.created = None;
        bare.image.layers.clear();
        bare.problems.clear();
        let saved = save(store, &bare, &[], 0).await?;
        assert_eq!(images::inventory(store, saved.image).await?, bare);
        let missing = images::inventory(store, ImageId(99)).await;
        assert!(matches!(
            missing,
            Err(StoreError::NotFound { what: "image" })
        ));
        Ok(())
    });
}

#[test]
fn saving_the_same_again_writes_no_row() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut inventory = inventory(
            1,
            &["app:1"],
            vec![deb("a\0b", "1"), deb("openssl", "3"), npm("x", "1", "p")],
        );
        inventory.image.layers[0].created_by = "RUN \0".to_owned();
        inventory.problems[0].message = "nul \0".to_owned();
        let mut nul = fixed("CVE-2", Severity::Low);
        Arc::make_mut(&mut nul.vulnerability).description = "nul \0".to_owned();
        nul.remediation = "nul \0".to_owned();
        let findings = [
            vec![],
            vec![finding("CVE-1", Severity::High), nul],
            vec![finding("CVE-1", Severity::High)],
        ];
        let first = save(store, &inventory, &findings, 0).await?;
        // image, reference, 2 layers, problem, 3 packages, 2 paths, 3 places, 2 vulnerabilities, 3 matches
        let expected = Changes {
            inserted: 18,
            updated: 0,
            deleted: 0,
            summaries: 1,
        };
        assert_eq!(first.changes, expected);

        if fixture.is_sqlite() {
            count_writes(&fixture).await;
        }
        let again = save(store, &inventory, &findings, 1_000).await?;
        assert_eq!(again.changes, Changes::default());
        assert_eq!(again.image, first.image);
        if fixture.is_sqlite() {
            assert_eq!(writes(&fixture).await, Vec::<String>::new());
        }
        Ok(())
    });
}

/// Makes SQLite note every row that is written from now on.
pub(crate) async fn count_writes(fixture: &crate::both::Fixture) {
    fixture.raw("CREATE TABLE written (place TEXT)").await;
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' \
         AND name NOT IN ('written', 'sqlite_sequence', '_sqlx_migrations')";
    for table in fixture.texts(tables).await {
        for event in ["INSERT", "UPDATE", "DELETE"] {
            let trigger = format!(
                "CREATE TRIGGER {table}_{event} AFTER {event} ON {table} \
                 BEGIN INSERT INTO written VALUES ('{event} {table}'); END"
            );
            fixture.raw(&trigger).await;
        }
    }
}

/// The rows noted since [`count_writes`], as `4 UPDATE image`.
pub(crate) async fn writes(fixture: &crate::both::Fixture) -> Vec<String> {
    fixture
        .texts("SELECT COUNT(*) || ' ' || place FROM written GROUP BY place ORDER BY place")
        .await
}

#[test]
fn a_changed_image_writes_only_the_difference() {
    both(|fixture| async move {
        let store = &fixture.store;
        let before = inventory(
            1,
            &["app:1"],
            vec![deb("a", "1"), deb("b", "1"), deb("c", "1")],
        );
        let one = || vec![finding("CVE-1", Severity::High)];
        let first = save(store, &before, &[one(), vec![], vec![]], 0).await?;
        let mut after = inventory(
            1,
            &["app:1"],
            vec![deb("b", "1"), deb("c", "1"), deb("d", "1")],
        );
        after.distro = None;
        after.packages[0].layer = 1;
        after.problems.clear();
        let second = save(store, &after, &[vec![], vec![], vec![]], 1).await?;
        assert_eq!(second.image, first.image);
        let expected = Changes {
            // package d, its place, the place of b in its new layer
            inserted: 3,
            // the image
            updated: 1,
            // problem, places of a and b, match, vulnerability and package of a
            deleted: 6,
            summaries: 1,
        };
        assert_eq!(second.changes, expected);
        assert_eq!(images::inventory(store, first.image).await?, after);
        assert_eq!(packages::all(store, None, 9).await?.len(), 3);
        let detail = images::get(store, first.image).await?.unwrap();
        assert_eq!(detail.summary.findings, SeverityCounts::default());
        assert_eq!((detail.summary.packages, detail.summary.problems), (3, 0));
        assert_eq!(detail.summary.first_seen, at(0));
        Ok(())
    });
}

#[test]
fn a_tag_moves_to_the_image_saved_last() {
    both(|fixture| async move {
        let store = &fixture.store;
        let old = save(
            store,
            &inventory(1, &["app:1", "app:latest"], vec![]),
            &[],
            0,
        )
        .await?;
        let new = save(
            store,
            &inventory(2, &["app:2", "app:latest"], vec![]),
            &[],
            1,
        )
        .await?;
        assert_eq!(new.changes.updated, 1);
        let references = async |image| {
            let detail = images::get(store, image).await?.unwrap();
            Ok::<_, StoreError>(detail.summary.references)
        };
        assert_eq!(references(old.image).await?, ["app:1"]);
        assert_eq!(references(new.image).await?, ["app:2", "app:latest"]);
        let latest = images::id_by_reference(store, "app:latest").await?;
        assert_eq!(latest, Some(new.image));
        let id = images::id_by_digest(store, &digest(1)).await?;
        assert_eq!(id, Some(old.image));
        assert_eq!(images::id_by_digest(store, &digest(9)).await?, None);
        assert_eq!(images::id_by_reference(store, "x\0").await?, None);
        Ok(())
    });
}

#[test]
fn impossible_values_are_refused() {
    both(|fixture| async move {
        let store = &fixture.store;
        let unequal = save(store, &inventory(1, &[], vec![deb("a", "1")]), &[], 0).await;
        assert!(matches!(unequal, Err(StoreError::Refused { .. })));
        let long = "x".repeat(1_201);
        let refused = save(store, &inventory(1, &[&long], vec![]), &[], 0).await;
        assert!(matches!(refused, Err(StoreError::Refused { .. })));
        assert_eq!(summary::totals(store).await?.images, 0);
        // Not indexed, so only as long as they like.
        let long = "0123456789abcdef".repeat(1_000);
        let long = inventory(1, &[], vec![npm(&long, &long, &long[..4_000])]);
        let image = save(store, &long, &[vec![]], 0).await?.image;
        assert_eq!(images::inventory(store, image).await?, long);
        Ok(())
    });
}

#[test]
fn detail_counts_by_layer_and_each_package_once() {
    both(|fixture| async move {
        let store = &fixture.store;
        let packages = vec![
            deb("openssl", "3"),
            npm("lodash", "4", "app/a"),
            npm("lodash", "4", "app/b"),
        ];
        let lodash = || {
            vec![
                fixed("CVE-2", Severity::Critical),
                finding("CVE-3", Severity::Low),
            ]
        };
        let findings = [vec![finding("CVE-1", Severity::High)], lodash(), lodash()];
        let inventory = inventory(1, &["app:1"], packages);
        let image = save(store, &inventory, &findings, 0).await?.image;

        let detail = images::get(store, image).await?.unwrap();
        let all = SeverityCounts {
            critical: 1,
            high: 1,
            low: 1,
            ..SeverityCounts::default()
        };
        assert_eq!(detail.summary.findings, all);
        assert_eq!((detail.summary.fixable, detail.summary.packages), (1, 3));
        assert_eq!(detail.summary.distro, inventory.distro);
        assert_eq!(detail.summary.size_bytes, inventory.image.size_bytes());
        assert_eq!(detail.config_digest, inventory.image.config_digest);
        assert_eq!(detail.created, inventory.image.created);
        assert_eq!(detail.problems, inventory.problems);
        let layers: Vec<_> = detail
            .layers
            .iter()
            .map(|layer| (layer.packages, layer.findings.total()))
            .collect();
        assert_eq!(layers, [(1, 1), (2, 2)]);
        assert_eq!(detail.layers[1].layer, inventory.image.layers[1]);

        let totals = summary::totals(store).await?;
        assert_eq!((totals.images, totals.packages, totals.fixable), (1, 2, 1));
        assert_eq!(totals.findings, all);
        assert_eq!(
            (totals.images_with_critical, totals.images_with_fixable),
            (1, 1)
        );
        assert_eq!(totals.images_with_problems, 1);
        assert_eq!(images::get(store, ImageId(99)).await?, None);
        Ok(())
    });
}

#[test]
fn deleting_an_image_forgets_what_only_it_had() {
    both(|fixture| async move {
        let store = &fixture.store;
        let shared = || vec![finding("CVE-1", Severity::High)];
        let one = inventory(1, &["a:1"], vec![deb("own", "1"), deb("shared", "1")]);
        let own = vec![finding("CVE-2", Severity::Low)];
        let one = save(store, &one, &[own, shared()], 0).await?.image;
        let mut two = inventory(2, &["b:1"], vec![deb("shared", "1")]);
        two.packages[0].path = path("var/lib/dpkg/status.d/shared");
        let two = save(store, &two, &[shared()], 0).await?.image;

        let mut tx = store.begin().await?;
        assert!(images::delete(&mut tx, one).await?);
        assert!(!images::delete(&mut tx, one).await?);
        tx.commit().await?;
        assert_eq!(images::get(store, one).await?, None);
        let left = packages::all(store, None, 9).await?;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].1.name, "shared");
        let names = fixture.texts("SELECT name FROM vulnerability").await;
        assert_eq!(names, ["CVE-1"]);
        let all = FindingFilter::default();
        assert_eq!(
            images::findings(store, two, &all, FindingSort::Severity, None, 9)
                .await?
                .items
                .len(),
            1
        );
        assert_eq!(images::prune_paths(store).await?, 1);
        assert_eq!(images::prune_paths(store).await?, 0);
        for table in ["layer", "problem", "image_reference"] {
            let rows = fixture
                .texts(&format!("SELECT CAST(image AS TEXT) FROM {table}"))
                .await;
            assert!(rows.iter().all(|id| *id == two.to_string()), "{table}");
        }
        let none = PackageFilter::default();
        assert_eq!(
            images::packages(store, one, &none, None, 9).await?.items,
            []
        );
        Ok(())
    });
}

#[test]
fn two_images_saved_at_once_share_their_packages() {
    both(|fixture| async move {
        let store = &fixture.store;
        let one = inventory(1, &["a:1"], vec![deb("a", "1"), deb("b", "1")]);
        let two = inventory(2, &["b:1"], vec![deb("b", "1"), deb("c", "1")]);
        let findings = [
            vec![finding("CVE-1", Severity::High)],
            vec![finding("CVE-1", Severity::High)],
        ];
        let (one, two) = tokio::join!(
            save(store, &one, &findings, 0),
            save(store, &two, &findings, 0)
        );
        for image in [one?.image, two?.image] {
            let detail = images::get(store, image).await?.unwrap();
            assert_eq!(detail.summary.findings.high, 2);
        }
        assert_eq!(packages::all(store, None, 9).await?.len(), 3);
        Ok(())
    });
}

#[test]
fn a_finding_comes_back_as_it_was_found() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut odd = fixed("CVE-2024-1", Severity::Unknown);
        odd.status = FindingStatus::WillNotFix;
        let known = Arc::make_mut(&mut odd.vulnerability);
        known.aliases.clear();
        known.references.clear();
        known.cvss.clear();
        known.published = None;
        known.modified = Some(Timestamp::MIN);
        let mut installed = npm("lodash", "4", "b");
        installed.layer = 0;
        let packages = vec![installed, npm("lodash", "4", "a")];
        let inventory = inventory(1, &[], packages);
        let image = save(
            store,
            &inventory,
            &[vec![odd.clone()], vec![odd.clone()]],
            7,
        )
        .await?
        .image;
        let listed = images::findings(
            store,
            image,
            &FindingFilter::default(),
            FindingSort::Severity,
            None,
            9,
        )
        .await?;
        assert_eq!(listed.items.len(), 1);
        let row = &listed.items[0];
        assert_eq!((&row.finding, row.places, row.first_seen), (&odd, 2, at(7)));

        let detail = images::finding(store, image, row.package, "CVE-2024-1")
            .await?
            .unwrap();
        assert_eq!(&detail.row, row);
        let places: Vec<_> = detail
            .places
            .iter()
            .map(|p| (p.layer, p.path.clone()))
            .collect();
        assert_eq!(places, [(0, path("b")), (1, path("a"))]);
        let none = images::finding(store, image, row.package, "CVE-x\0").await?;
        assert_eq!(none, None);
        Ok(())
    });
}
