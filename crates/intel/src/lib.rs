//! Lists of threat intelligence: addresses, domains, URLs and hashes that somebody says are bad, as files of many
//! forms; and what they come to together.
//!
//! Pure: no I/O, no clock. What detections make of a list is `seareeve-detect`'s matter; who fetches it is
//! `seareeve-collect`'s.

#![warn(clippy::indexing_slicing)]

mod csv;
mod entry;
mod format;
mod joined;
mod misp;
mod network;
mod plain;
mod reading;
mod stix;

pub use entry::{Entry, Kind};
pub use format::{Column, Format, Unreadable, read};
pub use joined::{Joined, Joiner, Listed, Named, Source};
pub use misp::{feed_events, is_feed};
pub use network::{Network, NetworkFault};
pub use reading::{MOST_BYTES, MOST_ENTRIES, Reading, Unused};
