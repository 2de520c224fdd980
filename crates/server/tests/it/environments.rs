//! Environments: each has a score of its own, which exemptions move as they should.

use std::collections::BTreeSet;
use std::time::Duration;

use camino::Utf8Path;
use seareeve_api::{Client, Join, NewExemption, NewJoinToken, ScoreIf};
use seareeve_store::assets::{self, HealthState, Judged};
use seareeve_store::{AssetId, DatabaseUrl, SeverityCounts, Store};

use crate::clusters::index;
use crate::hosts::{admin, facts, refusal, send, until};
use crate::support::{Running, folder, start};

const RECOMMENDATION: &str = "docker-host-configuration";

fn joined_in(server: &Running, admin: &Client, environment: &str) -> Client {
    let token = NewJoinToken {
        name: environment.to_owned(),
        hours: 1,
        most_uses: None,
        environment: Some(environment.to_owned()),
    };
    let join = Join {
        token: admin.create_join_token(&token).unwrap().secret.unwrap(),
        name: "a machine".to_owned(),
        version: "0.1.0".to_owned(),
    };
    let stranger = Client::new(&server.address, "").unwrap();
    let joined = stranger.join(&join).unwrap();
    Client::new(&server.address, &joined.token).unwrap()
}

#[test]
fn each_environment_has_its_score_and_its_exemptions() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let mut hosts = Vec::new();
    for (name, environment) in [("a", "prod"), ("b", "prod"), ("c", "lab")] {
        hosts.push(send(
            &joined_in(&server, &client, environment),
            &facts(name, true),
        ));
    }
    until(
        || client.environments().unwrap().environments,
        |all| all.len() == 2 && all.iter().all(|one| one.share == Some(0.0)),
    );
    let assets = client.assets(None).unwrap().assets;
    assert_eq!(assets.len(), 3);
    assert!(
        assets
            .iter()
            .all(|one| one.unhealthy == 1 && one.kind == "docker-host")
    );
    let one = client.asset(hosts[0]).unwrap();
    assert_eq!(
        (one.summary.environment.as_str(), one.recommendations.len()),
        ("prod", 1)
    );
    // A third of 4 points.
    assert!(
        (one.potential - 4.0 / 3.0).abs() < 1e-9,
        "{}",
        one.potential
    );
    assert!((one.recommendations[0].potential - one.potential).abs() < 1e-9);

    // What if, before anything is done: two of three mended, all of one environment, or one taken out.
    let what_if = |what: ScoreIf| client.score_if(&what).unwrap();
    let two = what_if(ScoreIf {
        assets: hosts[..2].to_vec(),
        ..ScoreIf::default()
    });
    assert!((two.points - 8.0 / 3.0).abs() < 1e-9);
    let in_prod = what_if(ScoreIf {
        assets: vec![hosts[0]],
        environment: Some("prod".to_owned()),
        ..ScoreIf::default()
    });
    assert!((in_prod.points - 2.0).abs() < 1e-9);
    let exempt = what_if(ScoreIf {
        assets: hosts.clone(),
        exempt: true,
        ..ScoreIf::default()
    });
    assert_eq!(exempt.share, None);
    let group = client
        .score_group("remediate-security-configurations")
        .unwrap();
    assert_eq!(
        (group.unhealthy_assets.len(), group.group.unhealthy_count),
        (3, 3)
    );

    let exemption = NewExemption {
        recommendation: RECOMMENDATION.to_owned(),
        asset: None,
        environment: Some("lab".to_owned()),
        kind: "mitigated".to_owned(),
        reason: "walled off".to_owned(),
        expires: None,
    };
    let made = client.create_exemption(&exemption).unwrap();
    let rows = until(
        || {
            client
                .recommendation_assets(RECOMMENDATION, None)
                .unwrap()
                .assets
        },
        |rows| rows.iter().any(|row| row.health == "not_applicable"),
    );
    let exempt: Vec<_> = rows
        .iter()
        .filter(|row| row.exemption == Some(made.id))
        .collect();
    assert_eq!((exempt.len(), exempt[0].id), (1, hosts[2]));
    assert_eq!(
        exempt[0].reason.as_deref(),
        Some("mitigated: walled off (admin)")
    );
    // The group of the lab is empty now, and counts no more: the points that there could be are gone as well.
    assert_eq!(client.score_of("lab").unwrap().share, None);
    assert_eq!(client.score().unwrap().groups[0].unhealthy_count, 2);
    let both = NewExemption {
        asset: Some(hosts[0]),
        ..exemption
    };
    assert_eq!(refusal(client.create_exemption(&both)), "bad_request");

    // Moved into the lab, the exemption is about it, too.
    client.move_asset(hosts[0], "lab").unwrap();
    until(
        || client.asset(hosts[0]).unwrap(),
        |asset| asset.summary.state == "not_applicable",
    );
    let history = client.score_history(1, Some("prod")).unwrap();
    let moved = history.points.iter().flat_map(|point| &point.causes);
    // Its share did not change (none of two, none of one): there is nothing to note.
    assert!(moved.clone().all(|cause| !cause.recommendation.is_empty()));
    assert_eq!(
        client.score_history(1, Some("lab")).unwrap().points[0].max,
        0.0
    );
    client.delete_exemption(made.id).unwrap();
    until(
        || client.score_of("lab").unwrap(),
        |score| score.share == Some(0.0),
    );
    assert_eq!(refusal(client.move_asset(hosts[0], "a b")), "bad_request");
    assert_eq!(refusal(client.move_asset(999, "lab")), "not_found");
    let csv = client.recommendations_csv(Some(RECOMMENDATION)).unwrap();
    assert_eq!(csv.lines().count(), 4);
    assert!(
        csv.contains(&format!(
            "\"{RECOMMENDATION}\",a,\"docker-host\",lab,unhealthy,"
        )),
        "{csv}"
    );
    assert!(
        client
            .recommendations_csv(None)
            .unwrap()
            .starts_with("recommendation,title,")
    );

    // Sensors say whose they are.
    let sensors = client.sensors().unwrap().sensors;
    assert!(
        sensors
            .iter()
            .all(|one| !one.silent && one.host_name.is_some())
    );
}

