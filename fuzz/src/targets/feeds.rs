//! The feeds of exploited vulnerabilities: CISA's catalogue and FIRST's scores.

use seareeve_scan::advisories::{Catalogue, Scores};

use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "feeds",
    run,
    longest: 2 << 10,
    seeds: || made::seeds("feeds"),
    words: &[
        "#model_version:v2025.03.14,score_date:2025-08-25T12:55:00Z\ncve,epss,percentile\n",
        "CVE-2024-1,0.5,0.99\n",
        "\"vulnerabilities\"",
        "\"dateReleased\"",
        "\"cveID\"",
        "\"dateAdded\"",
        "\"dueDate\"",
        "\"knownRansomwareCampaignUse\"",
        "\"Known\"",
        "NaN",
        "1e-9",
    ],
};

fn run(content: &[u8]) {
    let _ = Catalogue::parse(content);
    let _ = Scores::parse(content);
}
