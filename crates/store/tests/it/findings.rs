//! The findings and packages of an image: filters, order, pages, facets.

use std::collections::BTreeMap;

use seareeve_model::{FindingStatus, PackageKind, Severity};
use seareeve_store::images::{
    self, FindingFacets, FindingFilter, FindingSort, PackageFilter, PackageRow,
};
use seareeve_store::{Cursor, ImageId, SeverityCounts, Store, StoreError, packages};

use crate::both::both;
use crate::sample::{deb, finding, fixed, inventory, npm, save};

/// openssl (layer 0): 1 critical fixed, 2 high · lodash (layers 0 and 1): 1 high fixed · zlib: nothing.
async fn sample(store: &Store) -> Result<ImageId, StoreError> {
    let mut below = npm("lodash", "4", "srv/lodash");
    below.layer = 0;
    let packages = vec![
        deb("openssl", "3"),
        npm("lodash", "4", "app/lodash"),
        below,
        deb("zlib", "1"),
    ];
    let lodash = || vec![fixed("CVE-2", Severity::High)];
    let openssl = vec![
        finding("CVE-3", Severity::High),
        fixed("CVE-1", Severity::Critical),
        finding("CVE-2", Severity::High),
    ];
    let findings = [openssl, lodash(), lodash(), vec![]];
    let other = inventory(2, &[], vec![deb("zlib", "1"), deb("bash", "5")]);
    let noise = vec![finding("CVE-9", Severity::Critical)];
    save(store, &other, &[vec![], noise], 0).await?;
    let image = save(store, &inventory(1, &[], packages), &findings, 0).await?;
    Ok(image.image)
}

async fn shown(store: &Store, image: ImageId, filter: FindingFilter) -> Result<String, StoreError> {
    let page = images::findings(store, image, &filter, FindingSort::Severity, None, 100).await?;
    let facets = images::finding_facets(store, image, &filter).await?;
    assert_eq!(facets.total, page.items.len() as u64, "{filter:?}");
    let names = page.items.iter().map(|row| {
        let id = row.finding.vulnerability.id.trim_start_matches("CVE-");
        format!("{id}:{}", row.installed.package.name)
    });
    Ok(names.collect::<Vec<_>>().join(" "))
}

#[test]
fn findings_are_filtered_and_sorted_worst_first() {
    both(|fixture| async move {
        let store = &fixture.store;
        let image = sample(store).await?;
        let all = FindingFilter::default;
        let lodash = packages::by_match_names(store, &["LoDash".to_owned()]).await?[0].0;
        let high: FindingFilter = FindingFilter {
            severities: [Severity::High, Severity::Low].into(),
            ..all()
        };
        let query = |text: &str| FindingFilter {
            query: text.to_owned(),
            ..all()
        };
        let cases = [
            (all(), "1:openssl 2:lodash 2:openssl 3:openssl"),
            (high, "2:lodash 2:openssl 3:openssl"),
            (
                FindingFilter {
                    layer: Some(1),
                    ..all()
                },
                "2:lodash",
            ),
            (
                FindingFilter {
                    layer: Some(0),
                    ..all()
                },
                "1:openssl 2:lodash 2:openssl 3:openssl",
            ),
            (
                FindingFilter {
                    package: Some(lodash),
                    ..all()
                },
                "2:lodash",
            ),
            (
                FindingFilter {
                    kind: Some(PackageKind::Deb),
                    ..all()
                },
                "1:openssl 2:openssl 3:openssl",
            ),
            (
                FindingFilter {
                    kind: Some(PackageKind::Apk),
                    ..all()
                },
                "",
            ),
            (
                FindingFilter {
                    fixable_only: true,
                    ..all()
                },
                "1:openssl 2:lodash",
            ),
            (
                FindingFilter {
                    statuses: [FindingStatus::Affected, FindingStatus::EndOfLife].into(),
                    ..all()
                },
                "2:openssl 3:openssl",
            ),
            (query("OpenSSL"), "1:openssl 2:openssl 3:openssl"),
            (query(" cve-2 "), "2:lodash 2:openssl"),
            (query("ghsa-CVE-1"), "1:openssl"),
            (query("title of cve-3"), "3:openssl"),
            (query("cve_2"), ""),
            (query("%"), ""),
            (query("\0"), ""),
        ];
        for (filter, expected) in cases {
            assert_eq!(
                shown(store, image, filter.clone()).await?,
                expected,
                "{filter:?}"
            );
        }
        Ok(())
    });
}

