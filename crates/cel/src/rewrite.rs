//! An expression as text again, with other names: how a check becomes a policy of somebody else who speaks CEL.
//!
//! What is said of each name and each call decides; the structure stays. Macros keep their variables, and brackets are
//! put around whatever could bind otherwise: the result is for programs first.

use std::fmt::Write as _;

use crate::error::CompileError;
use crate::limits::Limits;
use crate::parser;
use crate::syntax::{StepKind, Syntax, SyntaxKind};
use crate::value::{Value, double};

/// What becomes of the parts of an expression.
pub trait Rewriting {
    /// A name that is no macro's variable. `field` is the field that is taken of it at once, if one is.
    ///
    /// # Errors
    /// Why it has no counterpart.
    fn name(&mut self, name: &str, field: Option<Field<'_>>) -> Result<Renamed, String>;

    /// A call: of a member, if it has a receiver. Arguments are rewritten already. Nothing keeps it as it is.
    ///
    /// # Errors
    /// Why it has no counterpart.
    fn call(&mut self, call: &Call<'_>) -> Result<Option<String>, String>;

    /// An element of a list, or a value of a map, whose neighbours may be of other types.
    fn mixed(&mut self, element: String) -> String {
        element
    }
}

/// A field behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'s> {
    /// Its name.
    pub name: &'s str,
    /// Whether it is asked for as `.?name`.
    pub is_optional: bool,
}

/// What stands for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// An expression that needs no brackets around it.
    pub text: String,
    /// Whether it stands for the field behind the name, too.
    pub takes_field: bool,
}

/// A call of a function, or a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'s> {
    /// Its name.
    pub name: &'s str,
    /// What it is called on, as text that needs no brackets.
    pub receiver: Option<&'s str>,
    /// As text; those that are variables of macros as they are.
    pub arguments: &'s [String],
    /// How many of the arguments are variables of a macro.
    pub variables: usize,
}

/// Why an expression cannot be rewritten.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// It is no expression, or larger than the limits allow. The fault of who wrote it.
    #[error(transparent)]
    Expression(#[from] CompileError),
    /// A part of it has no counterpart, for this reason.
    #[error("{0}")]
    NoCounterpart(String),
}

/// The text of an expression with its names and calls as `rewriting` says.
///
/// # Errors
/// When the text is no expression within the limits, or a part of it has no counterpart.
pub fn rewrite(
    text: &str,
    limits: &Limits,
    rewriting: &mut dyn Rewriting,
) -> Result<String, RewriteError> {
    let syntax = parser::parse(text, limits)?;
    let mut writer = Writer {
        rewriting,
        scopes: Vec::new(),
    };
    writer
        .expression(&syntax)
        .map_err(RewriteError::NoCounterpart)
}

/// A text as a literal.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for character in text.chars() {
        match character {
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other if other.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\U{:08x}", u32::from(other));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

struct Writer<'r> {
    rewriting: &'r mut dyn Rewriting,
    /// The variables of the macros around.
    scopes: Vec<String>,
}

