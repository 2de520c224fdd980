//! CycloneDX (ECMA-424): 1.6 is written, 1.2 and later are read.

mod analysis;
mod read;
mod vulnerabilities;
mod write;

pub(super) use read::read;
pub(super) use vulnerabilities::record_url;
pub(super) use write::write;