#[test]
fn what_a_join_token_says_holds_for_clusters_and_for_who_joins_again() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let environment = |asset: i64| client.asset(asset).unwrap().summary.environment;

    let observer = joined_in(&server, &client, "edge");
    let cluster = observer.put_fact_index(&index("c1", &[])).unwrap().asset;
    assert_eq!(environment(cluster), "edge");

    let host = send(&joined_in(&server, &client, "lab"), &facts("build-1", true));
    until(
        || client.score_of("lab").unwrap().share,
        |share| *share == Some(0.0),
    );
    // Nothing is new but where it belongs: its points move along, and both histories say why.
    send(
        &joined_in(&server, &client, "prod"),
        &facts("build-1", true),
    );
    assert_eq!(environment(host), "prod");
    assert_eq!(client.score_of("prod").unwrap().max, 4.0);
    assert_eq!(client.score_of("lab").unwrap().share, None);
    for environment in ["lab", "prod"] {
        let last = client.score_history(1, Some(environment)).unwrap().points;
        let cause = &last[0].causes[0];
        assert_eq!(
            (cause.was.as_deref(), cause.health.as_deref()),
            (Some("lab"), Some("prod")),
            "{environment}"
        );
    }
    // A token that says nothing takes nothing out of where it is.
    send(
        &joined_in(&server, &client, "default"),
        &facts("build-1", true),
    );
    assert_eq!(environment(host), "prod");
}

