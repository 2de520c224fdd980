//! Patterns of STIX 2.1 (section 9 of the specification) → the single values that fulfil them.

use crate::entry::Kind;

/// Parts of a pattern within each other.
const DEEPEST: usize = 32;
/// Comparisons of a pattern.
const MOST: usize = 10_000;

/// What a pattern looks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Values {
    /// Each of them fulfils the pattern.
    pub(crate) values: Vec<(String, Kind)>,
    /// Why parts of it could not be used.
    pub(crate) unused: Vec<String>,
}

/// What fulfils a part of a pattern.
enum Part {
    /// Any of these.
    Any(Vec<(String, Kind)>),
    /// Nothing that is a single value.
    Unused(Vec<String>),
    /// Some of it can be used, some not.
    Some(Vec<(String, Kind)>, Vec<String>),
}

/// Reads a pattern.
///
/// # Errors
/// Where it is none.
pub(crate) fn values(pattern: &str) -> Result<Values, String> {
    let mut parser = Parser {
        tokens: tokens(pattern)?,
        at: 0,
        depth: 0,
        comparisons: 0,
    };
    let part = parser.observations()?;
    if let Some(token) = parser.peek() {
        return Err(format!("{} is not expected", token.shown()));
    }
    let (values, unused) = part.split();
    Ok(Values { values, unused })
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A keyword, or a path such as `file:hashes.'SHA-256'`.
    Word(String),
    Text(String),
    /// A number, a time, or what else is no text.
    Other(String),
    Sign(&'static str),
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Self::Word(text) | Self::Other(text) => text.chars().take(40).collect(),
            Self::Text(_) => "a text".to_owned(),
            Self::Sign(sign) => (*sign).to_owned(),
        }
    }
}

const SIGNS: [&str; 13] = [
    "!=", "<>", "<=", ">=", "==", "=", "<", ">", "[", "]", "(", ")", ",",
];

fn tokens(pattern: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = pattern.trim_start();
    while let Some(first) = rest.chars().next() {
        if tokens.len() > MOST.saturating_mul(4) {
            return Err("it is too long".to_owned());
        }
        let taken;
        if first == '\'' {
            let (text, after) = quoted(rest)?;
            tokens.push(Token::Text(text));
            taken = after;
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            taken = rest.get(sign.len()..).unwrap_or_default();
        } else if first.is_alphabetic() {
            let (word, after) = word(rest)?;
            // `t'2026-01-01T00:00:00Z'`, `h'00ff'` and `b'…'` are constants.
            if after.starts_with('\'') && matches!(word.as_str(), "t" | "h" | "b") {
                let (text, after) = quoted(after)?;
                tokens.push(Token::Other(text));
                taken = after;
            } else {
                tokens.push(Token::Word(word));
                taken = after;
            }
        } else {
            let is_number = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
            let end = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
            let Some(number) = rest.get(..end).filter(|number| !number.is_empty()) else {
                return Err(format!("{first} is not expected"));
            };
            tokens.push(Token::Other(number.to_owned()));
            taken = rest.get(end..).unwrap_or_default();
        }
        rest = taken.trim_start();
    }
    Ok(tokens)
}

/// A text in quotes, and what stands behind it.
fn quoted(rest: &str) -> Result<(String, &str), String> {
    let mut text = String::new();
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if is_escaped {
            text.push(c);
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == '\'' {
            let after = rest.get(at.saturating_add(1)..).unwrap_or_default();
            return Ok((text, after));
        } else {
            text.push(c);
        }
    }
    Err("a text has no end".to_owned())
}

