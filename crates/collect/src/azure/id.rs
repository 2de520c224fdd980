//! Ids of Azure's resources: paths that come from replies and documents, and become parts of requests.

/// Longest id that is one.
const MOST: usize = 2_000;
/// Segments of the longest: a resource within a resource within a group has twelve.
const MOST_SEGMENTS: usize = 24;

/// `/subscriptions/…/resourceGroups/…/providers/…`. It has no empty segment and none that leads elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ResourceId(String);

impl ResourceId {
    /// The id, if it is one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let path = text.strip_prefix('/')?;
        let is_segment = |segment: &str| {
            !segment.is_empty()
                && !segment.trim_matches('.').is_empty()
                && !segment
                    .chars()
                    .any(|c| c.is_control() || matches!(c, '?' | '#' | '%' | '\\' | ' ' | '&'))
        };
        let mut segments = path.split('/');
        let is_id = text.len() <= MOST
            && path.split('/').count() <= MOST_SEGMENTS
            && segments.all(is_segment);
        is_id.then(|| Self(text.to_owned()))
    }

    /// The id of a subscription.
    pub(super) fn subscription(id: &str) -> Option<Self> {
        if id.contains('/') {
            return None;
        }
        Self::parse(&format!("/subscriptions/{id}"))
    }

    /// In lower case, since Azure takes no care of cases: the same resource has the same.
    pub(super) fn lower(&self) -> String {
        self.0.to_lowercase()
    }

    /// As a path of a request: what no path may have is written as UTF-8 octets (RFC 3986, section 2.1).
    pub(super) fn path(&self) -> String {
        let mut path = String::with_capacity(self.0.len());
        for byte in self.0.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => path.push(char::from(byte)),
                b'/' | b'-' | b'.' | b'_' | b'~' | b'(' | b')' => path.push(char::from(byte)),
                _ => path.push_str(&format!("%{byte:02X}")),
            }
        }
        path
    }

    /// Whether this is `other` or below it.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        let (own, other) = (self.lower(), other.lower());
        own.strip_prefix(&other)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The subscription that it is in.
    pub(super) fn within_subscription(&self) -> Option<Self> {
        let mut segments = self.0.split('/').skip(1);
        let word = segments.next()?;
        let id = segments.next()?;
        word.eq_ignore_ascii_case("subscriptions")
            .then(|| Self(format!("/subscriptions/{id}")))
    }

    /// The last segment.
    pub(super) fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// What it is attached to, for the ids of diagnostic settings, extensions and assignments: all before the last
    /// `/providers/`.
    pub(super) fn owner(&self) -> Option<Self> {
        let at = self.0.to_lowercase().rfind("/providers/")?;
        let owner = self.0.get(..at)?;
        Self::parse(owner)
    }

    /// Its parent, for resources within resources: without the last two segments.
    pub(super) fn parent(&self) -> Option<Self> {
        let (rest, _name) = self.0.rsplit_once('/')?;
        let (parent, _word) = rest.rsplit_once('/')?;
        Self::parse(parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLUSTER: &str =
        "/subscriptions/s1/resourceGroups/Grüße (1)/providers/Microsoft.X/things/c1";

    #[test]
    fn ids_lead_where_they_say() {
        for bad in [
            "",
            "/",
            "x",
            "/subscriptions//x",
            "/subscriptions/s1/../s2",
            "/subscriptions/./x",
            "/subscriptions/s1?api-version=1",
            "/subscriptions/s1#x",
            "/subscriptions/s1/%2e%2e",
            "/subscriptions/s1\r\nHost: x",
            "https://elsewhere.example/subscriptions/s1",
        ] {
            assert_eq!(ResourceId::parse(bad), None, "{bad}");
        }
        assert_eq!(ResourceId::subscription("s1/providers/x"), None);
        let long = format!("/{}", "x/".repeat(40));
        assert_eq!(ResourceId::parse(long.trim_end_matches('/')), None);
    }

    #[test]
    fn ids_know_where_they_belong() {
        let id = CLUSTER.replace(' ', "");
        let id = ResourceId::parse(&id).unwrap();
        assert_eq!(
            id.path(),
            "/subscriptions/s1/resourceGroups/Gr%C3%BC%C3%9Fe(1)/providers/Microsoft.X/things/c1"
        );
        let subscription = id.within_subscription().unwrap();
        assert_eq!(subscription.lower(), "/subscriptions/s1");
        assert!(id.is_within(&ResourceId::subscription("S1").unwrap()));
        assert!(!id.is_within(&ResourceId::subscription("s").unwrap()));
        let setting = format!("{}/providers/Microsoft.Insights/diagnosticSettings/d", id.0);
        let setting = ResourceId::parse(&setting).unwrap();
        assert_eq!(setting.owner(), Some(id.clone()));
        assert_eq!((setting.name(), id.name()), ("d", "c1"));
        let within = ResourceId::parse(&format!("{}/connections/e", id.0)).unwrap();
        assert_eq!(within.parent(), Some(id));
    }
}