#[test]
fn recommendations_stand_beneath_their_score_groups() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    send(&joined_in(&server, &client, "prod"), &facts("a", true));
    let list = until(
        || client.recommendations().unwrap(),
        |list| list.groups[0].unhealthy == 1,
    );
    let first = &list.groups[0];
    assert_eq!(first.id, "remediate-security-configurations");
    assert_eq!(
        (first.max, first.current, first.potential, first.healthy),
        (4.0, 0.0, 4.0, 0)
    );
    let member = &first.recommendations[0];
    assert_eq!(
        (member.id.as_str(), member.potential),
        (RECOMMENDATION, 4.0)
    );
    // As in the score, which knows only groups of which something was judged.
    let score = client.score().unwrap();
    assert_eq!(score.groups.len(), 1);
    assert_eq!(score.groups[0].title, first.title);
    let idle = list.groups.iter().filter(|one| one.id != first.id);
    assert!(idle.clone().count() > 5 && idle.clone().all(|one| one.potential == 0.0));
    // Each stands in each of its groups, and nothing else does.
    for one in &list.recommendations {
        let within = list.groups.iter().filter(|group| {
            let mut members = group.recommendations.iter();
            members.any(|member| member.id == one.id)
        });
        let within: BTreeSet<&str> = within.map(|group| group.id.as_str()).collect();
        let said: BTreeSet<&str> = one.score_groups.iter().map(String::as_str).collect();
        assert_eq!(within, said, "{}", one.id);
    }
}

/// Makes the store say of an asset what nobody found: whoever judges it again says otherwise.
fn forge(data: &Utf8Path, asset: i64) {
    let forged = Judged {
        controls: Vec::new(),
        objects: Vec::new(),
        health: Vec::new(),
        failed: SeverityCounts::default(),
        newest: BTreeSet::new(),
        state: HealthState::Healthy,
        reason: Some("forged".to_owned()),
    };
    let url: DatabaseUrl = format!("sqlite:{data}/seareeve.db").parse().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&url).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let now = jiff::Timestamp::now();
        assets::save_judged(&mut tx, AssetId(asset), &forged, now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        store.close().await;
    });
}

/// Of thousands of assets only those are judged again that an exemption is about.
#[test]
fn an_exemption_ends_on_time_and_only_what_it_is_about_is_judged() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    // In the order in which several are judged.
    let [other, host] = [("a", "lab"), ("b", "prod")]
        .map(|(name, of)| send(&joined_in(&server, &client, of), &facts(name, true)));
    let state_of = |asset: i64| client.asset(asset).unwrap().summary.state;
    let state = || state_of(host);
    for asset in [other, host] {
        until(|| state_of(asset), |state| state == "unhealthy");
    }
    forge(&data, other);
    let expires = jiff::Timestamp::now() + Duration::from_secs(3);
    let exemption = NewExemption {
        recommendation: RECOMMENDATION.to_owned(),
        asset: None,
        environment: Some("prod".to_owned()),
        kind: "waiver".to_owned(),
        reason: "until it is replaced".to_owned(),
        expires: Some(expires),
    };
    let made = client.create_exemption(&exemption).unwrap();
    until(state, |state| state == "not_applicable");
    assert_eq!(state_of(other), "healthy");
    until(state, |state| state == "unhealthy");
    assert_eq!(state_of(other), "healthy");
    // It is kept, to be read.
    let kept = client.exemptions().unwrap().exemptions;
    assert_eq!(kept[0].id, made.id);
    let history = until(
        || client.score_history(1, Some("prod")).unwrap().points,
        |points| points.len() == 3,
    );
    let maxima: Vec<f64> = history.iter().map(|point| point.max).collect();
    assert_eq!(maxima, [4.0, 0.0, 4.0]);
    // The rounds of looking for what is due are 30 s apart, of which a few are gone: it did not wait for the next.
    let ended = history[0].at;
    assert!(
        ended < expires + Duration::from_secs(15),
        "{ended} {expires}"
    );
    // One that is about all of them finds out.
    let all = NewExemption {
        environment: None,
        expires: None,
        ..exemption
    };
    let all = client.create_exemption(&all).unwrap();
    until(|| state_of(other), |state| state == "not_applicable");
    client.delete_exemption(all.id).unwrap();
    until(|| state_of(other), |state| state == "unhealthy");
}
