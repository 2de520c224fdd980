//! The tree of the text to the tree that is evaluated: names found, macros unfolded, constants made.

mod call;
mod fold;
mod macros;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::environment::Environment;
use crate::error::CompileError;
use crate::lexer::Symbol;
use crate::limits::Limits;
use crate::node::{Element, Entry, Kind, Node, Operation, Path, Step, StepKind};
use crate::parser;
use crate::program::{Inner, Program};
use crate::syntax::{self, Syntax, SyntaxKind};
use crate::value::{Type, Value};

/// However much the caller allows: evaluation goes down as deep as the tree is high.
const DEEPEST: usize = 128;

pub(crate) fn compile(
    environment: &Environment,
    text: &str,
    limits: &Limits,
) -> Result<Program, CompileError> {
    let limits = Limits {
        depth: limits.depth.min(DEEPEST),
        ..*limits
    };
    let syntax = parser::parse(text, &limits)?;
    let mut compiler = Compiler {
        environment,
        text,
        scopes: Vec::new(),
        locals: 0,
        used: BTreeSet::new(),
        patterns: 0,
    };
    let root = compiler.node(&syntax)?;
    Ok(Program::new(Inner {
        text: text.into(),
        root,
        names: Arc::clone(&environment.variables),
        used: compiler.used.into_iter().collect(),
        locals: compiler.locals,
    }))
}

struct Compiler<'c> {
    environment: &'c Environment,
    text: &'c str,
    /// The variables of the macros around; the index is the slot.
    scopes: Vec<String>,
    /// The most there ever were at once.
    locals: usize,
    used: BTreeSet<usize>,
    /// How many patterns are compiled in.
    patterns: usize,
}

