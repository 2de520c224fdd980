//! Assets, their facts and what is said of them: only differences are written.

use std::collections::BTreeSet;

use seareeve_model::{Digest, Severity};
use seareeve_store::assets::{
    self, AssetFilter, AssetSort, ControlRow, Engine, Health, HealthState, Judged, NewFacts,
    ObjectRow, StandingFilter,
};
use seareeve_store::scores::{self, Cause, ScorePoint};
use seareeve_store::{AssetId, SeverityCounts, Store, StoreError};

use crate::both::both;
use crate::images::{count_writes, writes};
use crate::sample::at;

fn digest(byte: u8) -> Digest {
    Digest::sha256(&[byte; 32])
}

/// Stores facts of the machine `name`, `content` being what was seen.
pub(crate) async fn seen(
    store: &Store,
    name: &str,
    content: u8,
    second: i64,
) -> Result<AssetId, StoreError> {
    let engine = Engine {
        product: "docker".to_owned(),
        version: "29.1.0".to_owned(),
        endpoint: "unix:///run/docker.sock".to_owned(),
        rootless: false,
    };
    let digest = digest(content);
    let facts = NewFacts {
        kind: "docker-host",
        external_id: name,
        name,
        collector: "seareeve 0.1.0",
        engines: &[engine],
        containers: Some(3),
        running: Some(2),
        images: None,
        digest: &digest,
        collected_at: at(second),
        content: &[content],
    };
    let mut tx = store.begin().await?;
    let put = assets::put_facts(&mut tx, &facts, at(second)).await?;
    tx.commit().await?;
    Ok(put.asset)
}

pub(crate) fn control(version: &str, id: &str, outcome: &str) -> ControlRow {
    ControlRow {
        benchmark: "cis".to_owned(),
        version: version.to_owned(),
        control: id.to_owned(),
        outcome: outcome.to_owned(),
        severity: Severity::High,
        reason: (outcome == "fail").then(|| "as\0seen".to_owned()),
    }
}

pub(crate) fn object(name: &str, outcome: &str) -> ObjectRow {
    ObjectRow {
        check_id: "docker.container.privileged".to_owned(),
        params: "{}".to_owned(),
        kind: "docker.container".to_owned(),
        object: name.to_owned(),
        name: name.to_owned(),
        outcome: outcome.to_owned(),
        actual: "privileged".to_owned(),
        expected: "not privileged".to_owned(),
        reason: None,
    }
}

pub(crate) fn judged(
    controls: Vec<ControlRow>,
    objects: Vec<ObjectRow>,
    state: HealthState,
) -> Judged {
    let failed = controls.iter().filter(|control| control.outcome == "fail");
    Judged {
        failed: SeverityCounts {
            high: failed.count() as u64,
            ..SeverityCounts::default()
        },
        controls,
        objects,
        health: vec![Health {
            recommendation: "hosts".to_owned(),
            state,
            reason: None,
            exemption: None,
        }],
        newest: BTreeSet::from([("cis".to_owned(), "2".to_owned())]),
        state,
        reason: None,
    }
}

pub(crate) async fn save(
    store: &Store,
    asset: AssetId,
    judged: &Judged,
    second: i64,
) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let (changes, _) = assets::save_judged(&mut tx, asset, judged, at(second)).await?;
    tx.commit().await?;
    Ok(changes.total())
}

#[test]
fn the_same_facts_and_verdicts_again_write_nothing_but_when_they_were_seen() {
    both(|fixture| async move {
        let store = &fixture.store;
        let asset = seen(store, "build-1", 1, 0).await?;
        let said = judged(
            vec![control("1", "5.4", "fail"), control("2", "5.5", "fail")],
            vec![object("web", "fail"), object("db", "pass")],
            HealthState::Unhealthy,
        );
        assert_eq!(save(store, asset, &said, 1).await?, 6);
        if fixture.is_sqlite() {
            count_writes(&fixture).await;
        }
        assert_eq!(seen(store, "build-1", 1, 60).await?, asset);
        assert_eq!(save(store, asset, &said, 61).await?, 0);
        if fixture.is_sqlite() {
            assert_eq!(writes(&fixture).await, ["1 UPDATE asset"]);
        }
        let listed = assets::get(store, asset).await?.unwrap();
        assert_eq!(
            (listed.first_seen, listed.last_seen, listed.judged),
            (at(0), at(60), Some(at(1)))
        );
        let facts = assets::facts(store, asset).await?.unwrap();
        assert_eq!((facts.content, facts.collected_at), (vec![1], at(0)));
        Ok(())
    });
}

