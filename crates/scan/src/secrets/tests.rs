//! Every rule's examples, the search in pieces, hostile texts, and that nothing of a secret gets out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// The part of a rule's file that is for us. Examples come in fragments, so that no file of this repository
/// holds a whole token.
#[derive(Deserialize)]
struct Shown {
    examples: Examples,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Examples {
    /// The file in which they stand, for rules that are for certain files.
    #[serde(default = "anywhere")]
    path: String,
    fires: Vec<Vec<String>>,
    quiet: Vec<Vec<String>>,
}

fn anywhere() -> String {
    "app/settings".to_owned()
}

fn examples() -> &'static BTreeMap<String, Examples> {
    static EXAMPLES: OnceLock<BTreeMap<String, Examples>> = OnceLock::new();
    EXAMPLES.get_or_init(|| {
        let files = Content::iter().filter(|file| !file.contains('/'));
        files
            .map(|file| {
                let content = Content::get(&file).unwrap();
                let shown: Shown = serde_saphyr::from_slice(&content.data)
                    .unwrap_or_else(|error| panic!("{file}: {error}"));
                (file.trim_end_matches(".yaml").to_owned(), shown.examples)
            })
            .collect()
    })
}

fn path(text: &str) -> ImagePath {
    ImagePath::parse(text.as_bytes()).unwrap()
}

/// What is found in a file that comes in pieces of `piece` bytes.
fn inspect(detector: &Detector, place: &str, content: &[u8], piece: usize) -> Secrets {
    let place = path(place);
    let facts = FileFacts {
        size: content.len() as u64,
        ..FileFacts::default()
    };
    let Some(mut inspector) = detector.inspector(&place, facts) else {
        return Secrets::default();
    };
    for bytes in content.chunks(piece) {
        if inspector.take(bytes).is_break() {
            break;
        }
    }
    let extract = inspector.finish(true);
    extract.map_or_else(Secrets::default, |extract| {
        let place = SecretPlace::File {
            path: place.clone(),
            layer: 3,
            is_hidden: false,
        };
        detector.decode(&place, &extract).unwrap()
    })
}

/// What is found in an example: for rules on configurations there, for all others in a file.
fn found(rule: &str, examples: &Examples, text: &str) -> Secrets {
    let detector = detector();
    let rule = detector
        .rules()
        .iter()
        .find(|known| known.id == rule)
        .unwrap();
    if rule.scope == Scope::Configuration {
        let place = SecretPlace::Configuration {
            field: "history[0]".to_owned(),
        };
        return detector.scan_text(&place, text.as_bytes());
    }
    inspect(detector, &examples.path, text.as_bytes(), usize::MAX)
}

fn places(secrets: &Secrets) -> Vec<String> {
    let place = |finding: &SecretFinding| {
        let place = match &finding.place {
            SecretPlace::Configuration { field } => field.clone(),
            SecretPlace::File { path, .. } => path.to_text().into_owned(),
        };
        format!(
            "{place}:{}:{} {}",
            finding.line, finding.column, finding.rule
        )
    };
    secrets.findings.iter().map(place).collect()
}

/// A token with a checksum, put together so that this file holds none.
fn github() -> String {
    examples()["github-token"].fires[1]
        .concat()
        .trim_matches('"')
        .to_owned()
}

#[test]
fn rules_compile_and_say_what_people_need() {
    let (detector, errors) = Detector::with_rules(std::iter::empty());
    assert!(errors.is_empty(), "{errors:?}");
    assert!(detector.rules().len() > 150);
    let mut titles = std::collections::BTreeSet::new();
    for rule in detector.rules() {
        rule.compile()
            .unwrap_or_else(|error| panic!("{}: {error}", rule.id));
        assert!(
            titles.insert(rule.title.clone()),
            "{}: a title that another rule has",
            rule.id
        );
        assert!(
            rule.remediation.len() > 20 && rule.remediation.ends_with('.'),
            "{}",
            rule.id
        );
    }
    for file in Content::iter().filter(|file| !file.contains('/')) {
        let content = Content::get(&file).unwrap();
        // What the program leaves out must be the examples only.
        let left_out = content
            .data
            .get(without_examples(&content.data).len() + 1..)
            .unwrap();
        let fields = left_out
            .split(|byte| *byte == b'\n')
            .filter(|line| line.first().is_some_and(u8::is_ascii_alphabetic));
        assert_eq!(fields.count(), 1, "{file}: examples are the last field");
        assert!(Rule::read(&file, &content.data).is_ok(), "{file}");
    }
    let _: paths::Lists = list("paths");
    let _: placeholders::Lists = list("placeholders");
}

