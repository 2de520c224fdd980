//! What may fail: exceptions with a scope, a reason and, mostly, an end. They are applied to verdicts, after
//! evaluation, and leave their reason there.

use jiff::Timestamp;
use seareeve_model::Snapshot;
use serde::Deserialize;

use crate::benchmark::Benchmark;
use crate::verdict::{CheckVerdict, ObjectVerdict, Outcome};

/// Exceptions, the first that fits counts.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Exceptions {
    /// In the order in which they are tried.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
}

/// One exception.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The check that may fail.
    pub check: String,
    /// Only where this benchmark wants it; in all of them when it is not given.
    #[serde(default)]
    pub benchmark: Option<String>,
    /// Only on assets with such a name: `build-*`.
    #[serde(default)]
    pub asset: Option<String>,
    /// Only on objects with such a name.
    #[serde(default)]
    pub object: Option<String>,
    /// Why it may.
    pub reason: String,
    /// After that moment it may no longer.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

impl Exceptions {
    /// Reads a file of exceptions.
    ///
    /// # Errors
    /// When it is no YAML of this form.
    pub fn parse(yaml: &str) -> Result<Self, serde_saphyr::Error> {
        serde_saphyr::from_str(yaml)
    }

    /// Those of a check on an asset, where `benchmark` wants it; without one, those that no benchmark is named in.
    pub(crate) fn of(
        &self,
        check: &str,
        benchmark: Option<&str>,
        asset: &str,
        now: Timestamp,
    ) -> Vec<&Exception> {
        let exceptions = self.exceptions.iter();
        exceptions
            .filter(|exception| {
                exception.check == check
                    && (exception.benchmark.is_none()
                        || exception.benchmark.as_deref() == benchmark)
                    && exception
                        .asset
                        .as_ref()
                        .is_none_or(|pattern| fits(pattern, asset))
                    && exception.until.is_none_or(|until| now <= until)
            })
            .collect()
    }

    /// Whether an exception that no benchmark is named in lets a check fail on an object of this name.
    #[must_use]
    pub fn covers(&self, check: &str, asset: &str, object: &str, now: Timestamp) -> bool {
        let exceptions = self.of(check, None, asset, now);
        exceptions
            .iter()
            .any(|exception| exception.is_about(object))
    }

    /// Says of an object's verdict that it may be, where an exception that no benchmark is named in does.
    pub fn mark(&self, check: &str, asset: &str, verdict: &mut ObjectVerdict, now: Timestamp) {
        let exceptions = self.of(check, None, asset, now);
        let exception = exceptions
            .iter()
            .find(|exception| exception.is_about(&verdict.name));
        if let Some(exception) = exception
            && matches!(verdict.outcome, Outcome::Fail | Outcome::NeedsReview)
        {
            verdict.outcome = Outcome::Excepted;
            verdict.reason = Some(exception.reason.clone());
        }
    }

    pub(crate) fn apply(
        &self,
        verdict: &mut CheckVerdict,
        benchmark: &Benchmark,
        snapshot: &Snapshot,
        now: Timestamp,
    ) {
        self.apply_to(verdict, Some(&benchmark.id), &snapshot.asset_name, now);
    }

    /// The same for whoever asks, a benchmark or none.
    pub(crate) fn apply_to(
        &self,
        verdict: &mut CheckVerdict,
        benchmark: Option<&str>,
        asset: &str,
        now: Timestamp,
    ) {
        let fitting = self.of(&verdict.check, benchmark, asset, now);
        if fitting.is_empty() {
            return;
        }
        let mut rest = Vec::new();
        for object in &mut verdict.objects {
            let exception = fitting
                .iter()
                .find(|exception| exception.is_about(&object.name));
            if let Some(exception) = exception
                && matches!(object.outcome, Outcome::Fail | Outcome::NeedsReview)
            {
                object.outcome = Outcome::Excepted;
                object.reason = Some(exception.reason.clone());
            }
            rest.push(object.outcome);
        }
        if verdict.objects.is_empty() {
            // The asset itself fails, because there is no object.
            let whole = fitting.iter().find(|exception| exception.object.is_none());
            if let Some(exception) = whole
                && verdict.outcome == Outcome::Fail
            {
                verdict.outcome = Outcome::Excepted;
                verdict.reason = Some(exception.reason.clone());
            }
            return;
        }
        // What could not be collected beside these objects stays so.
        if verdict.reason.is_some() {
            rest.push(Outcome::NotCollected);
        }
        if let Some(outcome) = Outcome::joined(rest) {
            verdict.outcome = outcome;
        }
    }
}

impl Exception {
    /// Whether it holds for an object of this name.
    pub(crate) fn is_about(&self, object: &str) -> bool {
        let pattern = self.object.as_ref();
        pattern.is_none_or(|pattern| fits(pattern, object))
    }
}

/// Whether `text` is what `pattern` says, in which `*` stands for anything.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        let fitting = [
            ("web", "web"),
            ("web-*", "web-"),
            ("web-*", "web-1"),
            ("*", ""),
            ("*-db", "shop-db"),
            ("a*b*c", "aXbXbXc"),
            ("*a*", "bab"),
        ];
        for (pattern, text) in fitting {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("web", "web1"),
            ("", "a"),
            ("web-*", "web"),
            ("a*b*c", "acb"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
