//! Alerts, what they belong to, what dismisses them, and the clusters whose events raise them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use seareeve_model::{Alert, AlertSeverity, Digest, Evidence, Priority};
use seareeve_store::alerts::{
    self, AlertFilter, AlertSort, AlertState, Change, Entity, NewAlert, Raised,
};
use seareeve_store::audit_blocks::{self, Block};
use seareeve_store::audit_clusters::{self, Progress};
use seareeve_store::incidents::{self, NewIncident};
use seareeve_store::suppressions::{self, Criterion, NewSuppression};
use seareeve_store::{AuditClusterId, Store, StoreError, SuppressionId, audit_sources};

use crate::both::both;
use crate::sample::at;

fn said(rule: &str, severity: AlertSeverity, time: Timestamp) -> Alert {
    Alert {
        rule: rule.to_owned(),
        id: rule.to_owned(),
        time,
        priority: Priority::Notice,
        severity,
        tactics: vec!["execution".to_owned(), "persistence".to_owned()],
        techniques: vec!["T1609".to_owned()],
        output: "out".to_owned(),
        output_fields: BTreeMap::new(),
        source: "k8s_audit".to_owned(),
        title: format!("Title of {rule}"),
        description: "what \0 happened".to_owned(),
        remediation: vec![],
        tags: vec![],
        entities: vec![],
        key: format!("{rule}-key"),
        evidence: Evidence {
            content: Digest::sha256(&[1; 32]),
            matched: vec![],
            reasons: vec![],
            correlated: None,
        },
    }
}

pub(crate) fn new(id: &str, rule: &str, severity: AlertSeverity, second: i64) -> NewAlert {
    NewAlert {
        id: id.to_owned(),
        cluster: None,
        cluster_name: "prod".to_owned(),
        is_sample: false,
        said: said(rule, severity, at(second)),
        compromised: "pod shop/web".to_owned(),
        entities: vec![
            Entity {
                kind: "pod".to_owned(),
                name: "shop/web".to_owned(),
            },
            Entity {
                kind: "account".to_owned(),
                name: "mallory".to_owned(),
            },
        ],
        evidence: "{}".to_owned(),
        suppression: None,
    }
}

pub(crate) async fn raise(store: &Store, new: &NewAlert) -> Result<Raised, StoreError> {
    let mut tx = store.begin().await?;
    let raised = alerts::raise(&mut tx, new, at(1_000)).await?;
    tx.commit().await?;
    Ok(raised)
}

async fn all(store: &Store, filter: &AlertFilter) -> Result<Vec<alerts::Alert>, StoreError> {
    alerts::list_all(store, filter, 100).await
}

#[test]
fn an_event_raises_an_alert_once_and_equal_ones_add_to_it_while_it_is_open() {
    both(|fixture| async move {
        let store = &fixture.store;
        let first = new("e1", "exec", AlertSeverity::Medium, 10);
        let Raised::New(id) = raise(store, &first).await? else {
            panic!("it is new");
        };
        assert_eq!(raise(store, &first).await?, Raised::Known);
        // Out of order, too.
        for (event, second) in [("e2", 20), ("e3", 5)] {
            let more = new(event, "exec", AlertSeverity::Medium, second);
            assert_eq!(raise(store, &more).await?, Raised::Again(id));
            assert_eq!(raise(store, &more).await?, Raised::Known);
        }
        let alert = alerts::get(store, "e1").await?.unwrap();
        assert_eq!(
            (alert.seen, alert.first_seen, alert.last_seen),
            (3, at(5), at(20))
        );
        assert_eq!(alert.state, AlertState::New);
        assert_eq!(alert.said.description, "what \0 happened");
        assert_eq!(alert.tactics, ["execution", "persistence"]);
        assert_eq!(alerts::occurrences(store, id, 2).await?.len(), 2);
        assert_eq!(alerts::entities(store, id).await?, {
            let mut entities = first.entities.clone();
            entities.sort();
            entities
        });
        // A day later it is news again, and so it is when it was resolved.
        let later = new("e4", "exec", AlertSeverity::Medium, 20 + 24 * 3600 + 1);
        assert!(matches!(raise(store, &later).await?, Raised::New(_)));
        let mut tx = store.begin().await?;
        let resolved = Change {
            state: Some(AlertState::Resolved),
            ..Change::default()
        };
        alerts::change(&mut tx, &["e4".to_owned()], &resolved, "ann", at(1)).await?;
        tx.commit().await?;
        let again = new("e5", "exec", AlertSeverity::Medium, 21 + 24 * 3600 + 1);
        assert!(matches!(raise(store, &again).await?, Raised::New(_)));
        assert_eq!(all(store, &AlertFilter::default()).await?.len(), 3);
        Ok(())
    });
}

