//! The parser of conditions: without a separate lexer, as Falco's, because what a word is depends on where it stands.
//!
//! Follows the grammar that Falco publishes with its parser. It recurses only into parentheses and transformers, of
//! which there may be [`MOST_DEPTH`] within each other.

use super::quoted;
use super::syntax::is_blank;
use super::syntax::{
    Check, Expr, Literal, Modifier, Operation, Operator, Right, Term, Transformer,
};

/// Parentheses within each other at most. Falco's limit of 1,000 steps of its parser comes to about twice as many.
const MOST_DEPTH: usize = 100;
/// Comparisons of one condition at most, before macros are put in.
const MOST_CHECKS: usize = 20_000;

/// Why a text is no condition. The fault of who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SyntaxError {
    /// The byte at which reading stopped.
    pub(crate) at: usize,
    /// What is wrong there.
    pub(crate) message: String,
}

/// Reads a condition.
///
/// # Errors
/// When it is none, or too deep.
pub(crate) fn parse_condition(text: &str) -> Result<Expr, SyntaxError> {
    let mut parser = Parser::new(text);
    if text.is_empty() {
        return Err(parser.error("a condition is wanted, and there is none"));
    }
    let expr = parser.or()?;
    if parser.at != text.len() {
        return Err(parser.error("`and`, `or` or the end is wanted"));
    }
    Ok(expr)
}

