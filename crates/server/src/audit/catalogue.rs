//! The catalogue of detections: each with whether it is on, what it sees, what is changed about it and what it raises.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use seareeve_api::{
    DetectionDetail, DetectionExample, DetectionNamedList, DetectionNeed, DetectionNoise,
    DetectionSight, DetectionSummary,
};
use seareeve_audit::{Policy, Seen, Sight};
use seareeve_detect::{Rule, RuleKind};
use seareeve_store::alerts::AlertState;
use seareeve_store::audit_clusters::AuditCluster;
use seareeve_store::detections::{Day, Noise};

use super::Audit;
use super::content::{Content, own_name};

/// Days for which noise is told.
pub(crate) const DAYS: i64 = 30;
/// Days that count as lately.
pub(crate) const LATELY: i64 = 7;
/// What is built in, as the origin of a rule.
const BUILT_IN: &str = "built_in";
/// Seconds of a day.
const DAY: i64 = 24 * 3600;

/// What the summaries are made of.
pub(crate) struct Catalogue<'c> {
    pub(crate) content: &'c Content,
    pub(crate) clusters: &'c [AuditCluster],
    /// Rules by id, of clusters about which something is changed.
    tuned: Vec<(i64, BTreeMap<&'c str, &'c Rule>)>,
    sights: BTreeMap<&'c str, Vec<(&'c AuditCluster, Sight, bool)>>,
    noise: BTreeMap<String, DetectionNoise>,
}

impl<'c> Catalogue<'c> {
    pub(crate) fn new(
        audit: &Audit,
        content: &'c Content,
        clusters: &'c [AuditCluster],
        policies: &BTreeMap<i64, Policy>,
        noise: (Vec<Noise>, Vec<Day>),
        now: Timestamp,
    ) -> Self {
        let mut sights: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for cluster in clusters {
            let policy = policies.get(&cluster.id.0);
            for (rule, sight) in audit.sights(cluster.id, policy, content.rules()) {
                let of = sights.entry(rule.id.as_str()).or_default();
                of.push((cluster, sight, policy.is_some()));
            }
        }
        let tuned = content.clusters().map(|(id, engine)| {
            let rules = engine.rules().map(|rule| (rule.id.as_str(), rule));
            (id, rules.collect())
        });
        Self {
            content,
            clusters,
            tuned: tuned.collect(),
            sights,
            noise: noise_by_rule(noise, now),
        }
    }

    /// All detections, by title.
    pub(crate) fn all(&self) -> Vec<DetectionSummary> {
        let mut all: Vec<DetectionSummary> =
            self.content.rules().map(|rule| self.one(rule)).collect();
        all.sort_by_cached_key(|one| (one.title.to_lowercase(), one.id.clone()));
        all
    }

    /// A detection, in short.
    pub(crate) fn one(&self, rule: &Rule) -> DetectionSummary {
        let plain = self.content.plain(&rule.id);
        let name = |id: i64| {
            let cluster = self.clusters.iter().find(|cluster| cluster.id.0 == id);
            cluster.map(|cluster| cluster.name.clone())
        };
        let (mut differs_in, mut is_tuned) = (Vec::new(), false);
        let is_changed = |rule: &Rule| {
            plain.is_some_and(|plain| {
                plain.content != rule.content || plain.is_on != rule.is_enabled
            })
        };
        is_tuned |= is_changed(rule);
        for (id, rules) in &self.tuned {
            let Some(there) = rules.get(rule.id.as_str()) else {
                continue;
            };
            is_tuned |= is_changed(there);
            if there.is_enabled != rule.is_enabled {
                differs_in.extend(name(*id));
            }
        }
        let sights = self.sights.get(rule.id.as_str());
        let on = sights.into_iter().flatten().filter(|(cluster, _, _)| {
            cluster.on_since.is_some() || self.clusters.iter().all(|one| one.on_since.is_none())
        });
        let (mut worst, mut blind_in) = (None, Vec::new());
        for (cluster, sight, _) in on {
            if worst.is_none_or(|worst| badness(sight.seen) > badness(worst)) {
                worst = Some(sight.seen);
            }
            if matches!(sight.seen, Seen::Blind | Seen::Partly) {
                blind_in.push(cluster.name.clone());
            }
        }
        let worst = worst.unwrap_or(Seen::Unknown);
        DetectionSummary {
            id: rule.id.clone(),
            title: rule.name.clone(),
            origin: own_name(&rule.file).unwrap_or(BUILT_IN).to_owned(),
            aliases: rule.aliases.clone(),
            severity: rule.severity.as_str().to_owned(),
            given_severity: plain
                .map_or(rule.severity, |plain| plain.severity)
                .as_str()
                .to_owned(),
            tactics: rule.tactics.clone(),
            techniques: rule.techniques.clone(),
            kind: match rule.kind {
                RuleKind::Single => "single",
                RuleKind::Correlation => "correlation",
                RuleKind::Baseline => "baseline",
            }
            .to_owned(),
            is_on: rule.is_enabled,
            is_given_on: plain.is_none_or(|plain| plain.is_on),
            differs_in,
            is_tuned,
            coverage: worst.as_str().to_owned(),
            blind_in,
            noise: self.noise.get(&rule.id).cloned().unwrap_or_else(quiet),
        }
    }

