//! Calls: which function is meant, and whether it takes so many arguments.

use super::{Compiler, fold, suggestion};
use crate::environment::{Function, Style};
use crate::error::CompileError;
use crate::functions::{self, Builtin};
use crate::node::{Kind, Node, PatternCall, PatternFunction};
use crate::pattern::Pattern;
use crate::syntax::{StepKind, Syntax, SyntaxKind};
use crate::value::Value;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Patterns are large once they are compiled.
const PATTERNS: usize = 64;

/// A function that a name may mean.
enum Found {
    Builtin(&'static Builtin),
    Custom(Arc<Function>),
}

impl Found {
    fn arguments(&self) -> RangeInclusive<usize> {
        match self {
            Self::Builtin(builtin) => builtin.least..=builtin.most,
            Self::Custom(function) => function.arguments.clone(),
        }
    }
}

impl Compiler<'_> {
    pub(super) fn call(&mut self, syntax: &Syntax) -> Result<Node, CompileError> {
        let SyntaxKind::Call {
            receiver,
            name,
            is_root,
            arguments,
        } = &syntax.kind
        else {
            return self.node(syntax);
        };
        let at = syntax.at;
        let Some(receiver) = receiver else {
            if name == "has" && !is_root {
                return self.has(arguments, at);
            }
            return self.function(Style::Global, name, None, arguments, at);
        };
        if let Some(space) = self.namespace(receiver) {
            let qualified = format!("{space}.{name}");
            if qualified == "cel.bind" {
                return self.bind(arguments, at);
            }
            if self.exists(Style::Global, &qualified) {
                return self.function(Style::Global, &qualified, None, arguments, at);
            }
        }
        if let Some(node) = self.comprehension(receiver, name, arguments, at)? {
            return Ok(node);
        }
        if let [other] = arguments.as_slice()
            && matches!(name.as_str(), "or" | "orValue")
        {
            let parts = Box::new((self.node(receiver)?, self.node(other)?));
            let kind = match name.as_str() {
                "or" => Kind::OrOptional(parts),
                _ => Kind::OrValue(parts),
            };
            return Ok(Node { kind, at });
        }
        self.function(Style::Member, name, Some(receiver), arguments, at)
    }

    /// The dotted name before the last dot, if it is no variable of a macro.
    fn namespace(&self, receiver: &Syntax) -> Option<String> {
        let (base, steps) = match &receiver.kind {
            SyntaxKind::Path { base, steps } => (&**base, steps.as_slice()),
            _ => (receiver, [].as_slice()),
        };
        let SyntaxKind::Name { name, is_root } = &base.kind else {
            return None;
        };
        if (!is_root && self.local(name).is_some()) || steps.len() > 8 {
            return None;
        }
        let mut space = name.clone();
        for step in steps {
            match &step.kind {
                StepKind::Field(field) if !step.is_optional => {
                    space.push('.');
                    space.push_str(field);
                }
                _ => return None,
            }
        }
        Some(space)
    }

    fn exists(&self, style: Style, name: &str) -> bool {
        self.candidates(style, name).next().is_some()
    }

    /// The functions of this name: those of the environment hide the others.
    fn candidates(&self, style: Style, name: &str) -> impl Iterator<Item = Found> {
        let custom = self.environment.functions.iter();
        let custom = custom.filter(move |each| each.style == style && *each.name == *name);
        let custom = custom.map(|each| Found::Custom(Arc::clone(each)));
        let builtins = functions::named(style, name).map(Found::Builtin);
        custom.chain(builtins)
    }