#[test]
fn suppressed_alerts_are_there_and_dismissed() {
    both(|fixture| async move {
        let store = &fixture.store;
        let rule = NewSuppression {
            name: "batch-jobs".to_owned(),
            is_on: true,
            rule: Some("exec".to_owned()),
            criteria: vec![Criterion {
                kind: "account".to_owned(),
                names: vec!["mallory".to_owned()],
            }],
            reason: "noise".to_owned(),
            comment: String::new(),
            expires: Some(at(100)),
        };
        let mut tx = store.begin().await?;
        let id = suppressions::create(&mut tx, &rule, "ann", at(0)).await?;
        tx.commit().await?;
        let mut tx = store.begin().await?;
        let taken = suppressions::create(&mut tx, &rule, "ann", at(0)).await;
        assert!(matches!(taken, Err(StoreError::Conflict { .. })));
        drop(tx);
        let suppressed = |event: &str, suppression: Option<SuppressionId>| NewAlert {
            suppression,
            ..new(event, "exec", AlertSeverity::Low, 10)
        };
        assert!(matches!(
            raise(store, &suppressed("e1", Some(id))).await?,
            Raised::New(_)
        ));
        assert!(matches!(
            raise(store, &suppressed("e2", Some(id))).await?,
            Raised::Again(_)
        ));
        // One that is not suppressed is not hidden in one that is.
        assert!(matches!(
            raise(store, &suppressed("e3", None)).await?,
            Raised::New(_)
        ));
        let states: Vec<_> = all(store, &AlertFilter::default())
            .await?
            .into_iter()
            .map(|alert| (alert.uid, alert.state, alert.seen, alert.suppression))
            .collect();
        assert_eq!(
            states,
            [
                ("e3".to_owned(), AlertState::New, 1, None),
                ("e1".to_owned(), AlertState::Dismissed, 2, Some(id)),
            ]
        );
        let listed = suppressions::list(store).await?;
        assert_eq!((listed[0].alerts, &listed[0].said), (1, &rule));
        let mut tx = store.begin().await?;
        let changed = NewSuppression {
            is_on: false,
            ..rule
        };
        assert!(suppressions::update(&mut tx, id, &changed).await?);
        tx.commit().await?;
        assert_eq!(suppressions::list(store).await?[0].said, changed);
        let mut tx = store.begin().await?;
        assert!(suppressions::delete(&mut tx, id).await?);
        assert!(!suppressions::delete(&mut tx, id).await?);
        tx.commit().await
    });
}

#[test]
fn lists_are_filtered_sorted_and_paged() {
    both(|fixture| async move {
        let store = &fixture.store;
        use AlertSeverity::{High, Low};
        for (event, rule, severity, second) in [
            ("e1", "a", Low, 10),
            ("e2", "b", High, 20),
            ("e3", "c", Low, 30),
        ] {
            raise(store, &new(event, rule, severity, second)).await?;
        }
        let uids = |alerts: Vec<alerts::Alert>| -> Vec<String> {
            alerts.into_iter().map(|alert| alert.uid).collect()
        };
        for (sort, expected) in [
            (AlertSort::Newest, ["e3", "e2", "e1"]),
            (AlertSort::Severity, ["e2", "e3", "e1"]),
        ] {
            let filter = AlertFilter::default();
            let first = alerts::list(store, &filter, sort, None, 2).await?;
            let rest = alerts::list(store, &filter, sort, first.next.as_ref(), 2).await?;
            assert_eq!(rest.next, None);
            assert_eq!(uids([first.items, rest.items].concat()), expected);
        }
        let with = |change: fn(&mut AlertFilter)| {
            let mut filter = AlertFilter::default();
            change(&mut filter);
            filter
        };
        for (filter, expected) in [
            (with(|f| f.severities = vec![AlertSeverity::High]), 1),
            (
                with(|f| f.states = vec![AlertState::New, AlertState::Active]),
                3,
            ),
            (with(|f| f.states = vec![AlertState::Resolved]), 0),
            (with(|f| f.rule = "c".to_owned()), 1),
            (with(|f| f.tactic = "persistence".to_owned()), 3),
            (with(|f| f.tactic = "exec".to_owned()), 0),
            (with(|f| f.entity = "shop/web".to_owned()), 3),
            (with(|f| f.query = "TITLE OF A".to_owned()), 1),
            (with(|f| f.query = "mallo".to_owned()), 3),
            (with(|f| f.cluster = "other".to_owned()), 0),
            (with(|f| f.owner = "ann".to_owned()), 0),
        ] {
            assert_eq!(all(store, &filter).await?.len(), expected, "{filter:?}");
        }
        let facets = alerts::facets(store).await?;
        let severities: Vec<_> = facets
            .severities
            .iter()
            .map(|facet| (facet.value.as_str(), facet.alerts, facet.open))
            .collect();
        assert_eq!(severities, [("low", 2, 2), ("high", 1, 1)]);
        assert_eq!(
            (
                facets.states.len(),
                facets.rules.len(),
                facets.clusters.len()
            ),
            (1, 3, 1)
        );
        Ok(())
    });
}