/// A keyword or a path. Parts of paths may stand in quotes and have an index: `extensions.'a-b'.list[*].x`.
fn word(rest: &str) -> Result<(String, &str), String> {
    let mut word = String::new();
    let mut rest = rest;
    loop {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '.');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        word.push_str(rest.get(..end).unwrap_or_default());
        rest = rest.get(end..).unwrap_or_default();
        let is_path = word.contains(':');
        if is_path && word.ends_with('.') && rest.starts_with('\'') {
            let (part, after) = quoted(rest)?;
            word.push_str(&part);
            rest = after;
        } else if is_path && rest.starts_with('[') {
            let Some(end) = rest.find(']') else {
                return Err("an index has no end".to_owned());
            };
            word.push_str("[]");
            rest = rest.get(end.saturating_add(1)..).unwrap_or_default();
        } else {
            return Ok((word, rest));
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    comparisons: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at = self.at.saturating_add(1);
        token
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        if is_it {
            self.at = self.at.saturating_add(1);
        }
        is_it
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_it =
            matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        if is_it {
            self.at = self.at.saturating_add(1);
        }
        is_it
    }

    fn expects(&mut self, sign: &'static str) -> Result<(), String> {
        if self.takes(sign) {
            return Ok(());
        }
        let found = self.peek().map_or("the end".to_owned(), Token::shown);
        Err(format!("{sign} is expected, not {found}"))
    }

    fn deeper<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        if self.depth >= DEEPEST {
            return Err("it is too deep".to_owned());
        }
        self.depth = self.depth.saturating_add(1);
        let parsed = parse(self);
        self.depth = self.depth.saturating_sub(1);
        parsed
    }

    /// `[…] OR [… ] AND […] FOLLOWEDBY […]`. Observations that have to come together are no single value, and neither
    /// is one that has to come several times.
    fn observations(&mut self) -> Result<Part, String> {
        let mut part = self.observation()?;
        loop {
            if self.takes_word("OR") {
                part = part.or(self.observation()?);
            } else if self.takes_word("AND") || self.takes_word("FOLLOWEDBY") {
                self.observation()?;
                part = Part::unused("observations that have to come together");
            } else {
                return Ok(part);
            }
        }
    }

    fn observation(&mut self) -> Result<Part, String> {
        let mut part = if self.takes("(") {
            let inner = self.deeper(Self::observations)?;
            self.expects(")")?;
            inner
        } else {
            self.expects("[")?;
            let inner = self.any_of()?;
            self.expects("]")?;
            inner
        };
        loop {
            if self.takes_word("REPEATS") {
                self.next();
                self.takes_word("TIMES");
                part = Part::unused("observations that have to come several times");
            } else if self.takes_word("WITHIN") {
                // Without anything to come together, it says nothing.
                self.next();
                self.takes_word("SECONDS");
            } else if self.takes_word("START") {
                self.next();
                if !self.takes_word("STOP") {
                    return Err("START needs STOP".to_owned());
                }
                self.next();
                part = Part::unused("observations of a certain time");
            } else {
                return Ok(part);
            }
        }
    }

    fn any_of(&mut self) -> Result<Part, String> {
        let mut part = self.all_of()?;
        while self.takes_word("OR") {
            part = part.or(self.all_of()?);
        }
        Ok(part)
    }

    fn all_of(&mut self) -> Result<Part, String> {
        let mut part = self.comparison()?;
        while self.takes_word("AND") {
            part = part.and(self.comparison()?);
        }
        Ok(part)
    }

    fn comparison(&mut self) -> Result<Part, String> {
        self.comparisons = self.comparisons.saturating_add(1);
        if self.comparisons > MOST {
            return Err("it has too many comparisons".to_owned());
        }
        if self.takes("(") {
            let inner = self.deeper(Self::any_of)?;
            self.expects(")")?;
            return Ok(inner);
        }
        if self.takes_word("EXISTS") {
            let path = self.path()?;
            return Ok(Part::unused(&format!("EXISTS {path}")));
        }
        if self.takes_word("NOT") {
            self.deeper(Self::comparison)?;
            return Ok(Part::unused("NOT"));
        }
        let path = self.path()?;
        let is_not = self.takes_word("NOT");
        let operator = match self.next() {
            Some(Token::Sign("=" | "==")) => "=".to_owned(),
            Some(Token::Sign(sign)) => sign.to_owned(),
            Some(Token::Word(word)) => word.to_ascii_uppercase(),
            _ => return Err(format!("{path} is compared with nothing")),
        };
        let wanted = self.constants(&operator)?;
        if is_not {
            return Ok(Part::unused("NOT"));
        }
        let Some(kind) = kind_of(&path) else {
            return Ok(Part::unused(&format!("comparisons of {path}")));
        };
        let is_usable = match operator.as_str() {
            "=" | "IN" => true,
            "ISSUBSET" => kind == Kind::Address,
            _ => false,
        };
        let texts: Option<Vec<(String, Kind)>> = wanted
            .into_iter()
            .map(|token| match token {
                Token::Text(text) => Some((text, kind)),
                Token::Word(_) | Token::Other(_) | Token::Sign(_) => None,
            })
            .collect();
        match texts.filter(|_| is_usable) {
            Some(texts) => Ok(Part::Any(texts)),
            None => Ok(Part::unused(&format!("{operator} of {path}"))),
        }
    }

    fn path(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Word(path)) if path.contains(':') => Ok(path),
            Some(token) => Err(format!("a path is expected, not {}", token.shown())),
            None => Err("a path is expected, not the end".to_owned()),
        }
    }

    fn constants(&mut self, operator: &str) -> Result<Vec<Token>, String> {
        if operator != "IN" {
            let constant = self.next().ok_or("a constant is expected, not the end")?;
            return match constant {
                Token::Sign(sign) => Err(format!("a constant is expected, not {sign}")),
                constant => Ok(vec![constant]),
            };
        }
        self.expects("(")?;
        let mut constants = Vec::new();
        loop {
            match self.next() {
                Some(Token::Sign(")")) => return Ok(constants),
                Some(Token::Sign(",")) => {}
                Some(Token::Sign(sign)) => return Err(format!("{sign} within IN")),
                Some(constant) => constants.push(constant),
                None => return Err("IN has no end".to_owned()),
            }
        }
    }
}

