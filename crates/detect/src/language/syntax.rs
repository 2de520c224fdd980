//! What conditions are made of.

use std::fmt;

/// A condition, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    /// A macro's name, and where it stands.
    Macro(String, usize),
    Check(Box<Check>),
}

/// A comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) left: Term,
    pub(crate) operation: Operation,
    pub(crate) right: Right,
    /// Where it begins.
    pub(crate) at: usize,
}

/// What gives values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    Field {
        name: String,
        argument: Option<String>,
        at: usize,
    },
    Call {
        transformer: Transformer,
        arguments: Vec<Term>,
        /// What stands in brackets behind it.
        selector: Option<String>,
        at: usize,
    },
    Literal(Literal),
    List(Vec<Term>),
}

/// Text of a rule: bytes, since `\xHH` makes any.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Literal(pub(crate) Box<[u8]>);

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// Nothing: `exists`.
    None,
    One(Literal),
    Many(Vec<Literal>),
    /// Another field: `val(…)`, or a transformed one.
    Term(Term),
}

/// An operator with its modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Operation {
    pub(crate) operator: Operator,
    pub(crate) modifier: Option<Modifier>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Operator {
    Exists,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    Glob,
    IGlob,
    Contains,
    IContains,
    BContains,
    StartsWith,
    BStartsWith,
    EndsWith,
    Regex,
    In,
    Intersects,
    PMatch,
}

/// How many of the values must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Modifier {
    One,
    Any,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Transformer {
    /// The field as it is; only on the right.
    Val,
    ToLower,
    ToUpper,
    B64,
    Basename,
    Len,
    Join,
    Concat,
    GetOpt,
}

impl Operator {
    /// Compares with a number.
    pub(crate) const NUMERIC: [(Self, &'static str); 4] = [
        (Self::LessEqual, "<="),
        (Self::Less, "<"),
        (Self::GreaterEqual, ">="),
        (Self::Greater, ">"),
    ];
    /// Compares with a text.
    pub(crate) const TEXTUAL: [(Self, &'static str); 12] = [
        (Self::Equal, "=="),
        (Self::Equal, "="),
        (Self::NotEqual, "!="),
        (Self::Glob, "glob"),
        (Self::IGlob, "iglob"),
        (Self::Contains, "contains"),
        (Self::IContains, "icontains"),
        (Self::BContains, "bcontains"),
        (Self::StartsWith, "startswith"),
        (Self::BStartsWith, "bstartswith"),
        (Self::EndsWith, "endswith"),
        (Self::Regex, "regex"),
    ];
    /// Compares with a list.
    pub(crate) const LISTS: [(Self, &'static str); 3] = [
        (Self::Intersects, "intersects"),
        (Self::In, "in"),
        (Self::PMatch, "pmatch"),
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Glob => "glob",
            Self::IGlob => "iglob",
            Self::Contains => "contains",
            Self::IContains => "icontains",
            Self::BContains => "bcontains",
            Self::StartsWith => "startswith",
            Self::BStartsWith => "bstartswith",
            Self::EndsWith => "endswith",
            Self::Regex => "regex",
            Self::In => "in",
            Self::Intersects => "intersects",
            Self::PMatch => "pmatch",
        }
    }
}

impl Operation {
    /// The operation that a text names, as exceptions do: `=`, `startswith`, `contains anyof`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let word = words.next()?;
        let modifier = match words.next() {
            None => None,
            Some(word) => Some(Modifier::parse(word)?),
        };
        if words.next().is_some() {
            return None;
        }
        let numeric = Operator::NUMERIC.iter().chain(&Operator::LISTS);
        let named = |(_, name): &&(Operator, &str)| *name == word;
        if let Some((operator, _)) = Operator::TEXTUAL.iter().find(named) {
            return Some(Self {
                operator: *operator,
                modifier,
            });
        }
        let operator = if word == "exists" {
            Operator::Exists
        } else {
            numeric.clone().find(named)?.0
        };
        modifier.is_none().then_some(Self {
            operator,
            modifier: None,
        })
    }

    /// Whether it compares with a list.
    pub(crate) fn wants_list(self) -> bool {
        let lists = [Operator::In, Operator::Intersects, Operator::PMatch];
        self.modifier.is_some() || lists.contains(&self.operator)
    }
}

impl Modifier {
    pub(crate) const ALL: [(Self, &'static str); 3] = [
        (Self::One, "oneof"),
        (Self::Any, "anyof"),
        (Self::All, "allof"),
    ];

    fn parse(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|(_, name)| *name == text)
            .map(|(modifier, _)| modifier)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::One => "oneof",
            Self::Any => "anyof",
            Self::All => "allof",
        }
    }
}