#[test]
fn what_people_do_leaves_a_trace_and_what_is_old_goes() {
    both(|fixture| async move {
        let store = &fixture.store;
        raise(store, &new("e1", "a", AlertSeverity::Low, 10)).await?;
        raise(store, &new("e2", "b", AlertSeverity::Low, 99)).await?;
        let change = Change {
            state: Some(AlertState::InProgress),
            owner: Some("ann".to_owned()),
            note: Some("looking".to_owned()),
        };
        let both = ["e1".to_owned(), "e2".to_owned(), "gone".to_owned()];
        let mut tx = store.begin().await?;
        assert_eq!(
            alerts::change(&mut tx, &both, &change, "bob", at(50)).await?,
            2
        );
        let nobody = Change {
            owner: Some(String::new()),
            ..Change::default()
        };
        alerts::change(&mut tx, &both, &nobody, "bob", at(51)).await?;
        // As it is already.
        alerts::change(&mut tx, &both, &nobody, "bob", at(52)).await?;
        tx.commit().await?;
        let alert = alerts::get(store, "e1").await?.unwrap();
        assert_eq!((alert.state, alert.owner), (AlertState::InProgress, None));
        let history: Vec<_> = alerts::history(store, alert.id)
            .await?
            .into_iter()
            .map(|line| (line.kind.as_str(), line.was, line.value))
            .collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            history,
            [
                ("state", some("new"), some("in_progress")),
                ("owner", None, some("ann")),
                ("note", None, some("looking")),
                ("owner", some("ann"), None),
            ]
        );
        assert_eq!(alerts::delete_old(store, at(50), at(0), 10).await?, 1);
        assert_eq!(alerts::get(store, "e1").await?, None);
        assert!(alerts::get(store, "e2").await?.is_some());
        Ok(())
    });
}

