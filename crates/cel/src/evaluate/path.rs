//! Fields and indices, and what optionals make of them (langdef.md, "Field Selection"; optionals as in cel-go).

use std::sync::Arc;

use super::{Evaluated, Evaluation};
use crate::error::{Fault, Reason, cut};
use crate::functions;
use crate::node::{Kind, Node, Path, Step, StepKind};
use crate::value::{Key, Value};

/// Where a path leads to.
enum Reached<'a> {
    Value(Value<'a>),
    /// A step was optional, or went through an optional.
    Optional(Option<Value<'a>>),
}

impl<'a> Reached<'a> {
    fn value(self) -> Value<'a> {
        match self {
            Self::Value(value) => value,
            Self::Optional(None) => Value::Optional(None),
            Self::Optional(Some(value)) => Value::some(value),
        }
    }
}

fn unshared<'a>(value: Arc<Value<'a>>) -> Value<'a> {
    Arc::try_unwrap(value).unwrap_or_else(|shared| (*shared).clone())
}

impl<'a> Evaluation<'_, 'a> {
    fn path(&mut self, path: &'a Path) -> Result<Reached<'a>, Fault> {
        let base = self.evaluate(&path.base)?;
        self.walk(base, &path.steps)
    }

    pub(super) fn path_value(&mut self, path: &'a Path) -> Evaluated<'a> {
        self.path(path).map(Reached::value)
    }

    fn walk(&mut self, mut value: Value<'a>, steps: &'a [Step]) -> Result<Reached<'a>, Fault> {
        let mut is_optional = false;
        for step in steps {
            self.steps(1, step.at)?;
            if let Value::Optional(inner) = value {
                is_optional = true;
                match inner {
                    Some(inner) => value = unshared(inner),
                    None => return Ok(Reached::Optional(None)),
                }
            }
            is_optional |= step.is_optional;
            let found = match &step.kind {
                StepKind::Field(name) => field(&value, name),
                StepKind::Index(index) => {
                    let index = self.evaluate(index)?;
                    self.steps(index.as_str().map_or(0, str::len) / 64, step.at)?;
                    element(&value, &index)
                }
            };
            value = match found {
                Ok(found) => found,
                Err(Miss::Absent(_)) if is_optional => return Ok(Reached::Optional(None)),
                Err(Miss::Absent(reason) | Miss::Wrong(reason)) => return Err(reason.at(step.at)),
            };
        }
        Ok(match is_optional {
            true => Reached::Optional(Some(value)),
            false => Reached::Value(value),
        })
    }

    pub(super) fn has(&mut self, path: &'a Path) -> Evaluated<'a> {
        let base = self.evaluate(&path.base)?;
        let Some((last, steps)) = path.steps.split_last() else {
            return Ok(Value::Bool(true));
        };
        let value = match self.walk(base, steps)? {
            Reached::Value(Value::Optional(inner)) => inner.map(unshared),
            Reached::Value(value) => Some(value),
            Reached::Optional(value) => value,
        };
        let Some(value) = value else {
            return Ok(Value::Bool(false));
        };
        let StepKind::Field(name) = &last.kind else {
            return Ok(Value::Bool(false));
        };
        match field(&value, name) {
            Ok(_) => Ok(Value::Bool(true)),
            Err(Miss::Absent(_)) => Ok(Value::Bool(false)),
            Err(Miss::Wrong(reason)) => Err(reason.at(last.at)),
        }
    }

    /// The value of an optional, which is not made where a path leads to it.
    fn optional(
        &mut self,
        node: &'a Node,
        name: &'static str,
        at: u32,
    ) -> Result<Option<Value<'a>>, Fault> {
        let value = match &node.kind {
            Kind::Path(path) => {
                self.steps(1, node.at)?;
                match self.path(path)? {
                    Reached::Optional(value) => return Ok(value),
                    Reached::Value(value) => value,
                }
            }
            _ => self.evaluate(node)?,
        };
        match value {
            Value::Optional(inner) => Ok(inner.map(unshared)),
            other => Err(functions::mismatch(name, &[other]).at(at)),
        }
    }

    pub(super) fn or_value(&mut self, left: &'a Node, right: &'a Node, at: u32) -> Evaluated<'a> {
        match self.optional(left, "orValue", at)? {
            Some(value) => Ok(value),
            None => self.evaluate(right),
        }
    }

    pub(super) fn or_optional(
        &mut self,
        left: &'a Node,
        right: &'a Node,
        at: u32,
    ) -> Evaluated<'a> {
        if let Some(value) = self.optional(left, "or", at)? {
            return super::shallow(Value::some(value), at);
        }
        match self.evaluate(right)? {
            Value::Optional(value) => Ok(Value::Optional(value)),
            other => Err(functions::mismatch("or", &[other]).at(at)),
        }
    }

    pub(super) fn optional_map(
        &mut self,
        slot: usize,
        (range, body): &'a (Node, Node),
        is_flat: bool,
        at: u32,
    ) -> Evaluated<'a> {
        let name = if is_flat { "optFlatMap" } else { "optMap" };
        let Some(value) = self.optional(range, name, at)? else {
            return Ok(Value::Optional(None));
        };
        self.set_local(slot, value);
        match (self.evaluate(body)?, is_flat) {
            (value, false) => super::shallow(Value::some(value), at),
            (Value::Optional(value), true) => Ok(Value::Optional(value)),
            (other, true) => Err(functions::mismatch(name, &[other]).at(at)),
        }
    }
}

/// Why a step leads nowhere.
enum Miss {
    /// It is not there: none, if the path is optional.
    Absent(Reason),
    /// There could be nothing of the kind.
    Wrong(Reason),
}

fn field<'a>(value: &Value<'a>, name: &str) -> Result<Value<'a>, Miss> {
    match value {
        Value::Map(map) => map
            .get(name)
            .ok_or_else(|| Miss::Absent(Reason::NoSuchKey(cut(name).into()))),
        other => {
            let message = format!(
                "{} (in a value of type {})",
                cut(name),
                other.type_of().name()
            );
            Err(Miss::Wrong(Reason::NoSuchKey(message.into())))
        }
    }
}

fn element<'a>(value: &Value<'a>, index: &Value<'a>) -> Result<Value<'a>, Miss> {
    let wrong = || Miss::Wrong(functions::mismatch("_[_]", &[value.clone(), index.clone()]));
    match value {
        Value::List(list) => {
            let at = match Key::asked(index) {
                Some(Key::Int(at)) => at,
                Some(Key::Uint(at)) => i64::try_from(at).unwrap_or(i64::MAX),
                Some(Key::Bool(_) | Key::String(_)) | None => return Err(wrong()),
            };
            let found = usize::try_from(at).ok().and_then(|at| list.get(at));
            found.ok_or(Miss::Absent(Reason::IndexOutOfRange(at)))
        }
        Value::Map(map) => {
            if let Some(key) = Key::asked(index) {
                let absent = || Miss::Absent(Reason::NoSuchKey(key.to_string().into()));
                return map.find(&key).ok_or_else(absent);
            }
            match index {
                // No key is 0.5, but it could be asked for.
                Value::Double(_) => Err(Miss::Absent(Reason::NoSuchKey("a fraction".into()))),
                _ => Err(wrong()),
            }
        }
        _ => Err(wrong()),
    }
}