#[test]
fn every_rule_fires_where_it_says_and_only_there() {
    let mut wrong = String::new();
    for (rule, examples) in examples() {
        assert!(
            !examples.fires.is_empty() && !examples.quiet.is_empty(),
            "{rule}"
        );
        for (expected, list) in [(true, &examples.fires), (false, &examples.quiet)] {
            for (number, fragments) in list.iter().enumerate() {
                assert!(
                    !expected || fragments.len() > 1,
                    "{rule}: an example in one piece"
                );
                let secrets = found(rule, examples, &fragments.concat());
                let fired = secrets.findings.iter().any(|finding| finding.rule == *rule);
                if fired != expected {
                    writeln!(
                        wrong,
                        "{rule}: example {number}: fires: {fired}; found: {}",
                        places(&secrets).join(", ")
                    )
                    .unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// A rule that its keywords do not lead to would be silent for no reason that anyone could see.
#[test]
fn keywords_are_parts_of_all_that_a_rule_finds() {
    for (id, examples) in examples() {
        let rule = detector()
            .rules()
            .iter()
            .find(|rule| rule.id == *id)
            .unwrap();
        if rule.keywords.is_empty() {
            continue;
        }
        for fragments in &examples.fires {
            let mut text = fragments.concat().into_bytes();
            let compiled = rule.compiled().unwrap();
            assert!(compiled.regex.is_match(&text), "{id}");
            for keyword in &rule.keywords {
                while let Some(at) = text.windows(keyword.len()).position(|part| {
                    if rule.ignores_case {
                        part.eq_ignore_ascii_case(keyword.as_bytes())
                    } else {
                        part == keyword.as_bytes()
                    }
                }) {
                    text.splice(at..at + keyword.len(), [b' ']);
                }
            }
            assert!(
                !compiled.regex.is_match(&text),
                "{id} matches without a keyword"
            );
        }
    }
}

#[test]
fn places_are_lines_and_columns() {
    let token = github();
    let text = format!("first\nsecond = {token}\n\n\tthird: {token}\n");
    assert_eq!(
        places(&inspect(detector(), "srv/x.conf", text.as_bytes(), 7)),
        [
            "srv/x.conf:2:10 github-token",
            "srv/x.conf:4:9 github-token"
        ]
    );
    // Far into a file, and on a line that began before what is kept.
    let long = format!("{}{}{token}", "line\n".repeat(100_000), " ".repeat(300_000));
    assert_eq!(
        places(&inspect(
            detector(),
            "srv/x.conf",
            long.as_bytes(),
            256 * 1024
        )),
        ["srv/x.conf:100001:300001 github-token"]
    );
}

#[test]
fn the_surest_rule_speaks_for_a_secret() {
    let text = format!("GITHUB_TOKEN={}\n", github());
    assert_eq!(
        places(&inspect(detector(), "app/.env", text.as_bytes(), 1 << 20)),
        ["app/.env:1:14 github-token"]
    );
}

#[test]
fn binaries_and_places_without_secrets_are_passed_over() {
    let token = github();
    let find = |path: &str, content: &str| {
        inspect(detector(), path, content.as_bytes(), 4096)
            .findings
            .len()
    };
    assert_eq!(find("app/config", &token), 1);
    assert_eq!(find("app/program", &format!("\x7fELF\x02\x01 {token}")), 0);
    assert_eq!(find("app/blob", &format!("text\0{token}")), 0);
    // A NUL far behind the beginning is a slip in a text.
    assert_eq!(
        find("app/log", &format!("{token}\n{}\0", "x ".repeat(10_000))),
        1
    );
    for passed in [
        "usr/share/doc/x/README",
        "usr/share/man/man1/x.1",
        "app/package-lock.json",
        "app/__pycache__/x.pyc",
        "app/node_modules/x/test/keys.js",
        "usr/lib/python3/dist-packages/x/tests/data.py",
        "usr/lib/python3/dist-packages/x.dist-info/RECORD",
    ] {
        assert_eq!(find(passed, &token), 0, "{passed}");
    }
    // Packages are searched for what has a form of its own, but not for names with values.
    let weak = "db_password = 'kT7wQ2xZ91vB'\n";
    assert_eq!(find("usr/lib/node_modules/x/lib/keys.js", &token), 1);
    assert_eq!(find("usr/lib/node_modules/x/lib/keys.js", weak), 0);
    assert_eq!(find("app/keys.js", weak), 1);
    assert_eq!(find("app/test/keys.js", &token), 1);
}

#[test]
fn configurations_are_searched_field_by_field() {
    let token = github();
    let basic = examples()["url-credentials"].fires[0].concat();
    let json = serde_json::json!({
        "config": {
            "Env": ["PATH=/bin", format!("{basic}"), format!("{token}=1"), "POSTGRES_PASSWORD=tiger-9",
                    "DB_PASSWORD_FILE=/run/secrets/db", "GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568"],
            "Labels": { "ci.token": token, "org.opencontainers.image.title": "x" },
            "Cmd": ["run", "--token", token],
            "Entrypoint": null,
            "Healthcheck": { "Test": ["CMD-SHELL", format!("curl -H 'Authorization: Bearer {token}' localhost")] },
            "OnBuild": [],
        },
        "history": [
            { "created_by": "/bin/sh -c #(nop) ADD file:0 in /" },
            { "created_by": format!("RUN |1 NPM_TOKEN=kT7wQ2xZ91vB /bin/sh -c npm ci"), "comment": "buildkit" },
            { "created_by": format!("ENV GH={token}"), "empty_layer": true },
        ],
        "rootfs": { "type": "layers", "diff_ids": [] },
    });
    let secrets = detector()
        .configuration(json.to_string().as_bytes())
        .unwrap();
    assert_eq!(
        places(&secrets),
        [
            "config.Cmd:1:13 github-token",
            "config.Env[1] DATABASE_URL:1:29 url-credentials",
            "config.Env[2]:1:1 github-token",
            "config.Env[3] POSTGRES_PASSWORD:1:19 secret-in-environment",
            "config.Healthcheck.Test:1:42 github-token",
            "config.Labels[0] ci.token:1:10 github-token",
            "history[1]:1:18 secret-in-environment",
            "history[2]:1:8 github-token",
        ]
    );
    assert_eq!(secrets.more, 0);
    assert!(detector().configuration(b"{").is_err());
    assert_eq!(
        detector().configuration(b"[1]").unwrap(),
        Secrets::default()
    );
    assert_eq!(
        detector()
            .configuration(br#"{"config": 3, "history": {"a": 1}}"#)
            .unwrap(),
        Secrets::default()
    );
}

/// All that leaves this module, as text and as bytes, must not hold what was planted.
#[test]
fn nothing_of_a_secret_gets_out() {
    let detector = detector();
    for (rule, examples) in examples() {
        for fragments in &examples.fires {
            let text = fragments.concat();
            let place = path(&examples.path);
            let facts = FileFacts {
                size: text.len() as u64,
                ..FileFacts::default()
            };
            let mut inspector = detector.inspector(&place, facts).unwrap();
            let _ = inspector.take(text.as_bytes());
            let extract = inspector.finish(true).unwrap_or_default();
            let known = detector
                .rules()
                .iter()
                .find(|known| known.id == *rule)
                .unwrap();
            let told = found(rule, examples, &text);
            let out = format!(
                "{detector:?} {told:?} {extract:?} {}",
                String::from_utf8_lossy(&extract)
            );
            let compiled = known.compiled().unwrap();
            let mut locations = compiled.regex.capture_locations();
            assert!(
                compiled
                    .regex
                    .captures_read(&mut locations, text.as_bytes())
                    .is_some()
            );
            let (start, end) = locations.get(compiled.secret).unwrap();
            // Prefixes such as `xoxb-` are the rule's, so look for any six bytes behind the first six.
            let body = text.as_bytes().get(start + 6..end).unwrap_or_default();
            for part in body
                .windows(6)
                .filter(|part| part.iter().any(u8::is_ascii_digit))
            {
                assert!(
                    !out.as_bytes().windows(6).any(|other| other == part),
                    "{rule} lets out a part"
                );
            }
        }
    }
    let error = detector
        .configuration(format!("{{\"config\": {}", github()).as_bytes())
        .unwrap_err();
    assert!(!format!("{error:?} {error}").contains(&github()));
}

#[test]
fn hostile_texts_are_bounded() {
    let token = github();
    let many = format!("{token}\n").repeat(300);
    let secrets = inspect(detector(), "app/x", many.as_bytes(), 1000);
    assert_eq!((secrets.findings.len(), secrets.more), (100, 200));
    // Keywords without end, none of which becomes a secret.
    let words = "password=ghp_SG.eyJ://:AAAKIA-----BEGIN PRIVATE KEY-----xoxb-".repeat(20_000);
    let secrets = inspect(detector(), "app/x", words.as_bytes(), 256 * 1024);
    assert!(secrets.findings.len() <= 100);
    let quotes = "password: \"aB3\n".repeat(100_000);
    assert_eq!(
        inspect(detector(), "app/x", quotes.as_bytes(), 256 * 1024).findings,
        []
    );
}

#[test]
fn rules_of_users_are_checked_and_used() {
    let good = b"id: acme-key\ntitle: Acme key\nprovider: Acme\nseverity: high\nconfidence: high\nkeywords: [acme_]\n\
        regex: '(?<secret>acme_[0-9a-f]{8})'\nremediation: Ask Bob.\nexamples: { fires: [], quiet: [] }\n";
    let text = |field: &str, value: &str| {
        let good = String::from_utf8(good.to_vec()).unwrap();
        let line = good.lines().find(|line| line.starts_with(field)).unwrap();
        good.replace(line, value)
    };
    let bad = [
        text("severity", "severity: bad"),
        text("regex", "regex: '('"),
        text("regex", "regex: 'acme_[0-9a-f]{8}'"),
        text("regex", "regex: '(?<secret>acme_(?:[0-9a-f]{900}){900})'"),
        text("keywords", "keywords: [a]"),
        text("keywords", "keywords: []"),
        text("title", "titel: Acme key"),
        text("id", "id: other"),
    ];
    let files = bad.iter().map(|rule| ("acme-key.yaml", rule.as_bytes()));
    let (detector, errors) =
        Detector::with_rules(files.chain([("acme-key.yaml", good.as_slice())]));
    let told: Vec<String> = errors
        .iter()
        .map(|error| {
            let source = std::error::Error::source(error)
                .map(ToString::to_string)
                .unwrap_or_default();
            format!("{error}: {}", source.lines().next().unwrap_or_default())
        })
        .collect();
    assert_eq!(told.len(), bad.len(), "{told:#?}");
    assert!(
        told.iter().all(|error| error.contains("acme-key.yaml")),
        "{told:#?}"
    );
    for (error, field) in told.iter().zip([
        "severity", "regex", "regex", "regex", "keywords", "keywords", "titel", "id",
    ]) {
        assert!(error.contains(field), "{error} does not name {field}");
    }
    assert_eq!(
        places(&inspect(&detector, "x", b"key acme_0123abcd", 4)),
        ["x:1:5 acme-key"]
    );
}

proptest! {
    /// However a file is cut into pieces, the same is found as in one piece.
    #[test]
    fn pieces_do_not_matter(piece in 1_usize..5_000, gaps in prop::collection::vec(0_usize..30_000, 6)) {
        let examples = examples();
        let ids = ["private-key", "github-token", "jwt", "url-credentials", "assigned-secret", "azure-sas-token"];
        let mut text = String::new();
        for (id, gap) in ids.iter().zip(gaps) {
            text.push_str(&"some text = here\n".repeat(gap / 17));
            text.push_str(&examples[*id].fires[0].concat());
            text.push('\n');
        }
        let whole = inspect(detector(), "app/x", text.as_bytes(), usize::MAX);
        prop_assert_eq!(whole.findings.len(), ids.len());
        prop_assert_eq!(inspect(detector(), "app/x", text.as_bytes(), piece), whole);
    }

    /// Any bytes at all.
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..2_000), text in "\\PC{0,400}", piece in 1_usize..500) {
        for content in [bytes, text.into_bytes()] {
            let _ = inspect(detector(), "etc/shadow", &content, piece);
            let _ = detector().configuration(&content);
        }
    }
}