#[test]
fn incidents_hold_alerts_and_end_with_them() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut ids = Vec::new();
        for (event, rule, second) in [("e1", "a", 10), ("e2", "b", 20), ("e3", "c", 90_000)] {
            let Raised::New(id) =
                raise(store, &new(event, rule, AlertSeverity::Low, second)).await?
            else {
                panic!("it is new");
            };
            ids.push(id);
        }
        let mut tx = store.begin().await?;
        let hour = SignedDuration::from_hours(1);
        let (itself, near) = incidents::near(&mut tx, ids[1], hour, 10).await?.unwrap();
        assert_eq!((itself.uid.as_str(), itself.entities.len()), ("e2", 2));
        let near: Vec<_> = near.iter().map(|near| near.uid.as_str()).collect();
        assert_eq!(near, ["e1"], "the third is too far away");
        let incident = NewIncident {
            uid: "i1".to_owned(),
            title: "Attack".to_owned(),
            severity: AlertSeverity::Medium,
            shared: itself.entities.clone(),
        };
        let known = incidents::join(&mut tx, None, &incident, &ids[..2], at(30)).await?;
        incidents::join(&mut tx, Some(known), &incident, &ids[2..], at(30)).await?;
        tx.commit().await?;
        let page = incidents::list(store, true, "MALLORY", None, 10).await?;
        let found = &page.items[0];
        assert_eq!(
            (found.alerts, found.first_seen, found.last_seen),
            (3, at(10), at(90_000))
        );
        let mut tx = store.begin().await?;
        incidents::change(&mut tx, known, Some(AlertState::Resolved), Some("ann")).await?;
        tx.commit().await?;
        let changed = incidents::get(store, "i1").await?.unwrap();
        assert_eq!(
            (changed.state, changed.owner.as_deref()),
            (AlertState::Resolved, Some("ann"))
        );
        assert!(
            incidents::list(store, true, "", None, 10)
                .await?
                .items
                .is_empty()
        );
        // A further alert opens it again.
        let mut tx = store.begin().await?;
        incidents::join(&mut tx, Some(known), &incident, &[], at(40)).await?;
        tx.commit().await?;
        let changed = incidents::get(store, "i1").await?.unwrap();
        assert_eq!(changed.state, AlertState::Active);
        // It is closed with the last of its alerts, and open again with the first.
        let mut tx = store.begin().await?;
        let uids = incidents::alerts_of(&mut tx, known).await?;
        let [first, rest @ ..] = uids.as_slice() else {
            panic!("it has alerts");
        };
        let steps = [
            (rest, AlertState::Dismissed, AlertState::Active),
            (
                std::slice::from_ref(first),
                AlertState::Dismissed,
                AlertState::Dismissed,
            ),
            (
                std::slice::from_ref(first),
                AlertState::Active,
                AlertState::Active,
            ),
            (
                std::slice::from_ref(first),
                AlertState::Resolved,
                AlertState::Resolved,
            ),
            (uids.as_slice(), AlertState::New, AlertState::Active),
        ];
        for (changed, to, expected) in steps {
            let change = Change {
                state: Some(to),
                ..Change::default()
            };
            alerts::change(&mut tx, changed, &change, "ann", at(41)).await?;
            incidents::follow(&mut tx, changed).await?;
            tx.commit().await?;
            let state = incidents::get(store, "i1").await?.unwrap().state;
            assert_eq!(state, expected, "{to:?}");
            tx = store.begin().await?;
        }
        drop(tx);
        // An event that comes again makes it longer.
        let mut tx = store.begin().await?;
        let again = new("e4", "c", AlertSeverity::Low, 95_000);
        let Raised::Again(alert) = alerts::raise(&mut tx, &again, at(1)).await? else {
            panic!("it is known");
        };
        incidents::touch_of(&mut tx, alert).await?;
        tx.commit().await?;
        let longer = incidents::get(store, "i1").await?.unwrap();
        assert_eq!(longer.last_seen, at(95_000));
        alerts::delete_old(store, at(1_000_000), at(0), 10).await?;
        incidents::delete_empty(store).await?;
        assert_eq!(incidents::get(store, "i1").await?, None);
        Ok(())
    });
}

async fn cluster(store: &Store) -> Result<AuditClusterId, StoreError> {
    let mut tx = store.begin().await?;
    let id = audit_clusters::create(&mut tx, "prod", "ann", at(0)).await?;
    tx.commit().await?;
    Ok(id)
}

