//! What a pod has that its template may not say: containers that were injected, and rights that were added.

use serde_json::Value;

use crate::json::{is_true, text, texts};
use crate::pods;

/// Most traits of one pod that are compared.
const MAX_TRAITS: usize = 500;

/// The traits of a pod or template that matter when one departs from the other, in words for people, sorted.
#[derive(Debug, Default)]
pub(crate) struct Stance(Box<[Box<str>]>);

impl Stance {
    pub(crate) fn of(spec: &Value) -> Self {
        let mut traits: Vec<Box<str>> = Vec::new();
        for host in ["hostNetwork", "hostPID", "hostIPC"] {
            if spec.get(host).and_then(Value::as_bool) == Some(true) {
                traits.push(host.into());
            }
        }
        for volume in crate::json::list(spec, "/volumes").iter().take(MAX_TRAITS) {
            if let Some(path) = text(volume, "/hostPath/path") {
                traits.push(format!("hostPath {path}").into());
            }
        }
        for container in pods::containers(spec).into_iter().take(MAX_TRAITS) {
            let name = text(container, "/name").unwrap_or_default();
            traits.push(format!("container {name}").into());
            if is_true(container, "/securityContext/privileged") {
                traits.push(format!("privileged in {name}").into());
            }
            for capability in texts(container, "/securityContext/capabilities/add") {
                traits.push(format!("capability {capability} in {name}").into());
            }
        }
        traits.sort_unstable();
        traits.dedup();
        traits.truncate(MAX_TRAITS);
        Self(traits.into())
    }

    /// What this has and `template` has not.
    pub(crate) fn departures<'s>(&'s self, template: &'s Self) -> impl Iterator<Item = &'s str> {
        self.0
            .iter()
            .filter(|own| template.0.binary_search(own).is_err())
            .map(|own| &**own)
    }

    /// The same number for the same departures; none where there are none.
    pub(crate) fn beyond(&self, template: &Self) -> Option<u64> {
        let mut departures = self.departures(template).peekable();
        departures.peek()?;
        // FNV-1a: the number becomes part of an id, which has to be the same next time and in the next version.
        let bytes = departures.flat_map(|departure| departure.bytes().chain([0]));
        Some(bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }
}
