//! What is answered: whether it may in, what people are told, what the audit log keeps.

use std::collections::BTreeMap;
use std::fmt;

use crate::policy::Mode;

/// Bytes of one warning at most: `kubectl` prints each in a line, and the API server cuts what is longer.
const MOST_WARNING: usize = 256;
/// Bytes of all warnings at most. The API server passes on no more.
const MOST_WARNINGS: usize = 4_096;
/// Bytes of a refusal at most.
const MOST_MESSAGE: usize = 4_096;
/// Bytes of an annotation at most.
const MOST_ANNOTATION: usize = 1_024;

/// The answer to a review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether it may in.
    pub is_allowed: bool,
    /// Why not.
    pub message: Option<String>,
    /// For whoever asked.
    pub warnings: Vec<String>,
    /// For the audit log, by recommendation.
    pub annotations: BTreeMap<String, String>,
    /// What was decided, to be counted: one for each recommendation that says something.
    pub decisions: Vec<Decision>,
}

/// What became of an object by one recommendation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The recommendation's id.
    pub recommendation: String,
    /// What became of it.
    pub effect: Effect,
    /// What is wrong, in sentences.
    pub messages: Vec<String>,
}

/// What becomes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It is refused.
    Denied,
    /// It is let in, and whoever asked is told.
    Warned,
    /// It is let in, and would not have been.
    Audited,
    /// It could not be judged.
    Unchecked,
}

impl Effect {
    /// All effects, the hardest first.
    pub const ALL: [Self; 4] = [Self::Denied, Self::Warned, Self::Audited, Self::Unchecked];

    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Warned => "warned",
            Self::Audited => "audited",
            Self::Unchecked => "unchecked",
        }
    }

    /// What a mode makes of a violation.
    pub(crate) fn of(mode: Mode) -> Option<Self> {
        match mode {
            Mode::Off => None,
            Mode::Audit => Some(Self::Audited),
            Mode::Warn => Some(Self::Warned),
            Mode::Deny => Some(Self::Denied),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What there is to say of one recommendation.
pub(crate) struct Said<'p> {
    pub(crate) title: &'p str,
    pub(crate) remedy: String,
    pub(crate) decision: Decision,
}

impl Answer {
    /// It may in, and there is nothing to say.
    #[must_use]
    pub fn allowed() -> Self {
        Self {
            is_allowed: true,
            ..Self::default()
        }
    }

    /// It may in, although nobody judged it: `why` says what stood in the way.
    #[must_use]
    pub fn unchecked(why: &str) -> Self {
        let warning = format!("Seareeve could not check this and lets it in: {why}");
        Self {
            is_allowed: true,
            warnings: vec![line(&warning, MOST_WARNING)],
            ..Self::default()
        }
    }

    pub(crate) fn of(said: Vec<Said<'_>>) -> Self {
        let mut answer = Self::allowed();
        let mut refusals = Vec::new();
        let mut warnings = Vec::new();
        for one in said {
            let decision = one.decision;
            let all = decision.messages.join("; ");
            let annotation = format!("{}: {all}", decision.effect);
            answer.annotations.insert(
                decision.recommendation.clone(),
                line(&annotation, MOST_ANNOTATION),
            );
            match decision.effect {
                Effect::Denied => refusals.push(format!(
                    "{} ({}): {all}. {}",
                    one.title, decision.recommendation, one.remedy
                )),
                Effect::Warned => warnings.extend(
                    decision
                        .messages
                        .iter()
                        .map(|message| format!("{}: {message}", decision.recommendation)),
                ),
                Effect::Audited => {}
                Effect::Unchecked => warnings.push(format!(
                    "{} could not be checked: {all}",
                    decision.recommendation
                )),
            }
            answer.decisions.push(decision);
        }
        if !refusals.is_empty() {
            answer.is_allowed = false;
            let message = format!("refused by Seareeve: {}", refusals.join(" | "));
            answer.message = Some(line(&message, MOST_MESSAGE));
        }
        answer.warnings = few(warnings);
        answer
    }
}

/// As many warnings as are passed on, and how many there are more.
fn few(warnings: Vec<String>) -> Vec<String> {
    let all = warnings.len();
    let mut kept = Vec::new();
    let mut left = MOST_WARNINGS.saturating_sub(MOST_WARNING);
    for warning in warnings {
        let warning = line(&format!("Seareeve: {warning}"), MOST_WARNING);
        let Some(rest) = left.checked_sub(warning.len()) else {
            break;
        };
        left = rest;
        kept.push(warning);
    }
    let more = all.saturating_sub(kept.len());
    if more > 0 {
        kept.push(format!("Seareeve: and {more} more"));
    }
    kept
}

/// One line of at most so many bytes: names of objects may hold anything, and this is printed on terminals.
fn line(text: &str, most: usize) -> String {
    let mut line = String::new();
    for character in text.chars() {
        let character = if character.is_control() {
            ' '
        } else {
            character
        };
        if line.len() + character.len_utf8() > most.saturating_sub('…'.len_utf8()) {
            line.push('…');
            break;
        }
        line.push(character);
    }
    line
}
