//! What a check says of an object, and how several verdicts become one.

use seareeve_model::FactKind;
use serde_json::Value;

/// A verdict. The order is the one in which several are joined: the first that any object has counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Something is wrong.
    Fail,
    /// The check could not be evaluated: its own fault, or a limit was reached.
    Error,
    /// The facts are not there.
    NotCollected,
    /// A person has to decide.
    NeedsReview,
    /// It fails, and an exception says that it may.
    Excepted,
    /// All is well.
    Pass,
    /// It does not concern the object.
    NotApplicable,
}

/// One thing that a check found fault with, or that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// In a sentence.
    pub message: String,
    /// What was found.
    pub actual: String,
    /// The values read, as the check's expression yielded them.
    pub evidence: Value,
}

/// A check's verdict on one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectVerdict {
    /// The kind of fact.
    pub kind: FactKind,
    /// The fact's id.
    pub id: String,
    /// For people.
    pub name: String,
    /// The verdict.
    pub outcome: Outcome,
    /// Why it is not applicable, not collected or could not be evaluated; the reason of an exception.
    pub reason: Option<String>,
    /// What the check wants of this object.
    pub expected: String,
    /// What there is where nothing was found fault with, if the check says that of whole objects.
    pub actual: Option<String>,
    /// What was found; at most [`ObjectVerdict::MOST_ITEMS`].
    pub items: Vec<Item>,
    /// How many more there are.
    pub more_items: usize,
    /// What mends it, where it fails and the check says it of each object.
    pub fix: ObjectFix,
}

/// What mends one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectFix {
    /// Shell lines for a person to copy.
    pub command: Option<String>,
    /// The mode that a file gets, in octal.
    pub mode: Option<String>,
    /// The owner and group that a file gets.
    pub owner: Option<String>,
}

/// A check's verdicts on all objects of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckVerdict {
    /// The check's id.
    pub check: String,
    /// All objects' together.
    pub outcome: Outcome,
    /// Why, where there is no object to say it.
    pub reason: Option<String>,
    /// One for each object, in the facts' order.
    pub objects: Vec<ObjectVerdict>,
}

impl Outcome {
    /// All outcomes, in the order of joining.
    pub const ALL: [Self; 7] = [
        Self::Fail,
        Self::Error,
        Self::NotCollected,
        Self::NeedsReview,
        Self::Excepted,
        Self::Pass,
        Self::NotApplicable,
    ];

    /// The stable name used on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Error => "error",
            Self::NotCollected => "not_collected",
            Self::NeedsReview => "needs_review",
            Self::Excepted => "excepted",
            Self::Pass => "pass",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// The outcome with the stable name `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
    }

    /// Several as one; nothing when there are none.
    pub fn joined(outcomes: impl IntoIterator<Item = Self>) -> Option<Self> {
        outcomes.into_iter().min()
    }
}

impl ObjectVerdict {
    /// How many items are kept: more than a person reads, and less than a hostile object can make.
    pub const MOST_ITEMS: usize = 100;

    /// What there is: what was found fault with, else what the check says of the object. What several items say is said
    /// once.
    #[must_use]
    pub fn told(&self) -> String {
        if let (Some(actual), []) = (&self.actual, self.items.as_slice()) {
            return actual.clone();
        }
        let mut said: Vec<&str> = Vec::new();
        for item in &self.items {
            if !said.contains(&item.actual.as_str()) {
                said.push(&item.actual);
            }
        }
        said.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_items_say_is_said_once() {
        let item = |message: &str, actual: &str| Item {
            message: message.to_owned(),
            actual: actual.to_owned(),
            evidence: Value::Null,
        };
        let verdict = ObjectVerdict {
            kind: FactKind::new("kubernetes.subject").unwrap(),
            id: "Group/ci".to_owned(),
            name: "ci".to_owned(),
            outcome: Outcome::Fail,
            reason: None,
            expected: "nobody".to_owned(),
            actual: None,
            items: vec![
                item("may start pods", "edit by shop"),
                item("may start jobs", "edit by shop"),
                item("may start pods", "edit by staging"),
            ],
            more_items: 0,
            fix: ObjectFix::default(),
        };
        assert_eq!(verdict.told(), "edit by shop; edit by staging");
    }

    #[test]
    fn a_failure_outweighs_all_and_what_is_not_applicable_nothing() {
        use Outcome::{Error, Excepted, Fail, NeedsReview, NotApplicable, NotCollected, Pass};
        let cases: &[(&[Outcome], Option<Outcome>)] = &[
            (&[], None),
            (&[Pass, NotApplicable], Some(Pass)),
            (&[NotApplicable], Some(NotApplicable)),
            (&[Pass, Excepted], Some(Excepted)),
            (&[Pass, NeedsReview, NotCollected], Some(NotCollected)),
            (&[NotCollected, Error], Some(Error)),
            (&[Pass, Error, Fail], Some(Fail)),
        ];
        for (outcomes, joined) in cases {
            assert_eq!(Outcome::joined(outcomes.iter().copied()), *joined);
        }
    }

    #[test]
    fn names_are_read_back() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
    }
}
