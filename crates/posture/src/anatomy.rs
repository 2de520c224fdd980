//! The parts of a check as text: for whoever makes something else of it, such as a policy of Kubernetes itself.

use crate::check::{Check, Condition};
use crate::text::Piece;

/// A check, taken apart. All texts are expressions, but for the words of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anatomy<'c> {
    /// Names that stand for other facts.
    pub needs: Vec<&'c str>,
    /// Whether it is about an object at all.
    pub of: Option<&'c str>,
    /// Whether it is applicable.
    pub when: Option<&'c str>,
    /// Names with what they stand for, each after those that it uses.
    pub parts: Vec<(&'c str, &'c str)>,
    /// What it finds fault with; nothing, if it only leaves things to people.
    pub fail: Option<Fault<'c>>,
    /// What is said of each fault, which is called `f`.
    pub message: Vec<Phrase<'c>>,
}

/// How a check finds fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<'c> {
    /// With a list of things.
    For(&'c str),
    /// With the object itself, or not.
    If(&'c str),
}

/// A piece of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phrase<'c> {
    /// As it stands.
    Words(&'c str),
    /// The value of an expression.
    Value(&'c str),
}

impl Check {
    /// The check, taken apart.
    #[must_use]
    pub fn anatomy(&self) -> Anatomy<'_> {
        let pieces = self.message().pieces().iter();
        Anatomy {
            needs: self.needs().iter().map(|need| need.name.as_str()).collect(),
            of: self.of().map(seareeve_cel::Program::text),
            when: self.when().map(seareeve_cel::Program::text),
            parts: self
                .parts()
                .iter()
                .map(|(name, part)| (name.as_str(), part.text()))
                .collect(),
            fail: self.fail().map(|fail| match fail {
                Condition::For(program) => Fault::For(program.text()),
                Condition::If(program) => Fault::If(program.text()),
            }),
            message: pieces
                .map(|piece| match piece {
                    Piece::Words(words) => Phrase::Words(words),
                    Piece::Expression(program) => Phrase::Value(program.text()),
                })
                .collect(),
        }
    }
}
