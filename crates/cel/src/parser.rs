//! Tokens to a tree: recursive descent that counts its depth (langdef.md, "Syntax").

mod primary;

use crate::error::CompileError;
use crate::lexer::{self, Symbol, Token, TokenKind};
use crate::limits::Limits;
use crate::syntax::{Operation, Syntax, SyntaxKind};
use crate::value::Value;

/// Reads a whole text.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Syntax, CompileError> {
    if text.len() > limits.text_bytes {
        let message = format!("expression is longer than {} bytes", limits.text_bytes);
        return Err(CompileError::new("", 0, message));
    }
    let mut parser = Parser {
        text,
        tokens: lexer::tokens(text)?,
        next: 0,
        depth: 0,
        nodes: 0,
        limits,
    };
    let syntax = parser.expression()?;
    match parser.peek() {
        TokenKind::End => Ok(syntax),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    nodes: usize,
    limits: &'t Limits,
}

const END: Token = Token {
    kind: TokenKind::End,
    at: u32::MAX,
};

/// The binary operators but for `&&` and `||`, from the loosest.
const LEVELS: [&[Symbol]; 3] = [
    &[
        Symbol::Equal,
        Symbol::NotEqual,
        Symbol::Less,
        Symbol::LessEqual,
        Symbol::Greater,
        Symbol::GreaterEqual,
        Symbol::In,
    ],
    &[Symbol::Plus, Symbol::Minus],
    &[Symbol::Star, Symbol::Slash, Symbol::Percent],
];

impl Parser<'_> {
    fn token(&self) -> &Token {
        self.tokens.get(self.next).unwrap_or(&END)
    }

    fn peek(&self) -> &TokenKind {
        &self.token().kind
    }

    /// Takes the next token.
    fn take(&mut self) -> Token {
        let token = self.token().clone();
        self.next += 1;
        token
    }

    fn at(&self) -> u32 {
        self.token().at
    }

    fn is(&self, symbol: Symbol) -> bool {
        *self.peek() == TokenKind::Symbol(symbol)
    }

    /// Passes over the symbol, if it comes next.
    fn accept(&mut self, symbol: Symbol) -> bool {
        let found = self.is(symbol);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: Symbol) -> Result<(), CompileError> {
        match self.accept(symbol) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{}`", symbol.text()))),
        }
    }

    fn unexpected(&self, expected: &str) -> CompileError {
        let found = self.peek().describe();
        self.fail(self.at(), format!("expected {expected}, found {found}"))
    }

    fn fail(&self, at: u32, message: impl Into<String>) -> CompileError {
        CompileError::new(self.text, at, message)
    }

    /// A node, if there may be one more, and one so high.
    fn node(&mut self, kind: SyntaxKind, at: u32, below: usize) -> Result<Syntax, CompileError> {
        self.count(at)?;
        let height = below + 1;
        if height > self.limits.depth {
            return Err(self.too_deep(at));
        }
        Ok(Syntax { kind, at, height })
    }

    fn count(&mut self, at: u32) -> Result<(), CompileError> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            let message = format!("expression has more than {} parts", self.limits.nodes);
            return Err(self.fail(at, message));
        }
        Ok(())
    }

    fn too_deep(&self, at: u32) -> CompileError {
        let message = format!(
            "expression is nested more than {} levels deep",
            self.limits.depth
        );
        self.fail(at, message)
    }

    /// The only way down: everything that nests comes through here.
    fn expression(&mut self) -> Result<Syntax, CompileError> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(self.too_deep(self.at()));
        }
        let syntax = self.conditional()?;
        self.depth -= 1;
        Ok(syntax)
    }

    fn conditional(&mut self) -> Result<Syntax, CompileError> {
        let mut branches = Vec::new();
        let mut below = 0;
        let at = self.at();
        loop {
            let condition = self.any()?;
            if !self.accept(Symbol::Question) {
                if branches.is_empty() {
                    return Ok(condition);
                }
                below = below.max(condition.height);
                let kind = SyntaxKind::Conditional {
                    branches,
                    otherwise: Box::new(condition),
                };
                return self.node(kind, at, below);
            }
            // The grammar has no bare conditional between `?` and `:`, but cel-go takes one.
            let result = self.expression()?;
            self.expect(Symbol::Colon)?;
            self.count(condition.at)?;
            below = below.max(condition.height).max(result.height);
            branches.push((condition, result));
        }
    }

    /// Terms with `||` between them.
    fn any(&mut self) -> Result<Syntax, CompileError> {
        let first = self.all()?;
        if !self.is(Symbol::Or) {
            return Ok(first);
        }
        let at = first.at;
        let mut terms = vec![first];
        while self.accept(Symbol::Or) {
            terms.push(self.all()?);
        }
        let below = highest(&terms);
        self.node(SyntaxKind::Or(terms), at, below)
    }

    /// Terms with `&&` between them.
    fn all(&mut self) -> Result<Syntax, CompileError> {
        let first = self.chain(0)?;
        if !self.is(Symbol::And) {
            return Ok(first);
        }
        let at = first.at;
        let mut terms = vec![first];
        while self.accept(Symbol::And) {
            terms.push(self.chain(0)?);
        }
        let below = highest(&terms);
        self.node(SyntaxKind::And(terms), at, below)
    }

    /// Operands with operators of one level between them.
    fn chain(&mut self, level: usize) -> Result<Syntax, CompileError> {
        let Some(symbols) = LEVELS.get(level) else {
            return self.unary();
        };
        let first = self.chain(level + 1)?;
        let mut rest = Vec::new();
        let mut below = first.height;
        loop {
            let TokenKind::Symbol(symbol) = *self.peek() else {
                break;
            };
            if !symbols.contains(&symbol) {
                break;
            }
            let at = self.take().at;
            let operand = self.chain(level + 1)?;
            below = below.max(operand.height);
            self.count(at)?;
            rest.push(Operation {
                symbol,
                at,
                operand,
            });
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let at = first.at;
        let kind = SyntaxKind::Chain {
            first: Box::new(first),
            rest,
        };
        self.node(kind, at, below)
    }

    fn unary(&mut self) -> Result<Syntax, CompileError> {
        let at = self.at();
        let mut times = 0;
        if self.is(Symbol::Not) {
            while self.accept(Symbol::Not) {
                times += 1;
            }
            let operand = Box::new(self.member()?);
            let below = operand.height;
            return self.node(SyntaxKind::Not { operand, times }, at, below);
        }
        while self.accept(Symbol::Minus) {
            times += 1;
        }
        if times == 0 {
            return self.member();
        }
        // The last sign belongs to the literal: there is no other way to write the smallest int.
        let literal = match *self.peek() {
            TokenKind::Int(value) => Some(Value::Int(0i64.wrapping_sub_unsigned(value))),
            TokenKind::Double(value) => Some(Value::Double(-value)),
            _ => None,
        };
        let operand = match literal {
            Some(value) => {
                self.take();
                times -= 1;
                let literal = self.node(SyntaxKind::Literal(value), at, 0)?;
                self.members(literal)?
            }
            None => self.member()?,
        };
        if times == 0 {
            return Ok(operand);
        }
        let below = operand.height;
        let operand = Box::new(operand);
        self.node(SyntaxKind::Negate { operand, times }, at, below)
    }
}

fn highest<'s>(nodes: impl IntoIterator<Item = &'s Syntax>) -> usize {
    nodes.into_iter().map(|node| node.height).max().unwrap_or(0)
}
