//! Facts × checks → verdicts: what is configured badly, and what a benchmark says of it.
//!
//! Checks, benchmarks and exceptions are data (`docs/reference/checks.md`); `judge` evaluates one check on one asset's
//! facts, `assess` a whole benchmark; `standing` keeps the outcomes of a large asset. Pure and synchronous: facts,
//! content, statements and the time come in as parameters, nothing here knows where they come from or where verdicts go.
//! What could not be told is never a pass.

#![warn(clippy::indexing_slicing)]

mod anatomy;
mod assess;
mod benchmark;
mod catalogue;
mod check;
mod described;
mod examples;
mod exceptions;
mod functions;
mod health;
mod judge;
mod library;
mod recommend;
mod score;
mod standing;
mod text;
mod verdict;
mod views;

pub use anatomy::{Anatomy, Fault, Phrase};
pub use assess::{Assessment, Attestation, ControlVerdict, Statements, assess, assess_all};
pub use benchmark::{Benchmark, BenchmarkError, Control, Mark, Section, Use};
pub use catalogue::{Catalogue, CatalogueError, Recommendation, ScoreGroup};
pub use check::{Check, CheckError, Fix};
pub use described::{ContentKind, Described};
pub use examples::{ExampleResult, run_examples, try_params};
pub use exceptions::{Exception, Exceptions, fits};
pub use health::{health, health_by_checks, managed, not_concerned};
pub use judge::{judge, judge_each, judge_within};
pub use library::{ContentError, Library, Reason};
pub use recommend::recommend;
pub use score::{GroupScore, Health, Judged, Score, score};
pub use standing::{Scope, Standing, StandingObject, Tally};
pub use verdict::{CheckVerdict, Item, ObjectFix, ObjectVerdict, Outcome};
