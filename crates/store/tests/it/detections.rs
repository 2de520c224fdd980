//! What people change about detections, the history of it, how much detections raise, and back-tests.

use jiff::{SignedDuration, Timestamp};
use seareeve_model::AlertSeverity;
use seareeve_store::alerts::{self, AlertState, Change};
use seareeve_store::audit_blocks::{self, Block};
use seareeve_store::audit_policies::{self, AuditPolicy};
use seareeve_store::backtests::{self, BacktestState, Ending};
use seareeve_store::detections::{self, Entry, HistoryKind, NewTuning, TuningKind};
use seareeve_store::{BacktestId, audit_clusters};

use crate::alerts::{new, raise};
use crate::both::both;
use crate::sample::at;

fn switch(target: &str) -> NewTuning {
    NewTuning {
        kind: TuningKind::Switch,
        target: target.to_owned(),
        cluster: None,
        value: "{}".to_owned(),
        reason: "noise \0".to_owned(),
        expires: None,
    }
}

#[test]
fn files_are_kept_replaced_and_forgotten() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut tx = store.begin().await?;
        for name in ["b.yaml", "a.yaml"] {
            detections::put_file(&mut tx, name, "- macro: x", "ann", at(1)).await?;
        }
        tx.commit().await?;
        let mut tx = store.begin().await?;
        detections::put_file(&mut tx, "b.yaml", "- macro: y", "bob", at(2)).await?;
        assert!(detections::delete_file(&mut tx, "a.yaml").await?);
        assert!(!detections::delete_file(&mut tx, "a.yaml").await?);
        tx.commit().await?;
        let files = detections::files(store).await?;
        assert_eq!(files.len(), 1);
        let file = &files[0];
        assert_eq!(
            (file.name.as_str(), file.content.as_str()),
            ("b.yaml", "- macro: y")
        );
        assert_eq!(
            (file.author.as_str(), file.created, file.changed),
            ("bob", at(1), at(2))
        );
        Ok(())
    });
}

#[test]
fn changes_replace_each_other_by_cluster_end_and_go_with_it() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut tx = store.begin().await?;
        let cluster = audit_clusters::create(&mut tx, "prod", "ann", at(0)).await?;
        let of_cluster = NewTuning {
            cluster: Some(cluster),
            ..switch("exec")
        };
        let ending = NewTuning {
            kind: TuningKind::Exception,
            expires: Some(at(10)),
            ..switch("exec")
        };
        detections::replace(&mut tx, &switch("exec"), "ann", at(1)).await?;
        detections::replace(&mut tx, &of_cluster, "ann", at(1)).await?;
        let first = detections::add(&mut tx, &ending, "ann", at(1)).await?;
        detections::add(&mut tx, &ending, "bob", at(2)).await?;
        // In place of the first, which is for all clusters, and of no other.
        let second = detections::replace(&mut tx, &switch("exec"), "bob", at(3)).await?;
        tx.commit().await?;
        let all = detections::tunings(store).await?;
        assert_eq!(all.len(), 4);
        let names: Vec<_> = all.iter().map(|one| one.cluster_name.as_deref()).collect();
        assert_eq!(names, [Some("prod"), None, None, None]);
        assert_eq!(all[3].id, second);
        assert_eq!(
            (all[3].said.reason.as_str(), all[3].created),
            ("noise \u{fffd}", at(3))
        );

        let mut tx = store.begin().await?;
        assert!(detections::end_expired(&mut tx, at(9)).await?.is_empty());
        let ended = detections::end_expired(&mut tx, at(10)).await?;
        assert!(ended.len() == 2 && ended.contains(&first));
        assert!(detections::remove(&mut tx, second).await?);
        assert!(!detections::remove(&mut tx, second).await?);
        audit_clusters::delete(&mut tx, cluster).await?;
        tx.commit().await?;
        assert!(detections::tunings(store).await?.is_empty());
        Ok(())
    });
}

#[test]
fn the_history_tells_of_targets_and_says_whether_anything_changed() {
    both(|fixture| async move {
        let store = &fixture.store;
        assert_eq!(detections::latest(store).await?, 0);
        let entry = |target: &str, what, second| Entry {
            at: at(second),
            author: "ann".to_owned(),
            what,
            target: target.to_owned(),
            cluster: Some("prod".to_owned()),
            value: "{\"kind\":\"switch\"}".to_owned(),
            reason: "noise".to_owned(),
        };
        let mut tx = store.begin().await?;
        let lines = [
            entry("exec", HistoryKind::Tuned, 1),
            entry("a.yaml", HistoryKind::FileSaved, 2),
            entry("exec", HistoryKind::Ended, 3),
            entry("other", HistoryKind::TakenBack, 4),
            entry("a.yaml", HistoryKind::FileDeleted, 5),
        ];
        for line in &lines {
            detections::note(&mut tx, line).await?;
        }
        tx.commit().await?;
        assert!(detections::latest(store).await? >= 5);
        let of = detections::history(store, &["exec", "a.yaml"], 3).await?;
        assert_eq!(of, [lines[4].clone(), lines[2].clone(), lines[1].clone()]);
        assert_eq!(detections::history(store, &[], 9).await?.len(), 5);
        Ok(())
    });
}

