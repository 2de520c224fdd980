//! Takes credentials out of texts that others wrote: command lines, labels, options, build histories.
//!
//! Facts are kept and sent, so it is better to lose a word too many than one too few. What is taken out is known by
//! the name before it (`--password x`, `TOKEN=x`) or by its own form (`ghp_…`, `https://user:x@host`). Engines, hosts
//! and clusters are read by the same rules, so that one rule more protects all of them.

#![warn(clippy::indexing_slicing)]

mod marks;
mod programs;

use serde_json::{Map, Value};

pub use marks::marks;
use programs::{Given, Program};

/// Stands where a credential stood.
pub const REDACTED: &str = "[redacted]";

/// Words that make a name one of a credential.
const WORDS: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passwort",
    "pass",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "credential",
    "credentials",
    "requirepass",
    "masterauth",
    "basicauth",
    "authkey",
    "bearer",
    "htpasswd",
    "dsn",
    "jwt",
];

/// Words with which a longer one ends that makes a name one of a credential: `DBPASSWORD`.
const ENDS: &[&str] = &["password", "passwd", "secret", "apikey"];

/// Names that are none, though their words say so.
const NONE: &[&[&str]] = &[&["use", "service", "account", "credentials"]];

/// Words that make one only together with `key` after them.
const KEYS: &[&str] = &[
    "access",
    "account",
    "api",
    "app",
    "auth",
    "deploy",
    "encryption",
    "license",
    "master",
    "private",
    "secret",
    "session",
    "shared",
    "signing",
    "ssh",
    "storage",
];

/// Last words of names that are about a credential and not one: where it lies, what it is called, how long it lasts.
const ABOUT: &[&str] = &[
    "age",
    "algorithm",
    "audience",
    "audiences",
    "class",
    "controllers",
    "count",
    "dir",
    "disabled",
    "driver",
    "enable",
    "enabled",
    "endpoint",
    "expiration",
    "expires",
    "expiry",
    "file",
    "files",
    "folder",
    "format",
    "gc",
    "hash",
    "header",
    "host",
    "id",
    "issuer",
    "length",
    "lifetime",
    "limit",
    "lookup",
    "manager",
    "max",
    "method",
    "min",
    "mode",
    "name",
    "names",
    "path",
    "policy",
    "provider",
    "ref",
    "rotation",
    "server",
    "stdin",
    "store",
    "timeout",
    "ttl",
    "type",
    "uri",
    "url",
    "version",
];

/// How values begin that are credentials whatever their name is, and how long they are at least.
const FORMS: &[(&str, usize)] = &[
    ("AKIA", 20),
    ("ASIA", 20),
    ("AIza", 39),
    ("ghp_", 36),
    ("gho_", 36),
    ("ghu_", 36),
    ("ghs_", 36),
    ("ghr_", 36),
    ("github_pat_", 40),
    ("glpat-", 20),
    ("npm_", 36),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("sk_live_", 20),
    ("rk_live_", 20),
    ("SWMTKN-1-", 20),
    ("SWMKEY-1-", 20),
    ("dckr_pat_", 20),
    ("hvs.", 20),
    ("$apr1$", 10),
    ("$2y$", 10),
    ("$2a$", 10),
    ("$2b$", 10),
    ("$6$", 10),
    ("{SHA}", 10),
];

/// Whether what has this name is a credential: `DB_PASSWORD`, `apiKey`, `splunk-token`, but not
/// `DB_PASSWORD_FILE`.
#[must_use]
pub fn is_credential_name(name: &str) -> bool {
    let apart = apart(name);
    let words = || apart.split(BETWEEN).filter(|word| !word.is_empty());
    let Some(last) = words().next_back() else {
        return false;
    };
    // Alone it is where one works.
    if ABOUT.contains(&last)
        || words().eq(["pwd"])
        || NONE.iter().any(|none| words().eq(none.iter().copied()))
    {
        return false;
    }
    // As a header; `authorization-mode` and `authorization-plugins` are none.
    words().eq(["authorization"])
        || words().any(|word| WORDS.contains(&word) || ENDS.iter().any(|end| word.ends_with(end)))
        || words().zip(words().skip(1)).any(|(word, next)| match next {
            "key" => KEYS.contains(&word),
            "string" => word == "connection",
            _ => false,
        })
}

