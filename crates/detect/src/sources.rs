//! Sources that are not about any one system: events as flat fields, and as any JSON.

mod flat;
mod json;

pub use self::flat::{FlatEvent, FlatSource};
pub use self::json::{JsonEvent, JsonSource};
