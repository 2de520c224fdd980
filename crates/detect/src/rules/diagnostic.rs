//! What is wrong with rule files, and where.

use std::fmt;

/// One thing that is wrong, or odd.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file, as it was given.
    pub file: String,
    /// The line, from 1; 0 when it is about the whole file.
    pub line: usize,
    /// The column, from 1; 0 when it is about the whole line.
    pub column: usize,
    /// What kind of thing.
    pub code: Code,
    /// Which item: `rule 'x'`. Empty when it is about none.
    pub item: String,
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
}

/// The kinds of things that are wrong. Falco's, by its names, and ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The file cannot be read.
    FileRead,
    /// It is no YAML, or beyond a limit.
    YamlParse,
    /// It is YAML, but not what a rule file is.
    YamlValidate,
    /// A condition cannot be used.
    CompileCondition,
    /// An output cannot be used.
    CompileOutput,
    /// An item contradicts itself or another one.
    Validate,
    /// A plugin that the file needs is not there, or not in this version.
    Extension,
    /// More than we take.
    Limit,
    /// A rule of a source that is not there is left out.
    UnknownSource,
    /// A comparison with `<NA>`, which no field is.
    UnsafeNaCheck,
    /// A rule has to look at nearly every type of event.
    NoEvtType,
    /// A rule with an unknown field is left out.
    UnknownFilter,
    /// A macro that nobody uses.
    UnusedMacro,
    /// A list that nobody uses.
    UnusedList,
    /// An item that is neither rule, macro, list nor requirement.
    UnknownItem,
    /// A way of saying it that Falco will drop.
    DeprecatedItem,
    /// An exception is appended without values.
    AppendNoValues,
    /// A rule has two exceptions of one name.
    ExceptionNameNotUnique,
    /// A macro's name is none.
    InvalidMacroName,
    /// A list's name is none.
    InvalidListName,
    /// A condition that can be used, but may not mean what it looks like.
    SuspiciousCondition,
    /// A key that nobody reads.
    UnknownKey,
}

impl Code {
    /// The stable name: Falco's where it has one.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FileRead => "LOAD_ERR_FILE_READ",
            Self::YamlParse => "LOAD_ERR_YAML_PARSE",
            Self::YamlValidate => "LOAD_ERR_YAML_VALIDATE",
            Self::CompileCondition => "LOAD_ERR_COMPILE_CONDITION",
            Self::CompileOutput => "LOAD_ERR_COMPILE_OUTPUT",
            Self::Validate => "LOAD_ERR_VALIDATE",
            Self::Extension => "LOAD_ERR_EXTENSION",
            Self::Limit => "LOAD_ERR_LIMIT",
            Self::UnknownSource => "LOAD_UNKNOWN_SOURCE",
            Self::UnsafeNaCheck => "LOAD_UNSAFE_NA_CHECK",
            Self::NoEvtType => "LOAD_NO_EVTTYPE",
            Self::UnknownFilter => "LOAD_UNKNOWN_FILTER",
            Self::UnusedMacro => "LOAD_UNUSED_MACRO",
            Self::UnusedList => "LOAD_UNUSED_LIST",
            Self::UnknownItem => "LOAD_UNKNOWN_ITEM",
            Self::DeprecatedItem => "LOAD_DEPRECATED_ITEM",
            Self::AppendNoValues => "LOAD_APPEND_NO_VALUES",
            Self::ExceptionNameNotUnique => "LOAD_EXCEPTION_NAME_NOT_UNIQUE",
            Self::InvalidMacroName => "LOAD_INVALID_MACRO_NAME",
            Self::InvalidListName => "LOAD_INVALID_LIST_NAME",
            Self::SuspiciousCondition => "LOAD_COMPILE_CONDITION",
            Self::UnknownKey => "LOAD_UNKNOWN_KEY",
        }
    }

    /// Whether what it is about is left out for being wrong. The others are warnings.
    #[must_use]
    pub fn is_error(self) -> bool {
        match self {
            Self::FileRead
            | Self::YamlParse
            | Self::YamlValidate
            | Self::CompileCondition
            | Self::CompileOutput
            | Self::Validate
            | Self::Extension
            | Self::Limit => true,
            Self::UnknownSource
            | Self::UnsafeNaCheck
            | Self::NoEvtType
            | Self::UnknownFilter
            | Self::UnusedMacro
            | Self::UnusedList
            | Self::UnknownItem
            | Self::DeprecatedItem
            | Self::AppendNoValues
            | Self::ExceptionNameNotUnique
            | Self::InvalidMacroName
            | Self::InvalidListName
            | Self::SuspiciousCondition
            | Self::UnknownKey => false,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        let kind = if self.code.is_error() {
            "error"
        } else {
            "warning"
        };
        write!(f, ": {kind}: ")?;
        if !self.item.is_empty() {
            write!(f, "{}: ", self.item)?;
        }
        write!(f, "{} [{}]", self.message, self.code.as_str())
    }
}
