//! Taking credentials out of what objects say: by the name that a value has, and by how it looks.

/// What stands where a value was.
pub const REDACTED: &str = "[redacted]";

/// Whether `name` (of a variable, flag, annotation) says that its value is a credential, rather than where one lies.
#[must_use]
pub fn says_credential(name: &str) -> bool {
    let words = words(name);
    let last = words.last().map(String::as_str).unwrap_or_default();
    // What a credential is kept in, called, or lasts for.
    const ABOUT: &[&str] = &[
        "file",
        "files",
        "path",
        "dir",
        "folder",
        "name",
        "names",
        "ref",
        "url",
        "uri",
        "endpoint",
        "host",
        "server",
        "issuer",
        "audience",
        "audiences",
        "ttl",
        "lifetime",
        "expiration",
        "expiry",
        "age",
        "timeout",
        "enabled",
        "enable",
        "disabled",
        "mode",
        "type",
        "id",
        "length",
        "policy",
        "lookup",
        "controllers",
        "provider",
        "gc",
        "version",
        "class",
        "format",
        "method",
        "algorithm",
        "header",
        "store",
        "manager",
        "credentials",
        "rotation",
        "limit",
        "count",
    ];
    const ALONE: &[&str] = &[
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "secret",
        "secrets",
        "token",
        "tokens",
        "apikey",
        "credential",
        "dsn",
        "jwt",
        "bearer",
        "authorization",
    ];
    const PAIRS: &[(&str, &str)] = &[
        ("api", "key"),
        ("access", "key"),
        ("private", "key"),
        ("secret", "key"),
        ("account", "key"),
        ("encryption", "key"),
        ("signing", "key"),
        ("shared", "key"),
        ("connection", "string"),
    ];
    if ABOUT.contains(&last) {
        return false;
    }
    words.iter().any(|word| {
        ALONE.contains(&word.as_str())
            || ["password", "passwd", "secret", "apikey"]
                .iter()
                .any(|end| word.ends_with(end))
    }) || words.windows(2).any(|pair| match pair {
        [first, second] => PAIRS.contains(&(first.as_str(), second.as_str())),
        _ => false,
    })
}

/// `text` without credentials: values of assignments and flags whose name says so, passwords in URLs, and words
/// that look like tokens of well-known makers.
#[must_use]
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut hide_next = false;
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let space = piece.get(word.len()..).unwrap_or_default();
        if word.is_empty() {
            out.push_str(space);
            continue;
        }
        if hide_next && is_scheme(word) {
            out.push_str(word);
        } else if hide_next && !word.starts_with('-') {
            out.push_str(REDACTED);
            hide_next = false;
        } else {
            let (shown, hides_next) = redact_word(word);
            out.push_str(&shown);
            hide_next = hides_next;
        }
        out.push_str(space);
    }
    out
}

/// A command line without credentials; `--password x` is two of its items.
#[must_use]
pub fn arguments(arguments: &[String]) -> Vec<String> {
    let mut hide_next = false;
    let redacted = arguments.iter().map(|argument| {
        if std::mem::take(&mut hide_next) && !argument.starts_with('-') {
            return REDACTED.to_owned();
        }
        hide_next = argument.starts_with('-') && {
            let (_, hides_next) = redact_word(argument);
            hides_next
        };
        text(argument)
    });
    redacted.collect()
}

/// The word, and whether the next one is the value of a flag that says credential.
fn redact_word(word: &str) -> (String, bool) {
    let bare = word.trim_matches(['"', '\'', ';', ',']);
    if let Some((name, value)) = bare.split_once('=') {
        if !value.is_empty() && says_credential(name) && !value.starts_with('$') {
            return (format!("{name}={REDACTED}"), false);
        }
    } else if announces(bare) {
        return (word.to_owned(), true);
    }
    if looks_like_token(bare) {
        return (REDACTED.to_owned(), false);
    }
    (without_user_info(word), false)
}

/// Whether a credential comes after this word: `--password`, `Bearer`, `Authorization:`.
fn announces(word: &str) -> bool {
    let header = word.strip_suffix(':').unwrap_or_default();
    word.starts_with('-') && says_credential(word)
        || word.eq_ignore_ascii_case("bearer")
        || header.eq_ignore_ascii_case("authorization")
}

/// What stands before the credential in an `Authorization` header.
fn is_scheme(word: &str) -> bool {
    ["basic", "bearer", "token"]
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// `scheme://user:password@host` without what is before the `@`.
fn without_user_info(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else {
        return word.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    match authority.rsplit_once('@') {
        Some((user, host)) if user.contains(':') => format!("{scheme}://{REDACTED}@{host}{path}"),
        _ => word.to_owned(),
    }
}

fn looks_like_token(word: &str) -> bool {
    const STARTS: &[(&str, usize)] = &[
        ("ghp_", 36),
        ("gho_", 36),
        ("ghs_", 36),
        ("github_pat_", 40),
        ("glpat-", 20),
        ("AKIA", 20),
        ("ASIA", 20),
        ("xoxb-", 20),
        ("xoxp-", 20),
        ("sk_live_", 20),
        ("hvs.", 24),
        ("dckr_pat_", 20),
        ("npm_", 36),
        ("AIza", 35),
    ];
    let is_jwt = word.starts_with("eyJ") && word.split('.').count() == 3 && word.len() > 60;
    is_jwt
        || word.contains("-----BEGIN")
        || STARTS
            .iter()
            .any(|(start, length)| word.starts_with(start) && word.len() >= *length)
}

/// `AWS_secretAccess-key` is `aws secret access key`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars().take(256) {
        if !c.is_alphanumeric() || (was_lower && c.is_uppercase()) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_credential_and_not_where_it_lies() {
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "pgPassword",
            "MYSQL_ROOT_PASSWORD",
            "GITHUB_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "apiKey",
            "api-key",
            "--client-secret",
            "connectionString",
            "DBPASSWORD",
        ] {
            assert!(says_credential(name), "{name}");
        }
        for name in [
            "PASSWORD_FILE",
            "--token-auth-file",
            "--service-account-private-key-file",
            "secretName",
            "TOKEN_URL",
            "--service-account-lookup",
            "KEYBOARD",
            "PATH",
            "MONKEY",
            "--authorization-mode",
            "--use-service-account-credentials",
            "TOKENIZER",
        ] {
            assert!(!says_credential(name), "{name}");
        }
    }

    #[test]
    fn command_lines_lose_credentials_and_nothing_else() {
        let given = [
            "--password=hunter2",
            "--token",
            "abcdef",
            "--verbose",
            "--token",
            "--other",
            "--db=postgres://app:hunter2@db:5432/app?x=1",
            "export API_KEY=xyz && curl -H 'Authorization: Bearer abc.def' https://x",
            "--tls-key-file=/etc/k.pem",
            "PASSWORD=$(cat /run/secret)",
            "ghp_0123456789012345678901234567890123456789",
        ]
        .map(str::to_owned);
        assert_eq!(
            arguments(&given),
            [
                "--password=[redacted]",
                "--token",
                "[redacted]",
                "--verbose",
                "--token",
                "--other",
                "--db=postgres://[redacted]@db:5432/app?x=1",
                "export API_KEY=[redacted] && curl -H 'Authorization: Bearer [redacted] https://x",
                "--tls-key-file=/etc/k.pem",
                "PASSWORD=$(cat /run/secret)",
                "[redacted]",
            ]
        );
    }
}
