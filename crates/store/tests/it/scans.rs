//! Scans, from the request to the result.

use seareeve_store::scans::{self, ScanSource, ScanState};
use seareeve_store::users::{self, Role};
use seareeve_store::{Cursor, ScanId, StoreError, images};

use crate::both::both;
use crate::sample::{at, inventory, save};

#[test]
fn a_scan_is_asked_for_started_and_done() {
    both(|fixture| async move {
        let store = &fixture.store;
        let user = users::create(store, "ann", None, Role::Owner, at(0)).await?;
        let sample = inventory(1, &["a:1"], vec![]);
        let image = save(store, &sample, &[], 0).await?.image;
        let source = ScanSource::Upload {
            name: "app.tar".to_owned(),
            size_bytes: 7_000_000_000,
        };
        let mut tx = store.begin().await?;
        let id = scans::create(&mut tx, &source, Some(user), at(1)).await?;
        tx.commit().await?;
        let scan = scans::get(store, id).await?.unwrap();
        assert_eq!((scan.source, scan.requested_by.is_some()), (source, true));
        assert_eq!(scans::pending(store).await?, 1);
        assert_eq!(
            (scan.state, scan.created, scan.started),
            (ScanState::Queued, at(1), None)
        );

        let mut tx = store.begin().await?;
        assert!(scans::start(&mut tx, id, at(2)).await?);
        assert!(scans::finish(&mut tx, id, image, 3, at(4)).await?);
        assert!(!scans::fail(&mut tx, id, "late", at(5)).await?);
        assert!(!scans::start(&mut tx, id, at(5)).await?);
        tx.commit().await?;
        let scan = scans::get(store, id).await?.unwrap();
        let done = ScanState::Done {
            image: Some(sample.image.digest),
            problems: 3,
        };
        assert_eq!(
            (scan.state, scan.started, scan.finished),
            (done, Some(at(2)), Some(at(4)))
        );

        let mut tx = store.begin().await?;
        assert!(images::delete(&mut tx, image).await?);
        tx.commit().await?;
        let gone = ScanState::Done {
            image: None,
            problems: 3,
        };
        assert_eq!(scans::get(store, id).await?.unwrap().state, gone);
        assert_eq!(scans::get(store, ScanId(999)).await?, None);
        Ok(())
    });
}

#[test]
fn scans_fail_are_cancelled_paged_and_forgotten() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut ids = Vec::new();
        let mut tx = store.begin().await?;
        for number in 0..5 {
            let source = ScanSource::Reference(format!("app:{number}"));
            ids.push(scans::create(&mut tx, &source, None, at(0)).await?);
        }
        let sbom = ScanSource::Sbom("from ci".to_owned());
        ids.push(scans::create(&mut tx, &sbom, None, at(0)).await?);
        assert!(scans::fail(&mut tx, ids[0], "no such image\0", at(10)).await?);
        assert!(scans::cancel(&mut tx, ids[1], at(20)).await?);
        tx.commit().await?;

        let failed = scans::get(store, ids[0]).await?.unwrap().state;
        let error = "no such image\u{fffd}".to_owned();
        assert_eq!(failed, ScanState::Failed { error });
        let cancelled = scans::get(store, ids[1]).await?.unwrap();
        assert_eq!(cancelled.state, ScanState::Cancelled);

        let first = scans::list(store, None, 4).await?;
        let second = scans::list(store, first.next.as_ref(), 4).await?;
        let mut listed: Vec<ScanId> = first
            .items
            .iter()
            .chain(&second.items)
            .map(|s| s.id)
            .collect();
        assert_eq!(second.next, None);
        assert_eq!(first.items[0].source, sbom);
        listed.reverse();
        assert_eq!(listed, ids);
        let bad: Cursor = "nonsense".parse().unwrap();
        let refused = scans::list(store, Some(&bad), 4).await;
        assert!(matches!(refused, Err(StoreError::BadCursor)));

        assert_eq!(scans::delete_old(store, at(20)).await?, 1);
        assert_eq!(scans::delete_old(store, at(99)).await?, 1);
        assert_eq!(scans::list(store, None, 9).await?.items.len(), 4);
        Ok(())
    });
}
