//! Texts with expressions in `{{ }}`.

use seareeve_cel::{Bindings, Budget, CompileError, Environment, Limits, Program, Value};

/// Characters of a rendered text at most: objects are foreign, and texts go into tables.
const LONGEST: usize = 2_000;

/// A text ready to be filled in.
#[derive(Debug)]
pub(crate) struct Text {
    pieces: Vec<Piece>,
}

#[derive(Debug)]
pub(crate) enum Piece {
    Words(String),
    Expression(Program),
}

/// Why a text cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TextError {
    #[error("`{{{{` without `}}}}`")]
    Open,
    #[error(transparent)]
    Expression(#[from] CompileError),
}

impl Text {
    pub(crate) fn compile(
        text: &str,
        environment: &Environment,
        limits: &Limits,
    ) -> Result<Self, TextError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((words, after)) = rest.split_once("{{") {
            let (expression, after) = after.split_once("}}").ok_or(TextError::Open)?;
            if !words.is_empty() {
                pieces.push(Piece::Words(words.to_owned()));
            }
            pieces.push(Piece::Expression(
                environment.compile(expression.trim(), limits)?,
            ));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Words(rest.to_owned()));
        }
        Ok(Self { pieces })
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether it has expressions: what has none is the same whatever there is.
    pub(crate) fn is_filled_in(&self) -> bool {
        let is_expression = |piece: &Piece| matches!(piece, Piece::Expression(_));
        self.pieces.iter().any(is_expression)
    }

    /// The text, where all of its expressions can be evaluated.
    pub(crate) fn whole<'a>(
        &'a self,
        bindings: &Bindings<'a>,
        budget: &mut Budget,
    ) -> Option<String> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Words(words) => text.push_str(words),
                Piece::Expression(program) => {
                    let value = program.evaluate(bindings, budget).ok()?;
                    text.push_str(&shown(&value, budget));
                }
            }
        }
        Some(cut(text))
    }

    /// The text with its expressions evaluated. One that cannot be says so in its place: what was found stays found.
    pub(crate) fn render<'a>(&'a self, bindings: &Bindings<'a>, budget: &mut Budget) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Words(words) => text.push_str(words),
                Piece::Expression(program) => match program.evaluate(bindings, budget) {
                    Ok(value) => text.push_str(&shown(&value, budget)),
                    Err(error) => text.push_str(&format!("({error})")),
                },
            }
        }
        cut(text)
    }
}

/// A value as people read it: text as it is, all else as JSON.
fn shown(value: &Value<'_>, budget: &mut Budget) -> String {
    match value.to_json(budget) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(json) => json.to_string(),
        Err(error) => format!("({error})"),
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((at, _)) => {
            let mut text = text;
            text.truncate(at);
            text.push('…');
            text
        }
    }
}