#[test]
fn noise_is_counted_by_detection_state_and_day() {
    both(|fixture| async move {
        let store = &fixture.store;
        const DAY: i64 = 24 * 3600;
        let now = at(40 * DAY);
        for (id, rule, day) in [
            ("e1", "exec", 1),
            ("e2", "exec", 20),
            ("e3", "exec", 39),
            ("e4", "exec", 39),
            ("e5", "list", 38),
        ] {
            let mut alert = new(id, rule, AlertSeverity::Low, day * DAY);
            // Each is one of its own.
            alert.said.key = id.to_owned();
            raise(store, &alert).await?;
        }
        let mut sample = new("e6", "list", AlertSeverity::Low, 39 * DAY);
        sample.is_sample = true;
        raise(store, &sample).await?;
        let mut tx = store.begin().await?;
        let dismissed = Change {
            state: Some(AlertState::Dismissed),
            ..Change::default()
        };
        alerts::change(&mut tx, &["e3".to_owned()], &dismissed, "ann", now).await?;
        tx.commit().await?;
        let since = |days: i64| now - SignedDuration::from_hours(24 * days);
        let (noise, days) = detections::noise(store, since(30), since(7)).await?;
        let told: Vec<_> = noise
            .iter()
            .map(|one| {
                (
                    one.rule.as_str(),
                    one.state.as_str(),
                    one.alerts,
                    one.lately,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("exec", "dismissed", 1, 1),
                ("exec", "new", 2, 1),
                ("list", "new", 1, 1)
            ]
        );
        assert_eq!(noise[1].last, at(39 * DAY));
        let first = at(0).as_second() / DAY;
        let told: Vec<_> = days
            .iter()
            .map(|one| (one.rule.as_str(), one.day - first, one.alerts))
            .collect();
        assert_eq!(told, [("exec", 20, 1), ("exec", 39, 2), ("list", 38, 1)]);
        Ok(())
    });
}

#[test]
fn a_cluster_has_one_policy() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut tx = store.begin().await?;
        let cluster = audit_clusters::create(&mut tx, "prod", "ann", at(0)).await?;
        let policy = |content: &str, second| AuditPolicy {
            cluster,
            content: content.to_owned(),
            author: "ann".to_owned(),
            changed: at(second),
        };
        audit_policies::put(&mut tx, &policy("a", 1)).await?;
        audit_policies::put(&mut tx, &policy("b", 2)).await?;
        tx.commit().await?;
        assert_eq!(audit_policies::list(store).await?, [policy("b", 2)]);
        let mut tx = store.begin().await?;
        assert!(audit_policies::delete(&mut tx, cluster).await?);
        assert!(!audit_policies::delete(&mut tx, cluster).await?);
        tx.commit().await?;
        Ok(())
    });
}

#[test]
fn a_backtest_goes_on_until_it_ends_and_ends_once() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut tx = store.begin().await?;
        let mut ids = Vec::new();
        for title in ["a", "b", "c"] {
            ids.push(backtests::create(&mut tx, title, Some("exec"), "{}", "ann", at(1)).await?);
        }
        assert!(backtests::advance(&mut tx, ids[0], 5, 10).await?);
        tx.commit().await?;
        assert_eq!(backtests::pending(store).await?, 3);
        let one = backtests::get(store, ids[0]).await?.unwrap();
        assert_eq!(
            (one.state, one.seen, one.total),
            (BacktestState::Running, 5, 10)
        );
        let mut tx = store.begin().await?;
        assert!(backtests::end(&mut tx, ids[0], Ending::Done("{\"a\":1}"), at(2)).await?);
        assert!(!backtests::end(&mut tx, ids[0], Ending::Cancelled, at(3)).await?);
        assert!(backtests::end(&mut tx, ids[1], Ending::Cancelled, at(3)).await?);
        // Whoever runs it hears so.
        assert!(!backtests::advance(&mut tx, ids[1], 6, 10).await?);
        assert!(backtests::end(&mut tx, ids[2], Ending::Failed("no"), at(4)).await?);
        tx.commit().await?;
        assert_eq!(
            backtests::result(store, ids[0]).await?.as_deref(),
            Some("{\"a\":1}")
        );
        assert_eq!(backtests::result(store, ids[1]).await?, None);
        assert_eq!(backtests::result(store, BacktestId(99)).await?, None);
        let all = backtests::list(store, 2).await?;
        assert_eq!(all.len(), 2);
        assert_eq!(
            (all[0].state, all[0].problem.as_deref()),
            (BacktestState::Failed, Some("no"))
        );
        assert_eq!(
            (all[1].state, all[1].ended),
            (BacktestState::Cancelled, Some(at(3)))
        );
        backtests::prune(store, at(3), 2).await?;
        let left: Vec<_> = backtests::list(store, 9)
            .await?
            .iter()
            .map(|one| one.id)
            .collect();
        assert_eq!(left, [ids[2], ids[1]]);
        Ok(())
    });
}

#[test]
fn what_is_kept_between_two_times_is_counted() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut tx = store.begin().await?;
        let cluster = audit_clusters::create(&mut tx, "prod", "ann", at(0)).await?;
        for second in [10, 20, 30] {
            let block = Block {
                first: at(second),
                last: at(second + 5),
                events: 3,
                content: vec![1, 2],
            };
            audit_blocks::add(&mut tx, cluster, &block).await?;
        }
        tx.commit().await?;
        let kept =
            |from: Timestamp, to: Timestamp| audit_blocks::kept_between(store, cluster, from, to);
        let some = kept(at(12), at(20)).await?;
        assert_eq!((some.events, some.bytes, some.first), (6, 4, Some(at(10))));
        assert_eq!(kept(at(40), at(50)).await?.events, 0);
        Ok(())
    });
}
