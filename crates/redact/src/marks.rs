//! Where in a text there can be something to take out at all.
//!
//! Whatever is taken out stands near a word that says so, or has a form of its own, and both begin with few letters.
//! Looking for these is much faster than looking at words, and most texts have none of them.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// What stands in every name of a credential, before every value that is one by its form, and in every program whose
/// arguments are read in its own way; in lower case. A test holds that nothing is missing.
const MARKS: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "masterauth",
    "basicauth",
    "authorization",
    "bearer",
    "dsn",
    "jwt",
    "connection",
    // The letter K is a small letter of this one, too.
    "\u{212a}",
    "akia",
    "asia",
    "aiza",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "npm_",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "k_live_",
    "swmtkn",
    "dckr_pat_",
    "hvs.",
    "$apr1$",
    "$2a$",
    "$2b$",
    "$2y$",
    "$6$",
    "{sha}",
    "eyj",
    "-----begin",
    "://",
    "mysql",
    "mariadb",
    "redis-cli",
    "mongo",
    "sqlcmd",
    "curl",
];

static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    // Of this kind it is looked for with vectors.
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(MARKS)
        .ok()
});

/// The places of a text, in order, at which something may begin that [`text`](crate::text), [`value`](crate::value) or
/// [`arguments`](crate::arguments) takes out, or that names it. What has none is what they leave as it is; what has
/// some may be so, too.
///
/// Escapes are not understood: whoever looks at JSON or an address has to look for them, too.
#[must_use]
pub fn marks(text: &[u8]) -> Vec<usize> {
    let Some(automaton) = AUTOMATON.as_ref() else {
        return (0..text.len()).collect();
    };
    let lower = text.to_ascii_lowercase();
    let found = automaton.find_iter(&lower).map(|found| found.start());
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ENDS, FORMS, KEYS, WORDS};

    #[test]
    fn nothing_is_taken_out_without_a_mark() {
        let with_key: Vec<String> = KEYS.iter().map(|word| format!("{word}-key")).collect();
        let all = WORDS.iter().chain(ENDS).copied();
        let all = all.chain(FORMS.iter().map(|(start, _)| *start));
        let all = all.chain(with_key.iter().map(String::as_str)).chain([
            "connection_string",
            "Authorization:",
            "eyJ",
            "-----BEGIN RSA PRIVATE KEY-----",
            "https://a:b@c",
            "mysqld",
            "mariadb",
        ]);
        for text in all {
            assert!(!marks(text.as_bytes()).is_empty(), "{text}");
        }
    }

    #[test]
    fn marks_are_where_they_stand() {
        assert_eq!(marks(b"a PassWord, a TOKEN: none"), [2, 14]);
        assert!(marks(b"default/nginx-5cc55c4755 Running 2026-01-01T00:00:00Z").is_empty());
    }
}