/// What is compared.
fn kind_of(path: &str) -> Option<Kind> {
    let (object, property) = path.split_once(':')?;
    match (object, property) {
        ("ipv4-addr" | "ipv6-addr", "value") => Some(Kind::Address),
        ("domain-name", "value") => Some(Kind::Domain),
        ("url", "value") => Some(Kind::Url),
        ("file" | "artifact", property) => {
            let name = property.strip_prefix("hashes.")?.to_ascii_uppercase();
            let known = [
                "MD5", "SHA-1", "SHA1", "SHA-256", "SHA256", "SHA-512", "SHA512",
            ];
            known.contains(&name.as_str()).then_some(Kind::Hash)
        }
        _ => None,
    }
}

impl Part {
    fn unused(why: &str) -> Self {
        Self::Unused(vec![why.to_owned()])
    }

    fn split(self) -> (Vec<(String, Kind)>, Vec<String>) {
        match self {
            Self::Any(values) => (values, Vec::new()),
            Self::Unused(why) => (Vec::new(), why),
            Self::Some(values, why) => (values, why),
        }
    }

    fn of(values: Vec<(String, Kind)>, unused: Vec<String>) -> Self {
        match (values.is_empty(), unused.is_empty()) {
            (true, _) => Self::Unused(unused),
            (false, true) => Self::Any(values),
            (false, false) => Self::Some(values, unused),
        }
    }

    fn or(self, other: Self) -> Self {
        let ((mut values, mut unused), (more, why)) = (self.split(), other.split());
        values.extend(more);
        unused.extend(why);
        Self::of(values, unused)
    }