/// Stands between the words of a name.
const BETWEEN: char = ' ';

/// The words of a name, in lower case, with blanks between them: at signs that are no letters, and where a capital
/// follows a small letter.
fn apart(name: &str) -> String {
    let mut words = String::with_capacity(name.len().saturating_add(8));
    let mut before = BETWEEN;
    for c in name.chars().take(200) {
        let starts = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if !c.is_alphanumeric() || starts {
            words.push(BETWEEN);
        }
        if c.is_ascii_alphanumeric() {
            words.push(c.to_ascii_lowercase());
        } else if c.is_alphanumeric() {
            words.extend(c.to_lowercase());
        }
        before = c;
    }
    words
}

/// Whether a value is a credential by its own form.
#[must_use]
pub fn has_credential_form(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']);
    let is_token = FORMS
        .iter()
        .any(|(start, length)| value.starts_with(start) && value.len() >= *length);
    let is_jwt = value.starts_with("eyJ") && value.len() > 40 && value.matches('.').count() == 2;
    is_token || is_jwt || value.contains("PRIVATE KEY-----") || password_in_url(value).is_some()
}

/// Where the password of `scheme://user:password@host` stands.
fn password_in_url(text: &str) -> Option<std::ops::Range<usize>> {
    let (before, rest) = text.split_once("://")?;
    let end = rest
        .find(|c: char| "/?#\"' ".contains(c))
        .unwrap_or(rest.len());
    let (userinfo, _host) = rest.get(..end)?.rsplit_once('@')?;
    let start = before.len().checked_add(3)?;
    let stop = start.checked_add(userinfo.len())?;
    match userinfo.split_once(':') {
        Some((_, "")) => None,
        Some((user, _)) => Some(start.checked_add(user.len())?.checked_add(1)?..stop),
        // A token alone, as `https://TOKEN@host` has it; short ones are users.
        None if userinfo.len() >= 20 => Some(start..stop),
        None => None,
    }
}

/// A text without what is a credential by its own form, whatever the words before it say: a reference of an image, in
/// which `secrets-store:1` is a name.
#[must_use]
pub fn value(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|piece| {
            let word = piece.trim_end_matches(char::is_whitespace);
            let space = piece.get(word.len()..).unwrap_or_default();
            format!("{}{space}", redact_value(word))
        })
        .collect()
}

/// A text of any kind without its credentials.
#[must_use]
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut state = State::Plain;
    let mut program = None;
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end_matches(char::is_whitespace);
        let space = piece.get(word.len()..).unwrap_or_default();
        state = redact_word(word, state, program, &mut out);
        program = Program::named(word).or(program);
        if !matches!(state, State::Until(_)) {
            out.push_str(space);
        }
    }
    out
}

/// What the words before make of the next one.
#[derive(Clone, Copy)]
enum State {
    Plain,
    /// It is a credential.
    Value,
    /// What it has behind a colon is one.
    User,
    /// It is one up to this quotation mark.
    Until(char),
}

