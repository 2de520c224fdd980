//! Sums of what is said of assets: they are those of the assets' parts, whatever happens to these.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_store::assets::{self, HealthState, StandingFilter};
use seareeve_store::health_counts::{self, CountKey, Share};
use seareeve_store::{AssetId, Store, StoreError, environments};

use crate::both::both;
use crate::posture::{judged, save, seen};
use crate::sample::at;

fn share(words: &[&str], state: &str) -> Share {
    let key = |word: &&str| CountKey {
        group: "g".to_owned(),
        recommendation: String::new(),
        word: (*word).to_owned(),
    };
    Share {
        counted: words.iter().map(key).collect(),
        groups: BTreeMap::from([("g".to_owned(), state.to_owned())]),
    }
}

async fn sums(store: &Store, environment: &str) -> Result<Vec<(String, i64)>, StoreError> {
    let counts = health_counts::counts(store, environment).await?;
    Ok(counts
        .into_iter()
        .map(|(key, number)| (key.word, number))
        .collect())
}

async fn settle(
    store: &Store,
    asset: AssetId,
    share: &Share,
) -> Result<BTreeSet<String>, StoreError> {
    let mut tx = store.begin().await?;
    let touched = health_counts::settle(&mut tx, asset, share).await?;
    tx.commit().await?;
    Ok(touched)
}

fn words(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs
        .iter()
        .map(|(word, number)| ((*word).to_owned(), *number))
        .collect()
}

#[test]
fn sums_follow_assets_that_change_move_and_go() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut all = Vec::new();
        for name in ["a", "b", "c"] {
            let asset = seen(store, name, 1, 0).await?;
            settle(store, asset, &share(&["healthy"], "healthy")).await?;
            all.push(asset);
        }
        assert_eq!(sums(store, "").await?, words(&[("healthy", 3)]));
        assert_eq!(sums(store, "default").await?, words(&[("healthy", 3)]));
        // The same again touches nothing.
        let none = settle(store, all[0], &share(&["healthy"], "healthy")).await?;
        assert_eq!(none, BTreeSet::new());
        let touched = settle(store, all[0], &share(&["unhealthy", "alone"], "unhealthy")).await?;
        assert_eq!(touched, BTreeSet::from(["default".to_owned()]));
        assert_eq!(
            sums(store, "").await?,
            words(&[("alone", 1), ("healthy", 2), ("unhealthy", 1)])
        );
        let names = async |state: &str, environment: &str| {
            let mut names = Vec::new();
            let mut after = None;
            loop {
                let page =
                    health_counts::members(store, "g", state, environment, after.as_ref(), 1)
                        .await?;
                names.extend(page.items.into_iter().map(|member| member.name));
                after = page.next;
                if after.is_none() {
                    return Ok::<_, StoreError>(names);
                }
            }
        };
        assert_eq!(names("healthy", "").await?, ["b", "c"]);

        let mut tx = store.begin().await?;
        let touched = environments::set(&mut tx, all[0], "prod").await?;
        assert_eq!(
            touched,
            BTreeSet::from(["default".to_owned(), "prod".to_owned()])
        );
        tx.commit().await?;
        assert_eq!(
            sums(store, "prod").await?,
            words(&[("alone", 1), ("unhealthy", 1)])
        );
        assert_eq!(sums(store, "default").await?, words(&[("healthy", 2)]));
        assert_eq!(sums(store, "").await?.len(), 3);
        assert_eq!(names("unhealthy", "prod").await?, ["a"]);
        assert_eq!(names("unhealthy", "default").await?, Vec::<String>::new());

        for asset in &all {
            let mut tx = store.begin().await?;
            assert!(assets::delete(&mut tx, *asset).await?);
            tx.commit().await?;
        }
        for environment in ["", "prod", "default"] {
            assert_eq!(sums(store, environment).await?, [], "{environment}");
        }
        assert_eq!(names("healthy", "").await?, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn pages_of_a_recommendation_go_through_all_states_by_name() {
    both(|fixture| async move {
        let store = &fixture.store;
        let states = [
            HealthState::Unknown,
            HealthState::Healthy,
            HealthState::Unhealthy,
            HealthState::NotApplicable,
        ];
        for (at_index, name) in ["d", "b", "a", "c", "e", "f"].into_iter().enumerate() {
            let asset = seen(store, name, 1, 0).await?;
            let state = states[at_index % states.len()];
            save(store, asset, &judged(Vec::new(), Vec::new(), state), 1).await?;
            if at_index % 2 == 1 {
                let mut tx = store.begin().await?;
                environments::set(&mut tx, asset, "prod").await?;
                tx.commit().await?;
            }
        }
        let names = async |filter: &StandingFilter, limit: usize| {
            let mut names = String::new();
            let mut after = None;
            loop {
                let page = assets::standing(store, "hosts", filter, after.as_ref(), limit).await?;
                names.extend(page.items.into_iter().map(|entry| entry.asset_name));
                after = page.next;
                if after.is_none() {
                    return Ok::<_, StoreError>(names);
                }
            }
        };
        for limit in [1, 2, 5, 6, 7] {
            assert_eq!(names(&StandingFilter::default(), limit).await?, "abcdef");
            let in_prod = StandingFilter {
                environment: "prod".to_owned(),
                ..StandingFilter::default()
            };
            assert_eq!(names(&in_prod, limit).await?, "bcf");
            let healthy = StandingFilter {
                state: Some(HealthState::Healthy),
                ..StandingFilter::default()
            };
            assert_eq!(names(&healthy, limit).await?, "bf");
        }
        // A host gets another name: what it is listed by follows.
        let mut tx = store.begin().await?;
        let digest = seareeve_model::Digest::sha256(&[9; 32]);
        let facts = assets::NewFacts {
            kind: "docker-host",
            external_id: "a",
            name: "z",
            collector: "seareeve 0.1.0",
            engines: &[],
            containers: None,
            running: None,
            images: None,
            digest: &digest,
            collected_at: at(5),
            content: &[5],
        };
        assets::put_facts(&mut tx, &facts, at(5)).await?;
        tx.commit().await?;
        assert_eq!(names(&StandingFilter::default(), 2).await?, "bcdefz");
        Ok(())
    });
}
