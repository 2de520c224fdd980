//! Programs × events → the rules that match, and from those the alerts.

mod alert;
mod compare;
mod detector;
mod evidence;
mod reasons;
mod rule;
mod run;
mod transform;

pub use self::detector::{Detector, Engine, Matching};
pub(crate) use self::rule::{Behaviour, Compiled, CompiledEntity, Grouping, Target};
pub use self::rule::{Rule, RuleKind};
pub(crate) use self::run::Run;
