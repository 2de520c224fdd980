//! Lists of threat intelligence, and which clusters are the same.

use seareeve_store::audit_clusters::{self, Progress, Same};
use seareeve_store::clusters::{self, NewCluster};
use seareeve_store::intel_lists::{self, Found, NewIntelList, Unused};
use seareeve_store::{AssetId, IntelListId, Store, StoreError};

use crate::both::both;
use crate::sample::at;

async fn make(store: &Store, name: &str) -> Result<IntelListId, StoreError> {
    let extends = ["known_bad_addresses".to_owned()];
    let new = NewIntelList {
        name,
        settings: r#"{"format":"plain"}"#,
        extends: &extends,
        every_hours: 6,
        author: "ann",
    };
    let mut tx = store.begin().await?;
    let id = intel_lists::create(&mut tx, &new, at(1)).await?;
    tx.commit().await?;
    Ok(id)
}

#[test]
fn what_a_list_says_is_replaced_as_a_whole_and_stays_when_it_cannot_be_had() {
    both(|fixture| async move {
        let store = &fixture.store;
        let id = make(store, "exits").await?;
        let again = make(store, "exits").await;
        assert!(
            matches!(again, Err(StoreError::Conflict { .. })),
            "{again:?}"
        );
        assert_eq!(intel_lists::content(store, id).await?, None);
        let unused = [Unused {
            reason: "a domain".to_owned(),
            count: 2,
            example: "a\0b".to_owned(),
        }];
        let found = Found {
            validator: r#"{"tag":"1"}"#,
            entries: 3,
            unused: &unused,
            content: b"packed",
        };
        let mut tx = store.begin().await?;
        assert!(intel_lists::put(&mut tx, id, &found, at(5)).await?);
        intel_lists::failed(&mut tx, id, "gone\0", at(7)).await?;
        assert!(!intel_lists::put(&mut tx, IntelListId(99), &found, at(5)).await?);
        tx.commit().await?;
        let list = intel_lists::get(store, id).await?.unwrap();
        assert_eq!(
            (list.tried, list.succeeded, list.changed, list.entries),
            (Some(at(7)), Some(at(5)), Some(at(5)), 3)
        );
        assert!(
            list.problem
                .is_some_and(|problem| problem.starts_with("gone"))
        );
        assert_eq!(list.unused[0].count, 2);
        assert_eq!(
            intel_lists::content(store, id).await?.as_deref(),
            Some(&b"packed"[..])
        );
        let mut tx = store.begin().await?;
        intel_lists::unchanged(&mut tx, id, at(9)).await?;
        assert!(intel_lists::change(&mut tx, id, false, 0).await?);
        tx.commit().await?;
        let list = intel_lists::list(store).await?.remove(0);
        assert_eq!(
            (
                list.succeeded,
                list.changed,
                list.problem,
                list.is_on,
                list.every_hours
            ),
            (Some(at(9)), Some(at(5)), None, false, 0)
        );
        let mut tx = store.begin().await?;
        assert!(intel_lists::delete(&mut tx, id).await?);
        assert!(!intel_lists::delete(&mut tx, id).await?);
        tx.commit().await?;
        assert!(intel_lists::list(store).await?.is_empty());
        Ok(())
    });
}

async fn posture(store: &Store, uid: &str, name: &str) -> Result<AssetId, StoreError> {
    let new = NewCluster {
        external_id: uid,
        name,
        collector: "test",
        watcher: "sensor",
        collected_at: at(1),
    };
    let mut tx = store.begin().await?;
    let cluster = clusters::meet(&mut tx, &new, at(1)).await?;
    tx.commit().await?;
    Ok(cluster.asset)
}

async fn found_out(store: &Store) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let changed = audit_clusters::join_all(&mut tx).await?;
    tx.commit().await?;
    Ok(changed)
}

#[test]
fn clusters_are_joined_by_uid_or_by_a_name_that_one_has_unless_somebody_says_so() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut tx = store.begin().await?;
        let prod = audit_clusters::create(&mut tx, "prod", "ann", at(0)).await?;
        tx.commit().await?;
        let joined = async || -> Result<_, StoreError> {
            let cluster = audit_clusters::get(store, "prod").await?.unwrap();
            Ok((cluster.asset, cluster.asset_by))
        };
        assert_eq!(found_out(store).await?, 0);
        let first = posture(store, "u-1", "Prod").await?;
        assert_eq!((found_out(store).await?, found_out(store).await?), (1, 0));
        assert_eq!(joined().await?, (Some(first), Some("name".to_owned())));
        assert_eq!(audit_clusters::of_asset(store, first).await?.len(), 1);
        // Two have the name, so it says nothing any more.
        let second = posture(store, "u-2", "prod").await?;
        assert_eq!(found_out(store).await?, 1);
        assert_eq!(joined().await?, (None, None));
        let progress = Progress {
            uid: Some("u-2".to_owned()),
            objects: Some(b"known".to_vec()),
            ..Progress::default()
        };
        let mut tx = store.begin().await?;
        audit_clusters::advance(&mut tx, prod, &progress, at(3)).await?;
        tx.commit().await?;
        assert_eq!(found_out(store).await?, 1);
        assert_eq!(joined().await?, (Some(second), Some("uid".to_owned())));
        let objects = audit_clusters::objects(store, prod).await?;
        assert_eq!(objects.as_deref(), Some(&b"known"[..]));
        for (same, expected) in [
            (Same::As(first), (Some(first), Some("person".to_owned()))),
            (Same::None, (None, Some("person".to_owned()))),
        ] {
            let mut tx = store.begin().await?;
            audit_clusters::join(&mut tx, prod, same).await?;
            tx.commit().await?;
            assert_eq!(found_out(store).await?, 0);
            assert_eq!(joined().await?, expected);
        }
        let mut tx = store.begin().await?;
        audit_clusters::join(&mut tx, prod, Same::FoundOut).await?;
        tx.commit().await?;
        assert_eq!(found_out(store).await?, 1);
        assert_eq!(joined().await?, (Some(second), Some("uid".to_owned())));
        Ok(())
    });
}
