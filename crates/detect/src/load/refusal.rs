//! What cannot be used, and where: by file, line and column.

use super::UnknownFields;
use super::compile::Work;
use super::macros::Parsed;
use crate::compile::CompileError;
use crate::rules::{Code, Diagnostic, Fault, FileId, Located, RuleEntry, Spot};

/// A rule that is not loaded, and whether that is an error.
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) place: Place,
    pub(super) message: String,
}

/// Where it is wrong.
pub(super) enum Place {
    Spot(Spot),
    At(FileId, usize, usize),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self {
            code: fault.code,
            place: Place::Spot(fault.spot),
            message: fault.message,
        }
    }
}

impl Work<'_> {
    pub(super) fn syntax(
        &self,
        text: &Located,
        parsed: &Parsed,
        at: usize,
        message: String,
    ) -> Refusal {
        let at = parsed.substituted.original(at);
        let (file, line, column) = self.book.files.locate(text, at);
        Refusal {
            code: Code::CompileCondition,
            place: Place::At(file, line, column),
            message,
        }
    }

    pub(super) fn compile_error(
        &mut self,
        rule: &RuleEntry,
        condition: &Located,
        parsed: &Parsed,
        error: CompileError,
    ) -> Refusal {
        let code = self.code(rule, &error, Code::CompileCondition);
        // What is wrong in a macro is told where it stands, and who uses it.
        if let Some((text, parsed)) = error.in_macro.and_then(|number| self.macros.get(number)) {
            let mut refusal = self.syntax(text, parsed, error.at, error.message);
            refusal.code = code;
            return refusal;
        }
        let mut refusal = self.syntax(condition, parsed, error.at, error.message);
        refusal.code = code;
        refusal
    }

    pub(super) fn warn(
        &mut self,
        code: Code,
        text: &Located,
        at: usize,
        rule: &RuleEntry,
        message: &str,
    ) {
        let (file, line, column) = self.book.files.locate(text, at);
        let refusal = Refusal {
            code,
            place: Place::At(file, line, column),
            message: message.to_owned(),
        };
        self.note(refusal, &label(rule));
    }

    pub(super) fn warn_at(&mut self, code: Code, spot: Spot, item: &str, message: &str) {
        let refusal = Refusal {
            code,
            place: Place::Spot(spot),
            message: message.to_owned(),
        };
        self.note(refusal, item);
    }

    pub(super) fn note(&mut self, refusal: Refusal, item: &str) {
        let (file, line, column) = match refusal.place {
            Place::Spot(spot) => (spot.file, spot.at.line, spot.at.column),
            Place::At(file, line, column) => (file, line, column),
        };
        self.diagnostics.push(Diagnostic {
            file: self.book.files.name(file).to_owned(),
            line,
            column,
            code: refusal.code,
            item: item.to_owned(),
            message: refusal.message,
        });
    }

    /// A rule with an unknown field is left out where that was asked for, and otherwise an error.
    pub(super) fn code(&self, rule: &RuleEntry, error: &CompileError, otherwise: Code) -> Code {
        let may_skip =
            rule.switch.skips_unknown || self.options.unknown_fields == UnknownFields::Disable;
        if error.is_unknown && may_skip {
            Code::UnknownFilter
        } else {
            otherwise
        }
    }
}

pub(super) fn label(rule: &RuleEntry) -> String {
    match &rule.details {
        Some(details) => format!("detection '{}'", details.id),
        None => format!("rule '{}'", rule.name),
    }
}
