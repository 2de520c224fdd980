//! What there is to know about a rule, taken from its file.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_model::{AlertSeverity, Digest};
use serde_json::Value;

use super::compile::Work;
use crate::compile::NodeId;
use crate::detection::Details;
use crate::engine::{Rule, RuleKind};
use crate::rules::{Located, RuleEntry};

impl Work<'_> {
    #[expect(
        clippy::too_many_arguments,
        reason = "everything that is told of a rule comes from somewhere"
    )]
    pub(super) fn info(
        &self,
        rule: &RuleEntry,
        details: Option<&Details>,
        id: String,
        is_enabled: bool,
        condition: &Located,
        content: Digest,
        root: Option<NodeId>,
        source: usize,
    ) -> Rule {
        let texts = |texts: &[Located]| {
            texts
                .iter()
                .map(|text| text.text.trim().to_owned())
                .collect()
        };
        let kind = match details.map(|details| (&details.correlation, &details.baseline)) {
            Some((Some(_), _)) => RuleKind::Correlation,
            Some((None, Some(_))) => RuleKind::Baseline,
            Some((None, None)) | None => RuleKind::Single,
        };
        let (tactics, techniques) = match details {
            Some(details) => (details.tactics.clone(), details.techniques.clone()),
            None => attack(&rule.tags),
        };
        let builder = self.builders.get(source);
        let fields = builder
            .zip(root)
            .map(|(builder, root)| builder.field_names(root));
        let condition = match details.and_then(|details| details.correlation.as_ref()) {
            Some(correlation) if !correlation.steps.is_empty() => {
                let steps = correlation.steps.iter().map(|step| match &step.condition {
                    Ok(condition) => format!("{}: {}", step.name, condition.text.trim()),
                    Err((other, _)) => format!("{}: rule {other}", step.name),
                });
                steps.collect::<Vec<_>>().join("\n")
            }
            Some(_) | None => condition.text.trim().to_owned(),
        };
        Rule {
            id,
            name: rule.name.clone(),
            source: rule.source.clone(),
            is_enabled,
            priority: rule.priority,
            severity: details.map_or_else(|| rule.priority.severity(), |details| details.severity),
            severities: details.map_or_else(BTreeMap::<String, AlertSeverity>::new, |details| {
                details.severities.clone()
            }),
            aliases: details
                .map(|details| details.aliases.clone())
                .unwrap_or_default(),
            tactics,
            techniques,
            tags: rule.tags.iter().cloned().collect(),
            description: details.map_or_else(
                || rule.description.trim().to_owned(),
                |details| details.description.text.trim().to_owned(),
            ),
            remediation: details
                .map(|details| texts(&details.remediation))
                .unwrap_or_default(),
            false_positives: details
                .map(|details| details.false_positives.clone())
                .unwrap_or_default(),
            references: details
                .map(|details| details.references.clone())
                .unwrap_or_default(),
            condition,
            output: rule.output.text.trim().to_owned(),
            coverage: details.map_or(Value::Null, |details| details.coverage.clone()),
            kind,
            examples: details
                .map(|details| details.examples.clone())
                .unwrap_or_default(),
            fields: fields.unwrap_or_default(),
            lists: self.lists_in_use(),
            content,
            file: self.book.files.name(rule.spot.file).to_owned(),
            line: rule.spot.at.line,
            is_detection: details.is_some(),
        }
    }
}

/// What tags say of ATT&CK: `mitre_privilege_escalation`, `T1059.004`.
fn attack(tags: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
    let tactics = tags.iter().filter_map(|tag| tag.strip_prefix("mitre_"));
    let is_technique = |tag: &&String| {
        let number = tag.strip_prefix('T').unwrap_or_default();
        number.len() >= 4 && number.starts_with(|c: char| c.is_ascii_digit())
    };
    (
        tactics.map(|tactic| tactic.replace('_', "-")).collect(),
        tags.iter().filter(is_technique).cloned().collect(),
    )
}
