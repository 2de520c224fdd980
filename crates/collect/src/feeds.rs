//! Feeds of advisories: one file each.

pub mod osv;
