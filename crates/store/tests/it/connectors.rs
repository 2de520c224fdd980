//! Connectors, and which assets they bring.

use seareeve_store::connectors::{self, ConnectorState, NewConnector, Run, SubscriptionRun};
use seareeve_store::{ConnectorId, Store, StoreError, assets};

use crate::both::both;
use crate::posture::seen;
use crate::sample::at;

async fn make(store: &Store, name: &str) -> Result<Option<ConnectorId>, StoreError> {
    let new = NewConnector {
        kind: "azure",
        name,
        settings: r#"{"cloud":"public"}"#,
        every_hours: 6,
        author: "admin",
    };
    let mut tx = store.begin().await?;
    let id = connectors::create(&mut tx, &new, at(1)).await?;
    tx.commit().await?;
    Ok(id)
}

#[test]
fn a_name_is_taken_once() {
    both(|fixture| async move {
        let store = &fixture.store;
        let shop = make(store, "shop").await?.unwrap();
        assert_eq!(make(store, "shop").await?, None);
        make(store, "attic").await?.unwrap();
        let all = connectors::list(store).await?;
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["attic", "shop"]);
        let found = connectors::get(store, shop).await?.unwrap();
        assert_eq!(found.state, ConnectorState::New);
        assert_eq!((found.tried, found.every_hours), (None, 6));
        assert_eq!(connectors::get(store, ConnectorId(99)).await?, None);
        Ok(())
    });
}

#[test]
fn what_came_of_runs_is_told() {
    both(|fixture| async move {
        let store = &fixture.store;
        let shop = make(store, "shop").await?.unwrap();
        let problems = vec!["the role lacks\0x".to_owned()];
        let mut tx = store.begin().await?;
        let seen = vec![SubscriptionRun {
            id: "s-1".to_owned(),
            name: "Shop".to_owned(),
            clusters: 2,
            registries: 1,
            problems: vec!["the role lacks x".to_owned()],
        }];
        let partial = Run {
            state: ConnectorState::Partial,
            problems: &problems,
            subscriptions: Some(&seen),
        };
        let failed = Run {
            state: ConnectorState::Failed,
            problems: &[],
            subscriptions: None,
        };
        assert!(connectors::note(&mut tx, shop, &partial, at(5)).await?);
        assert!(connectors::note(&mut tx, shop, &failed, at(7)).await?);
        assert!(!connectors::note(&mut tx, ConnectorId(99), &failed, at(7)).await?);
        tx.commit().await?;
        let found = connectors::get(store, shop).await?.unwrap();
        assert_eq!(found.state, ConnectorState::Failed);
        assert_eq!(found.tried, Some(at(7)));
        // The last one that brought something.
        assert_eq!(found.succeeded, Some(at(5)));
        assert_eq!(found.problems, Vec::<String>::new());
        assert_eq!(found.subscriptions, seen);
        Ok(())
    });
}

#[test]
fn an_asset_stays_while_somebody_finds_it() {
    both(|fixture| async move {
        let store = &fixture.store;
        let shop = make(store, "shop").await?.unwrap();
        let attic = make(store, "attic").await?.unwrap();
        let asset = seen(store, "one", 1, 1).await?;
        let mut tx = store.begin().await?;
        for connector in [shop, shop, attic, ConnectorId(99)] {
            connectors::claim(&mut tx, connector, asset).await?;
        }
        tx.commit().await?;
        let pairs = [(shop, asset), (attic, asset)];
        assert_eq!(connectors::assets(store).await?, pairs);
        let mut tx = store.begin().await?;
        assert!(!connectors::release(&mut tx, shop, asset).await?);
        assert!(connectors::delete(&mut tx, shop).await?);
        assert!(!connectors::delete(&mut tx, shop).await?);
        assert!(connectors::release(&mut tx, attic, asset).await?);
        connectors::claim(&mut tx, attic, asset).await?;
        tx.commit().await?;
        let mut tx = store.begin().await?;
        assets::delete(&mut tx, asset).await?;
        tx.commit().await?;
        assert_eq!(connectors::assets(store).await?, []);
        Ok(())
    });
}

#[test]
fn what_is_said_of_one_can_be_changed() {
    both(|fixture| async move {
        let store = &fixture.store;
        let shop = make(store, "shop").await?.unwrap();
        make(store, "attic").await?.unwrap();
        let mut one = connectors::get(store, shop).await?.unwrap();
        one.name = "quay".to_owned();
        one.settings = r#"{"cloud":"china"}"#.to_owned();
        one.every_hours = 0;
        one.is_paused = true;
        let mut tx = store.begin().await?;
        assert!(connectors::change(&mut tx, &one).await?);
        let taken = connectors::Connector {
            name: "attic".to_owned(),
            ..one.clone()
        };
        assert!(!connectors::change(&mut tx, &taken).await?);
        tx.commit().await?;
        assert_eq!(connectors::get(store, shop).await?, Some(one));
        Ok(())
    });
}
