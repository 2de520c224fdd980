//! Objects in their order, with what checks say of them.

use std::collections::{BTreeMap, HashMap};

use seareeve_api::{ManifestObject, ManifestResult};
use seareeve_kubernetes::{Documents, Origin};
use seareeve_model::{Fact, Snapshot};
use seareeve_posture::{Check, ObjectVerdict, Outcome as Verdict};
use serde_json::Value;

/// Where an object stands: its file, document and line.
type Place = (String, usize, u64);

/// See the module.
pub(super) struct Objects {
    objects: Vec<ManifestObject>,
    /// Which of them stands where.
    order: BTreeMap<Place, usize>,
    /// By kind and id of a fact, which of them it is of, and where among those of its kind it is.
    facts: HashMap<String, HashMap<String, (usize, usize)>>,
}

impl Objects {
    /// Kinds of facts that an object can be.
    pub(super) const KINDS: [&str; 6] = [
        "kubernetes.workload",
        "kubernetes.service",
        "kubernetes.ingress",
        "kubernetes.gateway",
        "kubernetes.service-account",
        "kubernetes.network-policy",
    ];

    /// Those of manifests: all of them, also those that no check is about.
    pub(super) fn of_documents(documents: &Documents) -> Self {
        let mut all = Self {
            objects: Vec::new(),
            order: BTreeMap::new(),
            facts: HashMap::new(),
        };
        let mut enter = |origin: &Origin, kind: &str, namespace: &str, name: &str| {
            let object = ManifestObject {
                file: origin.file.clone(),
                index: origin.index.try_into().unwrap_or(u64::MAX),
                line: origin.line,
                ..object(kind, namespace, name)
            };
            all.put((origin.file.clone(), origin.index, origin.line), object);
        };
        for other in &documents.others {
            enter(&other.origin, &other.kind, &other.namespace, &other.name);
        }
        for object in &documents.objects {
            if let Some(origin) = object.origin() {
                let kind = object.resource().api().kind;
                enter(origin, kind, object.namespace(), object.name());
            }
        }
        all
    }

    /// Where the object at `place` is, which is `object` if there was none.
    fn put(&mut self, place: Place, object: ManifestObject) -> usize {
        let next = self.objects.len();
        let at = *self.order.entry(place).or_insert(next);
        if at == next {
            self.objects.push(object);
        }
        at
    }

    /// With where the facts of `snapshot` stand. Those that stand nowhere, because they come from a cluster, are objects
    /// in their own order.
    pub(super) fn with(mut self, snapshot: &Snapshot) -> Self {
        for (kind, facts) in &snapshot.facts {
            if !Self::KINDS.contains(&kind.as_str()) {
                continue;
            }
            let mut by_id = HashMap::new();
            for (position, fact) in facts.items.iter().enumerate() {
                let place = place_of(fact);
                let place = place.unwrap_or_else(|| (String::new(), self.objects.len(), 0));
                let text = |name: &str| fact.data.get(name).and_then(Value::as_str);
                let (file, index, line) = place.clone();
                let seen = ManifestObject {
                    index: match file.is_empty() {
                        true => 0,
                        false => index.try_into().unwrap_or(u64::MAX),
                    },
                    file,
                    line,
                    ..object(
                        text("kind").unwrap_or(kind.as_str()),
                        text("namespace").unwrap_or_default(),
                        text("name").unwrap_or(&fact.name),
                    )
                };
                by_id.insert(fact.id.clone(), (self.put(place, seen), position));
            }
            self.facts.insert(kind.to_string(), by_id);
        }
        self
    }

    /// Notes what a check says of an object.
    pub(super) fn enter(&mut self, check: &Check, said: &ObjectVerdict, snapshot: &Snapshot) {
        let of_kind = self.facts.get(said.kind.as_str());
        let Some((at, position)) = of_kind.and_then(|facts| facts.get(&said.id)) else {
            return;
        };
        let Some(object) = self.objects.get_mut(*at) else {
            return;
        };
        let result = |message: &str, path: String| ManifestResult {
            check: check.id().to_owned(),
            severity: check.severity().as_str().to_owned(),
            status: said.outcome.as_str().to_owned(),
            message: message.to_owned(),
            path,
        };
        if said.items.is_empty() {
            let reason = said.reason.as_deref().unwrap_or_default();
            object.results.push(result(reason, String::new()));
            return;
        }
        let fact = snapshot
            .facts
            .get(&said.kind)
            .and_then(|facts| facts.items.get(*position));
        for item in &said.items {
            let path = fact.and_then(|fact| path_of(fact, &item.evidence));
            let path = path.unwrap_or_default();
            object.results.push(result(&item.message, path));
        }
    }

    /// All objects, in the order of files as they were given and of documents; with a verdict each, if they were judged
    /// by a standard.
    pub(super) fn finish(self, with_verdict: bool) -> Vec<ManifestObject> {
        let mut left: Vec<Option<ManifestObject>> = self.objects.into_iter().map(Some).collect();
        let in_order = self.order.into_values();
        let mut objects: Vec<ManifestObject> =
            in_order.filter_map(|at| left.get_mut(at)?.take()).collect();
        for object in &mut objects {
            object
                .results
                .sort_by(|one, other| one.check.cmp(&other.check));
            if with_verdict {
                let passes = object.results.iter().all(|result| {
                    [Verdict::Pass, Verdict::NotApplicable]
                        .map(Verdict::as_str)
                        .contains(&result.status.as_str())
                });
                // What could not be told is not what a standard lets through.
                let verdict = if passes { "pass" } else { "fail" };
                object.verdict = Some(verdict.to_owned());
            }
        }
        objects
    }
}

fn object(kind: &str, namespace: &str, name: &str) -> ManifestObject {
    ManifestObject {
        file: String::new(),
        index: 0,
        line: 0,
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        results: Vec::new(),
        verdict: None,
    }
}

fn place_of(fact: &Fact) -> Option<Place> {
    let origin = fact.data.get("origin")?;
    Some((
        origin.get("file")?.as_str()?.to_owned(),
        origin.get("index")?.as_u64()?.try_into().ok()?,
        origin.get("line")?.as_u64()?,
    ))
}

/// Where in the object that stands which a check found fault with: the container, or the pod.
fn path_of(fact: &Fact, evidence: &Value) -> Option<String> {
    let pod = match fact.data.get("kind")?.as_str()? {
        "Pod" => "spec",
        "PodTemplate" => "template.spec",
        "CronJob" => "spec.jobTemplate.spec.template.spec",
        _ if fact.data.get("effective").is_some() => "spec.template.spec",
        _ => return Some("spec".to_owned()),
    };
    let name = evidence.get("name").and_then(Value::as_str);
    let spec = fact.data.get("spec")?;
    for list in [
        "initContainers",
        "containers",
        "ephemeralContainers",
        "volumes",
    ] {
        let items = spec.get(list).and_then(Value::as_array);
        let found = items.and_then(|items| {
            items
                .iter()
                .position(|item| item.get("name").and_then(Value::as_str) == name && name.is_some())
        });
        if let Some(index) = found {
            return Some(format!("{pod}.{list}[{index}]"));
        }
    }
    Some(pod.to_owned())
}