impl Writer<'_> {
    fn expression(&mut self, syntax: &Syntax) -> Result<String, String> {
        Ok(match &syntax.kind {
            SyntaxKind::Literal(value) => literal(value)?,
            SyntaxKind::Name { name, is_root } => self.name(name, *is_root, None)?.text,
            SyntaxKind::List(elements) => {
                if elements.iter().any(|element| element.is_optional) {
                    return Err("it has optional elements".to_owned());
                }
                let values: Vec<&Syntax> = elements.iter().map(|one| &one.value).collect();
                format!("[{}]", self.values(&values)?.join(", "))
            }
            SyntaxKind::Map(entries) => {
                if entries.iter().any(|entry| entry.is_optional) {
                    return Err("it has optional entries".to_owned());
                }
                let values: Vec<&Syntax> = entries.iter().map(|entry| &entry.value).collect();
                let values = self.values(&values)?;
                let mut written = Vec::new();
                for (entry, value) in entries.iter().zip(values) {
                    written.push(format!("{}: {value}", self.operand(&entry.key)?));
                }
                format!("{{{}}}", written.join(", "))
            }
            SyntaxKind::Path { base, steps } => {
                let field = match steps.first().map(|step| (&step.kind, step.is_optional)) {
                    Some((StepKind::Field(name), is_optional)) => Some(Field { name, is_optional }),
                    _ => None,
                };
                let base = match &base.kind {
                    SyntaxKind::Name { name, is_root } => self.name(name, *is_root, field)?,
                    _ => Renamed {
                        text: self.operand(base)?,
                        takes_field: false,
                    },
                };
                let mut text = base.text;
                for step in steps.iter().skip(usize::from(base.takes_field)) {
                    let mark = if step.is_optional { "?" } else { "" };
                    match &step.kind {
                        StepKind::Field(name) if is_identifier(name) => {
                            text.push_str(&format!(".{mark}{name}"));
                        }
                        StepKind::Field(name) => {
                            text.push_str(&format!("[{mark}{}]", quoted(name)));
                        }
                        StepKind::Index(index) => {
                            text.push_str(&format!("[{mark}{}]", self.expression(index)?));
                        }
                    }
                }
                text
            }
            SyntaxKind::Call {
                receiver,
                name,
                arguments,
                ..
            } => self.call(receiver.as_deref(), name, arguments)?,
            SyntaxKind::Not { operand, times } => {
                format!("{}{}", "!".repeat(*times), self.operand(operand)?)
            }
            SyntaxKind::Negate { operand, times } => {
                format!("{}{}", "-".repeat(*times), self.operand(operand)?)
            }
            SyntaxKind::And(terms) => self.joined(terms, " && ")?,
            SyntaxKind::Or(terms) => self.joined(terms, " || ")?,
            SyntaxKind::Chain { first, rest } => {
                let mut text = self.operand(first)?;
                for operation in rest {
                    let operand = self.operand(&operation.operand)?;
                    text.push_str(&format!(" {} {operand}", operation.symbol.text()));
                }
                text
            }
            SyntaxKind::Conditional {
                branches,
                otherwise,
            } => {
                let mut text = String::new();
                for (condition, result) in branches {
                    let (condition, result) = (self.operand(condition)?, self.operand(result)?);
                    text.push_str(&format!("{condition} ? {result} : "));
                }
                text.push_str(&self.operand(otherwise)?);
                text
            }
        })
    }

    /// With brackets, unless nothing can get between its parts.
    fn operand(&mut self, syntax: &Syntax) -> Result<String, String> {
        let text = self.expression(syntax)?;
        let is_whole = match &syntax.kind {
            SyntaxKind::Literal(Value::Int(value)) => *value >= 0,
            SyntaxKind::Literal(Value::Double(value)) => *value >= 0.0,
            SyntaxKind::Literal(_)
            | SyntaxKind::Name { .. }
            | SyntaxKind::List(_)
            | SyntaxKind::Map(_)
            | SyntaxKind::Path { .. }
            | SyntaxKind::Call { .. } => true,
            SyntaxKind::Not { .. }
            | SyntaxKind::Negate { .. }
            | SyntaxKind::And(_)
            | SyntaxKind::Or(_)
            | SyntaxKind::Chain { .. }
            | SyntaxKind::Conditional { .. } => false,
        };
        Ok(if is_whole { text } else { format!("({text})") })
    }

    fn joined(&mut self, terms: &[Syntax], between: &str) -> Result<String, String> {
        let terms: Result<Vec<String>, String> =
            terms.iter().map(|term| self.operand(term)).collect();
        Ok(terms?.join(between))
    }

    /// Elements of one literal.
    fn values(&mut self, values: &[&Syntax]) -> Result<Vec<String>, String> {
        let kind = |syntax: &Syntax| match &syntax.kind {
            SyntaxKind::Literal(value) => Some(value.type_of()),
            _ => None,
        };
        let first = values.first().and_then(|value| kind(value));
        let is_even = first.is_some() && values.iter().all(|value| kind(value) == first);
        let mut written = Vec::new();
        for value in values {
            let text = self.expression(value)?;
            written.push(if is_even {
                text
            } else {
                self.rewriting.mixed(text)
            });
        }
        Ok(written)
    }

    fn name(
        &mut self,
        name: &str,
        is_root: bool,
        field: Option<Field<'_>>,
    ) -> Result<Renamed, String> {
        if !is_root && self.scopes.iter().any(|scope| scope == name) {
            return Ok(Renamed {
                text: name.to_owned(),
                takes_field: false,
            });
        }
        self.rewriting.name(name, field)
    }

    fn call(
        &mut self,
        receiver: Option<&Syntax>,
        name: &str,
        arguments: &[Syntax],
    ) -> Result<String, String> {
        let receiver = match receiver {
            Some(receiver) => Some(self.operand(receiver)?),
            None => None,
        };
        let variables = match receiver {
            Some(_) => variables(name, arguments.len()),
            None => 0,
        };
        let before = self.scopes.len();
        let mut written = Vec::new();
        for (at, argument) in arguments.iter().enumerate() {
            let own = match &argument.kind {
                SyntaxKind::Name { name, .. } if at < variables => Some(name),
                _ => None,
            };
            match own {
                Some(own) => {
                    self.scopes.push(own.clone());
                    written.push(own.clone());
                }
                None => written.push(self.expression(argument)?),
            }
        }
        self.scopes.truncate(before);
        let call = Call {
            name,
            receiver: receiver.as_deref(),
            arguments: &written,
            variables,
        };
        if let Some(text) = self.rewriting.call(&call)? {
            return Ok(text);
        }
        let arguments = written.join(", ");
        Ok(match &receiver {
            Some(receiver) => format!("{receiver}.{name}({arguments})"),
            None => format!("{name}({arguments})"),
        })
    }
}

/// How many variables of its own a macro of this name has.
fn variables(name: &str, arguments: usize) -> usize {
    match (name, arguments) {
        ("all" | "exists" | "exists_one" | "existsOne" | "filter" | "map" | "sortBy", 2)
        | ("map", 3)
        | ("optMap" | "optFlatMap", 2) => 1,
        ("all" | "exists" | "exists_one" | "existsOne" | "transformList" | "transformMap", 3)
        | ("transformList" | "transformMap", 4)
        | ("transformMapEntry", 3 | 4) => 2,
        _ => 0,
    }
}

fn literal(value: &Value<'_>) -> Result<String, String> {
    Ok(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => format!("{value}u"),
        Value::Double(value) => {
            let text = double(*value);
            match text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-')
            {
                // Without a point it would be a whole number.
                true => format!("{text}.0"),
                false => text,
            }
        }
        Value::String(text) => quoted(text),
        _ => {
            return Err(format!(
                "it has a literal of type {}",
                value.type_of().name()
            ));
        }
    })
}

fn is_identifier(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(is_word) && !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty()
}
