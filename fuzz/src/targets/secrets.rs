//! The search for secrets: any text at places where secrets stand, in pieces of any length, and as an image's
//! configuration; and the rules of a user.

use seareeve_model::SecretPlace;
use seareeve_scan::Scanner;
use seareeve_scan::secrets::{Detector, detector};

use crate::{Target, made};

pub(super) const TEXTS: Target = Target {
    name: "secrets",
    run: texts,
    longest: 4 << 10,
    seeds: examples,
    words: &[
        "password=",
        "secret: ",
        "token = \"",
        "api_key",
        "Authorization: Basic ",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----END PRIVATE KEY-----\n",
        "-----BEGIN OPENSSH PRIVATE KEY-----\n",
        "https://a:b@",
        "{\"config\":{\"Env\":[\"A=b\"]}}",
        "\"history\"",
        "\"created_by\"",
        "\"Labels\"",
        "\"auths\"",
        "machine a login b password c",
        "//registry.example/:_authToken=",
        "eyJhbGciOiJIUzI1NiJ9.e30.",
        "$6$salt$",
    ],
};

pub(super) const RULES: Target = Target {
    name: "secret_rules",
    run: rules,
    longest: 2 << 10,
    seeds: || {
        let rules = made::folder("../content/secrets").into_iter().step_by(8);
        let rules = rules.map(|(_, content)| content);
        rules.filter(|rule| rule.len() <= RULES.longest).collect()
    },
    words: &[
        "id: ",
        "title: ",
        "provider: ",
        "severity: high\n",
        "confidence: low\n",
        "where: own-files\n",
        "files: ",
        "keywords: [\"a\"]\n",
        "ignore_case: true\n",
        "before: 1024\n",
        "after: 16384\n",
        "regex: '(?<secret>a)'\n",
        "check: ",
        "entropy: 3.0\n",
        "placeholders: ignored\n",
        "allow: ['a']\n",
        "remediation: a\n",
        "{0,200}",
        "(?i)",
        "\\b",
        "[a-z]",
    ],
};

/// Where the text stands: where most rules look, and where those look that are for certain files.
const PATHS: [&str; 10] = [
    "srv/app/.env",
    "etc/shadow",
    "root/.docker/config.json",
    "root/.npmrc",
    "root/.netrc",
    "root/.kube/config",
    "root/.ssh/id_rsa",
    "etc/apache2/.htpasswd",
    "srv/wp-config.php",
    "root/.pgpass",
];

fn texts(input: &[u8]) {
    let [choice, pieces, text @ ..] = input else {
        return;
    };
    let path = PATHS.get(usize::from(*choice) % PATHS.len());
    let path = path.copied().unwrap_or_default();
    made::same_in_pieces(Scanner::Secrets, path, text, *pieces);
    let place = SecretPlace::Configuration {
        field: "history[0]".to_owned(),
    };
    let found = detector().scan_text(&place, text);
    assert!(found.findings.is_sorted());
    let _ = detector().configuration(text);
}

/// A rule that can be used must be usable on anything.
fn rules(content: &[u8]) {
    let (detector, _errors) = Detector::with_rules(std::iter::once(("fuzz.yaml", content)));
    let place = SecretPlace::Configuration {
        field: String::new(),
    };
    let _ = detector.scan_text(&place, b"password = aB3dE5fG7hJ9kL1m; AKIA");
}

/// What the rules' own examples say that fires and that does not. They stand there in parts, so that no other
/// scanner takes them for secrets.
fn examples() -> Vec<Vec<u8>> {
    let rules = made::folder("../content/secrets").into_iter();
    let seeds = rules.zip(0_u8..).map(|((_, rule), number)| {
        let mut seed = vec![number % 10, number];
        for line in String::from_utf8_lossy(&rule).lines() {
            let list = line.trim().strip_prefix("- ").unwrap_or_default();
            let parts: Vec<String> = serde_json::from_str(list).unwrap_or_default();
            seed.extend_from_slice(parts.concat().as_bytes());
            seed.push(b'\n');
        }
        seed
    });
    let seeds = seeds.filter(|seed| seed.len() <= TEXTS.longest);
    seeds.collect()
}
