//! The sums say what `posture::score` says of the same assets, whatever is said of them.

use seareeve_posture::{Judged, Score, score};
use seareeve_store::assets::Health;

use super::*;
use crate::posture::own;

fn entry(recommendation: &str, asset: i64, state: HealthState) -> HealthEntry {
    HealthEntry {
        asset: AssetId(asset),
        asset_name: format!("a{asset}"),
        asset_kind: "kubernetes-cluster".to_owned(),
        environment: if asset % 3 == 0 { "prod" } else { "default" }.to_owned(),
        health: Health {
            recommendation: recommendation.to_owned(),
            state,
            reason: None,
            exemption: None,
        },
        since: Timestamp::UNIX_EPOCH,
    }
}

/// What the sums of these are: as they are kept, asset by asset.
fn sums(content: &Content, entries: &[HealthEntry]) -> Sums {
    Sums::of(content, &counts(content, entries))
}

fn counts(content: &Content, entries: &[HealthEntry]) -> Counts {
    let mut by_asset: BTreeMap<AssetId, Vec<HealthEntry>> = BTreeMap::new();
    for entry in entries {
        by_asset.entry(entry.asset).or_default().push(entry.clone());
    }
    let mut counts = Counts::new();
    for said in by_asset.values() {
        for key in share_of(content, said).counted {
            *counts.entry(key).or_default() += 1;
        }
    }
    counts
}

/// The score as it is defined: of all that is said of all assets.
fn defined(content: &Content, entries: &[HealthEntry]) -> Score {
    let assets: Vec<String> = entries.iter().map(|one| one.asset.to_string()).collect();
    let judged = entries.iter().zip(&assets).flat_map(|(entry, asset)| {
        let id = entry.health.recommendation.as_str();
        let recommendation = content.catalogue.recommendation(id);
        let groups = recommendation.map(|one| one.score_groups.iter());
        let health = match entry.health.state {
            HealthState::Healthy => seareeve_posture::Health::Healthy,
            HealthState::Unhealthy => seareeve_posture::Health::Unhealthy,
            HealthState::NotApplicable => seareeve_posture::Health::NotApplicable,
            HealthState::Unknown => seareeve_posture::Health::Unknown,
        };
        groups.into_iter().flatten().map(move |group| Judged {
            group,
            recommendation: id,
            asset,
            health,
            counts: recommendation.is_some_and(|one| !one.preview),
        })
    });
    score(&content.catalogue.points(), judged)
}

#[track_caller]
fn same(sums: &Sums, score: &Score) {
    let ids = |score: &Score| score.groups.keys().cloned().collect::<Vec<_>>();
    assert_eq!(sums.groups.keys().cloned().collect::<Vec<_>>(), ids(score));
    for (id, group) in &score.groups {
        let sum = &sums.groups[id];
        let numbers = [
            group.healthy.len(),
            group.unhealthy.len(),
            group.unknown.len(),
        ];
        let [healthy, unhealthy, unknown] = numbers.map(|number| u32::try_from(number).unwrap());
        assert_eq!(
            (sum.healthy, sum.unhealthy, sum.unknown),
            (healthy, unhealthy, unknown),
            "{id}"
        );
        assert!((sum.current() - group.current).abs() < 1e-9, "{id}");
        assert!((sum.potential() - group.potential()).abs() < 1e-9, "{id}");
    }
    assert!((sums.current() - score.current()).abs() < 1e-9);
    assert!((sums.max() - score.max()).abs() < 1e-9);
}

