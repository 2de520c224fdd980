//! What registries ask for, and the words of the bearer token dance (distribution specification, "Token
//! Authentication"): even public images of Docker Hub are given only to those who fetched a token first.

use serde::Deserialize;

use crate::Secret;

/// What a registry asks for in `WWW-Authenticate`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A name and a password (RFC 7617).
    Basic,
    /// A token from a token server.
    Bearer(Bearer),
}

/// Which token, and from where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    /// Reads a challenge; `None` for schemes that are not spoken here.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let (scheme, mut rest) = header.trim().split_once(' ')?;
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        while let Some((key, value, after)) = parameter(rest) {
            rest = after;
            match key.to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                "scope" => scope = Some(value),
                _ => {}
            }
        }
        Some(Self::Bearer(Bearer {
            realm: realm?,
            service,
            scope,
        }))
    }
}

impl Bearer {
    /// Where to fetch the token for pulling from `repository`.
    pub(crate) fn address(&self, repository: &str) -> String {
        let separator = if self.realm.contains('?') { '&' } else { '?' };
        format!("{}{separator}{}", self.realm, self.query(repository))
    }

    /// The body that exchanges an identity token (OAuth 2, RFC 6749, section 6) at the realm.
    pub(crate) fn form(&self, repository: &str, client: &str, identity: &str) -> String {
        let mut form = self.query(repository);
        for (key, value) in [
            ("grant_type", "refresh_token"),
            ("client_id", client),
            ("refresh_token", identity),
        ] {
            add(&mut form, key, value);
        }
        form
    }

    fn query(&self, repository: &str) -> String {
        let pull = format!("repository:{repository}:pull");
        let scope = self.scope.as_deref().unwrap_or(&pull);
        let mut query = String::new();
        if let Some(service) = &self.service {
            add(&mut query, "service", service);
        }
        add(&mut query, "scope", scope);
        query
    }
}

/// The token server's answer: `token`, or `access_token` for those who speak OAuth 2.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

/// The token in an answer; `None` when there is none that fits a header.
pub(crate) fn token(json: &[u8]) -> Option<Secret> {
    let answer: Answer = serde_json::from_slice(json).ok()?;
    let token = if answer.token.is_empty() {
        answer.access_token
    } else {
        answer.token
    };
    let fits = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| Secret::new(token))
}

/// Takes `key=value` or `key="value"` off the front (RFC 9110, section 11.2).
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let text = text.trim_start_matches([' ', ',']);
    let (key, rest) = text.split_once('=')?;
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find(',').unwrap_or(rest.len());
        let (value, after) = rest.split_at_checked(end)?;
        return Some((key.trim(), value.trim().to_owned(), after));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((key.trim(), value, quoted.get(at..)?.strip_prefix('"')?)),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    None
}

fn add(query: &mut String, key: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(key);
    query.push('=');
    encode(value, query);
}

/// Percent-encodes for a query, leaving what the specification's examples leave.
fn encode(value: &str, into: &mut String) {
    use std::fmt::Write as _;
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/,".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_challenges() {
        let hub = r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#;
        let bearer = |header| match Challenge::parse(header) {
            Some(Challenge::Bearer(bearer)) => bearer,
            other => panic!("{other:?}"),
        };
        let challenge = bearer(hub);
        assert_eq!(
            challenge.address("a/b"),
            "https://auth.example/token?service=registry.example&scope=repository:a/b:pull,push"
        );
        let bare = bearer("bearer realm=https://auth.example/t?x=1");
        assert_eq!(
            bare.address("a/b"),
            "https://auth.example/t?x=1&scope=repository:a/b:pull"
        );
        let odd = bearer(r#"Bearer service="a \"b\" & c", realm="https://x""#);
        assert_eq!(
            odd.address("r"),
            "https://x?service=a%20%22b%22%20%26%20c&scope=repository:r:pull"
        );
        assert_eq!(
            challenge.form("a/b", "us", "a/b+c="),
            "service=registry.example&scope=repository:a/b:pull,push&grant_type=refresh_token&client_id=us&refresh_token=a/b%2Bc%3D"
        );
        assert_eq!(
            Challenge::parse("basic realm=\"x\""),
            Some(Challenge::Basic)
        );
        for none in [
            "Digest realm=\"x\"",
            "",
            "Bearer",
            "Bearer service=\"x\"",
            "Bearer realm=\"x",
        ] {
            assert_eq!(Challenge::parse(none), None, "{none}");
        }
    }

    #[test]
    fn takes_only_tokens_that_fit_a_header() {
        assert_eq!(token(br#"{"token":"a.b-c"}"#), Some(Secret::new("a.b-c")));
        assert_eq!(token(br#"{"access_token":"x"}"#), Some(Secret::new("x")));
        for none in [&b"{}"[..], b"", b"[]", br#"{"token":"a\r\nHost: b"}"#] {
            assert_eq!(token(none), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_header_is_read_or_refused(header in "(Bearer|Basic)?[ -~]{0,40}(realm=\"?[ -~]{0,20})?") {
            if let Some(Challenge::Bearer(bearer)) = Challenge::parse(&header) {
                // What came in a query cannot end it or begin another field.
                let query = bearer.query("a/b");
                let parts = query.split('&').count();
                proptest::prop_assert!(parts == 1 + usize::from(bearer.service.is_some()), "{query}");
                proptest::prop_assert!(query.bytes().all(|b| b.is_ascii_graphic()));
            }
        }
    }
}
