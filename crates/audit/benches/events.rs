//! Raw lines in, alerts out, on the recorded background of a real cluster; beside it, the same lines merely parsed lazily
//! by the fastest libraries there are. Both in one run: only the ratio says something.

use std::borrow::Cow;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use seareeve_audit::{AuditSource, Record, SOURCE, State, redact};
use seareeve_detect::{Content, Detector, Engine, Loader, Options};
use serde::Deserialize;

/// Lines that are measured: three minutes of the cluster.
const LINES: usize = 6_000;

/// The members of an event, its bodies unparsed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsing is what is measured")]
struct Parsed<'a, B> {
    #[serde(borrow, rename = "auditID")]
    audit_id: Cow<'a, str>,
    #[serde(borrow)]
    stage: Cow<'a, str>,
    #[serde(borrow)]
    verb: Cow<'a, str>,
    #[serde(borrow, rename = "requestURI")]
    request_uri: Cow<'a, str>,
    #[serde(borrow, default)]
    user_agent: Cow<'a, str>,
    user: B,
    #[serde(default = "Option::default")]
    object_ref: Option<B>,
    #[serde(default = "Option::default")]
    response_status: Option<B>,
    #[serde(default = "Option::default")]
    request_object: Option<B>,
    #[serde(default = "Option::default")]
    response_object: Option<B>,
}

fn shared(path: &str) -> PathBuf {
    let root = std::env::var_os("SEAREEVE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    root.join("data").join(path)
}

fn lines() -> Vec<Vec<u8>> {
    let file = std::fs::File::open(shared("audit/b01-benign.jsonl.zst")).expect("shared data");
    let mut reader = zstd::Decoder::new(file).expect("zstd");
    reader.window_log_max(31).expect("a window of that size");
    let lines = BufReader::new(reader).split(b'\n').take(LINES);
    lines.map(|line| line.expect("a line")).collect()
}

/// Ours and the public rules.
fn engine() -> Arc<Engine> {
    let mut loader = Loader::new(vec![Arc::new(AuditSource)], Options::default());
    loader.content(&Content::builtin());
    let public = shared("falco/rules/k8s_audit_rules.yaml");
    let public = std::fs::read_to_string(public).expect("shared data");
    loader.file("k8s_audit_rules.yaml", &public);
    Arc::new(loader.finish().engine)
}

fn events(criterion: &mut Criterion) {
    let lines = lines();
    let engine = engine();
    let mut group = criterion.benchmark_group("audit");
    group.sample_size(10);
    group.throughput(Throughput::Elements(
        u64::try_from(lines.len()).expect("few"),
    ));
    group.bench_function("lazily-by-sonic-rs", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                let event: Parsed<'_, sonic_rs::LazyValue<'_>> =
                    sonic_rs::from_slice(line).expect("an event");
                black_box(event);
            }
        });
    });
    group.bench_function("lazily-by-serde_json", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                let event: Parsed<'_, &serde_json::value::RawValue> =
                    serde_json::from_slice(line).expect("an event");
                black_box(event);
            }
        });
    });
    group.bench_function("lazily-by-us", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                black_box(Record::read(line).expect("an event"));
            }
        });
    });
    group.bench_function("all-rules", |bencher| {
        bencher.iter(|| {
            let mut state = State::default();
            let mut detector = Detector::new(Arc::clone(&engine));
            for line in &lines {
                let record = Record::read(line).expect("an event");
                if let Some(event) = state.observe(record) {
                    black_box(detector.see(SOURCE, &event));
                }
            }
        });
    });
    group.bench_function("redacted", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                black_box(redact(line).expect("an event"));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, events);
criterion_main!(benches);
