//! URLs, read as Go's `url.ParseRequestURI` reads them: absolute, or an absolute path, and no fragment.

/// A URL in its parts.
#[derive(Clone, Debug)]
pub(crate) struct Url {
    written: Box<str>,
    pub(crate) scheme: Box<str>,
    /// With its port.
    pub(crate) host: Box<str>,
    path: Box<str>,
    query: Box<str>,
}

/// The longest that is read.
const LONGEST: usize = 16 * 1024;

impl Url {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST || text.chars().any(|c| c.is_ascii_control()) {
            return None;
        }
        let (scheme, rest) = scheme(text)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = match rest.strip_prefix("//") {
            Some(after) if !scheme.is_empty() => {
                let end = after.find('/').unwrap_or(after.len());
                let (authority, path) = after.split_at(end);
                (host_of(authority)?, path)
            }
            _ => ("", rest),
        };
        // What has a scheme and no slash is opaque, like an address of mail, and has no path.
        let path = match path.starts_with('/') || !host.is_empty() {
            true => path,
            false if scheme.is_empty() => return None,
            false => "",
        };
        decoded(path, false)?;
        Some(Self {
            written: text.into(),
            scheme: scheme.to_ascii_lowercase().into(),
            host: host.into(),
            path: path.into(),
            query: query.into(),
        })
    }

    /// The host without brackets and port.
    pub(crate) fn hostname(&self) -> &str {
        let (host, _) = split_port(&self.host);
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        inner.unwrap_or(host)
    }

    /// The port, or the empty string.
    pub(crate) fn port(&self) -> &str {
        split_port(&self.host).1
    }

    /// The path with everything escaped that must be.
    pub(crate) fn escaped_path(&self) -> String {
        const PLAIN: &[u8] = b"-_.~!$&'()*+,;=:@/[]%";
        let mut escaped = String::new();
        for byte in self.path.bytes() {
            if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) {
                escaped.push(char::from(byte));
            } else {
                escaped.push_str(&format!("%{byte:02X}"));
            }
        }
        escaped
    }

    /// The parameters in their order. Those that cannot be read are left out, as in Go.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        self.query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.contains(';'))
            .filter_map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((decoded(key, true)?, decoded(value, true)?))
            })
    }
}

impl PartialEq for Url {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written)
    }
}

/// The scheme, empty if there is none, and the rest; none if a scheme is begun wrongly.
fn scheme(text: &str) -> Option<(&str, &str)> {
    if text.starts_with('/') {
        return Some(("", text));
    }
    let (scheme, rest) = text.split_once(':')?;
    let is_sound = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_sound.then_some((scheme, rest))
}

/// The host of an authority, if both are sound.
fn host_of(authority: &str) -> Option<&str> {
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let is_user = |b: u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b);
    if !user.bytes().all(is_user) {
        return None;
    }
    let port = match host.strip_prefix('[') {
        Some(after) => after.split_once(']')?.1,
        None => host.find(':').and_then(|at| host.get(at..)).unwrap_or(""),
    };
    let is_port = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()),
        None => port.is_empty(),
    };
    let is_host =
        |b: u8| b >= 0x80 || b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]<>\"".contains(&b);
    (is_port && host.bytes().all(is_host)).then_some(host)
}

fn split_port(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, ""),
    }
}

/// Escapes resolved; none if one is broken.
fn decoded(text: &str, is_query: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'%' => {
                let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
                if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return None;
                }
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = rest.get(2..)?;
            }
            b'+' if is_query => bytes.push(b' '),
            other => bytes.push(*other),
        }
    }
    Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}
