//! Lists and sums over 110,000 words of recommendations on 5,000 assets: what the pages of recommendations, assets and
//! the score ask for. `cargo bench -p seareeve-store --bench lists` runs on SQLite; with `SEAREEVE_TEST_POSTGRES` set
//! to the address of an empty database it runs there instead.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use seareeve_model::Digest;
use seareeve_store::assets::{
    self, Health, HealthState, Judged, NeedsFilter, NewFacts, StandingFilter,
};
use seareeve_store::health_counts::{self, CountKey, Share};
use seareeve_store::{AssetId, DatabaseUrl, SeverityCounts, Store, StoreError};
use tokio::runtime::Runtime;

const ASSETS: u32 = 5_000;
const RECOMMENDATIONS: u32 = 22;
/// Rows of a page, as the UI asks for.
const PAGE: usize = 100;

const STATES: [HealthState; 4] = HealthState::ALL;

fn state(asset: u32, recommendation: u32) -> HealthState {
    let at = asset.wrapping_mul(7).wrapping_add(recommendation) % 4;
    let at = usize::try_from(at).unwrap_or_default();
    STATES.get(at).copied().unwrap_or(HealthState::Unknown)
}

fn judged(asset: u32) -> Judged {
    Judged {
        controls: Vec::new(),
        objects: Vec::new(),
        health: (0..RECOMMENDATIONS)
            .map(|recommendation| Health {
                recommendation: format!("recommendation-{recommendation}"),
                state: state(asset, recommendation),
                reason: Some("3 objects fail".to_owned()),
                exemption: None,
            })
            .collect(),
        failed: SeverityCounts::default(),
        newest: std::collections::BTreeSet::new(),
        state: state(asset, 0),
        reason: None,
    }
}

fn share(asset: u32) -> Share {
    let said = (0..RECOMMENDATIONS).map(|recommendation| CountKey {
        group: String::new(),
        recommendation: format!("recommendation-{recommendation}"),
        word: state(asset, recommendation).as_str().to_owned(),
    });
    let groups = (0..5).map(|group| {
        let state = state(asset, group).as_str().to_owned();
        (format!("group-{group}"), state)
    });
    let groups: BTreeMap<String, String> = groups.collect();
    let of_groups = groups.iter().map(|(group, state)| CountKey {
        group: group.clone(),
        recommendation: String::new(),
        word: state.clone(),
    });
    Share {
        counted: said.chain(of_groups).collect(),
        groups,
    }
}

async fn fill(store: &Store) -> Result<AssetId, StoreError> {
    let now = Timestamp::UNIX_EPOCH;
    let digest = Digest::sha256(&[1; 32]);
    let mut last = AssetId(0);
    let mut tx = store.begin().await?;
    for number in 0..ASSETS {
        let name = format!("host-{number}");
        let facts = NewFacts {
            kind: "docker-host",
            external_id: &name,
            name: &name,
            collector: "bench",
            engines: &[],
            containers: None,
            running: None,
            images: None,
            digest: &digest,
            collected_at: now,
            content: &[1],
        };
        last = assets::put_facts(&mut tx, &facts, now).await?.asset;
        assets::save_judged(&mut tx, last, &judged(number), now).await?;
        health_counts::settle(&mut tx, last, &share(number)).await?;
        if number % 500 == 499 {
            tx.commit().await?;
            tx = store.begin().await?;
        }
    }
    tx.commit().await?;
    Ok(last)
}

/// Judges an asset anew, in which one recommendation says something else each time.
async fn change(store: &Store, asset: AssetId, number: u32) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    assets::save_judged(&mut tx, asset, &judged(number), Timestamp::UNIX_EPOCH).await?;
    health_counts::settle(&mut tx, asset, &share(number)).await?;
    black_box(health_counts::counts_in(&mut tx, "").await?);
    tx.commit().await
}

fn lists(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime can be made");
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let address = std::env::var("SEAREEVE_TEST_POSTGRES")
        .unwrap_or_else(|_| format!("sqlite:{}", folder.path().join("state.db").display()));
    let url: DatabaseUrl = address.parse().expect("the address is one");
    let (store, last) = runtime
        .block_on(async {
            let store = Store::open(&url).await?;
            let last = fill(&store).await?;
            Ok::<_, StoreError>((store, last))
        })
        .expect("the store can be filled");
    let mut group = criterion.benchmark_group("110,000 words of recommendations");
    group.sample_size(20);
    group.bench_function("all recommendations", |bencher| {
        bencher.iter(|| runtime.block_on(health_counts::counts(&store, "")));
    });
    group.bench_function("assets of one", |bencher| {
        let filter = StandingFilter::default();
        bencher.iter(|| {
            let page = assets::standing(&store, "recommendation-7", &filter, None, PAGE);
            runtime.block_on(page)
        });
    });
    group.bench_function("assets by needs", |bencher| {
        let filter = NeedsFilter::default();
        bencher.iter(|| runtime.block_on(assets::needs(&store, &filter, None, PAGE)));
    });
    group.bench_function("unhealthy assets of a score group", |bencher| {
        bencher.iter(|| {
            let page = health_counts::members(&store, "group-1", "unhealthy", "", None, PAGE);
            runtime.block_on(page)
        });
    });
    let mut number = 0;
    group.bench_function("one asset changes, with the score", |bencher| {
        bencher.iter(|| {
            number += 1;
            runtime.block_on(change(&store, last, number))
        });
    });
    group.finish();
}

criterion_group!(benches, lists);
criterion_main!(benches);