/// Reads the longest field or transformed field that `text` begins with, and says how many bytes it takes.
///
/// # Errors
/// When it begins with none.
pub(crate) fn parse_output_field(text: &str) -> Result<(Term, usize), SyntaxError> {
    let mut parser = Parser::new(text);
    let term = match parser.field()? {
        Some(field) => field,
        None => match parser.transformed()? {
            Some(term) => term,
            None => return Err(parser.error("a field is wanted")),
        },
    };
    Ok((term, parser.at))
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    checks: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            checks: 0,
        }
    }

    fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError {
            at: self.at,
            message: message.into(),
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn bytes(&self) -> &'t [u8] {
        self.rest().as_bytes()
    }

    fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.text.len());
    }

    /// Skips blanks, and says whether there were some.
    fn blank(&mut self) -> bool {
        let count = self
            .bytes()
            .iter()
            .take_while(|byte| is_blank(**byte))
            .count();
        self.skip(count);
        count > 0
    }

    fn token(&mut self, token: &str) -> bool {
        let is_there = self.rest().starts_with(token);
        if is_there {
            self.skip(token.len());
        }
        is_there
    }

    /// A word operator and the blanks that must stand behind it.
    fn word(&mut self, word: &str) -> bool {
        let before = self.at;
        if self.token(word) && self.blank() {
            return true;
        }
        self.at = before;
        false
    }

    fn deeper<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.depth >= MOST_DEPTH {
            return Err(self.error(format!(
                "more than {MOST_DEPTH} parentheses within each other"
            )));
        }
        self.depth = self.depth.saturating_add(1);
        let parsed = parse(self);
        self.depth = self.depth.saturating_sub(1);
        parsed
    }

    fn or(&mut self) -> Result<Expr, SyntaxError> {
        self.chain("or", Self::and, Expr::Or)
    }

    fn and(&mut self) -> Result<Expr, SyntaxError> {
        self.chain("and", Self::not, Expr::And)
    }

    /// Parts joined by a word: behind it stands a blank and a part, or a parenthesis.
    fn chain(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Result<Expr, SyntaxError>,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Result<Expr, SyntaxError> {
        self.blank();
        let first = part(self)?;
        self.blank();
        let mut parts = vec![first];
        while self.token(word) {
            let next = if self.blank() {
                part(self)?
            } else if self.token("(") {
                self.embedded()?
            } else {
                return Err(self.error(format!("a blank or ( is wanted behind `{word}`")));
            };
            parts.push(next);
            self.blank();
        }
        if parts.len() == 1 {
            return Ok(parts.swap_remove(0));
        }
        Ok(join(parts))
    }

    fn not(&mut self) -> Result<Expr, SyntaxError> {
        let mut is_not = false;
        self.blank();
        while self.word("not") {
            is_not = !is_not;
        }
        let inner = if self.token("not(") {
            is_not = !is_not;
            self.embedded()?
        } else {
            self.check()?
        };
        Ok(if is_not {
            Expr::Not(Box::new(inner))
        } else {
            inner
        })
    }

    /// What is behind an open parenthesis, with the closing one.
    fn embedded(&mut self) -> Result<Expr, SyntaxError> {
        self.deeper(|parser| {
            let inner = parser.or()?;
            parser.blank();
            if parser.token(")") {
                Ok(inner)
            } else {
                Err(parser.error("a ) is wanted"))
            }
        })
    }

    fn check(&mut self) -> Result<Expr, SyntaxError> {
        self.blank();
        let at = self.at;
        if self.token("(") {
            return self.embedded();
        }
        let left = match self.field()? {
            Some(field) => Some(field),
            None => self.transformed()?,
        };
        self.checks = self.checks.saturating_add(1);
        if self.checks > MOST_CHECKS {
            return Err(self.error(format!("more than {MOST_CHECKS} comparisons")));
        }
        if let Some(left) = left {
            let (operation, right) = self.comparison()?;
            return Ok(Expr::Check(Box::new(Check {
                left,
                operation,
                right,
                at,
            })));
        }
        match self.identifier() {
            Some(name) => Ok(Expr::Macro(name.to_owned(), at)),
            None => Err(self.error("a (, a field or the name of a macro is wanted")),
        }
    }

    fn comparison(&mut self) -> Result<(Operation, Right), SyntaxError> {
        let plain = |operator| Operation {
            operator,
            modifier: None,
        };
        self.blank();
        if self.token("exists") {
            return Ok((plain(Operator::Exists), Right::None));
        }
        for (operator, name) in Operator::NUMERIC {
            if self.token(name) {
                return Ok((plain(operator), self.number_or_term()?));
            }
        }
        for (operator, name) in Operator::TEXTUAL {
            let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic());
            let is_there = if is_word {
                self.word(name)
            } else {
                self.token(name)
            };
            if !is_there {
                continue;
            }
            let had_blank = is_word || self.blank();
            let before = self.at;
            if had_blank && let Some(modifier) = self.modifier() {
                if self.begins_list() && !self.begins_joint() {
                    let operation = Operation {
                        operator,
                        modifier: Some(modifier),
                    };
                    return Ok((operation, self.list()?));
                }
                self.at = before;
            }
            return Ok((plain(operator), self.text_or_term()?));
        }
        for (operator, name) in Operator::LISTS {
            if self.token(name) {
                return Ok((plain(operator), self.list_or_term()?));
            }
        }
        Err(self.error(
            "an operator is wanted: exists, =, !=, <, <=, >, >=, in, intersects, pmatch, contains, icontains, \
             bcontains, startswith, bstartswith, endswith, glob, iglob or regex",
        ))
    }

    fn modifier(&mut self) -> Option<Modifier> {
        let mut all = Modifier::ALL.into_iter();
        all.find(|(_, name)| self.word(name))
            .map(|(modifier, _)| modifier)
    }

    fn begins_list(&self) -> bool {
        let first = self.bytes().first();
        first.is_some_and(|byte| *byte == b'(' || byte.is_ascii_alphabetic())
    }

    /// Whether `and`, `or` or `not` comes next.
    fn begins_joint(&self) -> bool {
        ["and", "or", "not"].into_iter().any(|word| {
            self.rest().strip_prefix(word).is_some_and(|rest| {
                let next = rest.bytes().next();
                !next.is_some_and(|byte| byte.is_ascii_alphanumeric())
            })
        })
    }

    fn number_or_term(&mut self) -> Result<Right, SyntaxError> {
        if let Some(term) = self.right_term()? {
            return Ok(Right::Term(term));
        }
        match self.number() {
            Some(number) => Ok(Right::One(Literal::text(number))),
            None => Err(self.error("a number is wanted")),
        }
    }

    fn text_or_term(&mut self) -> Result<Right, SyntaxError> {
        if let Some(term) = self.right_term()? {
            return Ok(Right::Term(term));
        }
        match self.text()? {
            Some(text) => Ok(Right::One(text)),
            None => Err(self.error("a text is wanted")),
        }
    }

    fn list_or_term(&mut self) -> Result<Right, SyntaxError> {
        self.blank();
        if !self.rest().starts_with('(')
            && let Some(term) = self.right_term()?
        {
            return Ok(Right::Term(term));
        }
        self.list()
    }

    /// A list in parentheses, or one name that no list has: a list of itself.
    fn list(&mut self) -> Result<Right, SyntaxError> {
        self.blank();
        if !self.token("(") {
            return match self.identifier() {
                Some(name) => Ok(Right::Many(vec![Literal::text(name)])),
                None => Err(self.error("a list is wanted")),
            };
        }
        let mut items = Vec::new();
        self.blank();
        if let Some(first) = self.text()? {
            items.push(first);
            self.blank();
            while self.token(",") {
                self.blank();
                match self.text()? {
                    Some(item) => items.push(item),
                    None => return Err(self.error("a text is wanted behind the comma")),
                }
                self.blank();
            }
        }
        if !self.token(")") {
            return Err(self.error("a , or a ) is wanted in the list"));
        }
        Ok(Right::Many(items))
    }

    /// `val(…)` or a transformed field.
    fn right_term(&mut self) -> Result<Option<Term>, SyntaxError> {
        self.blank();
        let at = self.at;
        if !self.token("val(") {
            return self.transformed();
        }
        self.blank();
        let Some(field) = self.field()? else {
            return Err(self.error("a field is wanted in val()"));
        };
        self.blank();
        if !self.token(")") {
            return Err(self.error("a ) is wanted"));
        }
        Ok(Some(Term::Call {
            transformer: Transformer::Val,
            arguments: vec![field],
            selector: self.brackets()?,
            at,
        }))
    }

    /// `tolower(…)` and the like.
    fn transformed(&mut self) -> Result<Option<Term>, SyntaxError> {
        let at = self.at;
        let mut found = None;
        for (transformer, name) in Transformer::ALL {
            let is_there = self
                .rest()
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('('));
            if is_there {
                self.skip(name.len().saturating_add(1));
                found = Some(transformer);
                break;
            }
        }
        let Some(transformer) = found else {
            return Ok(None);
        };
        let arguments = self.deeper(|parser| {
            let mut arguments = Vec::new();
            loop {
                parser.blank();
                arguments.push(parser.argument(true)?);
                parser.blank();
                if !parser.token(",") {
                    break;
                }
            }
            if parser.token(")") {
                Ok(arguments)
            } else {
                Err(parser.error("a ) is wanted behind what is transformed"))
            }
        })?;
        Ok(Some(Term::Call {
            transformer,
            arguments,
            selector: self.brackets()?,
            at,
        }))
    }

    /// What is transformed: a field, another transformer, a text in quotes, a number, or a list of these.
    fn argument(&mut self, may_be_list: bool) -> Result<Term, SyntaxError> {
        if let Some(number) = self.number() {
            return Ok(Term::Literal(Literal::text(number)));
        }
        if let Some(text) = self.quoted()? {
            return Ok(Term::Literal(text));
        }
        if may_be_list && self.token("(") {
            let mut items = Vec::new();
            self.blank();
            if self.token(")") {
                return Ok(Term::List(items));
            }
            loop {
                self.blank();
                items.push(self.argument(false)?);
                self.blank();
                if !self.token(",") {
                    break;
                }
            }
            if !self.token(")") {
                return Err(self.error("a ) is wanted behind the list"));
            }
            return Ok(Term::List(items));
        }
        if let Some(term) = self.transformed()? {
            return Ok(term);
        }
        match self.field()? {
            Some(field) => Ok(field),
            None => Err(self.error("a field, a text in quotes or a number is wanted")),
        }
    }

    fn field(&mut self) -> Result<Option<Term>, SyntaxError> {
        let at = self.at;
        let bytes = self.bytes();
        let Some(mut end) = identifier_length(bytes) else {
            return Ok(None);
        };
        let first = end;
        // Further names, each behind a point.
        while bytes.get(end) == Some(&b'.') {
            let next = bytes.get(end.saturating_add(1)..).unwrap_or_default();
            match identifier_length(next) {
                Some(length) => end = end.saturating_add(length).saturating_add(1),
                None => break,
            }
        }
        if end == first {
            return Ok(None);
        }
        let name = self.rest().get(..end).unwrap_or_default().to_owned();
        self.skip(end);
        Ok(Some(Term::Field {
            name,
            argument: self.brackets()?,
            at,
        }))
    }

    fn brackets(&mut self) -> Result<Option<String>, SyntaxError> {
        if !self.token("[") {
            return Ok(None);
        }
        let text = if let Some(text) = self.quoted()? {
            text.lossy()
        } else {
            let is_bare =
                |c: char| !("[]\"'".contains(c) || c.is_ascii_whitespace() || c == '\x0b');
            let rest = self.rest();
            let end = rest.find(|c| !is_bare(c)).unwrap_or(rest.len());
            let text = rest.get(..end).unwrap_or_default().to_owned();
            if text.is_empty() {
                return Err(
                    self.error("an argument is wanted: a text, in quotes or without blanks")
                );
            }
            self.skip(end);
            text
        };
        if !self.token("]") {
            return Err(self.error("a ] is wanted"));
        }
        Ok(Some(text))
    }

    fn identifier(&mut self) -> Option<&'t str> {
        let length = identifier_length(self.bytes())?;
        let name = self.rest().get(..length)?;
        self.skip(length);
        Some(name)
    }

    fn text(&mut self) -> Result<Option<Literal>, SyntaxError> {
        if let Some(text) = self.quoted()? {
            return Ok(Some(text));
        }
        let rest = self.rest();
        let is_end = |c: char| "()\"'=,".contains(c) || c.is_ascii_whitespace() || c == '\x0b';
        let end = rest.find(is_end).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default();
        if text.is_empty() {
            return Ok(None);
        }
        self.skip(end);
        Ok(Some(Literal::text(text)))
    }

    fn quoted(&mut self) -> Result<Option<Literal>, SyntaxError> {
        match quoted::read(self.bytes()) {
            Ok(None) => Ok(None),
            Ok(Some((text, length))) => {
                self.skip(length);
                Ok(Some(Literal(text.into())))
            }
            Err(message) => Err(self.error(message)),
        }
    }

    /// `0x1F`, or a number with sign, point and exponent as Falco's pattern has it.
    fn number(&mut self) -> Option<&'t str> {
        let bytes = self.bytes();
        let length = hexadecimal_length(bytes).or_else(|| decimal_length(bytes))?;
        let number = self.rest().get(..length)?;
        self.skip(length);
        Some(number)
    }
}

/// `[a-zA-Z][a-zA-Z0-9_]*`
fn identifier_length(bytes: &[u8]) -> Option<usize> {
    if !bytes.first()?.is_ascii_alphabetic() {
        return None;
    }
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    Some(bytes.iter().take_while(is_part).count())
}

fn hexadecimal_length(bytes: &[u8]) -> Option<usize> {
    let digits = match bytes {
        [b'0', b'x' | b'X', digits @ ..] => digits,
        _ => return None,
    };
    let count = digits
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    (count > 0).then(|| count.saturating_add(2))
}

/// `[+-]?[0-9]+[.]?[0-9]*([eE][+-][0-9]+)?`
fn decimal_length(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let bytes = bytes.get(from..).unwrap_or_default();
        bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    if whole == 0 {
        return None;
    }
    let mut end = sign.saturating_add(whole);
    if bytes.get(end) == Some(&b'.') {
        end = end.saturating_add(1);
        end = end.saturating_add(digits(end));
    }
    if let [b'e' | b'E', b'+' | b'-', ..] = bytes.get(end..).unwrap_or_default() {
        let from = end.saturating_add(2);
        let exponent = digits(from);
        if exponent > 0 {
            end = from.saturating_add(exponent);
        }
    }
    Some(end)
}
