//! Text to tokens.

mod literal;

use crate::error::CompileError;

/// A token and where it starts.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) at: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// A name, keywords but for the literals and `in` included.
    Name(String),
    /// A name in backticks: only after a dot.
    Quoted(String),
    /// A whole number, without its sign: the smallest `int` has no positive counterpart.
    Int(u64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
    True,
    False,
    Null,
    Symbol(Symbol),
    End,
}

/// Operators and brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symbol {
    LeftParenthesis,
    RightParenthesis,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    Dot,
    Comma,
    Colon,
    Question,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Not,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    And,
    Or,
}

/// Longer ones before their beginnings.
const SYMBOLS: &[(&str, Symbol)] = &[
    ("==", Symbol::Equal),
    ("!=", Symbol::NotEqual),
    ("<=", Symbol::LessEqual),
    (">=", Symbol::GreaterEqual),
    ("&&", Symbol::And),
    ("||", Symbol::Or),
    ("<", Symbol::Less),
    (">", Symbol::Greater),
    ("!", Symbol::Not),
    ("(", Symbol::LeftParenthesis),
    (")", Symbol::RightParenthesis),
    ("[", Symbol::LeftBracket),
    ("]", Symbol::RightBracket),
    ("{", Symbol::LeftBrace),
    ("}", Symbol::RightBrace),
    (".", Symbol::Dot),
    (",", Symbol::Comma),
    (":", Symbol::Colon),
    ("?", Symbol::Question),
    ("+", Symbol::Plus),
    ("-", Symbol::Minus),
    ("*", Symbol::Star),
    ("/", Symbol::Slash),
    ("%", Symbol::Percent),
    ("in", Symbol::In),
];

impl Symbol {
    pub(crate) fn text(self) -> &'static str {
        SYMBOLS
            .iter()
            .find(|(_, symbol)| *symbol == self)
            .map_or("", |(text, _)| text)
    }
}

impl TokenKind {
    /// What messages call it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Quoted(name) => format!("`{name}` in backticks"),
            Self::Int(_) | Self::Uint(_) | Self::Double(_) => "a number".to_owned(),
            Self::String(_) => "a string".to_owned(),
            Self::Bytes(_) => "bytes".to_owned(),
            Self::True => "`true`".to_owned(),
            Self::False => "`false`".to_owned(),
            Self::Null => "`null`".to_owned(),
            Self::Symbol(symbol) => format!("`{}`", symbol.text()),
            Self::End => "the end".to_owned(),
        }
    }
}

/// The tokens of a text, the last of which is its end.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, CompileError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token()?;
        let is_end = token.kind == TokenKind::End;
        tokens.push(token);
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.text.len());
    }

    /// The characters from here for which `wanted` holds, passed over.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.advance(end);
        rest.get(..end).unwrap_or_default()
    }

    fn fail(&self, at: usize, message: impl Into<String>) -> CompileError {
        CompileError::new(self.text, offset(at), message)
    }

    fn token(&mut self) -> Result<Token, CompileError> {
        self.skip_space();
        let at = self.at;
        let kind = self.kind()?;
        Ok(Token {
            kind,
            at: offset(at),
        })
    }

    /// White space and comments.
    fn skip_space(&mut self) {
        loop {
            self.take_while(|c| matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' '));
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    fn kind(&mut self) -> Result<TokenKind, CompileError> {
        let at = self.at;
        let rest = self.rest();
        let Some(first) = self.peek() else {
            return Ok(TokenKind::End);
        };
        if first.is_ascii_digit() || (first == '.' && second_is_digit(rest)) {
            return self.number();
        }
        if let Some(literal) = self.string()? {
            return Ok(literal);
        }
        if is_name_start(first) {
            let name = self.take_while(|c| is_name_start(c) || c.is_ascii_digit());
            return Ok(match name {
                "true" => TokenKind::True,
                "false" => TokenKind::False,
                "null" => TokenKind::Null,
                "in" => TokenKind::Symbol(Symbol::In),
                _ => TokenKind::Name(name.to_owned()),
            });
        }
        if first == '`' {
            return self.quoted();
        }
        let symbol = SYMBOLS.iter().find(|(text, _)| rest.starts_with(text));
        if let Some((text, symbol)) = symbol {
            self.advance(text.len());
            return Ok(TokenKind::Symbol(*symbol));
        }
        let message = match first {
            '=' => "unexpected `=`: equality is `==`".to_owned(),
            '&' => "unexpected `&`: and is `&&`".to_owned(),
            '|' => "unexpected `|`: or is `||`".to_owned(),
            other => format!("unexpected character {}", other.escape_debug()),
        };
        Err(self.fail(at, message))
    }

    /// A field name that is no identifier: `` labels.`app.kubernetes.io/name` ``.
    fn quoted(&mut self) -> Result<TokenKind, CompileError> {
        let at = self.at;
        self.advance(1);
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || "_.-/ ".contains(c));
        if name.is_empty() || self.peek() != Some('`') {
            return Err(self.fail(
                at,
                "expected letters, digits, `_`, `.`, `-`, `/` or spaces up to another backtick",
            ));
        }
        self.advance(1);
        Ok(TokenKind::Quoted(name.to_owned()))
    }
}

fn is_name_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

fn second_is_digit(text: &str) -> bool {
    text.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
}

/// Texts are far shorter than 4 GiB: [`crate::Limits::text_bytes`] is checked first.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
