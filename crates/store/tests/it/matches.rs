//! Matching again: only what differs is written, and every image that has the package shows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use seareeve_model::{Finding, InstalledPackage, Inventory, Severity};
use seareeve_store::images::{self, FindingFilter, FindingSort, ImageFilter, ImageSort};
use seareeve_store::{Changes, PackageId, Store, StoreError, matches, packages};

use crate::both::both;
use crate::images::{count_writes, writes};
use crate::sample::{at, deb, finding, fixed, inventory, npm, save};

async fn id_of(store: &Store, name: &str) -> Result<PackageId, StoreError> {
    let found = packages::by_match_names(store, &[name.to_owned()]).await?;
    Ok(found[0].0)
}

async fn apply(
    store: &Store,
    updates: &[(PackageId, Vec<Finding>)],
    second: i64,
) -> Result<Changes, StoreError> {
    let mut tx = store.begin().await?;
    let changes = matches::apply(&mut tx, updates, at(second)).await?;
    tx.commit().await?;
    Ok(changes)
}

/// That the counts kept with the images are those that counting their findings gives.
pub(crate) async fn assert_counts_are_true(store: &Store) -> Result<(), StoreError> {
    let all = ImageFilter::default();
    for image in images::list(store, &all, ImageSort::Newest, None, 1_000)
        .await?
        .items
    {
        let facets = images::finding_facets(store, image.id, &FindingFilter::default()).await?;
        assert_eq!(image.findings, facets.severities, "{}", image.id);
        let fixable = FindingFilter {
            fixable_only: true,
            ..FindingFilter::default()
        };
        let facets = images::finding_facets(store, image.id, &fixable).await?;
        assert_eq!(image.fixable, facets.total, "{}", image.id);
    }
    Ok(())
}

#[test]
fn packages_are_found_by_the_names_of_advisories() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut ssl = deb("libssl3", "3");
        if let Some(source) = &mut ssl.package.source {
            source.name = "openssl".to_owned();
        }
        let packages = vec![ssl, deb("zlib", "1"), npm("Foo.Bar", "1", "p")];
        save(
            store,
            &inventory(1, &[], packages),
            &[vec![], vec![], vec![]],
            0,
        )
        .await?;
        let names = ["openssl".to_owned(), "foo_bar".to_owned()];
        let found = packages::by_match_names(store, &names).await?;
        let found: Vec<&str> = found.iter().map(|(_, p)| p.name.as_str()).collect();
        assert_eq!(found, ["libssl3", "Foo.Bar"]);
        let none = packages::by_match_names(store, &["libssl3".to_owned()]).await?;
        assert_eq!(none, []);
        assert_eq!(packages::by_match_names(store, &[]).await?, []);

        let first = packages::all(store, None, 2).await?;
        let rest = packages::all(store, Some(first[1].0), 2).await?;
        assert_eq!((first.len(), rest.len()), (2, 1));
        Ok(())
    });
}