impl Compiler<'_> {
    fn fail(&self, at: u32, message: impl Into<String>) -> CompileError {
        CompileError::new(self.text, at, message)
    }

    fn node(&mut self, syntax: &Syntax) -> Result<Node, CompileError> {
        let at = syntax.at;
        let kind = match &syntax.kind {
            SyntaxKind::Literal(value) => Kind::Constant(value.clone()),
            SyntaxKind::Name { name, is_root } => return self.name(name, *is_root, &[], at),
            SyntaxKind::List(elements) => self.list(elements)?,
            SyntaxKind::Map(entries) => self.map(entries)?,
            SyntaxKind::Path { base, steps } => return self.path(base, steps, at),
            SyntaxKind::Call { .. } => return self.call(syntax),
            SyntaxKind::Not { operand, times } => Kind::Not(Box::new(self.node(operand)?), *times),
            SyntaxKind::Negate { operand, times } => {
                Kind::Negate(Box::new(self.node(operand)?), *times)
            }
            SyntaxKind::And(terms) => Kind::And(self.nodes(terms)?),
            SyntaxKind::Or(terms) => Kind::Or(self.nodes(terms)?),
            SyntaxKind::Chain { first, rest } => self.chain(first, rest)?,
            SyntaxKind::Conditional {
                branches,
                otherwise,
            } => {
                let branches = branches
                    .iter()
                    .map(|(condition, result)| Ok((self.node(condition)?, self.node(result)?)));
                let branches = branches.collect::<Result<_, CompileError>>()?;
                Kind::Conditional(branches, Box::new(self.node(otherwise)?))
            }
        };
        Ok(Node { kind, at })
    }

    fn nodes<'s>(
        &mut self,
        syntaxes: impl IntoIterator<Item = &'s Syntax>,
    ) -> Result<Box<[Node]>, CompileError> {
        syntaxes
            .into_iter()
            .map(|syntax| self.node(syntax))
            .collect()
    }

    fn list(&mut self, elements: &[syntax::Element]) -> Result<Kind, CompileError> {
        let elements = elements.iter().map(|element| {
            Ok(Element {
                value: self.node(&element.value)?,
                is_optional: element.is_optional,
            })
        });
        let elements: Vec<Element> = elements.collect::<Result<_, CompileError>>()?;
        Ok(fold::list(elements))
    }

    fn map(&mut self, entries: &[syntax::Entry]) -> Result<Kind, CompileError> {
        let entries = entries.iter().map(|entry| {
            Ok(Entry {
                key: self.node(&entry.key)?,
                value: self.node(&entry.value)?,
                is_optional: entry.is_optional,
            })
        });
        let entries: Vec<Entry> = entries.collect::<Result<_, CompileError>>()?;
        Ok(fold::map(entries))
    }

    fn chain(&mut self, first: &Syntax, rest: &[syntax::Operation]) -> Result<Kind, CompileError> {
        let first = self.node(first)?;
        let operations = rest.iter().map(|operation| {
            Ok(Operation {
                symbol: operation.symbol,
                at: operation.at,
                operand: self.node(&operation.operand)?,
            })
        });
        let operations: Vec<Operation> = operations.collect::<Result<_, CompileError>>()?;
        if let [
            Operation {
                symbol: Symbol::In,
                operand,
                ..
            },
        ] = operations.as_slice()
            && let Some(texts) = fold::texts(operand)
        {
            return Ok(Kind::InTexts(Box::new(first), texts));
        }
        Ok(Kind::Chain(Box::new(first), operations.into()))
    }

    fn steps(&mut self, steps: &[syntax::Step]) -> Result<Box<[Step]>, CompileError> {
        let steps = steps.iter().map(|step| {
            Ok(Step {
                kind: match &step.kind {
                    syntax::StepKind::Field(name) => StepKind::Field(name.as_str().into()),
                    syntax::StepKind::Index(index) => StepKind::Index(self.node(index)?),
                },
                is_optional: step.is_optional,
                at: step.at,
            })
        });
        steps.collect()
    }

    fn path(
        &mut self,
        base: &Syntax,
        steps: &[syntax::Step],
        at: u32,
    ) -> Result<Node, CompileError> {
        match &base.kind {
            SyntaxKind::Name { name, is_root } => self.name(name, *is_root, steps, at),
            _ => {
                let base = self.node(base)?;
                let steps = self.steps(steps)?;
                let kind = Kind::Path(Box::new(Path { base, steps }));
                Ok(Node { kind, at })
            }
        }
    }

    /// A name and the steps behind it, of which the first may belong to the name (langdef.md, "Name Resolution").
    fn name(
        &mut self,
        name: &str,
        is_root: bool,
        steps: &[syntax::Step],
        at: u32,
    ) -> Result<Node, CompileError> {
        let (kind, taken) = match self.local(name).filter(|_| !is_root) {
            Some(slot) => (Kind::Local(slot), 0),
            None => self.global(name, steps, at)?,
        };
        let base = Node { kind, at };
        let steps = steps.get(taken..).unwrap_or_default();
        if steps.is_empty() {
            return Ok(base);
        }
        let steps = self.steps(steps)?;
        let kind = Kind::Path(Box::new(Path { base, steps }));
        Ok(Node { kind, at })
    }

    fn local(&self, name: &str) -> Option<usize> {
        self.scopes.iter().rposition(|each| each == name)
    }

    /// What the longest known name means, and how many steps belong to it.
    fn global(
        &mut self,
        name: &str,
        steps: &[syntax::Step],
        at: u32,
    ) -> Result<(Kind, usize), CompileError> {
        let mut names = vec![name.to_owned()];
        // Names have few dots; a path may have thousands.
        for step in steps.iter().take(8) {
            match &step.kind {
                syntax::StepKind::Field(field) if !step.is_optional => {
                    let longer = format!("{}.{field}", names.last().map_or("", |name| name));
                    names.push(longer);
                }
                _ => break,
            }
        }
        for (taken, name) in names.iter().enumerate().rev() {
            if let Some(kind) = self.known(name) {
                return Ok((kind, taken));
            }
        }
        let message = if name == "authorizer" {
            "`authorizer` is not supported: there is no API server to ask".to_owned()
        } else {
            let variables = self.environment.variables.iter().map(|name| &**name);
            let constants = self.environment.constants.iter().map(|(name, _)| &**name);
            let types = Type::names().map(|name| name as &str);
            let known = variables.chain(constants).chain(types);
            let known = known.chain(self.scopes.iter().map(String::as_str));
            format!("unknown variable `{name}`{}", suggestion(name, known))
        };
        Err(self.fail(at, message))
    }

    fn known(&mut self, name: &str) -> Option<Kind> {
        let environment = self.environment;
        if let Some(slot) = environment
            .variables
            .iter()
            .position(|each| **each == *name)
        {
            self.used.insert(slot);
            return Some(Kind::Variable(slot));
        }
        let constant = environment
            .constants
            .iter()
            .rfind(|(each, _)| **each == *name);
        if let Some((_, value)) = constant {
            return Some(Kind::Constant(value.clone()));
        }
        Type::named(name).map(|named| Kind::Constant(Value::Type(named)))
    }
}

/// ` (did you mean …?)`, if one of the known names is near.
fn suggestion<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let farthest = name.chars().count().div_ceil(3).min(3);
    known
        .map(|each| (distance(name, each), each))
        .filter(|(distance, _)| *distance <= farthest)
        .min()
        .map(|(_, each)| format!(" (did you mean `{each}`?)"))
        .unwrap_or_default()
}

/// How many characters must be added, removed or replaced to make one of the other.
fn distance(left: &str, right: &str) -> usize {
    const LONGEST: usize = 64;
    if left.len() > LONGEST || right.len() > LONGEST {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (at, left) in left.chars().enumerate() {
        let mut diagonal = at;
        let mut before = at + 1;
        for (place, right) in row.iter_mut().skip(1).zip(right.chars()) {
            let replaced = diagonal + usize::from(!left.eq_ignore_ascii_case(&right));
            diagonal = *place;
            *place = replaced.min(*place + 1).min(before + 1);
            before = *place;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}
