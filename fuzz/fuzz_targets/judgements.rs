//! What is said of findings: VEX documents, ignore files, and the feeds of exploited vulnerabilities.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seareeve_scan::advisories::{Catalogue, Scores};
use seareeve_scan::{ignore, vex};

fuzz_target!(|content: &[u8]| {
    let _ = vex::parse("fuzz", content);
    let _ = ignore::parse("fuzz", content);
    let _ = ignore::parse("fuzz.yaml", content);
    let _ = Catalogue::parse(content);
    let _ = Scores::parse(content);
});
