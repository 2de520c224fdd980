//! Sensors and the tokens by which they join.

use seareeve_store::{assets, join_tokens, sensors};

use crate::both::both;
use crate::posture::seen;
use crate::sample::at;

#[test]
fn a_join_token_is_good_for_its_uses_and_its_time() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut tx = store.begin().await?;
        let two = Some(2);
        let id =
            join_tokens::create(&mut tx, &[1; 32], "rack 4", "ann", two, at(0), at(10)).await?;
        join_tokens::create(&mut tx, &[2; 32], "all", "ann", None, at(1), at(20)).await?;
        let name = Some("rack 4".to_owned());
        assert_eq!(join_tokens::spend(&mut tx, &[1; 32], at(1)).await?, name);
        // Its time is over.
        assert_eq!(join_tokens::spend(&mut tx, &[1; 32], at(10)).await?, None);
        assert_eq!(join_tokens::spend(&mut tx, &[1; 32], at(2)).await?, name);
        // Its uses are over.
        assert_eq!(join_tokens::spend(&mut tx, &[1; 32], at(3)).await?, None);
        assert_eq!(join_tokens::spend(&mut tx, &[3; 32], at(3)).await?, None);
        tx.commit().await?;
        let listed = join_tokens::list(store).await?;
        let uses: Vec<_> = listed
            .iter()
            .map(|token| (token.name.as_str(), token.uses, token.last_used))
            .collect();
        assert_eq!(uses, [("all", 0, None), ("rack 4", 2, Some(at(2)))]);
        let mut tx = store.begin().await?;
        assert!(join_tokens::delete(&mut tx, id).await?);
        assert!(!join_tokens::delete(&mut tx, id).await?);
        tx.commit().await
    });
}

#[test]
fn a_sensor_ends_with_its_asset() {
    both(|fixture| async move {
        let store = &fixture.store;
        let (first, second) = (seen(store, "a", 1, 0).await?, seen(store, "b", 1, 0).await?);
        let mut tx = store.begin().await?;
        let id = sensors::create(&mut tx, &[1; 32], "a", "0.1.0", "rack 4", at(0)).await?;
        let other = sensors::create(&mut tx, &[2; 32], "x", "0.1.0", "rack 4", at(0)).await?;
        sensors::bind(&mut tx, id, first).await?;
        // The first asset stays.
        sensors::bind(&mut tx, id, second).await?;
        tx.commit().await?;
        let found = sensors::find(store, &[1; 32], at(30)).await?.unwrap();
        assert_eq!(
            (found.id, found.asset, found.last_seen),
            (id, Some(first), at(0))
        );
        sensors::find(store, &[1; 32], at(60)).await?;
        let listed = sensors::list(store).await?;
        assert_eq!((listed.len(), listed[0].last_seen), (2, at(60)));
        let mut tx = store.begin().await?;
        assets::delete(&mut tx, first).await?;
        assert!(sensors::delete(&mut tx, other).await?);
        assert!(!sensors::delete(&mut tx, other).await?);
        tx.commit().await?;
        assert_eq!(sensors::find(store, &[1; 32], at(61)).await?, None);
        Ok(())
    });
}
