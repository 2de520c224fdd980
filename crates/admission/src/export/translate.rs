//! One check's expressions in the words of a ValidatingAdmissionPolicy.
//!
//! A check speaks of facts: `containers`, `spec`, `params`. A policy speaks of `object`, and of `variables` that it
//! defines from it. So names become variables, which `prelude.rs` makes of the object, and what Kubernetes' CEL lacks
//! is said otherwise, or refused with the reason. Literals that mix types get `dyn()` around their elements: Kubernetes
//! checks types before it evaluates, and wants one type per literal.

use std::collections::BTreeSet;

use seareeve_cel::{Call, Field, Limits, Renamed, RewriteError, Rewriting, quoted, rewrite};
use seareeve_posture::{Anatomy, Fault, Phrase};
use serde_json::Value;

use super::prelude;

/// What checks may be; see there.
const LIMITS: Limits = Limits {
    text_bytes: 8 * 1024,
    depth: 64,
    nodes: 2_048,
};

/// Functions that Kubernetes' CEL has in 1.30, the first version with the policies' API in v1: the language's own, and
/// the libraries of Kubernetes (k8s.io/apiserver, `pkg/cel/environment/base.go`). Macros are among them; those with two
/// variables came with 1.32.
const GLOBAL: &[&str] = &[
    "has",
    "size",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "bytes",
    "type",
    "dyn",
    "duration",
    "timestamp",
    "matches",
    "quantity",
    "isQuantity",
    "url",
    "isURL",
];
const MEMBER: &[&str] = &[
    "all",
    "exists",
    "exists_one",
    "filter",
    "map",
    "optMap",
    "optFlatMap",
    "hasValue",
    "orValue",
    "or",
    "value",
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "charAt",
    "indexOf",
    "lastIndexOf",
    "lowerAscii",
    "upperAscii",
    "replace",
    "split",
    "join",
    "substring",
    "trim",
    "find",
    "findAll",
    "isSorted",
    "sum",
    "min",
    "max",
    "isGreaterThan",
    "isLessThan",
    "compareTo",
    "asInteger",
    "isInteger",
    "asApproximateFloat",
    "sign",
    "add",
    "sub",
];

/// A check as variables and a validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Translated {
    /// Names with expressions, each after those that it uses.
    pub(super) variables: Vec<(String, String)>,
    /// True where nothing is wrong.
    pub(super) validation: String,
    /// What is wrong, as one text.
    pub(super) message: String,
}

/// Says a check in a policy's words.
pub(super) fn translate(
    anatomy: &Anatomy<'_>,
    on: &str,
    params: &Value,
    excluded: &prelude::Excluded,
) -> Result<Translated, String> {
    if let Some(need) = anatomy.needs.first() {
        return Err(format!(
            "it needs to know more than the object: `{need}` is nothing that a policy of Kubernetes can ask for"
        ));
    }
    let Some(fail) = anatomy.fail else {
        return Err("it only says what a person should look at".to_owned());
    };
    let mut words = Words {
        on,
        parts: anatomy.parts.iter().map(|(name, _)| *name).collect(),
        used: BTreeSet::new(),
        has_fault: false,
    };
    let said = |text: &str, words: &mut Words<'_>| match rewrite(text, &LIMITS, words) {
        Ok(text) => Ok(text),
        Err(RewriteError::NoCounterpart(why)) => Err(why),
        Err(error @ RewriteError::Expression(_)) => Err(error.to_string()),
    };
    let mut own = Vec::new();
    for (name, text) in &anatomy.parts {
        own.push((part(name), said(text, &mut words)?));
    }
    let faults = match fail {
        Fault::For(text) => said(text, &mut words)?,
        Fault::If(text) => format!("({}) ? [true] : []", said(text, &mut words)?),
    };
    let mut excuses = Vec::new();
    for condition in [anatomy.of, anatomy.when].into_iter().flatten() {
        excuses.push(format!("!({}) || ", said(condition, &mut words)?));
    }
    words.has_fault = true;
    let mut message = Vec::new();
    for phrase in &anatomy.message {
        message.push(match phrase {
            Phrase::Words(words) => quoted(words),
            Phrase::Value(text) => format!("string({})", said(text, &mut words)?),
        });
    }
    let mut variables = prelude::variables(on, &words.used, excluded)?;
    if words.used.contains("params") {
        variables.push(("params".to_owned(), literal(params)));
    }
    variables.extend(own);
    variables.push(("faults".to_owned(), faults));
    Ok(Translated {
        variables,
        validation: format!("{}size(variables.faults) == 0", excuses.concat()),
        message: format!(
            "variables.faults.map(f, {}).join('; ')",
            message.join(" + ")
        ),
    })
}

