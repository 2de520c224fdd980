//! What operators stand between: literals, names, brackets, and the members and calls behind them.

use super::{Parser, highest};
use crate::error::CompileError;
use crate::lexer::{Symbol, TokenKind};
use crate::syntax::{Element, Entry, Step, StepKind, Syntax, SyntaxKind};
use crate::value::{Octets, Text, Value};

/// Reserved for languages around this one (langdef.md, "Syntax").
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

impl Parser<'_> {
    pub(super) fn member(&mut self) -> Result<Syntax, CompileError> {
        let primary = self.primary()?;
        self.members(primary)
    }

    /// What follows with dots and brackets.
    pub(super) fn members(&mut self, mut base: Syntax) -> Result<Syntax, CompileError> {
        loop {
            let at = self.at();
            if self.accept(Symbol::Dot) {
                let is_optional = self.accept(Symbol::Question);
                let (name, is_quoted) = self.selector()?;
                if !is_optional && !is_quoted && self.accept(Symbol::LeftParenthesis) {
                    base = self.call(at + 1, Some(base), name, false)?;
                } else {
                    base = self.step(base, StepKind::Field(name), is_optional, at)?;
                }
            } else if self.accept(Symbol::LeftBracket) {
                let is_optional = self.accept(Symbol::Question);
                let index = self.expression()?;
                self.expect(Symbol::RightBracket)?;
                let index = StepKind::Index(Box::new(index));
                base = self.step(base, index, is_optional, at)?;
            } else if self.is(Symbol::LeftBrace) && is_name(&base) {
                return Err(self.fail(
                    at,
                    "messages cannot be constructed: there are no protocol buffers here",
                ));
            } else {
                return Ok(base);
            }
        }
    }

    /// One more step on the path that `base` is, or the first of one on it.
    fn step(
        &mut self,
        base: Syntax,
        kind: StepKind,
        is_optional: bool,
        at: u32,
    ) -> Result<Syntax, CompileError> {
        let below = match &kind {
            StepKind::Field(_) => 0,
            StepKind::Index(index) => index.height,
        };
        let step = Step {
            kind,
            is_optional,
            at,
        };
        if let SyntaxKind::Path {
            base: inner,
            mut steps,
        } = base.kind
        {
            self.count(at)?;
            steps.push(step);
            let height = base.height.max(below + 1);
            if height > self.limits.depth {
                return Err(self.too_deep(at));
            }
            return Ok(Syntax {
                kind: SyntaxKind::Path { base: inner, steps },
                at: base.at,
                height,
            });
        }
        let below = below.max(base.height);
        let start = base.at;
        let kind = SyntaxKind::Path {
            base: Box::new(base),
            steps: vec![step],
        };
        self.node(kind, start, below)
    }

    /// A name after a dot: words that are reserved elsewhere may stand there.
    fn selector(&mut self) -> Result<(String, bool), CompileError> {
        match self.peek() {
            TokenKind::Name(_) | TokenKind::Quoted(_) => {}
            _ => return Err(self.unexpected("a name after the dot")),
        }
        match self.take().kind {
            TokenKind::Quoted(name) => Ok((name, true)),
            TokenKind::Name(name) => Ok((name, false)),
            _ => Ok((String::new(), false)),
        }
    }

    /// The arguments after the parenthesis.
    fn call(
        &mut self,
        at: u32,
        receiver: Option<Syntax>,
        name: String,
        is_root: bool,
    ) -> Result<Syntax, CompileError> {
        let mut arguments = Vec::new();
        if !self.is(Symbol::RightParenthesis) {
            arguments.push(self.expression()?);
            while self.accept(Symbol::Comma) {
                arguments.push(self.expression()?);
            }
        }
        if !self.accept(Symbol::RightParenthesis) {
            return Err(self.unexpected("`,` or `)`"));
        }
        let below = highest(arguments.iter().chain(&receiver));
        let kind = SyntaxKind::Call {
            receiver: receiver.map(Box::new),
            name,
            is_root,
            arguments,
        };
        self.node(kind, at, below)
    }

    fn primary(&mut self) -> Result<Syntax, CompileError> {
        let at = self.at();
        let literal = match self.peek() {
            TokenKind::Name(_) => return self.name(at, false),
            TokenKind::Symbol(Symbol::Dot) => {
                self.take();
                return self.name(at, true);
            }
            TokenKind::Symbol(Symbol::LeftParenthesis) => {
                self.take();
                let inner = self.expression()?;
                self.expect(Symbol::RightParenthesis)?;
                return Ok(inner);
            }
            TokenKind::Symbol(Symbol::LeftBracket) => {
                self.take();
                return self.list(at);
            }
            TokenKind::Symbol(Symbol::LeftBrace) => {
                self.take();
                return self.map(at);
            }
            TokenKind::Int(value) => match i64::try_from(*value) {
                Ok(value) => Value::Int(value),
                Err(_) => return Err(self.fail(at, "number out of the range of int")),
            },
            TokenKind::Uint(value) => Value::Uint(*value),
            TokenKind::Double(value) => Value::Double(*value),
            TokenKind::True => Value::Bool(true),
            TokenKind::False => Value::Bool(false),
            TokenKind::Null => Value::Null,
            TokenKind::String(text) => Value::String(Text::from(text.clone())),
            TokenKind::Bytes(bytes) => Value::Bytes(Octets::from(bytes.clone())),
            TokenKind::Symbol(_) | TokenKind::Quoted(_) | TokenKind::End => {
                return Err(self.unexpected("an expression"));
            }
        };
        self.take();
        self.node(SyntaxKind::Literal(literal), at, 0)
    }

    /// A variable or the call of a function.
    fn name(&mut self, at: u32, is_root: bool) -> Result<Syntax, CompileError> {
        let TokenKind::Name(name) = self.peek().clone() else {
            return Err(self.unexpected("a name"));
        };
        if RESERVED.contains(&name.as_str()) {
            return Err(self.fail(self.at(), format!("`{name}` is a reserved word")));
        }
        self.take();
        match self.accept(Symbol::LeftParenthesis) {
            true => self.call(at, None, name, is_root),
            false => self.node(SyntaxKind::Name { name, is_root }, at, 0),
        }
    }

    fn list(&mut self, at: u32) -> Result<Syntax, CompileError> {
        let mut elements = Vec::new();
        while !self.accept(Symbol::RightBracket) {
            let is_optional = self.accept(Symbol::Question);
            let value = self.expression()?;
            elements.push(Element { value, is_optional });
            if !self.accept(Symbol::Comma) && !self.is(Symbol::RightBracket) {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
        let below = highest(elements.iter().map(|element| &element.value));
        self.node(SyntaxKind::List(elements), at, below)
    }

    fn map(&mut self, at: u32) -> Result<Syntax, CompileError> {
        let mut entries = Vec::new();
        while !self.accept(Symbol::RightBrace) {
            let is_optional = self.accept(Symbol::Question);
            let key = self.expression()?;
            self.expect(Symbol::Colon)?;
            let value = self.expression()?;
            entries.push(Entry {
                key,
                value,
                is_optional,
            });
            if !self.accept(Symbol::Comma) && !self.is(Symbol::RightBrace) {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
        let both = entries.iter().flat_map(|entry| [&entry.key, &entry.value]);
        let below = highest(both);
        self.node(SyntaxKind::Map(entries), at, below)
    }
}

/// Whether this could be the name of a message.
fn is_name(syntax: &Syntax) -> bool {
    let is_field = |step: &Step| matches!(step.kind, StepKind::Field(_)) && !step.is_optional;
    match &syntax.kind {
        SyntaxKind::Name { .. } => true,
        SyntaxKind::Path { base, steps } => {
            matches!(base.kind, SyntaxKind::Name { .. }) && steps.iter().all(is_field)
        }
        _ => false,
    }
}