/// `program` is the last one that was named whose options are known.
fn redact_word(word: &str, state: State, program: Option<&Program>, out: &mut String) -> State {
    match state {
        _ if word.is_empty() => return state,
        State::Until(quote) => {
            return if word.contains(quote) {
                State::Plain
            } else {
                state
            };
        }
        // A flag without a value, or another option's.
        State::Value if !word.starts_with('-') => {
            // `Authorization: Bearer x`
            if ["bearer", "basic", "token"].contains(&word.to_ascii_lowercase().as_str()) {
                out.push_str(word);
                return State::Value;
            }
            if is_reference(word) {
                out.push_str(word);
                return State::Plain;
            }
            out.push_str(REDACTED);
            return open_quote(word);
        }
        State::User if !word.starts_with('-') => {
            return match word.split_once(':') {
                Some((user, password)) if !password.is_empty() => {
                    out.push_str(user);
                    out.push(':');
                    out.push_str(REDACTED);
                    // `'user:a b'`
                    open_quote(word)
                }
                _ => {
                    out.push_str(word);
                    State::Plain
                }
            };
        }
        State::Value | State::User | State::Plain => {}
    }
    match program.and_then(|program| program.given(word)) {
        Some(Given::Next) => {
            out.push_str(word);
            return State::Value;
        }
        Some(Given::NextUser) => {
            out.push_str(word);
            return State::User;
        }
        Some(Given::Attached(value)) => {
            let until = word.len().saturating_sub(value.len());
            out.push_str(word.get(..until).unwrap_or_default());
            out.push_str(REDACTED);
            return open_quote(value);
        }
        None => {}
    }
    let bare = word.trim_start_matches(|c: char| "-\"'`({[,;$".contains(c));
    if let Some((name, value)) = bare.split_once(['=', ':']) {
        let name = name.trim_end_matches(['"', '\'']);
        // Of an address the path is no name: `/api/v1/secrets?labelSelector=x`. Its parameters are looked at below.
        let is_name = is_credential_name(name)
            && !name.contains('?')
            && !value.starts_with("//")
            && !is_reference(value);
        if is_name && !value.is_empty() {
            let until = word.len().saturating_sub(value.len());
            out.push_str(word.get(..until).unwrap_or_default());
            out.push_str(REDACTED);
            return open_quote(value);
        }
        let is_header = name.eq_ignore_ascii_case("authorization");
        if (is_name || is_header) && word.ends_with(':') {
            out.push_str(word);
            return State::Value;
        }
    } else if (word.starts_with('-') && is_credential_name(bare))
        || bare.eq_ignore_ascii_case("bearer")
    {
        out.push_str(word);
        return State::Value;
    }
    out.push_str(&redact_value(word));
    State::Plain
}

/// `$(command`, `${NAME}`, `$NAME`: where a value comes from. Hashes of passwords begin like that too (`$y$…`), and have
/// another `$`.
fn is_reference(value: &str) -> bool {
    let Some(rest) = value.strip_prefix('$') else {
        return false;
    };
    let name = rest.trim_end_matches(['"', '\'', ';', ',']);
    rest.starts_with(['(', '{'])
        || (name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

/// Whether a quotation mark that begins `value` is still open at its end.
fn open_quote(value: &str) -> State {
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) if !value.get(1..).unwrap_or_default().contains(quote) => {
            State::Until(quote)
        }
        _ => State::Plain,
    }
}

/// One word, with a password in an address taken out, values of credential names that stand in it behind others
/// (`Server=a;Password=b`, `?token=a&b=c`), or nothing left of it if it is a credential itself.
fn redact_value(word: &str) -> String {
    let mut word = word.to_owned();
    let place = password_in_url(&word);
    let is_address = place.is_some();
    if let Some(place) = place {
        word.replace_range(place, REDACTED);
    }
    let pieces = word.split_inclusive([',', ';', '&', '?']);
    let redacted = pieces.map(|piece| {
        let value = match piece.split_once('=') {
            Some((name, value))
                if is_credential_name(name) && !value.is_empty() && !is_reference(value) =>
            {
                return format!("{name}={REDACTED}{}", separator(value));
            }
            Some((_, value)) => value,
            None => piece,
        };
        // What is left of an address is no credential.
        if is_address || !has_credential_form(value) {
            return piece.to_owned();
        }
        let kept = piece.len().saturating_sub(value.len());
        let kept = piece.get(..kept).unwrap_or_default();
        format!("{kept}{REDACTED}{}", separator(value))
    });
    redacted.collect()
}

/// What separates a value from the next one.
fn separator(value: &str) -> &str {
    let end = value.trim_end_matches([',', ';', '&', '?']).len();
    value.get(end..).unwrap_or_default()
}