#[test]
fn a_change_writes_the_difference_and_a_line_of_history() {
    both(|fixture| async move {
        let store = &fixture.store;
        let asset = seen(store, "build-1", 1, 0).await?;
        let before = judged(
            vec![
                control("1", "5.4", "fail"),
                control("2", "5.5", "fail"),
                control("2", "5.6", "pass"),
            ],
            vec![object("web", "fail"), object("db", "pass")],
            HealthState::Unhealthy,
        );
        save(store, asset, &before, 1).await?;
        if fixture.is_sqlite() {
            count_writes(&fixture).await;
        }
        let after = judged(
            vec![
                control("1", "5.4", "pass"),
                control("2", "5.5", "pass"),
                control("2", "5.7", "pass"),
            ],
            vec![object("web", "pass"), object("cache", "pass")],
            HealthState::Healthy,
        );
        save(store, asset, &after, 2).await?;
        if fixture.is_sqlite() {
            let expected = [
                "1 DELETE control_verdict",
                "1 DELETE object_verdict",
                "1 INSERT control_verdict",
                "3 INSERT control_change",
                // Of its environment, and of all together.
                "6 INSERT control_count",
                "1 INSERT object_verdict",
                "1 UPDATE asset",
                "1 UPDATE asset_health",
                "6 UPDATE control_count",
                "2 UPDATE control_verdict",
                "1 UPDATE object_verdict",
            ];
            let mut written = writes(&fixture).await;
            written.sort_by_key(|line| line.split_once(' ').unwrap().1.to_owned());
            let mut expected = expected.map(str::to_owned);
            expected.sort_by_key(|line| line.split_once(' ').unwrap().1.to_owned());
            assert_eq!(written, expected);
        }
        // Only of the newest edition, the last first.
        let history = assets::history(store, asset, None, 1).await?;
        let rest = assets::history(store, asset, history.next.as_ref(), 9).await?;
        let mut told: Vec<(String, Option<String>, String)> = history
            .items
            .into_iter()
            .chain(rest.items)
            .map(|change| (change.control, change.was, change.outcome))
            .collect();
        told.sort();
        let pass = "pass".to_owned();
        let expected = [
            ("5.5".to_owned(), Some("fail".to_owned()), pass.clone()),
            (
                "5.6".to_owned(),
                Some(pass.clone()),
                "not_applicable".to_owned(),
            ),
            ("5.7".to_owned(), None, pass),
        ];
        assert_eq!(told, expected);
        let objects = assets::objects_of(store, asset).await?;
        let times: Vec<_> = objects
            .iter()
            .map(|object| (object.row.name.as_str(), object.first_seen, object.changed))
            .collect();
        assert_eq!(times, [("cache", at(2), at(2)), ("web", at(1), at(2))]);
        let controls = assets::controls_of(store, asset).await?;
        assert_eq!(controls.len(), 3);
        assert!(controls.iter().all(|control| control.since == at(2)));
        let health = assets::standing(store, "hosts", &StandingFilter::default(), None, 9).await?;
        let health = health.items;
        assert_eq!(health[0].health.state, HealthState::Healthy);
        assert_eq!(assets::health_of(store, asset).await?, health);
        Ok(())
    });
}