    fn function(
        &mut self,
        style: Style,
        name: &str,
        receiver: Option<&Syntax>,
        arguments: &[Syntax],
        at: u32,
    ) -> Result<Node, CompileError> {
        let count = arguments.len() + usize::from(receiver.is_some());
        let mut candidates = self.candidates(style, name).peekable();
        let Some(first) = candidates.peek() else {
            drop(candidates);
            // What is wrong further left is said first.
            if let Some(Syntax {
                kind: SyntaxKind::Call { .. },
                ..
            }) = receiver
            {
                self.nodes(receiver)?;
            }
            return Err(self.unknown_function(style, name, receiver, at));
        };
        let taken = first.arguments();
        let Some(found) = candidates.find(|found| found.arguments().contains(&count)) else {
            drop(candidates);
            let hidden = usize::from(receiver.is_some());
            let (least, most) = (*taken.start() - hidden, *taken.end() - hidden);
            let wanted = match most {
                most if most == least && most == 1 => "1 argument".to_owned(),
                most if most == least => format!("{most} arguments"),
                usize::MAX => format!("at least {least} arguments"),
                most => format!("{least} to {most} arguments"),
            };
            let message = format!("`{name}` takes {wanted}, not {}", count - hidden);
            return Err(self.fail(at, message));
        };
        drop(candidates);
        let nodes = self.nodes(receiver.into_iter().chain(arguments))?;
        let kind = match found {
            Found::Custom(function) => Kind::Custom(function, nodes),
            Found::Builtin(builtin) => match fold::call(builtin, &nodes) {
                Some(value) => Kind::Constant(value),
                None => return self.pattern_call(builtin, nodes, at),
            },
        };
        Ok(Node { kind, at })
    }

    /// Compiles the pattern of `matches` and the like, if it is a constant.
    fn pattern_call(
        &mut self,
        builtin: &'static Builtin,
        nodes: Box<[Node]>,
        at: u32,
    ) -> Result<Node, CompileError> {
        let function = match builtin.name {
            "matches" => PatternFunction::Matches,
            "find" => PatternFunction::Find,
            "findAll" => PatternFunction::FindAll,
            _ => {
                let kind = Kind::Builtin(builtin, nodes);
                return Ok(Node { kind, at });
            }
        };
        let known = match nodes.get(1) {
            Some(Node {
                kind: Kind::Constant(Value::String(text)),
                at,
            }) => Some((text.to_string(), *at)),
            _ => None,
        };
        let Some((text, pattern_at)) = known else {
            let kind = Kind::Builtin(builtin, nodes);
            return Ok(Node { kind, at });
        };
        self.patterns += 1;
        if self.patterns > PATTERNS {
            let message = format!("expression has more than {PATTERNS} patterns");
            return Err(self.fail(pattern_at, message));
        }
        let pattern = Pattern::new(&text).map_err(|message| self.fail(pattern_at, message))?;
        let mut nodes = nodes.into_vec().into_iter();
        let (Some(text), Some(_), limit) = (nodes.next(), nodes.next(), nodes.next()) else {
            return Err(self.fail(at, "pattern without a text"));
        };
        let kind = Kind::Pattern(Box::new(PatternCall {
            function,
            pattern,
            text,
            limit,
        }));
        Ok(Node { kind, at })
    }

    fn unknown_function(
        &self,
        style: Style,
        name: &str,
        receiver: Option<&Syntax>,
        at: u32,
    ) -> CompileError {
        if receiver
            .is_some_and(|receiver| self.namespace(receiver).as_deref() == Some("authorizer"))
        {
            let message = "`authorizer` is not supported: there is no API server to ask";
            return self.fail(at, message);
        }
        let (other, how) = match style {
            Style::Global => (Style::Member, format!("`x.{name}(…)`")),
            Style::Member => (Style::Global, format!("`{name}(x, …)`")),
        };
        if self.exists(other, name) {
            return self.fail(at, format!("`{name}` is called as {how}"));
        }
        let custom = self.environment.functions.iter();
        let custom = custom
            .filter(|each| each.style == style)
            .map(|each| &*each.name);
        let known = custom.chain(functions::names(style).map(|name| name as &str));
        let kind = match style {
            Style::Global => "function",
            Style::Member => "method",
        };
        let message = format!("unknown {kind} `{name}`{}", suggestion(name, known));
        self.fail(at, message)
    }
}
