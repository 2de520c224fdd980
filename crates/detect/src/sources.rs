//! Sources that are not about any one system: events as flat fields.

mod flat;

pub use self::flat::{FlatEvent, FlatSource};
