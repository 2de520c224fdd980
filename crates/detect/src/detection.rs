//! Detections: rules with everything that Falco's rules have no words for. One per file.

mod details;
mod read;
mod together;

pub use self::details::Example;
pub(crate) use self::details::{Counting, Details, Habit};
pub(crate) use self::read::{read_detection, read_list};