/// The variable of a part of a check. The prefix keeps it apart from those of the prelude.
fn part(name: &str) -> String {
    format!("own_{name}")
}

struct Words<'w> {
    on: &'w str,
    parts: BTreeSet<&'w str>,
    /// Variables of the prelude that are needed.
    used: BTreeSet<&'static str>,
    /// Whether `f` is a name.
    has_fault: bool,
}

impl Words<'_> {
    fn variable(&mut self, name: &'static str, takes_field: bool) -> Renamed {
        self.used.insert(name);
        Renamed {
            text: format!("variables.{name}"),
            takes_field,
        }
    }
}

impl Rewriting for Words<'_> {
    fn name(&mut self, name: &str, field: Option<Field<'_>>) -> Result<Renamed, String> {
        if self.parts.contains(name) {
            return Ok(Renamed {
                text: format!("variables.{}", part(name)),
                takes_field: false,
            });
        }
        if name == "f" && self.has_fault {
            return Ok(Renamed {
                text: "f".to_owned(),
                takes_field: false,
            });
        }
        if name == "params" {
            return Ok(self.variable("params", false));
        }
        if name == "it" {
            let Some(field) = field else {
                return Err("it takes the fact as a whole".to_owned());
            };
            return match prelude::field(self.on, field.name) {
                Some((name, is_optional)) if is_optional == field.is_optional => {
                    Ok(self.variable(name, true))
                }
                _ => Err(format!(
                    "it reads `{}`, which the facts work out and an object does not say",
                    field.name
                )),
            };
        }
        match prelude::name(self.on, name) {
            Some(name) => Ok(self.variable(name, false)),
            None => Err(format!(
                "it reads `{name}`, which the facts work out and an object does not say"
            )),
        }
    }

    fn call(&mut self, call: &Call<'_>) -> Result<Option<String>, String> {
        if call.receiver.is_none()
            && call.name == "within"
            && let [path, folder] = call.arguments
        {
            return Ok(Some(within(path, folder)));
        }
        let known = match call.receiver {
            Some(_) => MEMBER,
            None => GLOBAL,
        };
        if !known.contains(&call.name) || call.variables > 1 {
            return Err(format!(
                "it uses `{}`, which Kubernetes' CEL does not have in all versions since 1.30",
                call.name
            ));
        }
        Ok(None)
    }

    fn mixed(&mut self, element: String) -> String {
        format!("dyn({element})")
    }
}

/// Whether a path is a folder or lies below it, by whole names. A path that goes up is in no folder: Kubernetes does
/// not take such paths of the node anyway.
fn within(path: &str, folder: &str) -> String {
    let names = |path: &str| {
        format!("({path}).split('/').filter(n, n != '' && n != '.').map(n, n + '/').join('')")
    };
    format!(
        "(!({path}).split('/').exists(n, n == '..') && {}.startsWith({}))",
        names(path),
        names(folder)
    )
}

/// A value as a literal.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(dynamic).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, value)| format!("{}: {}", quoted(name), dynamic(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn dynamic(value: &Value) -> String {
    format!("dyn({})", literal(value))
}