    /// What a detection sees, cluster by cluster.
    fn sights(&self, rule: &Rule) -> Vec<DetectionSight> {
        let sights = self.sights.get(rule.id.as_str()).into_iter().flatten();
        let told = sights.map(|(cluster, sight, has_policy)| DetectionSight {
            cluster: cluster.name.clone(),
            is_on: cluster.on_since.is_some(),
            status: sight.seen.as_str().to_owned(),
            lacks: sight.lacks.clone(),
            unknown: sight.unknown.clone(),
            has_policy: *has_policy,
        });
        told.collect()
    }

    /// A detection with what its file says. What is changed about it, and its cost, come from elsewhere.
    pub(crate) fn detail(&self, rule: &Rule) -> DetectionDetail {
        DetectionDetail {
            summary: self.one(rule),
            description: rule.description.clone(),
            remediation: rule.remediation.clone(),
            false_positives: rule.false_positives.clone(),
            references: rule.references.clone(),
            severities: rule
                .severities
                .iter()
                .map(|(edition, severity)| (edition.clone(), severity.as_str().to_owned()))
                .collect(),
            priority: rule.priority.as_str().to_owned(),
            tags: rule.tags.clone(),
            condition: rule.condition.clone(),
            output: rule.output.clone(),
            fields: rule.fields.clone(),
            lists: rule.lists.clone(),
            file: rule.file.clone(),
            line: u64::try_from(rule.line).unwrap_or(0),
            needs: serde_json::from_value::<Vec<DetectionNeed>>(rule.coverage.clone())
                .unwrap_or_default(),
            coverage_by_cluster: self.sights(rule),
            examples: rule
                .examples
                .iter()
                .map(|example| DetectionExample {
                    name: example.name.clone(),
                    fires: example.fires,
                    events: example.events.clone(),
                })
                .collect(),
            tunings: Vec::new(),
            history: Vec::new(),
            cost_ns: None,
        }
    }
}

/// How much somebody has to care.
fn badness(seen: Seen) -> u8 {
    match seen {
        Seen::Sees => 0,
        Seen::Unknown => 1,
        Seen::Partly => 2,
        Seen::Blind => 3,
    }
}

fn quiet() -> DetectionNoise {
    DetectionNoise {
        days: vec![0; usize::try_from(DAYS).unwrap_or(0)],
        ..DetectionNoise::default()
    }
}

/// Since when alerts count.
pub(crate) fn since(now: Timestamp, days: i64) -> Timestamp {
    now - SignedDuration::from_hours(24 * days)
}

fn noise_by_rule(
    (noise, days): (Vec<Noise>, Vec<Day>),
    now: Timestamp,
) -> BTreeMap<String, DetectionNoise> {
    let mut by_rule: BTreeMap<String, DetectionNoise> = BTreeMap::new();
    for one in noise {
        let told = by_rule.entry(one.rule).or_insert_with(quiet);
        told.alerts_30_days += one.alerts;
        told.alerts_7_days += one.lately;
        told.last = told.last.max(Some(one.last));
        match (one.state, one.is_suppressed) {
            (AlertState::Dismissed, true) => told.suppressed += one.alerts,
            (AlertState::Dismissed, false) => told.dismissed += one.alerts,
            (AlertState::Resolved, _) => told.resolved += one.alerts,
            (AlertState::New | AlertState::Active | AlertState::InProgress, _) => {}
        }
    }
    let first = now.as_second().div_euclid(DAY) - (DAYS - 1);
    for day in days {
        let told = by_rule.entry(day.rule).or_insert_with(quiet);
        let place = usize::try_from(day.day - first).ok();
        if let Some(count) = place.and_then(|place| told.days.get_mut(place)) {
            *count += day.alerts;
        }
    }
    by_rule
}

/// All named lists, with what is changed about them.
pub(crate) fn lists(content: &Content) -> Vec<DetectionNamedList> {
    let tunings: Vec<seareeve_api::Tuning> = content
        .given
        .tunings
        .iter()
        .filter_map(|one| super::tuning::wire(content, one))
        .collect();
    let all: Vec<_> = content
        .given
        .tunings
        .iter()
        .filter(|one| one.said.cluster.is_none() && !content.unusable.contains_key(&one.id.0))
        .collect();
    let (tuned, _) = super::content::tuning(&all);
    let mut users: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for rule in content.rules() {
        for list in &rule.lists {
            users.entry(list).or_default().push(rule.id.clone());
        }
    }
    let named = content.lists.iter().map(|list| {
        let change = tuned.lists.get(&list.name);
        let removed = change.map(|change| &change.removed);
        let is_there = |item: &&String| removed.is_none_or(|removed| !removed.contains(*item));
        let mut items: Vec<String> = list.items.iter().filter(is_there).cloned().collect();
        let known: BTreeSet<String> = items.iter().cloned().collect();
        let added = change.into_iter().flat_map(|change| &change.added);
        items.extend(added.filter(|item| !known.contains(*item)).cloned());
        DetectionNamedList {
            name: list.name.clone(),
            origin: own_name(&list.file).unwrap_or(BUILT_IN).to_owned(),
            items,
            removed: removed.into_iter().flatten().cloned().collect(),
            detections: users.get(list.name.as_str()).cloned().unwrap_or_default(),
            tunings: tunings
                .iter()
                .filter(|one| one.change.kind() == "list" && one.target == list.name)
                .cloned()
                .collect(),
        }
    });
    let mut named: Vec<DetectionNamedList> = named.collect();
    named.sort_by(|a, b| a.name.cmp(&b.name));
    named
}
