//! The texts and fields of a rule, compiled.

use std::collections::BTreeSet;

use crate::compile::{Builder, CompileError, SlotId};
use crate::detection::Details;
use crate::engine::{CompiledEntity, Grouping};
use crate::language::parse_output_field;
use crate::rules::{Located, RuleEntry};
use crate::source::Kind;
use crate::template::{Percent, Template};

/// What is wrong with a text, and with which.
pub(super) type TextFault = (Located, CompileError);

/// The compiled texts of a rule.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) output: Template,
    pub(super) description: Template,
    pub(super) remediation: Vec<Template>,
    pub(super) entities: Vec<CompiledEntity>,
    pub(super) properties: Vec<(String, Template)>,
    pub(super) aggregate: Vec<SlotId>,
}

impl Texts {
    pub(super) fn compile(rule: &RuleEntry, builder: &mut Builder<'_>) -> Result<Self, TextFault> {
        let mut texts = Self {
            output: output(rule, builder)?,
            ..Self::default()
        };
        let Some(details) = &rule.details else {
            texts.description = Template::literal(rule.description.trim());
            texts.aggregate = comparable(&texts.output, builder);
            return Ok(texts);
        };
        texts.detection(details, builder)?;
        Ok(texts)
    }

    fn detection(&mut self, details: &Details, builder: &mut Builder<'_>) -> Result<(), TextFault> {
        let lenient = |located: &Located, builder: &mut Builder<'_>| {
            Template::compile(located.text.trim(), Percent::Lenient, builder)
                .map_err(|error| (located.clone(), error))
        };
        self.description = lenient(&details.description, builder)?;
        for step in &details.remediation {
            self.remediation.push(lenient(step, builder)?);
        }
        for (name, text) in &details.properties {
            self.properties
                .push((name.clone(), lenient(text, builder)?));
        }
        for entity in &details.entities {
            let mut fields = Vec::with_capacity(entity.fields.len());
            for (name, text) in &entity.fields {
                let constant = text
                    .text
                    .strip_prefix('\'')
                    .and_then(|text| text.strip_suffix('\''));
                let value = match constant {
                    Some(constant) => Err(constant.to_owned()),
                    None => Ok(field(text, builder)?),
                };
                fields.push((name.clone(), value));
            }
            self.entities.push(CompiledEntity {
                kind: entity.kind.clone(),
                fields,
            });
        }
        for text in details.aggregate_by.iter().flatten() {
            self.aggregate.push(field(text, builder)?);
        }
        Ok(())
    }
}

/// The output of a rule. What `%container.info` stood for comes with the source by now.
fn output(rule: &RuleEntry, builder: &mut Builder<'_>) -> Result<Template, TextFault> {
    const INFO: &str = "%container.info";
    let text = rule.output.text.trim().replace(INFO, "");
    Template::compile(&text, Percent::Strict, builder).map_err(|error| (rule.output.clone(), error))
}

/// The texts in an output: two alerts of a rule that agree in them tell of the same. Numbers and times differ anyway.
fn comparable(output: &Template, builder: &Builder<'_>) -> Vec<SlotId> {
    let slots: BTreeSet<SlotId> = output.fields().map(|(_, slot)| slot).collect();
    slots
        .into_iter()
        .filter(|slot| matches!(builder.kind_of(*slot), Kind::Text | Kind::Path))
        .collect()
}

/// A single field, with or without a transformer around it.
pub(super) fn field(text: &Located, builder: &mut Builder<'_>) -> Result<SlotId, TextFault> {
    let fail = |error: CompileError| (text.clone(), error);
    let name = text.text.trim();
    let (term, length) = parse_output_field(name)
        .map_err(|error| fail(CompileError::new(error.at, error.message)))?;
    if length != name.len() {
        return Err(fail(CompileError::new(
            length,
            "a field and nothing else is wanted",
        )));
    }
    builder.term(&term).map_err(fail)
}

/// Several fields with their names.
pub(super) fn grouping(
    texts: &[Located],
    builder: &mut Builder<'_>,
) -> Result<Grouping, TextFault> {
    let fields = texts
        .iter()
        .map(|text| Ok((text.text.trim().to_owned(), field(text, builder)?)));
    Ok(Grouping(fields.collect::<Result<_, TextFault>>()?))
}
