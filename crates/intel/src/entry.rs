//! One thing that somebody says is bad, in the form that detections compare with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::network::Network;

/// Bytes of an entry at most. Longer ones are no indicators but essays.
const MOST_LENGTH: usize = 512;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An address, or a network of them.
    Address,
    /// A name of the DNS.
    Domain,
    /// An address of a page.
    Url,
    /// MD5, SHA-1, SHA-256 or SHA-512 of a file, in lower case.
    Hash,
    /// Anything else: a part of a command, an image.
    Text,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Address,
        Self::Domain,
        Self::Url,
        Self::Hash,
        Self::Text,
    ];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::Hash => "hash",
            Self::Text => "text",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something bad.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// As detections compare it.
    pub value: Box<str>,
    /// What it is.
    pub kind: Kind,
    /// Until when its source says so; always, if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// From when on; already, if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
}

impl Entry {
    /// Whether its source says so at this time.
    #[must_use]
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

/// What a word of a list is, of the kinds that are wanted: its forms for detections.
///
/// # Errors
/// Why it cannot be used.
pub(crate) fn classify(word: &str, wanted: &[Kind]) -> Result<Vec<(Kind, String)>, &'static str> {
    let word = word.trim();
    if word.len() > MOST_LENGTH {
        return Err("a text that is too long");
    }
    if word.is_empty() || word.chars().any(char::is_control) {
        return Err("a text that is none");
    }
    let word = &refanged(word);
    let found = if let Some(found) = addresses(word) {
        for network in &found {
            match network.check() {
                Ok(()) => {}
                Err(crate::NetworkFault::Wide) => return Err("a network that is too large"),
                Err(crate::NetworkFault::Nowhere) => {
                    return Err("an address that nobody sends from");
                }
                Err(crate::NetworkFault::Private) => {
                    return Err("a large network of private addresses");
                }
            }
        }
        let shown = found.iter();
        shown
            .map(|network| (Kind::Address, network.to_string()))
            .collect()
    } else if is_hash(word) {
        vec![(Kind::Hash, word.to_ascii_lowercase())]
    } else if let Some(url) = url(word) {
        vec![(Kind::Url, url)]
    } else if let Some(domain) = domain(word) {
        vec![(Kind::Domain, domain)]
    } else {
        vec![(Kind::Text, text(word)?)]
    };
    let is_wanted = |kind: Kind| wanted.contains(&kind);
    if found.iter().all(|(kind, _)| is_wanted(*kind)) {
        return Ok(found);
    }
    // Lists of texts take what looks like something else, too: an image's name may look like a domain's.
    if is_wanted(Kind::Text) {
        return Ok(vec![(Kind::Text, text(word)?)]);
    }
    Err(match found.first().map(|(kind, _)| *kind) {
        Some(Kind::Address) => "an address",
        Some(Kind::Domain) => "a domain",
        Some(Kind::Url) => "a URL",
        Some(Kind::Hash) => "a file's hash: audit events show none",
        Some(Kind::Text) | None => "a text that is none",
    })
}

/// One of a kind that its source names.
///
/// # Errors
/// Why it cannot be used.
pub(crate) fn of_kind(
    word: &str,
    kind: Kind,
    wanted: &[Kind],
) -> Result<Vec<(Kind, String)>, &'static str> {
    let found = classify(word, &Kind::ALL)?;
    if found.iter().any(|(found, _)| *found != kind) {
        return Err(match kind {
            Kind::Address => "an address that is none",
            Kind::Domain => "a domain that is none",
            Kind::Url => "a URL that is none",
            Kind::Hash => "a hash that is none",
            Kind::Text => "a text that is none",
        });
    }
    classify(word, wanted)
}

/// Conditions are made of it, so it has nothing that quotes are made of.
fn text(word: &str) -> Result<String, &'static str> {
    if word.contains(['"', '\'', '\\']) {
        return Err("a text with quotes");
    }
    Ok(word.to_owned())
}

fn addresses(word: &str) -> Option<Vec<Network>> {
    let bare = word
        .strip_prefix('[')
        .and_then(|word| word.strip_suffix(']'));
    if let Some(network) = Network::parse(bare.unwrap_or(word)) {
        return Some(vec![network]);
    }
    if word.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':')
        && let Some(networks) = Network::parse_range(word)
    {
        return Some(networks);
    }
    // `192.0.2.7:443`
    let (address, port) = word.split_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let address: std::net::Ipv4Addr = address.parse().ok().filter(|_| is_port)?;
    Network::parse(&address.to_string()).map(|network| vec![network])
}

