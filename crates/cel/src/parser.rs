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

/// How tightly a binary operator binds.
fn level(symbol: Symbol) -> Option<u8> {
    Some(match symbol {
        Symbol::Or => OR,
        Symbol::And => AND,
        Symbol::Equal
        | Symbol::NotEqual
        | Symbol::Less
        | Symbol::LessEqual
        | Symbol::Greater
        | Symbol::GreaterEqual
        | Symbol::In => 3,
        Symbol::Plus | Symbol::Minus => 4,
        Symbol::Star | Symbol::Slash | Symbol::Percent => 5,
        _ => return None,
    })
}

const OR: u8 = 1;
const AND: u8 = 2;

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
        let at = self.at();
        let mut syntax = self.binary(OR)?;
        if self.is(Symbol::Question) {
            syntax = self.conditional(syntax, at)?;
        }
        self.depth -= 1;
        Ok(syntax)
    }

    /// `a ? b : c ? d : e`, of which the first condition is read.
    fn conditional(&mut self, first: Syntax, at: u32) -> Result<Syntax, CompileError> {
        let mut branches = Vec::new();
        let mut below = 0;
        let mut condition = first;
        while self.accept(Symbol::Question) {
            // The grammar has no bare conditional between `?` and `:`, but cel-go takes one.
            let result = self.expression()?;
            self.expect(Symbol::Colon)?;
            self.count(condition.at)?;
            below = below.max(condition.height).max(result.height);
            branches.push((condition, result));
            condition = self.binary(OR)?;
        }
        below = below.max(condition.height);
        let kind = SyntaxKind::Conditional {
            branches,
            otherwise: Box::new(condition),
        };
        self.node(kind, at, below)
    }

    /// Operands with operators between them that bind at least as tightly as the level. All that stand in a row
    /// and bind equally become one node.
    fn binary(&mut self, least: u8) -> Result<Syntax, CompileError> {
        let mut left = self.unary()?;
        while let Some(next) = self.operator().filter(|next| *next >= least) {
            let mut rest = Vec::new();
            let mut below = left.height;
            while self.operator() == Some(next) {
                let TokenKind::Symbol(symbol) = *self.peek() else {
                    break;
                };
                let at = self.at();
                self.next += 1;
                let operand = self.binary(next + 1)?;
                below = below.max(operand.height);
                self.count(at)?;
                rest.push(Operation {
                    symbol,
                    at,
                    operand,
                });
            }
            left = self.chain(next, left, rest, below)?;
        }
        Ok(left)
    }

    /// How tightly the operator binds that comes next, if one does.
    fn operator(&self) -> Option<u8> {
        match self.peek() {
            TokenKind::Symbol(symbol) => level(*symbol),
            _ => None,
        }
    }

    fn chain(
        &mut self,
        level: u8,
        first: Syntax,
        rest: Vec<Operation>,
        below: usize,
    ) -> Result<Syntax, CompileError> {
        let at = first.at;
        let terms = |first, rest: Vec<Operation>| {
            let operands = rest.into_iter().map(|operation| operation.operand);
            std::iter::once(first).chain(operands).collect()
        };
        let kind = match level {
            OR => SyntaxKind::Or(terms(first, rest)),
            AND => SyntaxKind::And(terms(first, rest)),
            _ => SyntaxKind::Chain {
                first: Box::new(first),
                rest,
            },
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
