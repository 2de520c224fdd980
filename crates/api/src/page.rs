//! What all paged lists share.

/// The most rows that one page holds, so that a reply stays under 100 KB.
pub const MAX_PAGE: u32 = 200;
