//! Ignore files of all three forms, applied to an image with findings.

use jiff::Timestamp;
use seareeve_scan::ignore;

use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "ignore_files",
    run,
    longest: 2 << 10,
    seeds: || made::seeds("ignore_files"),
    words: &[
        "CVE-2017-18342",
        " exp:2026-12-31",
        "# ",
        "ignore:\n",
        "vulnerabilities:\n",
        "  - id: CVE-2017-18342\n",
        "    reason: a\n",
        "    package: pyyaml\n",
        "    purl: pkg:pypi/pyyaml@5.3\n",
        "    purls: [\"pkg:pypi/pyyaml\"]\n",
        "    paths: [\"usr/**/METADATA\"]\n",
        "    expires: 2026-12-31\n",
        "    expired_at: 2026-12-31\n",
        "    statement: a\n",
        "secrets:\n",
        "github-token",
        "**/",
        "*?*",
        "&a ",
        "*a",
        "<<: ",
    ],
};

fn run(content: &[u8]) {
    for name in [".trivyignore", "ignore.yaml"] {
        if let Ok(file) = ignore::parse(name, content) {
            let (inventory, mut matches) = made::sample();
            let findings: Vec<usize> = matches.findings.iter().map(Vec::len).collect();
            let secrets = [made::secret()];
            let now = Timestamp::UNIX_EPOCH;
            ignore::apply(&[file], &inventory, &secrets, &mut matches, now);
            let after: Vec<usize> = matches.findings.iter().map(Vec::len).collect();
            assert_eq!(after, findings);
        }
    }
}