/// The worked example of `reference.md`, section 4.1: a group of 6 points, 4 healthy and 74 unhealthy assets.
#[test]
fn the_worked_example_comes_out() {
    let content = own::content(&[]);
    let group = "remediate-vulnerabilities";
    let one = content
        .catalogue
        .recommendation("registry-image-vulnerabilities");
    assert!(one.is_some_and(|one| one.score_groups == [group] && !one.preview));
    let states = (0..78).map(|at| match at < 4 {
        true => HealthState::Healthy,
        false => HealthState::Unhealthy,
    });
    let entries: Vec<HealthEntry> = states
        .zip(0..)
        .map(|(state, at)| entry("registry-image-vulnerabilities", at, state))
        .collect();
    let counted = counts(&content, &entries);
    let part = &sums(&content, &entries).groups[group];
    assert_eq!(format!("{:.2}", part.current()), "0.31");
    assert_eq!(format!("{:.2}", part.potential()), "5.69");
    let after = |what_if: &WhatIf| {
        let meant: Vec<HealthEntry> = entries
            .iter()
            .filter(|entry| what_if.assets.contains(&entry.asset))
            .cloned()
            .collect();
        Sums::of(&content, &what_if.counts(&content, &counted, &meant)).groups[group].current()
    };
    // An exempt asset leaves both sides: 6 / 77 × 4.
    let what_if = WhatIf {
        assets: BTreeSet::from([AssetId(70)]),
        is_exempt: true,
        ..WhatIf::default()
    };
    assert_eq!(format!("{:.4}", after(&what_if)), "0.3117");
    // Three of them mended: 6 / 78 × 7.
    let what_if = WhatIf {
        assets: [70, 71, 72].map(AssetId).into(),
        ..WhatIf::default()
    };
    assert_eq!(format!("{:.4}", after(&what_if)), "0.5385");
}

/// Whatever is asked, the sums say what the whole score says.
#[test]
fn sums_say_what_the_whole_score_says() {
    let content = own::content(&[]);
    let ids: Vec<String> = content
        .catalogue
        .recommendations()
        .map(|one| one.id.clone())
        .collect();
    // A pattern in which every combination of states meets on some asset.
    let mut entries = Vec::new();
    let mut seed = 1_u32;
    for asset in 0..24 {
        for id in &ids {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let state = match seed >> 28 {
                0 => HealthState::Unknown,
                1 => HealthState::Unhealthy,
                2..=7 => HealthState::NotApplicable,
                _ => HealthState::Healthy,
            };
            entries.push(entry(id, asset, state));
        }
    }
    let all = sums(&content, &entries);
    same(&all, &defined(&content, &entries));
    let before = all.current();
    let found = all.potentials();
    assert!(found.values().any(|gain| *gain > 0.0), "{found:?}");
    let in_prod: Vec<HealthEntry> = entries
        .iter()
        .filter(|entry| entry.environment == "prod")
        .cloned()
        .collect();
    let of_prod = sums(&content, &in_prod);
    for recommendation in ids.iter().map(Some).chain([None]) {
        for is_exempt in [false, true] {
            for environment in [None, Some("prod")] {
                let what_if = WhatIf {
                    recommendation: recommendation.cloned(),
                    environment: environment.map(str::to_owned),
                    is_exempt,
                    ..WhatIf::default()
                };
                let meant = if environment.is_some() {
                    &of_prod
                } else {
                    &all
                };
                let after = defined(&content, &what_if.of(&entries));
                same(&what_if.sums(&all, meant), &after);
            }
        }
    }
    for id in &ids {
        let what_if = WhatIf {
            recommendation: Some(id.clone()),
            ..WhatIf::default()
        };
        let after = defined(&content, &what_if.of(&entries)).current();
        let gain = found.get(id.as_str()).copied().unwrap_or_default();
        assert!((after - before - gain).abs() < 1e-9, "{id}: {gain}");
    }
    let counted = counts(&content, &entries);
    for asset in (0..24).map(AssetId) {
        let own: Vec<HealthEntry> = entries
            .iter()
            .filter(|entry| entry.asset == asset)
            .cloned()
            .collect();
        let (gain, each) = all.potentials_of(&content.catalogue, &own);
        let mended = |recommendation: Option<&String>| {
            let what_if = WhatIf {
                recommendation: recommendation.cloned(),
                assets: BTreeSet::from([asset]),
                ..WhatIf::default()
            };
            let after = Sums::of(&content, &what_if.counts(&content, &counted, &own));
            same(&after, &defined(&content, &what_if.of(&entries)));
            after.current() - before
        };
        assert!((mended(None) - gain).abs() < 1e-9, "{asset}: {gain}");
        for id in ids.iter().step_by(7) {
            let gain = each.get(id.as_str()).copied().unwrap_or_default();
            assert!((mended(Some(id)) - gain).abs() < 1e-9, "{asset} {id}");
        }
    }
}
