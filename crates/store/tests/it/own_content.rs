//! Checks and benchmarks that people brought.

use seareeve_store::own_content::{self, OwnContent, OwnKind};

use crate::both::both;
use crate::sample::at;

#[test]
fn content_is_kept_replaced_and_forgotten() {
    both(|fixture| async move {
        let store = &fixture.store;
        let first = OwnContent {
            name: "acme.banner".to_owned(),
            kind: OwnKind::Check,
            title: "There is a banner".to_owned(),
            content: "id: acme.banner\n".to_owned(),
            enabled: true,
            author: "ann".to_owned(),
            created: at(1),
            changed: at(1),
        };
        let second = OwnContent {
            name: "acme-1.0".to_owned(),
            kind: OwnKind::Benchmark,
            ..first.clone()
        };
        let mut tx = store.begin().await?;
        own_content::put(&mut tx, &first).await?;
        own_content::put(&mut tx, &second).await?;
        tx.commit().await?;
        assert_eq!(
            own_content::list(store).await?,
            [second.clone(), first.clone()]
        );

        let replaced = OwnContent {
            content: "id: acme.banner\ntitle: x\n".to_owned(),
            enabled: false,
            author: "bob".to_owned(),
            created: at(9),
            changed: at(9),
            ..first
        };
        let mut tx = store.begin().await?;
        own_content::put(&mut tx, &replaced).await?;
        assert!(own_content::delete(&mut tx, "acme-1.0").await?);
        assert!(!own_content::delete(&mut tx, "acme-1.0").await?);
        tx.commit().await?;
        let kept = OwnContent {
            created: at(1),
            ..replaced
        };
        assert_eq!(own_content::list(store).await?, [kept]);
        Ok(())
    });
}