#[test]
fn assets_are_listed_by_pages_and_filters() {
    both(|fixture| async move {
        let store = &fixture.store;
        for (name, fails) in [("a", 1), ("b%", 3), ("c", 2)] {
            let asset = seen(store, name, 1, 0).await?;
            let ids = ["1", "2", "3"];
            let controls = ids.iter().take(fails).map(|id| control("2", id, "fail"));
            let said = judged(controls.collect(), Vec::new(), HealthState::Unhealthy);
            save(store, asset, &said, 1).await?;
        }
        for (sort, expected) in [
            (AssetSort::Severity, ["b%", "c", "a"]),
            (AssetSort::Name, ["a", "b%", "c"]),
        ] {
            let filter = AssetFilter::default();
            let first = assets::list(store, &filter, sort, None, 2).await?;
            let second = assets::list(store, &filter, sort, first.next.as_ref(), 2).await?;
            assert_eq!(second.next, None);
            let names = first.items.iter().chain(&second.items);
            let names: Vec<&str> = names.map(|asset| asset.name.as_str()).collect();
            assert_eq!(names, expected);
        }
        let find = async |filter: AssetFilter| {
            let page = assets::list(store, &filter, AssetSort::Name, None, 9).await?;
            Ok::<_, StoreError>(page.items.len())
        };
        let by_text = |query: &str| AssetFilter {
            query: query.to_owned(),
            ..AssetFilter::default()
        };
        assert_eq!(find(by_text("%")).await?, 1);
        assert_eq!(find(by_text("29.1")).await?, 3);
        let by_engine = |engine: &str| AssetFilter {
            engine: engine.to_owned(),
            ..AssetFilter::default()
        };
        assert_eq!(find(by_engine("docker")).await?, 3);
        assert_eq!(find(by_engine("podman")).await?, 0);
        let by_state = |state| AssetFilter {
            state: Some(state),
            ..AssetFilter::default()
        };
        assert_eq!(find(by_state(HealthState::Unhealthy)).await?, 3);
        assert_eq!(find(by_state(HealthState::Healthy)).await?, 0);
        Ok(())
    });
}

#[test]
fn a_deleted_asset_leaves_nothing_and_is_not_judged() {
    both(|fixture| async move {
        let store = &fixture.store;
        let asset = seen(store, "a", 1, 0).await?;
        let said = judged(
            vec![control("2", "1", "fail")],
            vec![object("web", "fail")],
            HealthState::Unhealthy,
        );
        save(store, asset, &said, 1).await?;
        let mut tx = store.begin().await?;
        assert!(assets::delete(&mut tx, asset).await?);
        assert!(!assets::delete(&mut tx, asset).await?);
        tx.commit().await?;
        for table in [
            "asset_snapshot",
            "control_verdict",
            "object_verdict",
            "asset_health",
        ] {
            let rows = format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table}");
            assert_eq!(fixture.texts(&rows).await, ["0"], "{table}");
        }
        let error = save(store, asset, &said, 2).await.unwrap_err();
        assert!(matches!(error, StoreError::NotFound { what: "asset" }));
        Ok(())
    });
}

#[test]
fn the_score_is_noted_when_it_changes() {
    both(|fixture| async move {
        let store = &fixture.store;
        let cause = Cause {
            recommendation: "hosts".to_owned(),
            asset: AssetId(7),
            asset_name: "build-1".to_owned(),
            was: None,
            health: Some("healthy".to_owned()),
        };
        let point = |second, points| ScorePoint {
            at: at(second),
            points,
            most: 4.0,
            causes: vec![cause.clone()],
        };
        for (second, points, is_new) in
            [(0, 0.307_692, true), (1, 0.307_692, false), (2, 4.0, true)]
        {
            let mut tx = store.begin().await?;
            let put = scores::put(&mut tx, "", &point(second, points)).await?;
            tx.commit().await?;
            assert_eq!(put, is_new);
        }
        let all = [point(2, 4.0), point(0, 0.307_692)];
        assert_eq!(scores::list(store, "", at(-1), 9).await?, all);
        // With the one that held at that time.
        assert_eq!(scores::list(store, "", at(1), 9).await?, all);
        assert_eq!(scores::list(store, "", at(2), 9).await?.len(), 2);
        assert_eq!(scores::list(store, "", at(0), 1).await?, all[..1]);
        // Each environment has its own.
        let mut tx = store.begin().await?;
        assert!(scores::put(&mut tx, "lab", &point(3, 1.0)).await?);
        assert!(!scores::put(&mut tx, "", &point(3, 4.0)).await?);
        assert_eq!(scores::environments(&mut tx).await?, ["lab"]);
        tx.commit().await?;
        assert_eq!(scores::list(store, "lab", at(0), 9).await?, [point(3, 1.0)]);
        assert_eq!(scores::list(store, "", at(-1), 9).await?, all);
        Ok(())
    });
}