/// A command line without its credentials; `--password x` is two of its words.
#[must_use]
pub fn arguments(arguments: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<String> {
    let mut out = Vec::new();
    let mut follows = Follows::Nothing;
    let mut program: Option<&Program> = None;
    for argument in arguments {
        let argument = argument.as_ref();
        let flag = argument.starts_with('-') && !argument.contains(['=', ' ', ':']);
        let before = std::mem::replace(&mut follows, Follows::Nothing);
        if before != Follows::Nothing && !argument.starts_with('-') {
            let user = argument.split_once(':').map(|(user, _)| user);
            out.push(match (before, user) {
                (Follows::User, Some(user)) => format!("{user}:{REDACTED}"),
                (Follows::User, None) => argument.to_owned(),
                (Follows::Value | Follows::Nothing, _) => REDACTED.to_owned(),
            });
            continue;
        }
        if flag && is_credential_name(argument.trim_start_matches('-')) {
            follows = Follows::Value;
        }
        match program.and_then(|program| program.given(argument)) {
            Some(Given::Next) => follows = Follows::Value,
            Some(Given::NextUser) => follows = Follows::User,
            Some(Given::Attached(value)) => {
                let until = argument.len().saturating_sub(value.len());
                let name = argument.get(..until).unwrap_or_default();
                out.push(format!("{name}{REDACTED}"));
                continue;
            }
            None => {}
        }
        program = Program::named(argument).or(program);
        out.push(text(argument));
    }
    out
}

/// What the argument before makes of the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    Nothing,
    /// It is a credential.
    Value,
    /// What it has behind a colon is one.
    User,
}

/// Labels or options: values of credential names go whole, of others what looks like one.
pub fn map(map: &mut Map<String, Value>) {
    for (name, value) in map {
        redact_under(name, value);
    }
}

