//! Text without credentials: words that look like one, and lines that name one.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use seareeve_redact::REDACTED;

/// What stands in every text that holds a credential. Most texts hold none of it and are not looked at closely.
static HINTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build([
            "=",
            ": ",
            "://",
            "--",
            " -",
            "eyj",
            "begin",
            "bearer",
            "basic ",
            "authorization",
            "ghp_",
            "gho_",
            "ghs_",
            "ghu_",
            "ghr_",
            "github_pat_",
            "glpat-",
            "akia",
            "asia",
            "xox",
            "k_live_",
            "hvs.",
            "dckr_pat_",
            "npm_",
            "aiza",
            "swmtkn",
            "swmkey",
            "$apr1$",
            "$2",
            "$6$",
            "{sha}",
            "private key",
        ])
        .ok()
});

/// Longest text that is looked through; of a longer one nothing is kept.
pub(super) const MAX_TEXT: usize = 4 << 20;

/// The text without credentials, if it has some.
pub(super) fn redacted(text: &str) -> Option<String> {
    if text.len() > MAX_TEXT {
        return Some(REDACTED.to_owned());
    }
    let has_hint = HINTS.as_ref().is_none_or(|hints| hints.is_match(text));
    // `-password x`, as some programs have it.
    if !has_hint && !text.starts_with('-') {
        return None;
    }
    let mut is_key = false;
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let end = line.get(content.len()..).unwrap_or_default();
        if content.contains("-----BEGIN")
            && !content.contains("CERTIFICATE")
            && !content.contains("PUBLIC")
        {
            is_key = true;
            out.push_str(REDACTED);
            out.push_str(end);
            // A key on one line is over on it.
            is_key &= !content.contains("-----END");
            continue;
        }
        if is_key {
            is_key = !content.contains("-----END");
            continue;
        }
        out.push_str(&without_setting(content));
        out.push_str(end);
    }
    (out != text).then_some(out)
}

/// A line without the value of a setting that its name calls a credential: `password: x`, `DB_PASSWORD = x`.
fn without_setting(line: &str) -> String {
    let at = line.find([':', '=']);
    let (name, value) = at
        .and_then(|at| line.split_at_checked(at))
        .unwrap_or(("", line));
    let bare = name
        .trim()
        .trim_start_matches("- ")
        .trim_matches(['"', '\'', '-', ' ']);
    let shown = value.trim_start_matches([':', '=', ' ', '\t']);
    let is_setting = !bare.is_empty()
        && !bare.contains(|c: char| c.is_whitespace() || c == '?')
        && !shown.starts_with("//")
        && !shown.is_empty()
        && !shown.starts_with(['$', '{', '|', '>', '&'])
        && (seareeve_redact::is_credential_name(bare) || bare.ends_with("key-data"));
    if !is_setting || shown == REDACTED {
        return seareeve_redact::text(line);
    }
    let length = line.len().saturating_sub(shown.len());
    let head = line.get(..length).unwrap_or_default();
    format!("{head}{REDACTED}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_keys_lose_their_values() {
        for (text, expected) in [
            ("a: b", None),
            ("password: hunter2", Some("password: [redacted]")),
            (
                "db:\n  - password: \"hunter2\"\n  host: x\n",
                Some("db:\n  - password: [redacted]\n  host: x\n"),
            ),
            ("DB_PASSWORD=x y", Some("DB_PASSWORD=[redacted]")),
            (
                "    client-key-data: abc",
                Some("    client-key-data: [redacted]"),
            ),
            ("password: ${X}", None),
            ("passwordFile: /x", None),
            (
                "a\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nb",
                Some("a\n[redacted]\nb"),
            ),
            ("https://u:p@h/x", Some("https://u:[redacted]@h/x")),
            ("/api/v1/secrets?labelSelector=owner%3Dhelm", None),
            (
                "/api/v1/secrets?limit=5&access_token=abc",
                Some("/api/v1/secrets?limit=5&access_token=[redacted]"),
            ),
        ] {
            assert_eq!(redacted(text).as_deref(), expected, "{text}");
        }
    }
}
