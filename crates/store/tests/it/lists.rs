//! The list of images: order, filters, pages.

use seareeve_model::Severity;
use seareeve_store::images::{self, ImageFilter, ImageSort};
use seareeve_store::{Store, StoreError};

use crate::both::both;
use crate::sample::{deb, digest, finding, fixed, inventory, save};

/// 1: high · 2: critical, fixable · 3: high, the same counts as 1 · 4: nothing, Alpine, no reference.
async fn sample(store: &Store) -> Result<(), StoreError> {
    let high = |id: &str| vec![finding(id, Severity::High)];
    let image = |number, reference: &str, package: &str| {
        inventory(number, &[reference], vec![deb(package, "1")])
    };
    save(store, &image(1, "team/web:1", "a"), &[high("CVE-1")], 10).await?;
    let critical = vec![fixed("CVE-2", Severity::Critical)];
    save(store, &image(2, "team/API:1", "b"), &[critical], 20).await?;
    save(store, &image(3, "db:1", "c"), &[high("CVE-3")], 20).await?;
    let mut bare = inventory(4, &[], vec![]);
    if let Some(distro) = &mut bare.distro {
        distro.name = "Alpine Linux".to_owned();
    }
    save(store, &bare, &[], 5).await?;
    Ok(())
}

/// The images' numbers, page by page.
async fn shown(
    store: &Store,
    filter: &ImageFilter,
    sort: ImageSort,
    limit: usize,
) -> Result<Vec<u8>, StoreError> {
    let (mut numbers, mut after) = (Vec::new(), None);
    loop {
        let page = images::list(store, filter, sort, after.as_ref(), limit).await?;
        let number = |shown: &images::ImageSummary| (1..=9).find(|n| digest(*n) == shown.digest);
        numbers.extend(page.items.iter().filter_map(number));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(numbers),
        }
    }
}

#[test]
fn images_are_sorted_and_paged_through_ties() {
    both(|fixture| async move {
        let store = &fixture.store;
        sample(store).await?;
        let cases = [
            (ImageSort::Severity, [2, 3, 1, 4]),
            (ImageSort::Newest, [3, 2, 1, 4]),
            // Bytes, so capitals first; the digest stands in for a reference.
            (ImageSort::Name, [3, 4, 2, 1]),
        ];
        for (sort, expected) in cases {
            for limit in [1, 2, 3, 4, 100] {
                let shown = shown(store, &ImageFilter::default(), sort, limit).await?;
                assert_eq!(shown, expected, "{sort:?} {limit}");
            }
        }
        let all = ImageFilter::default();
        let first = images::list(store, &all, ImageSort::Name, None, 1).await?;
        let other = images::list(store, &all, ImageSort::Newest, first.next.as_ref(), 1).await;
        assert!(matches!(other, Err(StoreError::BadCursor)));
        Ok(())
    });
}

#[test]
fn images_are_filtered() {
    both(|fixture| async move {
        let store = &fixture.store;
        sample(store).await?;
        let all = ImageFilter::default;
        let query = |text: &str| ImageFilter {
            query: text.to_owned(),
            ..all()
        };
        let at_least = |severity| ImageFilter {
            min_severity: Some(severity),
            ..all()
        };
        let fixable = ImageFilter {
            fixable_only: true,
            ..all()
        };
        let both = ImageFilter {
            query: "db".to_owned(),
            ..fixable.clone()
        };
        let cases = [
            (query("TEAM/"), vec![2, 1]),
            (query("api"), vec![2]),
            (query("sha256:0303"), vec![3]),
            (query("alpine"), vec![4]),
            (query("nothing"), vec![]),
            (at_least(Severity::Critical), vec![2]),
            (at_least(Severity::High), vec![2, 3, 1]),
            (at_least(Severity::Unknown), vec![2, 3, 1]),
            (fixable, vec![2]),
            (both, vec![]),
        ];
        for (filter, expected) in cases {
            let shown = shown(store, &filter, ImageSort::Severity, 2).await?;
            assert_eq!(shown, expected, "{filter:?}");
        }
        Ok(())
    });
}