#[test]
fn an_update_reaches_every_image_and_twice_writes_nothing() {
    both(|fixture| async move {
        let store = &fixture.store;
        // The first image has lodash at two paths: it counts once.
        let two = vec![
            npm("lodash", "4", "a"),
            npm("lodash", "4", "b"),
            deb("zlib", "1"),
        ];
        let one = save(store, &inventory(1, &[], two), &[vec![], vec![], vec![]], 0)
            .await?
            .image;
        let two = inventory(2, &[], vec![npm("lodash", "4", "a")]);
        save(store, &two, &[vec![]], 0).await?;
        let three = inventory(3, &[], vec![deb("zlib", "1")]);
        save(store, &three, &[vec![]], 0).await?;
        let lodash = id_of(store, "lodash").await?;

        let old = finding("CVE-1", Severity::High);
        let update = [(lodash, vec![old.clone(), finding("CVE-2", Severity::Low)])];
        let expected = Changes {
            inserted: 4,
            summaries: 2,
            ..Changes::default()
        };
        assert_eq!(apply(store, &update, 10).await?, expected);
        assert_eq!(apply(store, &update, 20).await?, Changes::default());
        assert_counts_are_true(store).await?;

        // CVE-1 becomes critical and fixable; CVE-2 goes, CVE-3 comes with the same severity.
        let mut new = fixed("CVE-1", Severity::Critical);
        Arc::make_mut(&mut new.vulnerability).title = "Worse than thought".to_owned();
        let update = [(lodash, vec![new.clone(), finding("CVE-3", Severity::Low)])];
        let expected = Changes {
            inserted: 2,
            updated: 2,
            deleted: 2,
            summaries: 2,
        };
        assert_eq!(apply(store, &update, 30).await?, expected);
        assert_counts_are_true(store).await?;
        let rows = images::findings(
            store,
            one,
            &FindingFilter::default(),
            FindingSort::Severity,
            None,
            9,
        )
        .await?;
        assert_eq!(rows.items[0].finding, new);
        assert_eq!(rows.items[0].first_seen, at(10));
        assert_eq!(rows.items[1].first_seen, at(30));

        // Words only: no count changes, so no image is written.
        let mut reworded = new.clone();
        reworded.remediation = "upgrade soon".to_owned();
        let update = [(lodash, vec![reworded, finding("CVE-3", Severity::Low)])];
        let expected = Changes {
            updated: 1,
            ..Changes::default()
        };
        assert_eq!(apply(store, &update, 40).await?, expected);

        let expected = Changes {
            deleted: 4,
            summaries: 2,
            ..Changes::default()
        };
        assert_eq!(apply(store, &[(lodash, vec![])], 50).await?, expected);
        assert_counts_are_true(store).await?;
        let names = fixture.texts("SELECT name FROM vulnerability").await;
        assert_eq!(names, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn a_package_that_is_gone_is_passed_over() {
    both(|fixture| async move {
        let store = &fixture.store;
        let update = [(PackageId(77), vec![])];
        assert_eq!(apply(store, &update, 0).await?, Changes::default());
        let update = [(PackageId(77), vec![finding("CVE-1", Severity::High)])];
        assert_eq!(apply(store, &update, 0).await?, Changes::default());
        Ok(())
    });
}

#[test]
fn two_updates_at_once_count_each_difference_once() {
    both(|fixture| async move {
        let store = &fixture.store;
        let image = inventory(1, &[], vec![deb("a", "1"), deb("b", "1")]);
        save(store, &image, &[vec![], vec![]], 0).await?;
        let (a, b) = (id_of(store, "a").await?, id_of(store, "b").await?);
        let both = [
            (a, vec![finding("CVE-1", Severity::High)]),
            (b, vec![finding("CVE-1", Severity::High)]),
        ];
        let (one, two) = tokio::join!(apply(store, &both, 1), apply(store, &both, 1));
        let mut inserted = [one?.inserted, two?.inserted];
        inserted.sort_unstable();
        assert_eq!(inserted, [0, 3]);
        assert_counts_are_true(store).await
    });
}

/// Forty images over sixty packages; an update that touches six writes those rows and no other.
#[test]
fn a_database_update_writes_only_changed_rows() {
    both(|fixture| async move {
        let store = &fixture.store;
        let package = |number: usize| deb(&format!("p{number}"), "1");
        let findings =
            |number: usize| vec![finding(&format!("CVE-{}", number % 10), Severity::Low)];
        let image = |number: u8| {
            let chosen = (0..20_usize).map(|n| (n * n + usize::from(number) * 7) % 60);
            let chosen: BTreeMap<InstalledPackage, usize> =
                chosen.map(|n| (package(n), n)).collect();
            let findings: Vec<Vec<Finding>> = chosen.values().map(|n| findings(*n)).collect();
            (
                inventory(number, &[], chosen.into_keys().collect()),
                findings,
            )
        };
        let all: Vec<(Inventory, Vec<Vec<Finding>>)> = (1..=40).map(image).collect();
        for (inventory, findings) in &all {
            save(store, inventory, findings, 0).await?;
        }
        assert_counts_are_true(store).await?;

        let names: Vec<String> = (0..6).map(|n| format!("p{n}")).collect();
        let changed = packages::by_match_names(store, &names).await?;
        // Of the six: 0 to 2 get one more, 3 gets worse, 4 loses its only one, 5 stays.
        let updates: Vec<(PackageId, Vec<Finding>)> = changed
            .iter()
            .map(|(id, package)| {
                let number: usize = package.name[1..].parse().unwrap();
                let mut findings = findings(number);
                match number {
                    0..=2 => findings.push(fixed("CVE-new", Severity::Critical)),
                    3 => findings[0].severity = Severity::High,
                    4 => findings.clear(),
                    _ => {}
                }
                (*id, findings)
            })
            .collect();
        assert_eq!(updates.len(), 6);
        let holders = all.iter().filter(|(inventory, _)| {
            let touched = |p: &InstalledPackage| {
                ["p0", "p1", "p2", "p3", "p4"].contains(&p.package.name.as_str())
            };
            inventory.packages.iter().any(touched)
        });
        let expected = Changes {
            inserted: 4,
            updated: 1,
            deleted: 1,
            summaries: holders.count() as u64,
        };
        if fixture.is_sqlite() {
            count_writes(&fixture).await;
        }
        assert_eq!(apply(store, &updates, 1).await?, expected);
        assert!(expected.summaries > 5 && expected.summaries < 40);
        if fixture.is_sqlite() {
            let expected = [
                "1 DELETE package_vulnerability".to_owned(),
                "3 INSERT package_vulnerability".to_owned(),
                "1 INSERT vulnerability".to_owned(),
                format!("{} UPDATE image", expected.summaries),
                "1 UPDATE package_vulnerability".to_owned(),
            ];
            assert_eq!(writes(&fixture).await, expected);
        }
        assert_counts_are_true(store).await
    });
}
