//! Environments, and assets by what they need.

use seareeve_store::assets::{self, HealthState, NeedsFilter, StandingFilter};
use seareeve_store::{StoreError, environments, join_tokens, sensors};

use crate::both::both;
use crate::posture::{judged, save, seen};
use crate::sample::at;

#[test]
fn an_asset_belongs_where_its_sensor_joined_or_somebody_says() {
    both(|fixture| async move {
        let store = &fixture.store;
        let (a, b) = (seen(store, "a", 1, 0).await?, seen(store, "b", 1, 0).await?);
        let mut tx = store.begin().await?;
        for (hash, name) in [([1; 32], "lab"), ([2; 32], environments::DEFAULT)] {
            let token =
                join_tokens::create(&mut tx, &hash, name, "ann", None, at(0), at(9)).await?;
            environments::set_of_join_token(&mut tx, token, name).await?;
        }
        let in_lab = sensors::create(&mut tx, &[3; 32], "a", "0.1.0", "lab", at(0)).await?;
        environments::pass_to_sensor(&mut tx, in_lab, &[1; 32]).await?;
        environments::pass_to_asset(&mut tx, a, in_lab).await?;
        // A token that says nothing leaves an asset where somebody put it.
        environments::set(&mut tx, b, "prod").await?;
        let plain = sensors::create(&mut tx, &[4; 32], "b", "0.1.0", "default", at(0)).await?;
        environments::pass_to_sensor(&mut tx, plain, &[2; 32]).await?;
        environments::pass_to_asset(&mut tx, b, plain).await?;
        sensors::bind(&mut tx, plain, b).await?;
        tx.commit().await?;
        let listed: Vec<_> = environments::list(store)
            .await?
            .into_iter()
            .map(|one| (one.name, one.assets))
            .collect();
        assert_eq!(listed, [("lab".to_owned(), 1), ("prod".to_owned(), 1)]);
        let of = environments::of_assets(store).await?;
        assert_eq!((of[&a].as_str(), of[&b].as_str()), ("lab", "prod"));
        let tokens = join_tokens::list(store).await?;
        let named: Vec<_> = tokens.iter().map(|one| one.environment.as_str()).collect();
        assert_eq!(named, ["default", "lab"]);
        let listed = sensors::list(store).await?;
        let host = listed[1].host.as_ref().unwrap();
        assert_eq!(
            (host.name.as_str(), host.environment.as_str()),
            ("b", "prod")
        );
        Ok(())
    });
}

#[test]
fn assets_are_listed_by_what_they_need() {
    both(|fixture| async move {
        let store = &fixture.store;
        for (name, state) in [
            ("a", HealthState::Healthy),
            ("b", HealthState::Unhealthy),
            ("C%", HealthState::Unhealthy),
        ] {
            let asset = seen(store, name, 1, 0).await?;
            save(store, asset, &judged(Vec::new(), Vec::new(), state), 1).await?;
        }
        let names = async |filter: NeedsFilter| {
            let mut names = Vec::new();
            let mut after = None;
            loop {
                let page = assets::needs(store, &filter, after.as_ref(), 1).await?;
                names.extend(page.items.into_iter().map(|one| (one.name, one.unhealthy)));
                after = page.next;
                if after.is_none() {
                    return Ok::<_, StoreError>(names);
                }
            }
        };
        let all = names(NeedsFilter::default()).await?;
        let all: Vec<(&str, u64)> = all.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        assert_eq!(all, [("C%", 1), ("b", 1), ("a", 0)]);
        for (filter, count) in [
            (
                NeedsFilter {
                    query: "c%".to_owned(),
                    ..NeedsFilter::default()
                },
                1,
            ),
            (
                NeedsFilter {
                    kind: "registry".to_owned(),
                    ..NeedsFilter::default()
                },
                0,
            ),
            (
                NeedsFilter {
                    environment: "default".to_owned(),
                    ..NeedsFilter::default()
                },
                3,
            ),
            (
                NeedsFilter {
                    state: Some(HealthState::Healthy),
                    ..NeedsFilter::default()
                },
                1,
            ),
        ] {
            assert_eq!(names(filter.clone()).await?.len(), count, "{filter:?}");
        }
        let unhealthy = StandingFilter {
            state: Some(HealthState::Unhealthy),
            ..StandingFilter::default()
        };
        let first = assets::standing(store, "hosts", &unhealthy, None, 1).await?;
        assert_eq!(first.items[0].asset_name, "C%");
        assert_eq!(first.items[0].asset_kind, "docker-host");
        let second = assets::standing(store, "hosts", &unhealthy, first.next.as_ref(), 1).await?;
        assert_eq!(
            (second.items[0].asset_name.as_str(), &second.next),
            ("b", &None)
        );
        let one = assets::needs_of(store, second.items[0].asset)
            .await?
            .unwrap();
        assert_eq!((one.unhealthy, one.healthy, one.unknown), (1, 0, 0));
        Ok(())
    });
}
