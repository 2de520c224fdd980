//! What a request's address says: parameters of `exec`, the path behind a proxy.

use std::borrow::Cow;

/// Most parameters of one address that are looked at.
const MAX_PARAMETERS: usize = 4_096;

/// The values of the parameter `name`, decoded, in order.
pub(crate) fn parameters<'u>(
    uri: &'u str,
    name: &'u str,
) -> impl Iterator<Item = Cow<'u, str>> + use<'u> {
    query(uri)
        .split('&')
        .take(MAX_PARAMETERS)
        .filter_map(move |pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key, true) == name).then(|| decode(value, true))
        })
}

/// What a proxy is asked for: all behind the subresource `proxy`, with the parameters. Namespaces and names may be called
/// so, too: `/api/v1/namespaces/proxy/pods/proxy/proxy/x`.
pub(crate) fn behind_proxy(uri: &str) -> Option<Cow<'_, str>> {
    let mut rest = uri.strip_prefix("/api/").and_then(behind_step)?;
    if let Some(inside) = rest.strip_prefix("namespaces/") {
        rest = behind_step(inside)?;
    }
    let object = behind_step(rest).and_then(behind_step)?;
    let behind = object.strip_prefix("proxy")?;
    let is_whole = behind.is_empty() || behind.starts_with(['/', '?']);
    is_whole.then(|| {
        if behind.starts_with('/') {
            decode(behind, false)
        } else {
            Cow::Owned(format!("/{}", decode(behind, false)))
        }
    })
}

/// What stands behind the first step of a path.
fn behind_step(path: &str) -> Option<&str> {
    path.split_once('/').map(|(_, behind)| behind)
}

fn query(uri: &str) -> &str {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    query.split_once('#').map_or(query, |(query, _)| query)
}

/// Replaces `%41`, and `+` where it stands for a blank. What is no such code stays.
pub(crate) fn decode(text: &str, plus_is_blank: bool) -> Cow<'_, str> {
    let has_plus = plus_is_blank && text.contains('+');
    if !has_plus && !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        out.push(match (first, behind) {
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    (high << 4) | low
                }
                _ => b'%',
            },
            (b'+', _) if plus_is_blank => b' ',
            _ => *first,
        });
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_put_together_from_their_words() {
        for (uri, expected) in [
            (
                "/x/exec?command=ls&command=-la&command=%2F&stdin=true",
                "ls -la /",
            ),
            (
                "/x/exec?command=sh&command=-c&command=a%20b+c",
                "sh -c a b c",
            ),
            ("/x/exec?c%6fmmand=id#x", "id"),
            ("/x/exec", ""),
            ("/x/exec?command", ""),
            ("/x/exec?command=%zz%4", "%zz%4"),
        ] {
            let words: Vec<_> = parameters(uri, "command").collect();
            assert_eq!(words.join(" "), expected, "{uri}");
        }
    }

    #[test]
    fn what_is_behind_a_proxy_is_found() {
        for (uri, expected) in [
            (
                "/api/v1/nodes/n/proxy/exec/a/b/c?command=id",
                Some("/exec/a/b/c?command=id"),
            ),
            ("/api/v1/nodes/n/proxy", Some("/")),
            ("/api/v1/nodes/n:10250/proxy?x=1", Some("/?x=1")),
            ("/api/v1/nodes/n/proxyx", None),
            ("/api/v1/nodes/proxy/proxy/run/x", Some("/run/x")),
            ("/api/v1/nodes/proxy-1/proxy/run/x", Some("/run/x")),
            (
                "/api/v1/namespaces/proxy/pods/https:proxy:8443/proxy/a",
                Some("/a"),
            ),
            ("/api/v1/namespaces/proxy/pods/x", None),
            ("/api/v1/nodes/n", None),
        ] {
            assert_eq!(behind_proxy(uri).as_deref(), expected, "{uri}");
        }
    }
}