#[test]
fn a_cluster_remembers_how_far_it_is_judged() {
    both(|fixture| async move {
        let store = &fixture.store;
        let id = cluster(store).await?;
        let mut tx = store.begin().await?;
        let taken = audit_clusters::create(&mut tx, "prod", "ann", at(0)).await;
        assert!(matches!(taken, Err(StoreError::Conflict { .. })));
        drop(tx);
        let mut tx = store.begin().await?;
        audit_clusters::switch_on(&mut tx, id, "bob", at(5)).await?;
        audit_clusters::switch_on(&mut tx, id, "carl", at(9)).await?;
        let progress = Progress {
            position: Some(7),
            checkpoint: Some(vec![0, 1]),
            events: 10,
            early: 1,
            repeated: 2,
            broken: [("no-json", 1), ("no-time", 2)].into(),
            problem: Some("odd".to_owned()),
            last_event: Some(at(8)),
            ..Progress::default()
        };
        audit_clusters::advance(&mut tx, id, &progress, at(9)).await?;
        let less = Progress {
            position: Some(8),
            broken: [("no-json", 1)].into(),
            last_event: Some(at(6)),
            ..Progress::default()
        };
        audit_clusters::advance(&mut tx, id, &less, at(10)).await?;
        audit_clusters::advance(&mut tx, id, &Progress::default(), at(11)).await?;
        tx.commit().await?;
        let known = audit_clusters::get(store, "prod").await?.unwrap();
        assert_eq!((known.position, known.events, known.early), (8, 10, 1));
        assert_eq!((known.repeated, known.broken), (2, 4));
        let broken = audit_clusters::broken(store, id).await?.into_iter();
        let broken: Vec<_> = broken.map(|one| (one.kind, one.events, one.last)).collect();
        assert_eq!(
            broken,
            [
                ("no-json".to_owned(), 2, at(10)),
                ("no-time".to_owned(), 2, at(9))
            ]
        );
        assert_eq!(
            (known.on_since, known.consent_by.as_deref()),
            (Some(at(5)), Some("bob"))
        );
        assert_eq!(
            (known.last_event, known.problem_at),
            (Some(at(8)), Some(at(9)))
        );
        assert_eq!(
            audit_clusters::checkpoint(store, id).await?,
            Some(vec![0, 1])
        );
        let mut tx = store.begin().await?;
        audit_clusters::switch_off(&mut tx, id).await?;
        assert!(audit_clusters::delete(&mut tx, id).await?);
        let gone = audit_clusters::advance(&mut tx, id, &less, at(10)).await;
        assert!(matches!(gone, Err(StoreError::NotFound { .. })));
        tx.commit().await
    });
}

#[test]
fn sources_are_found_by_their_token_and_remember_how_far_they_are_read() {
    both(|fixture| async move {
        let store = &fixture.store;
        let id = cluster(store).await?;
        let mut tx = store.begin().await?;
        let hook =
            audit_sources::create(&mut tx, id, "webhook", "{}", Some(&[7; 32]), "ann", at(0))
                .await?;
        let file = audit_sources::create(&mut tx, id, "file", "{}", None, "ann", at(0)).await?;
        audit_sources::failed(&mut tx, file, "no such file", at(1)).await?;
        tx.commit().await?;
        assert_eq!(audit_sources::tokens(store).await?, [([7; 32], hook, id)]);
        assert_eq!(audit_sources::list(store).await?[1].problem_at, Some(at(1)));
        let mut tx = store.begin().await?;
        audit_sources::heard(&mut tx, file, Some("5"), at(2)).await?;
        audit_sources::heard(&mut tx, file, None, at(3)).await?;
        tx.commit().await?;
        let listed = audit_sources::list(store).await?;
        assert_eq!(
            (listed[1].position.as_deref(), listed[1].problem.as_deref()),
            (Some("5"), None)
        );
        assert_eq!(listed[1].received, Some(at(3)));
        let mut tx = store.begin().await?;
        assert!(audit_sources::delete(&mut tx, id, hook).await?);
        assert!(!audit_sources::delete(&mut tx, id, hook).await?);
        tx.commit().await?;
        assert!(audit_sources::tokens(store).await?.is_empty());
        Ok(())
    });
}

#[test]
fn kept_events_are_bounded_by_age_and_size() {
    both(|fixture| async move {
        let store = &fixture.store;
        let id = cluster(store).await?;
        for second in 0..10 {
            let block = Block {
                first: at(second * 10),
                last: at(second * 10 + 5),
                events: 3,
                content: vec![u8::try_from(second).unwrap(); 100],
            };
            let mut tx = store.begin().await?;
            audit_blocks::add(&mut tx, id, &block).await?;
            tx.commit().await?;
        }
        let (blocks, last) = audit_blocks::between(store, id, at(15), at(39), 0, 2).await?;
        let (more, _) = audit_blocks::between(store, id, at(15), at(39), last, 2).await?;
        let firsts: Vec<_> = blocks
            .iter()
            .chain(&more)
            .map(|block| block.first)
            .collect();
        assert_eq!(firsts, [at(10), at(20), at(30)]);
        audit_blocks::prune(store, at(26), 10_000).await?;
        assert_eq!(audit_blocks::kept(store, id).await?.first, Some(at(30)));
        audit_blocks::prune(store, at(0), 350).await?;
        let kept = audit_blocks::kept(store, id).await?;
        assert_eq!(
            (kept.events, kept.bytes, kept.first),
            (9, 300, Some(at(70)))
        );
        Ok(())
    });
}