    /// A hash names the file, whatever else has to hold; two hashes of one file name it twice. Nothing else decides
    /// alone.
    fn and(self, other: Self) -> Self {
        let is_hash = |part: &Self| match part {
            Self::Any(values) => values.iter().all(|(_, kind)| *kind == Kind::Hash),
            Self::Unused(_) | Self::Some(..) => false,
        };
        match (is_hash(&self), is_hash(&other)) {
            (true, true) => self.or(other),
            (true, false) => self,
            (false, true) => other,
            (false, false) => Self::unused("things that have to come together"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> String {
        match values(pattern) {
            Err(why) => format!("error: {why}"),
            Ok(found) => {
                let values = found
                    .values
                    .iter()
                    .map(|(text, kind)| format!("{} {text}", kind.as_str()));
                let unused = found.unused.iter().map(|why| format!("unused: {why}"));
                values.chain(unused).collect::<Vec<_>>().join("; ")
            }
        }
    }

    #[test]
    fn single_values_are_found_and_the_rest_is_named() {
        let cases = [
            ("[ipv4-addr:value = '192.0.2.1']", "address 192.0.2.1"),
            (
                "[ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]",
                "address 192.0.2.1; address 192.0.2.2",
            ),
            (
                "[ipv4-addr:value ISSUBSET '192.0.2.0/24' OR ipv6-addr:value = '2001:db8::1']",
                "address 192.0.2.0/24; address 2001:db8::1",
            ),
            (
                "[domain-name:value = 'evil.example'] OR [url:value = 'http://evil.example/it\\'s']",
                "domain evil.example; url http://evil.example/it's",
            ),
            (
                "[file:hashes.MD5 = 'aa' AND file:hashes.'SHA-256' = 'bb' AND file:name = 'x']",
                "hash aa; hash bb",
            ),
            (
                "[ipv4-addr:value = '192.0.2.1' AND network-traffic:dst_port = 443]",
                "unused: things that have to come together",
            ),
            (
                "[(domain-name:value = 'a.example' OR domain-name:value = 'b.example') AND file:hashes.MD5 = 'aa']",
                "hash aa",
            ),
            (
                "[ipv4-addr:value = '192.0.2.1'] FOLLOWEDBY [ipv4-addr:value = '192.0.2.2'] WITHIN 60 SECONDS",
                "unused: observations that have to come together",
            ),
            (
                "([ipv4-addr:value = '192.0.2.1'] OR [ipv4-addr:value = '192.0.2.2']) WITHIN 60 SECONDS",
                "address 192.0.2.1; address 192.0.2.2",
            ),
            (
                "[ipv4-addr:value = '192.0.2.1'] REPEATS 5 TIMES",
                "unused: observations that have to come several times",
            ),
            (
                "[ipv4-addr:value = '192.0.2.1'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'",
                "unused: observations of a certain time",
            ),
            (
                "[domain-name:value LIKE '%.evil.example']",
                "unused: LIKE of domain-name:value",
            ),
            ("[NOT ipv4-addr:value = '192.0.2.1']", "unused: NOT"),
            ("[ipv4-addr:value NOT = '192.0.2.1']", "unused: NOT"),
            (
                "[process:command_line = 'x' OR domain-name:value = 'a.example']",
                "domain a.example; unused: comparisons of process:command_line",
            ),
            (
                "[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0]",
                "unused: comparisons of file:extensions.windows-pebinary-ext.sections[].entropy",
            ),
        ];
        for (pattern, expected) in cases {
            assert_eq!(of(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn nonsense_is_no_pattern_and_no_end() {
        for pattern in [
            "",
            "[",
            "[]",
            "[ipv4-addr:value]",
            "[ipv4-addr:value = ]",
            "[ipv4-addr:value = 'x",
            "[ipv4-addr:value IN ('x'",
            "[ipv4-addr:value = 'x'] 'y'",
            "ipv4-addr:value = 'x'",
            "[a:b[0 = 'x']",
            "[ipv4-addr:value = 'x'] START 'y'",
            "§",
        ] {
            assert!(
                of(pattern).starts_with("error: "),
                "{pattern}: {}",
                of(pattern)
            );
        }
        let deep = format!("{}[a:b = 'x']{}", "(".repeat(100), ")".repeat(100));
        assert_eq!(of(&deep), "error: it is too deep");
        let deep = format!("[{}a:b = 'x'{}]", "(".repeat(100), ")".repeat(100));
        assert_eq!(of(&deep), "error: it is too deep");
        // `NOT` recurses, too.
        let deep = format!("[{}a:b = 'x']", "NOT ".repeat(200_000));
        assert!(of(&deep).starts_with("error: "));
    }
}
