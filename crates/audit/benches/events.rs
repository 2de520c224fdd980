//! Raw lines in, alerts out, on the recorded background of a real cluster; beside it, the same lines merely parsed lazily
//! by the fastest libraries there are.
//!
//! All cases take turns in one run, and what counts is the processor's time of the fastest turn: only the ratio says
//! something. `--only CASE` runs one of them alone, `--turns N` so often, for whoever looks with a profiler.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use seareeve_audit::{AuditSource, Record, SOURCE, State, redact, redact_bodies};
use seareeve_detect::{Content, Detector, Engine, Loader, Options};
use serde::Deserialize;

/// Lines that are measured: three minutes of the cluster.
const LINES: usize = 6_000;
/// Rules of a user beside ours and the public ones.
const MORE: usize = 1_000;
/// Turns of each case, unless told otherwise.
const TURNS: usize = 15;

/// Bytes of an event that is kept whole: of longer ones the server keeps the metadata.
const KEPT: usize = 32 << 10;

/// What is compared: name, what it is measured by, and at most how many times as long it may take, if that is limited.
const RATIOS: &[(&str, &str, Option<f64>)] = &[
    ("all rules", "lazily by sonic-rs", Some(2.0)),
    ("all rules", "lazily by serde_json", Some(2.0)),
    ("all rules and 1000 of a user", "all rules", Some(2.0)),
    ("redacted", "all rules", None),
    ("redacted as kept", "all rules", None),
];

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

/// Ours, the public rules, and so many of a user.
fn engine(more: usize) -> Arc<Engine> {
    let mut loader = Loader::new(vec![Arc::new(AuditSource)], Options::default());
    loader.content(&Content::builtin());
    let public = shared("falco/rules/k8s_audit_rules.yaml");
    let public = std::fs::read_to_string(public).expect("shared data");
    loader.file("k8s_audit_rules.yaml", &public);
    loader.file("user.yaml", &generated(more));
    let loaded = loader.finish();
    assert!(!loaded.has_errors(), "rules that do not load");
    Arc::new(loaded.engine)
}

/// Rules as people write them: about objects, users, addresses, images, commands; a few that any event can match.
fn generated(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let condition = match number % 10 {
            0 | 1 => format!(
                "ka.verb in (create, patch) and ka.target.resource = configmaps and ka.target.name = settings-{number}"
            ),
            2 | 3 => format!(
                "ka.verb in (create, update, patch) and ka.req.pod.containers.image.repository intersects (registry/app{number})"
            ),
            4 => format!(
                "ka.user.name = user-{number} and ka.verb = delete and not ka.target.namespace = team-{number}"
            ),
            5 => format!(
                "ka.target.subresource = exec and ka.uri.param[command] contains tool{number}"
            ),
            6 => format!("ka.uri startswith /apis/group{number}/ and ka.response.code = 201"),
            7 => format!(
                "ka.useragent contains agent-{number} and not ka.user.name startswith system:"
            ),
            8 => format!("kube.added.image contains \"miner{number}\" and kube.judged = true"),
            _ => format!(
                "ka.target.namespace = team-{number} and ka.user.groups intersects (group-{number})"
            ),
        };
        let _ = writeln!(
            text,
            "- rule: user {number}\n  desc: d\n  condition: '{condition}'\n  output: '%ka.user.name'\n  priority: INFO\n  source: k8s_audit"
        );
    }
    text
}

/// What is measured: one pass over all lines.
type Case<'a> = (&'static str, Box<dyn Fn() + 'a>);

fn cases(lines: &[Vec<u8>]) -> Vec<Case<'_>> {
    let judged = |engine: Arc<Engine>| {
        move || {
            let mut state = State::default();
            let mut detector = Detector::new(Arc::clone(&engine));
            for line in lines {
                let record = Record::read(line).expect("an event");
                if let Some(event) = state.observe(record) {
                    black_box(detector.see(SOURCE, &event));
                }
            }
        }
    };
    vec![
        (
            "lazily by sonic-rs",
            Box::new(move || {
                for line in lines {
                    let event: Parsed<'_, sonic_rs::LazyValue<'_>> =
                        sonic_rs::from_slice(line).expect("an event");
                    black_box(event);
                }
            }),
        ),
        (
            "lazily by serde_json",
            Box::new(move || {
                for line in lines {
                    let event: Parsed<'_, &serde_json::value::RawValue> =
                        serde_json::from_slice(line).expect("an event");
                    black_box(event);
                }
            }),
        ),
        (
            "lazily by us",
            Box::new(move || {
                for line in lines {
                    black_box(Record::read(line).expect("an event"));
                }
            }),
        ),
        ("all rules", Box::new(judged(engine(0)))),
        (
            "all rules and 1000 of a user",
            Box::new(judged(engine(MORE))),
        ),
        (
            "redacted",
            Box::new(move || {
                for line in lines {
                    black_box(redact(line).expect("an event"));
                }
            }),
        ),
        (
            "redacted as kept",
            Box::new(move || {
                for line in lines {
                    let clean = if line.len() > KEPT {
                        redact_bodies
                    } else {
                        redact
                    };
                    black_box(clean(line).expect("an event"));
                }
            }),
        ),
    ]
}

/// The processor's time of this thread. What the kernel keeps in `schedstat` only moves with its ticks.
fn processor_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(spent).expect("a time after the start")
}

fn main() {
    let mut only = None;
    let mut turns = TURNS;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--only" => only = arguments.next(),
            "--turns" => {
                let number = arguments.next().and_then(|number| number.parse().ok());
                turns = number.expect("a number of turns");
            }
            // What cargo says to benchmarks.
            _ => {}
        }
    }
    let lines = lines();
    let mut cases = cases(&lines);
    cases.retain(|(name, _)| only.as_deref().is_none_or(|only| only == *name));
    let mut least = vec![Duration::MAX; cases.len()];
    for _ in 0..turns {
        for ((_, pass), least) in cases.iter().zip(&mut least) {
            let before = processor_time();
            pass();
            *least = (*least).min(processor_time().saturating_sub(before));
        }
    }
    report(&lines, &cases, &least);
}

#[expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
fn report(lines: &[Vec<u8>], cases: &[Case<'_>], least: &[Duration]) {
    let bytes: usize = lines.iter().map(Vec::len).sum();
    println!("{} events, {} MB\n", lines.len(), bytes / 1_000_000);
    let seconds = |wanted: &str| {
        let place = cases.iter().position(|(name, _)| *name == wanted)?;
        least.get(place).map(Duration::as_secs_f64)
    };
    for (name, _) in cases {
        if let Some(seconds) = seconds(name) {
            println!("{name:<30} {:>8.1} ms", seconds * 1_000.0);
        }
    }
    println!();
    for (name, against, limit) in RATIOS {
        if let (Some(ours), Some(theirs)) = (seconds(name), seconds(against)) {
            let ratio = ours / theirs;
            let limit = limit.map(|limit| {
                let word = if ratio <= limit { "" } else { ": MISSED" };
                format!(", at most {limit:.1}{word}")
            });
            let limit = limit.unwrap_or_default();
            println!("{name}, against {against}: {ratio:.2}{limit}");
        }
    }
}