/// Indicators are often written so that nobody clicks on them: `hxxp://evil[.]example`.
fn refanged(word: &str) -> String {
    let mut word = word
        .replace("[.]", ".")
        .replace("(.)", ".")
        .replace("[:]", ":");
    for (made, meant) in [("hxxps://", "https://"), ("hxxp://", "http://")] {
        let begins = word.get(..made.len());
        if begins.is_some_and(|begin| begin.eq_ignore_ascii_case(made)) {
            word.replace_range(..made.len(), meant);
        }
    }
    word
}

fn is_hash(word: &str) -> bool {
    matches!(word.len(), 32 | 40 | 64 | 128) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A URL with scheme and host in lower case.
fn url(word: &str) -> Option<String> {
    let (scheme, rest) = word.split_once("://")?;
    text(word).ok()?;
    let is_scheme = !scheme.is_empty()
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end)?;
    if !is_scheme || host.is_empty() || rest.contains(char::is_whitespace) {
        return None;
    }
    let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
    Some(format!("{scheme}://{host}{path}"))
}

/// A name of the DNS in lower case, without a star before it.
fn domain(word: &str) -> Option<String> {
    let bare = word
        .strip_prefix("*.")
        .or_else(|| word.strip_prefix('.'))
        .unwrap_or(word);
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    let is_part = |part: &str| {
        (1..=63).contains(&part.len())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let last = bare.rsplit('.').next()?;
    let is_name = bare.len() <= 253
        && bare.contains('.')
        && bare.split('.').all(is_part)
        // Versions (`1.2.3`) are none.
        && last.len() >= 2
        && last.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_name.then(|| bare.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_they_look_like() {
        let of = |word: &str| {
            let found = classify(word, &Kind::ALL);
            found.map(|found| {
                let shown = found
                    .iter()
                    .map(|(kind, text)| format!("{} {text}", kind.as_str()));
                shown.collect::<Vec<_>>().join(", ")
            })
        };
        for (word, expected) in [
            ("192.0.2.7", "address 192.0.2.7"),
            ("192.0.2.7:443", "address 192.0.2.7"),
            ("[2001:db8::1]", "address 2001:db8::1"),
            ("192.0.2[.]7", "address 192.0.2.7"),
            (
                "192.0.2.0-192.0.2.2",
                "address 192.0.2.0/31, address 192.0.2.2",
            ),
            ("Evil.Example.", "domain evil.example"),
            ("*.evil.example", "domain evil.example"),
            ("evil[.]example", "domain evil.example"),
            ("xn--80ak6aa92e.example", "domain xn--80ak6aa92e.example"),
            (
                "hxxps://Evil[.]example/Ab?c",
                "url https://evil.example/Ab?c",
            ),
            (
                "D41D8CD98F00B204E9800998ECF8427E",
                "hash d41d8cd98f00b204e9800998ecf8427e",
            ),
            (
                "stratum+tcp://pool.example:3333",
                "url stratum+tcp://pool.example:3333",
            ),
            ("docker.io/evil/miner", "text docker.io/evil/miner"),
            ("1.2.3", "text 1.2.3"),
            ("nothing", "text nothing"),
        ] {
            assert_eq!(of(word).as_deref(), Ok(expected), "{word}");
        }
        assert_eq!(
            of("10.0.0.0/8"),
            Err("a large network of private addresses")
        );
        assert_eq!(of(&"x".repeat(1_000)), Err("a text that is too long"));
        assert_eq!(of("a\u{0}b"), Err("a text that is none"));
    }

    #[test]
    fn lists_take_what_they_are_of() {
        assert_eq!(classify("evil.example", &[Kind::Address]), Err("a domain"));
        let text = classify("quay.io", &[Kind::Text]).unwrap();
        assert_eq!(text, [(Kind::Text, "quay.io".to_owned())]);
        let wrong = of_kind("evil.example", Kind::Address, &Kind::ALL);
        assert_eq!(wrong, Err("an address that is none"));
    }
}
