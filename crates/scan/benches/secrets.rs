//! What looking for secrets costs: text without any, as most is, and text full of words that sound like them.
//! The automata of `aho-corasick` over the same keywords and text stand beside it.

use std::hint::black_box;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use seareeve_image::FileFacts;
use seareeve_model::ImagePath;
use seareeve_scan::secrets::{Detector, detector};
use serde::Deserialize;

const BYTES: usize = 8 << 20;
/// What a reader of images hands over at once.
const PIECE: usize = 256 * 1024;

const PLAIN: &[&str] = &[
    "the",
    "value",
    "of",
    "this",
    "function",
    "returns",
    "int",
    "const",
    "static",
    "struct",
    "if",
    "else",
    "for",
    "while",
    "include",
    "define",
    "config",
    "option",
    "default",
    "=",
    "==",
    "(",
    ")",
    "{",
    "}",
    "->",
    "//",
    "/*",
    "*/",
    "#",
    "\"text\"",
    "'x'",
    "0x1f",
    "1024",
    "MAX_SIZE",
    "get_value",
    "setOption",
    "std::vector",
    "self.x",
    "import",
    "return",
    "http",
    "server",
    "port",
    "user",
    "name",
    "path",
    "/usr/lib/x86_64",
    "license",
    "copyright",
];
const SUSPICIOUS: &[&str] = &[
    "password",
    "secret:",
    "token",
    "api_key =",
    "https://host/path",
    "PRIVATE KEY",
    "eyJ",
];

/// Words in lines, the same at every run. Every `rate`th word is a suspicious one.
fn text(rate: u64) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 8
    };
    let mut pick = |words: &[&'static str]| -> &'static str {
        let index = usize::try_from(next()).unwrap_or(0) % words.len();
        words.get(index).copied().unwrap_or("")
    };
    let mut text = Vec::with_capacity(BYTES + 32);
    for count in 1_u64.. {
        if text.len() >= BYTES {
            break;
        }
        let words = if rate > 0 && count % rate == 0 {
            SUSPICIOUS
        } else {
            PLAIN
        };
        text.extend_from_slice(pick(words).as_bytes());
        text.push(if count % 9 == 0 { b'\n' } else { b' ' });
    }
    text
}

fn scan(detector: &Detector, path: &ImagePath, text: &[u8]) -> usize {
    let facts = FileFacts {
        size: text.len() as u64,
        ..FileFacts::default()
    };
    let mut inspector = detector
        .inspector(path, facts)
        .expect("a path that is looked at");
    for piece in text.chunks(PIECE) {
        if inspector.take(piece).is_break() {
            break;
        }
    }
    inspector.finish(true).map_or(0, |extract| extract.len())
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default)]
    keywords: Vec<String>,
}

/// The keywords of all rules, from the files themselves.
fn keywords() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../content/secrets");
    let files = std::fs::read_dir(folder)
        .expect("the rules")
        .filter_map(Result::ok);
    let texts = files.filter_map(|file| std::fs::read(file.path()).ok());
    texts
        .flat_map(|text| {
            serde_saphyr::from_slice::<Rule>(&text)
                .expect("a rule")
                .keywords
        })
        .collect()
}

fn benches(criterion: &mut Criterion) {
    criterion.bench_function("start", |bencher| {
        bencher.iter(|| Detector::with_rules(std::iter::empty()));
    });
    let packaged = ImagePath::parse(b"usr/lib/x/file").expect("a path of ours");
    let own = ImagePath::parse(b"srv/x/file").expect("a path of ours");
    let mut group = criterion.benchmark_group("text");
    group
        .throughput(Throughput::Bytes(BYTES as u64))
        .sample_size(20);
    let plain = text(0);
    for (name, path, text) in [
        ("plain, of a package", &packaged, &plain),
        ("plain, the image's own", &own, &plain),
        ("suspicious, of a package", &packaged, &text(50)),
        ("suspicious, the image's own", &own, &text(50)),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| scan(detector(), path, black_box(text)));
        });
    }
    let keywords = keywords();
    for (name, kind) in [
        (
            "aho-corasick, contiguous NFA",
            AhoCorasickKind::ContiguousNFA,
        ),
        ("aho-corasick, DFA", AhoCorasickKind::DFA),
    ] {
        let automaton = AhoCorasick::builder()
            .kind(Some(kind))
            .ascii_case_insensitive(true)
            .build(&keywords)
            .expect("an automaton");
        group.bench_function(name, |bencher| {
            bencher.iter(|| automaton.find_iter(black_box(&plain)).count());
        });
    }
    group.finish();
}

criterion_group!(secrets, benches);
criterion_main!(secrets);
