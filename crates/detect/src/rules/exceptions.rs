//! Exceptions: what a rule does not match though its condition holds, as tables of values.

use super::diagnostic::Code;
use super::item::Fault;
use super::lists::quote;
use super::located::{Located, Spot};
use crate::language::{Operation, Operator};

/// One exception of a rule.
#[derive(Clone, Debug)]
pub(crate) struct Exception {
    pub(crate) name: String,
    pub(crate) fields: Option<Entry>,
    pub(crate) comparisons: Option<Entry>,
    pub(crate) values: Vec<Entry>,
    pub(crate) spot: Spot,
}

/// A text, or a list.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    One(String),
    Many(Vec<Entry>),
}

impl Entry {
    fn one(&self) -> Option<&str> {
        match self {
            Self::One(text) => Some(text),
            Self::Many(_) => None,
        }
    }
}

impl Exception {
    /// Fills in what is left out, and checks what is there.
    ///
    /// # Errors
    /// When fields and comparisons do not fit each other, or are none.
    pub(crate) fn complete(&mut self) -> Result<(), Fault> {
        let fault = |message: String| Fault::new(Code::Validate, self.spot, message);
        let operation = |text: &str| {
            Operation::parse(text).ok_or_else(|| {
                fault(format!(
                    "'{}' is not a supported comparison operator",
                    text.trim()
                ))
            })
        };
        match &self.fields {
            None => Err(fault(
                "an exception needs `fields`: a field, or a list of them".to_owned(),
            )),
            Some(Entry::Many(fields)) => {
                if fields.iter().any(|field| field.one().is_none()) {
                    return Err(fault(
                        "`fields` is a list of fields, not of lists".to_owned(),
                    ));
                }
                let equal = || Entry::Many(vec![Entry::One("=".to_owned()); fields.len()]);
                let comparisons = self.comparisons.clone().unwrap_or_else(equal);
                let Entry::Many(list) = &comparisons else {
                    return Err(fault(
                        "`fields` is a list, so `comps` must be one".to_owned(),
                    ));
                };
                if list.len() != fields.len() {
                    return Err(fault(
                        "fields and comps lists must have equal length".to_owned(),
                    ));
                }
                for text in list {
                    operation(text.one().unwrap_or_default())?;
                }
                self.comparisons = Some(comparisons);
                Ok(())
            }
            Some(Entry::One(_)) => {
                let comparison = self
                    .comparisons
                    .clone()
                    .unwrap_or_else(|| Entry::One("in".to_owned()));
                let Some(text) = comparison.one() else {
                    return Err(fault("fields and comps must both be strings".to_owned()));
                };
                let parsed = operation(text)?;
                if !parsed.wants_list() {
                    return Err(fault(
                        "when fields is a single value, comps must be in, pmatch, intersects or an operator with a \
                         modifier (startswith oneof)"
                            .to_owned(),
                    ));
                }
                self.comparisons = Some(comparison);
                Ok(())
            }
        }
    }

    /// All fields that it names.
    pub(crate) fn field_names(&self) -> Vec<&str> {
        match &self.fields {
            None => Vec::new(),
            Some(Entry::One(field)) => vec![field],
            Some(Entry::Many(fields)) => fields.iter().filter_map(Entry::one).collect(),
        }
    }

    /// What it is as a condition; nothing without values.
    fn condition(&self) -> Result<Option<String>, Fault> {
        let fault = |message: &str| Fault::new(Code::Validate, self.spot, message);
        if self.values.is_empty() {
            return Ok(None);
        }
        match (&self.fields, &self.comparisons) {
            (Some(Entry::One(field)), Some(Entry::One(comparison))) => {
                let mut items = Vec::with_capacity(self.values.len());
                for value in &self.values {
                    let Some(item) = value.one() else {
                        return Err(fault("the values of a single field are a list of texts"));
                    };
                    items.push(quote(item));
                }
                let items = items.join(", ");
                Ok(Some(format!("({field} {comparison} ({items}))")))
            }
            (Some(Entry::Many(fields)), Some(Entry::Many(comparisons))) => {
                let mut rows = Vec::with_capacity(self.values.len());
                for values in &self.values {
                    let values = match values {
                        Entry::Many(values) if values.len() == fields.len() => values,
                        Entry::Many(_) | Entry::One(_) => {
                            return Err(fault("fields and values lists must have equal length"));
                        }
                    };
                    rows.push(self.row(fields, comparisons, values)?);
                }
                Ok(Some(format!("({})", rows.join(" or "))))
            }
            (None, _) | (Some(_), _) => Err(fault("fields and comps do not fit each other")),
        }
    }

    fn row(
        &self,
        fields: &[Entry],
        comparisons: &[Entry],
        values: &[Entry],
    ) -> Result<String, Fault> {
        let mut parts = Vec::with_capacity(fields.len());
        for ((field, comparison), value) in fields.iter().zip(comparisons).zip(values) {
            let field = field.one().unwrap_or_default();
            let comparison = comparison.one().unwrap_or_default();
            let operation = Operation::parse(comparison);
            let wants_list = operation.is_some_and(Operation::wants_list);
            let value = match value {
                Entry::Many(items) => {
                    let items: Vec<String> =
                        items.iter().filter_map(Entry::one).map(quote).collect();
                    format!("({})", items.join(", "))
                }
                Entry::One(text) if wants_list && text.starts_with('(') => text.clone(),
                // Without quotes: it may be the name of a list.
                Entry::One(text) if wants_list => format!("({})", quote(text)),
                Entry::One(text) => quote(text),
            };
            let is_exists = operation.is_some_and(|found| found.operator == Operator::Exists);
            let value = if is_exists { String::new() } else { value };
            parts.push(format!("{field} {comparison} {value}"));
        }
        Ok(format!("({})", parts.join(" and ")))
    }
}

/// A rule's condition with its exceptions.
///
/// # Errors
/// When values do not fit their fields.
pub(super) fn except(condition: &Located, exceptions: &[Exception]) -> Result<Located, Fault> {
    if exceptions.is_empty() {
        return Ok(condition.clone());
    }
    let mut whole = Located::made("(".to_owned(), condition.spot());
    whole.push(condition);
    whole.push_str(")");
    for exception in exceptions {
        if let Some(text) = exception.condition()? {
            let text = format!(" and not {text}");
            whole.push(&Located::made(text, exception.spot));
        }
    }
    Ok(whole)
}
