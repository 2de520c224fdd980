//! By what a cluster is known: the uid of its namespace `kube-system`, where an event shows it.

use crate::record::Record;

/// Longest uid.
const MOST: usize = 100;

/// The uid of the cluster that an event is of; nothing, if it does not show it. `text` is what the record was read from.
#[must_use]
pub fn cluster_uid(record: &Record<'_>, text: &[u8]) -> Option<String> {
    let target = record.target?;
    let is = |part: Option<crate::json::Text<'_>>, name| part.is_some_and(|part| part.is(name));
    let is_it = is(target.resource, "namespaces") && is(target.name, "kube-system");
    if !is_it || target.subresource.is_some_and(|part| !part.is_empty()) {
        return None;
    }
    // Whoever is refused may have named any.
    let code = record.status.and_then(|status| status.code)?;
    if !code.starts_with(b"2") {
        return None;
    }
    let event: serde_json::Value = serde_json::from_slice(text).ok()?;
    // What was answered, before what a client may have written into its request.
    let mut shown = ["/responseObject/metadata/uid", "/objectRef/uid"].into_iter();
    let uid = shown.find_map(|path| event.pointer(path)?.as_str())?;
    let is_uid = (1..=MOST).contains(&uid.len())
        && uid
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_uid.then(|| uid.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_namespace_itself_says_it() {
        let of = |target: &str, rest: &str| {
            let event = format!(
                r#"{{"auditID":"1","stage":"ResponseComplete","verb":"get","requestURI":"/x","user":{{"username":"a"}},
                "objectRef":{{{target}}},"responseStatus":{{"code":200}},{rest}"requestReceivedTimestamp":"2026-01-01T00:00:00Z"}}"#
            );
            let record = Record::read(event.as_bytes()).unwrap();
            cluster_uid(&record, event.as_bytes())
        };
        let namespace = r#""resource":"namespaces","namespace":"kube-system","name":"kube-system""#;
        let answer = r#""responseObject":{"metadata":{"uid":"0ab-1"}},"#;
        assert_eq!(of(namespace, answer).as_deref(), Some("0ab-1"));
        let named = format!(r#"{namespace},"uid":"0ab-2""#);
        assert_eq!(of(&named, "").as_deref(), Some("0ab-2"));
        assert_eq!(of(namespace, ""), None);
        assert_eq!(
            of(namespace, r#""responseObject":{"metadata":{"uid":"<b>"}},"#),
            None
        );
        let other = r#""resource":"namespaces","name":"shop""#;
        assert_eq!(of(other, answer), None);
        let part = format!(r#"{namespace},"subresource":"finalize""#);
        assert_eq!(of(&part, answer), None);
    }
}
