//! A rule that matched an event → the alert.

use std::collections::BTreeMap;

use seareeve_model::{Alert, Correlated, Entity, Evidence};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::evidence::Decided;
use super::reasons::timestamp;
use super::rule::Compiled;
use super::run::Run;
use crate::source::Event;
use crate::template::{json, shown, texts};

/// Most entities that one entry of a rule makes.
const MAX_OF_A_KIND: usize = 64;

/// What came of several events.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) reasons: Vec<String>,
    pub(super) correlated: Option<Correlated>,
    /// `%correlation.count`
    pub(super) count: u64,
}

impl<E: Event + ?Sized> Run<'_, '_, E> {
    /// The alert of a rule. `decided` is by what it matched.
    pub(super) fn alert(&mut self, rule: &Compiled, decided: &[Decided], story: Story) -> Alert {
        let info = &rule.info;
        let entities = self.entities(rule);
        let key = self.key_of(rule, &entities);
        let mut fields = BTreeMap::new();
        let texts = std::iter::once(&rule.output)
            .chain(std::iter::once(&rule.description))
            .chain(&rule.remediation);
        for (name, slot) in texts.flat_map(|text| text.fields()) {
            if !fields.contains_key(name) {
                fields.insert(name.to_owned(), json(slot, self));
            }
        }
        for (name, template) in &rule.properties {
            fields.insert(name.clone(), Json::from(template.render(self, story.count)));
        }
        Alert {
            rule: info.name.clone(),
            id: info.id.clone(),
            time: timestamp(self.event().time()),
            priority: info.priority,
            severity: info.severity,
            tactics: info.tactics.clone(),
            techniques: info.techniques.clone(),
            output: rule.output.render(self, story.count),
            output_fields: fields,
            source: info.source.clone(),
            title: info.name.clone(),
            description: rule.description.render(self, story.count),
            remediation: rule
                .remediation
                .iter()
                .map(|step| step.render(self, story.count))
                .collect(),
            tags: info.tags.clone(),
            entities,
            key,
            evidence: Evidence {
                content: info.content.clone(),
                matched: self.evidence(decided),
                reasons: story.reasons,
                correlated: story.correlated,
            },
        }
    }

    /// An entity of which the event has nothing is left out; of a field with several values each is an entity.
    fn entities(&mut self, rule: &Compiled) -> Vec<Entity> {
        let mut entities = Vec::with_capacity(rule.entities.len());
        for entity in &rule.entities {
            let mut made = vec![BTreeMap::new()];
            let mut has_value = false;
            for (name, slot) in &entity.fields {
                let values = match slot {
                    Err(constant) => vec![constant.clone()],
                    Ok(slot) => texts(*slot, self),
                };
                if values.is_empty() {
                    continue;
                }
                has_value = has_value || slot.is_ok();
                let with = |fields: &BTreeMap<String, String>, value: &String| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), value.clone());
                    fields
                };
                made = made
                    .iter()
                    .flat_map(|fields| values.iter().map(move |value| with(fields, value)))
                    .take(MAX_OF_A_KIND)
                    .collect();
            }
            let is_constant = entity.fields.iter().all(|(_, slot)| slot.is_err());
            if has_value || is_constant {
                entities.extend(made.into_iter().map(|fields| Entity {
                    kind: entity.kind.clone(),
                    fields,
                }));
            }
        }
        entities
    }

    /// Equal for alerts that tell of the same.
    fn key_of(&mut self, rule: &Compiled, entities: &[Entity]) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(text);
        };
        part(&rule.info.id);
        if rule.aggregate.is_empty() {
            for entity in entities {
                part(&entity.kind);
                for (name, value) in &entity.fields {
                    part(name);
                    part(value);
                }
            }
        }
        for slot in &rule.aggregate {
            part(&shown(*slot, self).unwrap_or_default());
        }
        let digest = hash.finalize();
        digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