impl Transformer {
    /// Those that are written with an open parenthesis directly behind; `val` is only on the right.
    pub(crate) const ALL: [(Self, &'static str); 8] = [
        (Self::ToLower, "tolower"),
        (Self::ToUpper, "toupper"),
        (Self::B64, "b64"),
        (Self::Basename, "basename"),
        (Self::Len, "len"),
        (Self::Join, "join"),
        (Self::Concat, "concat"),
        (Self::GetOpt, "getopt"),
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Val => "val",
            Self::ToLower => "tolower",
            Self::ToUpper => "toupper",
            Self::B64 => "b64",
            Self::Basename => "basename",
            Self::Len => "len",
            Self::Join => "join",
            Self::Concat => "concat",
            Self::GetOpt => "getopt",
        }
    }
}

impl Literal {
    pub(crate) fn text(text: &str) -> Self {
        Self(text.as_bytes().into())
    }

    /// For people: bytes that are no UTF-8 are replaced.
    pub(crate) fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

/// Whether a byte separates words: what Falco's parser skips.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x08 | b'\r' | b'\n')
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operator.as_str())?;
        match self.modifier {
            None => Ok(()),
            Some(modifier) => write!(f, " {}", modifier.as_str()),
        }
    }
}

impl fmt::Display for Literal {
    /// In quotes where it would not be read back without them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.lossy();
        let is_bare = |c: char| !(c.is_ascii_whitespace() || "()\"'=,".contains(c));
        if !text.is_empty() && text.chars().all(is_bare) {
            return f.write_str(&text);
        }
        f.write_str("\"")?;
        for c in text.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, terms: &[Self]| {
            for (at, term) in terms.iter().enumerate() {
                if at > 0 {
                    f.write_str(", ")?;
                }
                write!(f, "{term}")?;
            }
            Ok(())
        };
        let brackets = |f: &mut fmt::Formatter<'_>, text: &Option<String>| match text {
            None => Ok(()),
            Some(text) if text.chars().any(|c| c.is_ascii_whitespace()) => {
                write!(f, "[\"{text}\"]")
            }
            Some(text) => write!(f, "[{text}]"),
        };
        match self {
            Self::Field { name, argument, .. } => {
                f.write_str(name)?;
                brackets(f, argument)
            }
            Self::Call {
                transformer,
                arguments,
                selector,
                ..
            } => {
                write!(f, "{}(", transformer.as_str())?;
                list(f, arguments)?;
                f.write_str(")")?;
                brackets(f, selector)
            }
            Self::Literal(literal) => write!(f, "{literal}"),
            Self::List(terms) => {
                f.write_str("(")?;
                list(f, terms)?;
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.left, self.operation)?;
        match &self.right {
            Right::None => Ok(()),
            Right::One(literal) => write!(f, " {literal}"),
            Right::Many(literals) => {
                f.write_str(" (")?;
                for (at, literal) in literals.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{literal}")?;
                }
                f.write_str(")")
            }
            Right::Term(term) => write!(f, " {term}"),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str| {
            f.write_str("(")?;
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    write!(f, " {word} ")?;
                }
                write!(f, "{part}")?;
            }
            f.write_str(")")
        };
        match self {
            Self::And(parts) => joined(f, parts, "and"),
            Self::Or(parts) => joined(f, parts, "or"),
            Self::Not(part) => write!(f, "not {part}"),
            Self::Macro(name, _) => f.write_str(name),
            Self::Check(check) => write!(f, "{check}"),
        }
    }
}
