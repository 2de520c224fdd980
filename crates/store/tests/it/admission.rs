//! What may enter clusters: policies, reports of webhooks, and what scans found in many images at once.

use std::collections::BTreeSet;

use seareeve_model::Severity;
use seareeve_store::admission::{
    self, DecisionFilter, Found, NewCount, NewSample, Policy, Report, ScannedImage,
};

use crate::both::both;
use crate::sample::{at, deb, digest, finding, fixed, inventory, save};

fn policy(cluster: &str, digest: &str) -> Policy {
    Policy {
        cluster: cluster.to_owned(),
        content: format!("{{\"digest\":\"{digest}\"}}"),
        digest: digest.to_owned(),
        author: "ann".to_owned(),
        changed: at(1),
    }
}

#[test]
fn a_policy_takes_the_place_of_the_one_that_was_meant() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut tx = store.begin().await?;
        assert!(admission::put_policy(&mut tx, &policy("", "d1"), "").await?);
        assert!(admission::put_policy(&mut tx, &policy("prod", "d2"), "").await?);
        assert!(!admission::put_policy(&mut tx, &policy("", "d3"), "d0").await?);
        assert!(admission::put_policy(&mut tx, &policy("", "d3"), "d1").await?);
        tx.commit().await?;
        assert_eq!(
            admission::policies(store).await?,
            [policy("", "d3"), policy("prod", "d2")]
        );
        let mut tx = store.begin().await?;
        assert!(admission::delete_policy(&mut tx, "prod").await?);
        assert!(!admission::delete_policy(&mut tx, "prod").await?);
        tx.commit().await
    });
}

const CERTIFICATE: &str = r#"{"until":"2031-01-01T00:00:00Z"}"#;

fn report(id: &str, count: u64) -> Report {
    Report {
        id: id.to_owned(),
        cluster: "prod".to_owned(),
        gate: "pod-1".to_owned(),
        version: "0.1.0".to_owned(),
        policy: "d1".to_owned(),
        reviews: 10,
        certificate: Some(CERTIFICATE.to_owned()),
        counts: vec![NewCount {
            recommendation: "kubernetes-privileged".to_owned(),
            namespace: "shop".to_owned(),
            effect: "denied".to_owned(),
            decisions: count,
        }],
        samples: vec![NewSample {
            recommendation: "kubernetes-privileged".to_owned(),
            namespace: "shop".to_owned(),
            effect: "denied".to_owned(),
            at: at(2),
            operation: "create".to_owned(),
            kind: "Pod".to_owned(),
            name: "web\0".to_owned(),
            user: "alice".to_owned(),
            message: format!("container web is privileged, {id}"),
        }],
    }
}

#[test]
fn a_report_counts_once_and_old_counts_go() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut tx = store.begin().await?;
        assert!(admission::add_report(&mut tx, &report("r1", 3), at(10)).await?);
        assert!(!admission::add_report(&mut tx, &report("r1", 3), at(11)).await?);
        assert!(admission::add_report(&mut tx, &report("r2", 4), at(20)).await?);
        tx.commit().await?;
        let all = DecisionFilter::default();
        let counts = admission::counts(store, &all, 10).await?;
        assert_eq!(counts.len(), 1);
        assert_eq!(
            (
                counts[0].counted.decisions,
                counts[0].first_seen,
                counts[0].last_seen
            ),
            (7, at(10), at(20))
        );
        let gates = admission::gates(store).await?;
        assert_eq!((gates[0].reviews, gates[0].last_seen), (20, at(20)));
        assert_eq!(gates[0].certificate.as_deref(), Some(CERTIFICATE));
        let samples = admission::samples(store, &all, 1).await?;
        assert!(samples[0].said.message.ends_with("r2"));
        assert_eq!(samples[0].said.name, "web\u{fffd}");
        for filter in [
            DecisionFilter {
                cluster: Some("dev".to_owned()),
                ..all.clone()
            },
            DecisionFilter {
                namespace: Some("none".to_owned()),
                ..all.clone()
            },
            DecisionFilter {
                recommendation: Some("other".to_owned()),
                ..all.clone()
            },
        ] {
            assert_eq!(admission::counts(store, &filter, 10).await?, []);
            assert_eq!(admission::samples(store, &filter, 10).await?, []);
        }
        // A hundred days later.
        let later = at(100 * 24 * 3600);
        let mut tx = store.begin().await?;
        let other = Report {
            gate: "pod-2".to_owned(),
            certificate: None,
            counts: Vec::new(),
            ..report("r3", 0)
        };
        assert!(admission::add_report(&mut tx, &other, later).await?);
        tx.commit().await?;
        assert_eq!(admission::counts(store, &all, 10).await?, []);
        let gates = admission::gates(store).await?;
        assert_eq!((gates.len(), &gates[0].certificate), (1, &None));
        Ok(())
    });
}