fn redact_under(name: &str, value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(_) | Value::String(_) if is_credential_name(name) => {
            if value.as_str() != Some("") {
                *value = REDACTED.into();
            }
        }
        Value::Number(_) => {}
        // Options of mounts: `username=a,password=b`.
        Value::String(text) => {
            let parts: Vec<String> = text.split(',').map(self::text).collect();
            *text = parts.join(",");
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact_under(name, item)),
        Value::Object(object) => map(object),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_credentials_are_known() {
        for name in [
            "DB_PASSWORD",
            "dbPassword",
            "API_KEY",
            "apiKey",
            "splunk-token",
            "SECRET",
            "AWS_SECRET_ACCESS_KEY",
            "MYSQL_PWD",
            "traefik.http.middlewares.a.basicauth.users",
            "SENTRY_DSN",
            "requirepass",
            "DBPASSWORD",
            "--client-secret",
            "connectionString",
            "Authorization",
        ] {
            assert!(is_credential_name(name), "{name}");
        }
        for name in [
            "",
            "PWD",
            "OLDPWD",
            "PATH",
            "GPG_KEY",
            "DB_PASSWORD_FILE",
            "TOKEN_TTL",
            "SSH_AUTH_SOCK",
            "KEYBOARD",
            "password-stdin",
            "COMPASS",
            "PUBLIC_KEY",
            "key",
            "--token-auth-file",
            "--service-account-private-key-file",
            "secretName",
            "TOKEN_URL",
            "--service-account-lookup",
            "--authorization-mode",
            "authorization-plugins",
            "--use-service-account-credentials",
            "MONKEY",
            "TOKENIZER",
        ] {
            assert!(!is_credential_name(name), "{name}");
        }
    }

    #[test]
    fn texts_lose_their_credentials_and_nothing_else() {
        let token = format!("ghp_{}", "a".repeat(36));
        for (text_in, out) in [
            ("nginx -g daemon off;", "nginx -g daemon off;"),
            (
                "app --token abc --port 80",
                "app --token [redacted] --port 80",
            ),
            ("app --token=abc x", "app --token=[redacted] x"),
            (
                "GET /api/v1/secrets?labelSelector=owner%3Dhelm",
                "GET /api/v1/secrets?labelSelector=owner%3Dhelm",
            ),
            (
                "/api/v1/secrets?limit=5&access_token=abc",
                "/api/v1/secrets?limit=5&access_token=[redacted]",
            ),
            ("app --token --debug", "app --token --debug"),
            (
                "export DB_PASSWORD='a b c' && run",
                "export DB_PASSWORD=[redacted] && run",
            ),
            (
                "curl -H 'Authorization: Bearer abc' x",
                "curl -H 'Authorization: Bearer [redacted] x",
            ),
            ("postgres://u:p@h/db", "postgres://u:[redacted]@h/db"),
            ("x=postgres://u:p@h/db", "x=postgres://u:[redacted]@h/db"),
            (
                "http://user@host http://h:80/a@b",
                "http://user@host http://h:80/a@b",
            ),
            (r#"{"password":"x"}"#, r#"{"password":[redacted]"#),
            (&format!("git clone {token}"), "git clone [redacted]"),
            (&format!("A={token}"), "A=[redacted]"),
            ("a  b\tc\n", "a  b\tc\n"),
            ("token: x y", "token: [redacted] y"),
            ("PASSWORD=$(cat /run/secret)", "PASSWORD=$(cat /run/secret)"),
            ("run --password=$PASSWORD x", "run --password=$PASSWORD x"),
            ("PASSWORD=$y$j9T$salt$hash", "PASSWORD=[redacted]"),
            ("PASSWORD=$hunter2!", "PASSWORD=[redacted]"),
            // Programs whose options do not say what they take.
            (
                "mysql -u root -phunter2 -e x",
                "mysql -u root -p[redacted] -e x",
            ),
            ("mysql -u root -p3306 x", "mysql -u root -p[redacted] x"),
            (
                "/usr/bin/mysqldump -p'a b' db",
                "/usr/bin/mysqldump -p[redacted] db",
            ),
            (
                "sshpass -p hunter2 ssh root@h",
                "sshpass -p [redacted] ssh root@h",
            ),
            ("sshpass -phunter2 ssh h", "sshpass -p[redacted] ssh h"),
            ("redis-cli -a hunter2 ping", "redis-cli -a [redacted] ping"),
            (
                "curl -s -u eve:hunter2 h | sh",
                "curl -s -u eve:[redacted] h | sh",
            ),
            ("curl --user eve h", "curl --user eve h"),
            ("curl -ueve:hunter2 h", "curl -ueve:[redacted] h"),
            ("mongosh -u a -p b", "mongosh -u a -p [redacted]"),
            ("sqlcmd -P x -U y", "sqlcmd -P [redacted] -U y"),
            ("run -p 80:80 -u 1000:1000", "run -p 80:80 -u 1000:1000"),
            ("grep -a x", "grep -a x"),
        ] {
            assert_eq!(text(text_in), out);
        }
    }

    #[test]
    fn references_of_images_keep_their_names() {
        for (given, kept) in [
            ("registry/secrets-store:1.0", "registry/secrets-store:1.0"),
            ("https://u:p@h/token:1", "https://u:[redacted]@h/token:1"),
        ] {
            assert_eq!(value(given), kept);
        }
    }

    #[test]
    fn command_lines_lose_their_credentials() {
        let out = arguments([
            "mysqld",
            "-phunter2",
            "--api-key",
            "k",
            "-p",
            "3306",
            "--secret",
            "-x",
        ]);
        assert_eq!(
            out,
            [
                "mysqld",
                "-p[redacted]",
                "--api-key",
                "[redacted]",
                "-p",
                "3306",
                "--secret",
                "-x"
            ]
        );
        for (given, expected) in [
            (
                ["sh", "-c", "A_TOKEN=b run"],
                ["sh", "-c", "A_TOKEN=[redacted] run"],
            ),
            (
                ["sh", "-c", "mysql -px"],
                ["sh", "-c", "mysql -p[redacted]"],
            ),
            (["curl", "-u", "a:b"], ["curl", "-u", "a:[redacted]"]),
            (["redis-cli", "-a", "b"], ["redis-cli", "-a", "[redacted]"]),
            (["docker", "-p", "80:80"], ["docker", "-p", "80:80"]),
        ] {
            assert_eq!(arguments(given), expected);
        }
    }

    #[test]
    fn options_lose_their_credentials() {
        let mut options = json!({
            "splunk-token": "x", "o": "username=a,password=b,vers=3", "empty-token": "", "n": 1,
            "nested": {"list": ["https://a:b@c"], "password": 5},
        });
        map(options.as_object_mut().unwrap());
        assert_eq!(
            options,
            json!({
                "splunk-token": REDACTED, "o": "username=a,password=[redacted],vers=3", "empty-token": "", "n": 1,
                "nested": {"list": ["https://a:[redacted]@c"], "password": REDACTED},
            })
        );
    }

    /// Something that is a credential, by its name or by its form, with what is secret in it.
    fn credential() -> impl Strategy<Value = (String, String)> {
        let name = prop::sample::select(vec![
            "PASSWORD",
            "DB_PASSWORD",
            "apiKey",
            "api-key",
            "secret",
            "auth_token",
            "ACCESS_KEY",
        ]);
        let by_name = (name, "[A-Za-z0-9/+]{8,30}[0-9]", 0..9).prop_map(|(name, value, form)| {
            let text = match form {
                0 => format!("{name}={value}"),
                1 => format!("{name}=\"{value} x\""),
                2 => format!("--{name} {value}"),
                3 => format!("--{name}={value}"),
                4 => format!("\"{name}\":\"{value}\""),
                5 => format!("{name}: {value}"),
                6 => format!("Server=a;{name}={value};Database=b"),
                7 => format!("https://host/path?a=b&{name}={value}&c=d"),
                _ => format!("type=cifs,{name}={value}"),
            };
            (text, value)
        });
        let by_form = (0..4, "[A-Za-z0-9]{40}").prop_map(|(form, value)| {
            let text = match form {
                0 => format!("https://user:{value}@host/path"),
                1 => format!("Authorization: Bearer {value}"),
                2 => format!("ghp_{value}"),
                _ => format!("X=glpat-{value}"),
            };
            (text, value)
        });
        prop_oneof![by_name, by_form]
    }

    proptest! {
        #[test]
        fn no_credential_survives_wherever_it_stands(
            before in "([a-z/.]{1,8} ){0,3}", (credential, secret) in credential(), after in "( [a-z/.-]{1,8}){0,3}",
        ) {
            let told = text(&format!("{before}{credential}{after}"));
            prop_assert!(!told.contains(&secret), "{told}");
            // What stands around it is still there, as far as it was no part of it.
            prop_assert!(told.starts_with(&before), "{told}");
            let mut labels = Map::from_iter([("note".to_owned(), json!(format!("{before}{credential}")))]);
            map(&mut labels);
            prop_assert!(!json!(labels).to_string().contains(&secret));
        }

        #[test]
        fn any_text_is_survived(words in ".{0,200}") {
            let once = text(&words);
            // What was taken out is not taken out again.
            prop_assert_eq!(text(&once).matches(REDACTED).count() >= once.matches(REDACTED).count(), true);
            let told = arguments(words.split(' '));
            prop_assert_eq!(told.len(), words.split(' ').count());
        }

        #[test]
        fn what_has_no_mark_is_left_as_it_is(
            pieces in prop::collection::vec(prop_oneof![
                prop::sample::select(vec![
                    "pass", "word", "Word", "to", "ken", "se", "cret", "key", "api", "Key", "-", "_", "=", ":", "://", "@", "/",
                    " ", "--", "\"", "'", "eyJ", ".", "ghu", "AKIA", "$6$", "rk_live_", "my", "sql", "-p", "connection",
                    "string", "auth", "orization", "K", "bearer", "Basic", "dsn", "SWM", "KEY-1-", "x", "hunter2", "\u{212a}", "curl", "redis", "-cli", "mongo",
                    "sqlcmd", "-u", "-a",
                ]).prop_map(str::to_owned),
                "[a-zA-Z0-9]{1,40}",
            ], 0..12),
        ) {
            let words = pieces.concat();
            if marks(words.as_bytes()).is_empty() {
                prop_assert_eq!(&text(&words), &words);
                prop_assert_eq!(&value(&words), &words);
                prop_assert_eq!(arguments(words.split(' ')).join(" "), words.clone());
                prop_assert!(!is_credential_name(&words) && !has_credential_form(&words));
            }
        }
    }
}
