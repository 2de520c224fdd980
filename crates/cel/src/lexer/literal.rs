//! Numbers, strings and bytes (langdef.md, "Numeric Values" and "String and Bytes Values").

use super::{Lexer, TokenKind, is_name_start};
use crate::error::CompileError;

impl Lexer<'_> {
    pub(super) fn number(&mut self) -> Result<TokenKind, CompileError> {
        let at = self.at;
        let kind = match self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            true => {
                self.advance(2);
                let digits = self.take_while(|c| c.is_ascii_hexdigit());
                self.whole(at, digits, 16)
            }
            false => self.decimal(),
        }?;
        match self.peek() {
            Some(next) if is_name_start(next) || next.is_ascii_digit() => {
                Err(self.fail(self.at, "expected an operator after the number"))
            }
            _ => Ok(kind),
        }
    }

    fn decimal(&mut self) -> Result<TokenKind, CompileError> {
        let at = self.at;
        let whole = self.take_while(|c| c.is_ascii_digit());
        let mut is_double = false;
        let mut bytes = self.rest().bytes();
        if bytes.next() == Some(b'.') && bytes.next().is_some_and(|b| b.is_ascii_digit()) {
            is_double = true;
            self.advance(1);
            self.take_while(|c| c.is_ascii_digit());
        }
        is_double |= self.exponent();
        if !is_double {
            return self.whole(at, whole, 10);
        }
        let text = self.text.get(at..self.at).unwrap_or_default();
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(TokenKind::Double(value)),
            _ => Err(self.fail(at, "number out of the range of double")),
        }
    }

    /// Passes over an exponent, if there is a whole one.
    fn exponent(&mut self) -> bool {
        let rest = self.rest();
        let Some(after) = rest.strip_prefix(['e', 'E']) else {
            return false;
        };
        let digits = after.strip_prefix(['+', '-']).unwrap_or(after);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return false;
        }
        self.advance(rest.len() - digits.len());
        self.take_while(|c| c.is_ascii_digit());
        true
    }

    fn whole(&mut self, at: usize, digits: &str, radix: u32) -> Result<TokenKind, CompileError> {
        let value = u64::from_str_radix(digits, radix);
        let is_unsigned = matches!(self.peek(), Some('u' | 'U'));
        if is_unsigned {
            self.advance(1);
        }
        match value {
            Ok(value) if is_unsigned => Ok(TokenKind::Uint(value)),
            // The smallest int is one more than the largest without its sign; the parser knows the sign.
            Ok(value) if value <= 1 << 63 => Ok(TokenKind::Int(value)),
            _ if digits.is_empty() => Err(self.fail(at, "expected digits after `0x`")),
            _ => Err(self.fail(at, "number out of range")),
        }
    }

    /// A string or bytes, if one starts here.
    pub(super) fn string(&mut self) -> Result<Option<TokenKind>, CompileError> {
        let at = self.at;
        let rest = self.rest();
        // Not further than a prefix is long: this is asked for at every token.
        let quote = rest.bytes().take(3).position(|b| b == b'"' || b == b'\'');
        let prefix = quote.unwrap_or(usize::MAX);
        let (is_bytes, is_raw) = match rest.get(..prefix) {
            Some("") => (false, false),
            Some("r" | "R") => (false, true),
            Some("b" | "B") => (true, false),
            Some("br" | "bR" | "Br" | "BR" | "rb" | "rB" | "Rb" | "RB") => (true, true),
            _ => return Ok(None),
        };
        let opened = rest.get(prefix..).unwrap_or_default();
        let quote = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quote| opened.starts_with(quote))
            .unwrap_or("'");
        self.advance(prefix + quote.len());
        let mut content = Content {
            bytes: Vec::new(),
            is_bytes,
        };
        loop {
            let rest = self.rest();
            if rest.starts_with(quote) {
                self.advance(quote.len());
                break;
            }
            let Some(next) = self.peek() else {
                return Err(self.fail(at, format!("expected {quote} at the end of the string")));
            };
            match next {
                '\r' | '\n' if quote.len() == 1 => {
                    return Err(self.fail(
                        self.at,
                        format!("expected {quote} before the end of the line"),
                    ));
                }
                '\\' if !is_raw => self.escape(&mut content)?,
                other => {
                    self.advance(other.len_utf8());
                    content.character(other);
                }
            }
        }
        Ok(Some(match is_bytes {
            true => TokenKind::Bytes(content.bytes),
            false => TokenKind::String(
                String::from_utf8(content.bytes)
                    .map_err(|_| self.fail(at, "string is not UTF-8"))?,
            ),
        }))
    }

    fn escape(&mut self, content: &mut Content) -> Result<(), CompileError> {
        let at = self.at;
        self.advance(1);
        let Some(kind) = self.peek() else {
            return Err(self.fail(at, "expected a character after the backslash"));
        };
        self.advance(kind.len_utf8());
        let plain = match kind {
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '\\' | '?' | '"' | '\'' | '`' => kind,
            'x' | 'X' => return self.code(at, 2, 16, content),
            'u' if !content.is_bytes => return self.code(at, 4, 16, content),
            'U' if !content.is_bytes => return self.code(at, 8, 16, content),
            '0'..='3' => {
                self.at -= 1;
                return self.code(at, 3, 8, content);
            }
            _ => {
                let message = format!("unknown escape \\{}", kind.escape_debug());
                return Err(self.fail(at, message));
            }
        };
        content.character(plain);
        Ok(())
    }

    /// An escape by number: of a code point in strings, of a byte in bytes.
    fn code(
        &mut self,
        at: usize,
        digits: usize,
        radix: u32,
        content: &mut Content,
    ) -> Result<(), CompileError> {
        let code = self
            .rest()
            .get(..digits)
            .filter(|text| text.chars().all(|c| c.is_digit(radix)))
            .and_then(|text| u32::from_str_radix(text, radix).ok());
        let Some(code) = code else {
            return Err(self.fail(at, format!("expected {digits} digits in the escape")));
        };
        self.advance(digits);
        if content.is_bytes {
            content.bytes.extend(u8::try_from(code));
            return Ok(());
        }
        match char::from_u32(code) {
            Some(character) => content.character(character),
            None => return Err(self.fail(at, "escape is no Unicode character")),
        }
        Ok(())
    }
}

/// What a literal has said so far.
struct Content {
    bytes: Vec<u8>,
    is_bytes: bool,
}

impl Content {
    fn character(&mut self, character: char) {
        let mut buffer = [0; 4];
        let encoded = character.encode_utf8(&mut buffer);
        self.bytes.extend_from_slice(encoded.as_bytes());
    }
}