#[test]
fn pages_go_through_ties_without_loss() {
    both(|fixture| async move {
        let store = &fixture.store;
        let image = sample(store).await?;
        let filter = FindingFilter::default();
        let whole =
            images::findings(store, image, &filter, FindingSort::Severity, None, 100).await?;
        assert_eq!(whole.next, None);
        for limit in 1..=4 {
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let page = images::findings(
                    store,
                    image,
                    &filter,
                    FindingSort::Severity,
                    after.as_ref(),
                    limit,
                )
                .await?;
                assert!(page.items.len() <= limit);
                paged.extend(page.items);
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            assert_eq!(paged, whole.items, "{limit}");
        }
        let bad: Cursor = "WzFd".parse().unwrap();
        let refused =
            images::findings(store, image, &filter, FindingSort::Severity, Some(&bad), 9).await;
        assert!(matches!(refused, Err(StoreError::BadCursor)));
        Ok(())
    });
}

#[test]
fn facets_count_what_another_choice_would_give() {
    both(|fixture| async move {
        let store = &fixture.store;
        let image = sample(store).await?;
        let filter = FindingFilter {
            severities: [Severity::Critical].into(),
            kind: Some(PackageKind::Deb),
            ..FindingFilter::default()
        };
        let facets = images::finding_facets(store, image, &filter).await?;
        let expected = FindingFacets {
            total: 1,
            severities: SeverityCounts {
                critical: 1,
                high: 2,
                ..SeverityCounts::default()
            },
            layers: BTreeMap::from([(0, 1)]),
            kinds: BTreeMap::from([(PackageKind::Deb, 1)]),
            statuses: BTreeMap::from([(FindingStatus::Fixed, 1)]),
            counted: 1,
            ..FindingFacets::default()
        };
        assert_eq!(facets, expected);
        let filter = FindingFilter {
            layer: Some(1),
            ..FindingFilter::default()
        };
        let facets = images::finding_facets(store, image, &filter).await?;
        assert_eq!((facets.total, facets.severities.high), (1, 1));
        assert_eq!(facets.layers, BTreeMap::from([(0, 4), (1, 1)]));
        Ok(())
    });
}

#[test]
fn packages_are_listed_with_their_findings() {
    both(|fixture| async move {
        let store = &fixture.store;
        let image = sample(store).await?;
        let show = |rows: &[PackageRow]| {
            let row = |row: &PackageRow| {
                let InstalledParts { name, path } = parts(row);
                format!("{name} {path} {}", row.findings.total())
            };
            rows.iter().map(row).collect::<Vec<_>>().join(", ")
        };
        let all = PackageFilter::default;
        let query = |text: &str| PackageFilter {
            query: text.to_owned(),
            ..all()
        };
        let dpkg = "var/lib/dpkg/status";
        let lodash = "lodash app/lodash 1, lodash srv/lodash 1";
        let cases = [
            (all(), format!("{lodash}, openssl {dpkg} 3, zlib {dpkg} 0")),
            (query("SSL"), format!("openssl {dpkg} 3")),
            (query("srv/"), "lodash srv/lodash 1".to_owned()),
            (
                PackageFilter {
                    kind: Some(PackageKind::Npm),
                    ..all()
                },
                lodash.to_owned(),
            ),
            (
                PackageFilter {
                    layer: Some(1),
                    ..all()
                },
                "lodash app/lodash 1".to_owned(),
            ),
            (
                PackageFilter {
                    vulnerable_only: true,
                    ..all()
                },
                format!("{lodash}, openssl {dpkg} 3"),
            ),
        ];
        for (filter, expected) in cases {
            let page = images::packages(store, image, &filter, None, 100).await?;
            assert_eq!(show(&page.items), expected, "{filter:?}");
        }
        let first = images::packages(store, image, &all(), None, 1).await?;
        let rest = images::packages(store, image, &all(), first.next.as_ref(), 100).await?;
        assert_eq!(show(&first.items), "lodash app/lodash 1");
        assert_eq!(rest.items.len(), 3);
        assert_eq!(rest.items[1].findings.critical, 1);
        assert_eq!(rest.next, None);
        Ok(())
    });
}

struct InstalledParts {
    name: String,
    path: String,
}

fn parts(row: &PackageRow) -> InstalledParts {
    InstalledParts {
        name: row.installed.package.name.clone(),
        path: row.installed.path.to_string(),
    }
}
