//! Benchmarks over many assets.

use seareeve_store::assets::{self, ControlFilter, HealthState, Scope};
use seareeve_store::environments;

use crate::both::both;
use crate::posture::{control, judged, object, save, seen};
use crate::sample::at;

#[test]
fn verdicts_are_counted_and_paged_in_scope() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut ids = Vec::new();
        for (at_second, name, outcome) in [(1, "a", "fail"), (2, "b", "pass"), (3, "c", "fail")] {
            let asset = seen(store, name, 1, 0).await?;
            let said = judged(
                vec![control("2", "1.1", outcome), control("2", "1.2", "pass")],
                vec![
                    object("x", "pass"),
                    object("y", "fail"),
                    object("z", "fail"),
                ],
                HealthState::Unhealthy,
            );
            save(store, asset, &said, at_second).await?;
            ids.push(asset);
        }
        let mut tx = store.begin().await?;
        environments::set(&mut tx, ids[2], "lab").await?;
        tx.commit().await?;

        let all = Scope::default();
        let lab = Scope {
            environment: "lab".to_owned(),
            asset: None,
        };
        let one = Scope {
            environment: String::new(),
            asset: Some(ids[1]),
        };
        for (scope, assets, failed, dated) in [
            (&all, 3, 2, Some(at(3))),
            (&lab, 1, 1, Some(at(3))),
            (&one, 1, 0, Some(at(2))),
        ] {
            assert_eq!(assets::assets_in(store, "cis", "2", scope).await?, assets);
            assert_eq!(assets::dated(store, "cis", "2", scope).await?, dated);
            let tally = assets::tally(store, "cis", "2", scope).await?;
            let of = |id: &str, outcome: &str| {
                let mut tally = tally.iter();
                let found = tally.find(|one| one.control == id && one.outcome == outcome);
                found.map_or(0, |one| one.assets)
            };
            assert_eq!((of("1.1", "fail"), of("1.2", "pass")), (failed, assets));
        }
        assert_eq!(assets::dated(store, "cis", "9", &all).await?, None);

        let failing = ControlFilter {
            outcome: "fail".to_owned(),
            ..ControlFilter::default()
        };
        let key = ("cis", "2", "1.1");
        let first = assets::control_in(store, key, &failing, None, 1).await?;
        assert_eq!(first.items[0].asset_name, "a");
        let after = first.next.as_ref();
        let second = assets::control_in(store, key, &failing, after, 1).await?;
        assert_eq!(
            (second.items[0].asset_name.as_str(), &second.next),
            ("c", &None)
        );
        let named = ControlFilter {
            query: "B".to_owned(),
            ..ControlFilter::default()
        };
        let found = assets::control_in(store, key, &named, None, 9).await?;
        assert_eq!(found.items.len(), 1);

        let check = "docker.container.privileged";
        let objects = assets::objects_of_check(store, ids[0], check, "{}", 2).await?;
        let names: Vec<_> = objects.iter().map(|one| one.row.name.as_str()).collect();
        assert_eq!(names, ["y", "z"], "those that fail come first");
        assert_eq!(assets::failed_objects(store, ids[0], check, "{}").await?, 2);
        assert_eq!(
            assets::failed_objects(store, ids[0], check, "{\"a\":1}").await?,
            0
        );
        Ok(())
    });
}