#[test]
fn a_webhook_that_was_replaced_is_not_listed_and_its_last_report_is_known() {
    both(|fixture| async move {
        let store = &fixture.store;
        let reports = async |cluster: &str, gate: &str, second: i64| {
            let one = Report {
                cluster: cluster.to_owned(),
                gate: gate.to_owned(),
                ..report(&format!("{gate}-{second}"), 1)
            };
            let mut tx = store.begin().await?;
            admission::add_report(&mut tx, &one, at(second)).await?;
            tx.commit().await
        };
        let listed = async |second: i64| {
            let gates = admission::gates(store).await?;
            let is_away = |away| if away { "away" } else { "there" };
            let gates = gates
                .iter()
                .map(|gate| format!("{} {}", gate.name, is_away(gate.is_away(at(second)))));
            Ok::<_, seareeve_store::StoreError>(gates.collect::<Vec<String>>())
        };
        reports("dev", "other", 0).await?;
        reports("prod", "old", 0).await?;
        reports("prod", "new", 60).await?;
        assert_eq!(
            listed(120).await?,
            ["other there", "new there", "old there"]
        );
        // One of its cluster is enough. Of another cluster, nobody speaks.
        assert_eq!(listed(121).await?, ["other away", "new there", "old there"]);
        reports("prod", "new", 121).await?;
        assert_eq!(listed(121).await?, ["other away", "new there"]);
        // It was only cut off, and tells once more what was taken already.
        let mut tx = store.begin().await?;
        let again = Report {
            gate: "old".to_owned(),
            ..report("old-0", 1)
        };
        assert!(!admission::add_report(&mut tx, &again, at(130)).await?);
        tx.commit().await?;
        let all = admission::counts(store, &DecisionFilter::default(), 10).await?;
        assert_eq!(all.iter().map(|row| row.counted.decisions).sum::<u64>(), 4);
        assert_eq!(listed(300).await?, ["other away", "new away"]);
        Ok(())
    });
}

#[test]
fn findings_are_counted_by_severity_and_whether_they_can_be_fixed() {
    both(|fixture| async move {
        let store = &fixture.store;
        let image = inventory(
            1,
            &["r.example/app:1"],
            vec![deb("bash", "5"), deb("curl", "8")],
        );
        let findings = vec![
            vec![
                fixed("CVE-1", Severity::High),
                finding("CVE-2", Severity::High),
            ],
            vec![fixed("CVE-3", Severity::Critical)],
        ];
        save(store, &image, &findings, 0).await?;
        let names: BTreeSet<String> = ["r.example/app:1", digest(1).as_str(), "r.example/new:1"]
            .into_iter()
            .map(str::to_owned)
            .collect();
        let found = admission::scanned(store, &names, &["CVE-3".to_owned()]).await?;
        let high = Found {
            fixable: 1,
            unfixable: 1,
        };
        let wanted = ScannedImage {
            digest: digest(1).to_string(),
            findings: [(Severity::High, high)].into(),
        };
        assert_eq!(found.len(), 2);
        assert!(found.values().all(|image| *image == wanted), "{found:?}");
        let all = admission::scanned(store, &names, &[]).await?;
        let critical = &all["r.example/app:1"].findings[&Severity::Critical];
        assert_eq!((critical.fixable, critical.unfixable), (1, 0));
        Ok(())
    });
}
