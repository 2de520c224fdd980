//! Which suppression rule an alert fits. Pure.

use jiff::Timestamp;
use seareeve_model::Alert;
use seareeve_store::SuppressionId;
use seareeve_store::suppressions::{Criterion, NewSuppression, Suppression};
use serde_json::Value;

use super::entity_name;

/// Before the name of an extended property.
const PROPERTY: &str = "property.";

/// The first rule in force that an alert fits.
pub(super) fn rule_for(
    rules: &[Suppression],
    cluster: &str,
    alert: &Alert,
    now: Timestamp,
) -> Option<SuppressionId> {
    rules
        .iter()
        .find(|rule| is_in_force(&rule.said, now) && fits(&rule.said, cluster, alert))
        .map(|rule| rule.id)
}

/// Whether a rule works at a time.
pub(crate) fn is_in_force(rule: &NewSuppression, now: Timestamp) -> bool {
    rule.is_on && rule.expires.is_none_or(|expires| expires > now)
}

/// Whether an alert is what a rule is about.
pub(crate) fn fits(rule: &NewSuppression, cluster: &str, alert: &Alert) -> bool {
    rule.rule.as_ref().is_none_or(|id| *id == alert.id)
        && rule
            .criteria
            .iter()
            .all(|criterion| holds(criterion, cluster, alert))
}

fn holds(criterion: &Criterion, cluster: &str, alert: &Alert) -> bool {
    let is_named = |name: &str| {
        criterion
            .names
            .iter()
            .any(|pattern| is_like(pattern.as_bytes(), name.as_bytes()))
    };
    if criterion.kind == "cluster" {
        return is_named(cluster);
    }
    if let Some(property) = criterion.kind.strip_prefix(PROPERTY) {
        return match alert.output_fields.get(property) {
            Some(Value::String(text)) => is_named(text),
            Some(Value::Null) | None => false,
            Some(value) => is_named(&value.to_string()),
        };
    }
    // The whole name, or the plain one: whoever writes `web-*` means it in any namespace.
    alert
        .entities
        .iter()
        .filter(|entity| entity.kind == criterion.kind)
        .any(|entity| {
            is_named(&entity_name(entity))
                || entity.fields.get("name").is_some_and(|name| is_named(name))
        })
}

/// Whether `text` is as `pattern`, in which `*` stands for anything. In time of at most one times the other.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if wanted == byte => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // The star takes one more.
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::audit::samples;

    fn rule(id: Option<&str>, criteria: &[(&str, &str)]) -> NewSuppression {
        NewSuppression {
            name: "x".to_owned(),
            is_on: true,
            rule: id.map(str::to_owned),
            criteria: criteria
                .iter()
                .map(|(kind, name)| Criterion {
                    kind: (*kind).to_owned(),
                    names: vec!["nobody".to_owned(), (*name).to_owned()],
                })
                .collect(),
            reason: "noise".to_owned(),
            comment: String::new(),
            expires: None,
        }
    }

    #[test]
    fn all_criteria_have_to_hold_and_stars_stand_for_anything() {
        let mut alert = samples::alert("exec-in-pod", "Exec", Timestamp::UNIX_EPOCH);
        alert.entities = vec![seareeve_model::Entity {
            kind: "pod".to_owned(),
            fields: BTreeMap::from([
                ("name".to_owned(), "web-1".to_owned()),
                ("namespace".to_owned(), "shop".to_owned()),
            ]),
        }];
        alert.output_fields =
            BTreeMap::from([("Command".to_owned(), Value::String("ls -la".to_owned()))]);
        let fits = |id, criteria: &[_]| fits(&rule(id, criteria), "prod", &alert);
        assert!(fits(Some("exec-in-pod"), &[]));
        assert!(!fits(Some("other"), &[]));
        assert!(fits(None, &[("pod", "shop/web-*"), ("cluster", "p*d")]));
        assert!(fits(None, &[("pod", "web-1"), ("property.Command", "ls*")]));
        for criterion in [
            ("pod", "shop/web"),
            ("pod", "db-*"),
            ("user", "*"),
            ("cluster", "prod-2"),
            ("property.Other", "*"),
        ] {
            assert!(!fits(None, &[("pod", "web-1"), criterion]), "{criterion:?}");
        }
    }

    #[test]
    fn patterns_do_not_run_away() {
        let pattern = "*a".repeat(200);
        assert!(!is_like(pattern.as_bytes(), "a".repeat(150).as_bytes()));
        assert!(is_like(b"*", b"") && is_like(b"", b"") && !is_like(b"", b"x"));
        assert!(is_like(b"a*b*c", b"a-b-b-c") && !is_like(b"a*b", b"a-b-c"));
    }

    #[test]
    fn a_rule_ends() {
        let now = Timestamp::UNIX_EPOCH;
        let mut rule = rule(None, &[("cluster", "*")]);
        assert!(is_in_force(&rule, now));
        rule.expires = Some(now);
        assert!(!is_in_force(&rule, now));
    }
}
