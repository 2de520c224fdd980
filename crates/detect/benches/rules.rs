//! What evaluating costs: Falco's public rules alone, and with a thousand of a user beside them.
//!
//! The second must not take twice as long as the first. Without the shared data, the built-in detections stand in for
//! the public rules.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use seareeve_detect::sources::{FlatEvent, FlatSource};
use seareeve_detect::{Content, Detector, Engine, Loader, Options, Source};
use serde_json::json;

/// Rules of Falco's that are loaded.
const FILES: [&str; 3] = [
    "falco_rules.yaml",
    "falco-incubating_rules.yaml",
    "falco-sandbox_rules.yaml",
];
/// Rules of a user.
const MORE: usize = 1_000;

fn engine(more: usize) -> Arc<Engine> {
    let source: Arc<dyn Source> = Arc::new(FlatSource::syscall());
    let mut loader = Loader::new(vec![source], Options::default());
    let folder = std::env::var_os("SEAREEVE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let mut is_there = false;
    for name in FILES {
        if let Ok(text) = std::fs::read_to_string(folder.join("data/falco/rules").join(name)) {
            loader.file(name, &text);
            is_there = true;
        }
    }
    if !is_there {
        loader.content(&Content::builtin());
    }
    loader.file("user.yaml", &generated(more));
    let loaded = loader.finish();
    assert!(!loaded.has_errors());
    Arc::new(loaded.engine)
}

/// Rules as people write them: about programs, files, addresses, command lines; a few that any event can match.
fn generated(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let condition = match number % 10 {
            0 | 1 => format!(
                "evt.type in (execve, execveat) and proc.name in (tool{number}, prog{number})"
            ),
            2 | 3 => format!(
                "evt.type in (open, openat, openat2) and fd.name startswith /srv/app{number}/ and not proc.name = backup"
            ),
            4 => format!(
                "evt.type = connect and fd.sip = 10.7.{}.{}",
                number / 256,
                number % 256
            ),
            5 => format!(
                "evt.type = connect and fd.sport = {} and proc.name != curl",
                2_000 + number
            ),
            6 => format!(
                "evt.type in (execve, execveat) and proc.cmdline contains \"--flag{number}\""
            ),
            7 => format!("container.image.repository = registry/app{number} and user.name = root"),
            8 => format!("evt.type in (open, openat, openat2) and fd.name endswith .ext{number}"),
            _ => format!("fd.name pmatch (/var/lib/app{number}) and evt.is_open_write = true"),
        };
        let _ = writeln!(
            text,
            "- rule: user {number}\n  desc: d\n  condition: '{condition}'\n  output: '%proc.name'\n  priority: INFO\n  warn_evttypes: false"
        );
    }
    text
}

fn events() -> Vec<FlatEvent> {
    let paths = [
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/etc/hosts",
        "/srv/data/7/file.json",
        "/proc/self/status",
        "/var/log/app.log",
        "/tmp/.x",
        "/usr/share/zoneinfo/UTC",
    ];
    let programs = [
        "nginx", "python3", "java", "bash", "cron", "postgres", "node",
    ];
    (0..2_000_usize)
        .filter_map(|number| {
            let program = programs.get(number % programs.len())?;
            let path = paths.get(number % paths.len())?;
            let mut event = json!({
                "evt.num": number, "evt.rawtime": number, "evt.dir": "<", "evt.res": "SUCCESS", "evt.rawres": 3,
                "proc.name": program, "proc.pname": "containerd-shim", "proc.exe": program,
                "proc.exepath": format!("/usr/bin/{program}"), "proc.cmdline": format!("{program} -c /etc/{program}.conf"),
                "proc.aname[1]": program, "proc.aname[2]": "containerd-shim", "proc.aname[3]": "systemd",
                "proc.tty": 0, "proc.vpid": 7, "user.name": "www", "user.uid": 1000, "user.loginuid": -1,
                "container.id": "3f1a2b", "container.image.repository": "registry/shop", "container.privileged": false,
                "thread.cap_effective": "", "thread.cap_permitted": "",
            });
            let fields = event.as_object_mut()?;
            match number % 4 {
                0 | 1 => {
                    let directory = path.rsplit_once('/').map_or("/", |(directory, _)| directory);
                    fields.extend([
                        ("evt.type".to_owned(), json!("openat")),
                        ("evt.is_open_read".to_owned(), json!(number % 8 != 0)),
                        ("evt.is_open_write".to_owned(), json!(number % 8 == 0)),
                        ("fd.typechar".to_owned(), json!("f")),
                        ("fd.num".to_owned(), json!(3)),
                        ("fd.name".to_owned(), json!(path)),
                        ("fd.directory".to_owned(), json!(directory)),
                    ]);
                }
                2 => fields.extend([
                    ("evt.type".to_owned(), json!("connect")),
                    ("fd.typechar".to_owned(), json!("4")),
                    ("fd.type".to_owned(), json!("ipv4")),
                    ("fd.l4proto".to_owned(), json!("tcp")),
                    ("fd.sip".to_owned(), json!("10.0.3.4")),
                    ("fd.cip".to_owned(), json!("10.0.3.9")),
                    ("fd.sport".to_owned(), json!(5432)),
                    ("fd.cport".to_owned(), json!(40_000 + number)),
                ]),
                _ => fields.extend([("evt.type".to_owned(), json!("execve"))]),
            }
            Some(FlatEvent::new(std::mem::take(fields)))
        })
        .collect()
}

fn evaluate(criterion: &mut Criterion) {
    let events = events();
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Elements(events.len() as u64));
    for (name, more) in [("public", 0), ("public and 1000 of a user", MORE)] {
        let engine = engine(more);
        group.bench_function(name, |bencher| {
            let mut detector = Detector::new(Arc::clone(&engine));
            bencher.iter(|| {
                let seen = events
                    .iter()
                    .map(|event| detector.see("syscall", event).len());
                black_box(seen.sum::<usize>())
            });
        });
    }
    group.finish();
}

fn compile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10);
    group.bench_function("public and 1000 of a user", |bencher| {
        bencher.iter(|| black_box(engine(MORE)).rules().count());
    });
    group.finish();
}

criterion_group!(benches, evaluate, compile);
criterion_main!(benches);
