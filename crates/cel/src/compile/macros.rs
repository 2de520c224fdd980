//! Macros: what looks like a call but has variables of its own (langdef.md, "Macros").

use super::Compiler;
use crate::error::CompileError;
use crate::node::{Collect, Comprehension, Kind, Node, Path};
use crate::syntax::{StepKind, Syntax, SyntaxKind};

/// Name, arguments, variables among them, whether a filter is next, what becomes of the bodies.
type Macro = (&'static str, usize, usize, bool, Collect);

const COMPREHENSIONS: &[Macro] = &[
    ("all", 2, 1, false, Collect::All),
    ("all", 3, 2, false, Collect::All),
    ("exists", 2, 1, false, Collect::Exists),
    ("exists", 3, 2, false, Collect::Exists),
    ("exists_one", 2, 1, false, Collect::ExistsOne),
    ("exists_one", 3, 2, false, Collect::ExistsOne),
    ("existsOne", 2, 1, false, Collect::ExistsOne),
    ("existsOne", 3, 2, false, Collect::ExistsOne),
    ("filter", 2, 1, false, Collect::Filter),
    ("map", 2, 1, false, Collect::List),
    ("map", 3, 1, true, Collect::List),
    ("transformList", 3, 2, false, Collect::List),
    ("transformList", 4, 2, true, Collect::List),
    ("transformMap", 3, 2, false, Collect::Map),
    ("transformMap", 4, 2, true, Collect::Map),
    ("transformMapEntry", 3, 2, false, Collect::Entries),
    ("transformMapEntry", 4, 2, true, Collect::Entries),
    ("sortBy", 2, 1, false, Collect::Sorted),
];

impl Compiler<'_> {
    /// The macro of this name, if there is one.
    pub(super) fn comprehension(
        &mut self,
        receiver: &Syntax,
        name: &str,
        arguments: &[Syntax],
        at: u32,
    ) -> Result<Option<Node>, CompileError> {
        let is_flat = match name {
            "optMap" => Some(false),
            "optFlatMap" => Some(true),
            _ => None,
        };
        if let Some(is_flat) = is_flat {
            let [variable, body] = arguments else {
                let message = format!("`{name}` takes a variable and an expression");
                return Err(self.fail(at, message));
            };
            let range = self.node(receiver)?;
            let variable = self.variable(variable)?;
            let (slot, body) = self.within([variable], |compiler| compiler.node(body))?;
            let kind = Kind::OptionalMap {
                slot,
                parts: Box::new((range, body)),
                is_flat,
            };
            return Ok(Some(Node { kind, at }));
        }
        let mut of_name = COMPREHENSIONS.iter().filter(|(each, ..)| *each == name);
        let Some(first) = of_name.clone().next() else {
            return Ok(None);
        };
        let Some((_, _, variables, has_filter, collect)) =
            of_name.find(|(_, count, ..)| *count == arguments.len())
        else {
            let wanted = match first.2 {
                1 => "a variable and an expression",
                _ => "two variables and an expression",
            };
            let message = format!("`{name}` takes {wanted}, not {} arguments", arguments.len());
            return Err(self.fail(at, message));
        };
        let range = self.node(receiver)?;
        let (names, bodies) = arguments.split_at(*variables);
        let names = names.iter().map(|name| self.variable(name));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        if let [first, second] = names.as_slice()
            && first == second
        {
            return Err(self.fail(at, format!("both variables are called `{first}`")));
        }
        let (first, (filter, body)) = self.within(names, |compiler| match bodies {
            [filter, body] if *has_filter => {
                Ok((Some(compiler.node(filter)?), compiler.node(body)?))
            }
            [body, ..] => Ok((None, compiler.node(body)?)),
            [] => Err(compiler.fail(at, "macro without an expression")),
        })?;
        let kind = Kind::Comprehension(Box::new(Comprehension {
            collect: *collect,
            range,
            first,
            second: (*variables == 2).then_some(first + 1),
            filter,
            body,
        }));
        Ok(Some(Node { kind, at }))
    }

    /// `cel.bind(x, value, body)`.
    pub(super) fn bind(&mut self, arguments: &[Syntax], at: u32) -> Result<Node, CompileError> {
        let [variable, value, body] = arguments else {
            let message = "`cel.bind` takes a variable, its value and an expression";
            return Err(self.fail(at, message));
        };
        let value = self.node(value)?;
        let variable = self.variable(variable)?;
        let (slot, body) = self.within([variable], |compiler| compiler.node(body))?;
        let kind = Kind::Bind {
            slot,
            parts: Box::new((value, body)),
        };
        Ok(Node { kind, at })
    }

    /// `has(a.b)`.
    pub(super) fn has(&mut self, arguments: &[Syntax], at: u32) -> Result<Node, CompileError> {
        let wanted = "`has` takes the field of something: `has(a.b)`";
        let [argument] = arguments else {
            return Err(self.fail(at, wanted));
        };
        let SyntaxKind::Path { base, steps } = &argument.kind else {
            return Err(self.fail(argument.at, wanted));
        };
        match steps.last() {
            Some(last) if !last.is_optional && matches!(last.kind, StepKind::Field(_)) => {}
            _ => return Err(self.fail(argument.at, wanted)),
        }
        let node = self.path(base, steps, argument.at)?;
        let kind = match node.kind {
            Kind::Path(path) => Kind::Has(path),
            // The whole path is the name of one variable: it is there.
            base => Kind::Has(Box::new(Path {
                base: Node { kind: base, at },
                steps: Box::default(),
            })),
        };
        Ok(Node { kind, at })
    }

    /// The name of a macro's variable.
    fn variable(&self, syntax: &Syntax) -> Result<String, CompileError> {
        match &syntax.kind {
            SyntaxKind::Name {
                name,
                is_root: false,
            } => Ok(name.clone()),
            _ => Err(self.fail(syntax.at, "expected the name of a variable")),
        }
    }

    /// Compiles what sees the variables, and says the slot of the first.
    fn within<T>(
        &mut self,
        names: impl IntoIterator<Item = String>,
        body: impl FnOnce(&mut Self) -> Result<T, CompileError>,
    ) -> Result<(usize, T), CompileError> {
        let first = self.scopes.len();
        self.scopes.extend(names);
        self.locals = self.locals.max(self.scopes.len());
        let made = body(self)?;
        self.scopes.truncate(first);
        Ok((first, made))
    }
}
