//! What of a document was not understood: counted by reason, because a document may have a hundred thousand
//! records with the same fault.

use std::collections::BTreeMap;

use seareeve_model::{Problem, ProblemCode};

/// Where problems of a document are.
pub(super) const PLACE: &str = "SBOM";
/// Kinds of problem that are told apart; a hostile document could make up any number of package types.
pub(super) const MOST_REASONS: usize = 100;
/// What was not understood, counted by reason, with the first of each as an example.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    reasons: BTreeMap<String, (usize, String)>,
    other: usize,
    unfit: usize,
}

impl Gaps {
    /// One record that says `reason` of why it cannot be used.
    pub(super) fn add(&mut self, reason: impl Into<String>, example: &str) {
        let reason = reason.into();
        if let Some((count, _)) = self.reasons.get_mut(&reason) {
            *count = count.saturating_add(1);
        } else if self.reasons.len() < MOST_REASONS {
            let example = example.chars().take(100).collect();
            self.reasons.insert(reason, (1, example));
        } else {
            self.other = self.other.saturating_add(1);
        }
    }

    /// Records beyond a limit.
    pub(super) fn more_than_fit(&mut self, count: usize) {
        self.unfit = self.unfit.saturating_add(count);
    }

    /// What is to be told of it all.
    pub(super) fn into_problems(self) -> impl Iterator<Item = Problem> {
        let problem = |code, message| Problem::new(code, PLACE, message);
        let counted = self
            .reasons
            .into_iter()
            .map(move |(reason, (count, example))| {
                let message = match (example.is_empty(), count) {
                    (true, 1) => reason,
                    (false, 1) => format!("{example}: {reason}"),
                    (true, _) => format!("{reason} ({count} times)"),
                    (false, _) => {
                        format!("{example} and {} more: {reason}", count.saturating_sub(1))
                    }
                };
                problem(ProblemCode::PackageUnreadable, message)
            });
        let other = (self.other > 0).then(|| {
            let message = format!("{} more records were not understood", self.other);
            problem(ProblemCode::PackageUnreadable, message)
        });
        let unfit = (self.unfit > 0).then(|| {
            let message = format!("{} more records were left out", self.unfit);
            problem(ProblemCode::LimitReached, message)
        });
        counted.chain(other).chain(unfit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted_by_reason_and_bounded() {
        let mut gaps = Gaps::default();
        gaps.add("it has no version", "a");
        gaps.add("it has no version", "b");
        gaps.add("the metadata cannot be read", "");
        gaps.more_than_fit(3);
        for number in 0..1_000 {
            gaps.add(format!("packages of the type x{number} are not known"), "c");
        }
        let problems: Vec<String> = gaps.into_problems().map(|p| p.to_string()).collect();
        assert!(problems.len() < 110);
        assert!(problems.contains(&"SBOM: a and 1 more: it has no version".to_owned()));
        assert!(problems.contains(&"SBOM: the metadata cannot be read".to_owned()));
        assert!(problems.contains(&"SBOM: 902 more records were not understood".to_owned()));
        assert!(problems.contains(&"SBOM: 3 more records were left out".to_owned()));
    }
}
