//! VEX documents of all formats, applied to an image with findings.

use seareeve_scan::vex;

use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "vex_documents",
    run,
    longest: 6 << 10,
    seeds: || made::seeds("vex_documents"),
    words: &[
        "\"@context\"",
        "\"https://openvex.dev/ns/v0.2.0\"",
        "\"statements\"",
        "\"vulnerability\"",
        "\"status\"",
        "\"not_affected\"",
        "\"under_investigation\"",
        "\"justification\"",
        "\"vulnerable_code_not_present\"",
        "\"products\"",
        "\"subcomponents\"",
        "\"@id\"",
        "\"hashes\"",
        "\"identifiers\"",
        "\"csaf_version\"",
        "\"product_tree\"",
        "\"branches\"",
        "\"relationships\"",
        "\"product_reference\"",
        "\"relates_to_product_reference\"",
        "\"full_product_names\"",
        "\"product_groups\"",
        "\"group_ids\"",
        "\"product_id\"",
        "\"product_identification_helper\"",
        "\"cpe\"",
        "\"purl\"",
        "\"product_status\"",
        "\"known_not_affected\"",
        "\"flags\"",
        "\"threats\"",
        "\"bomFormat\": \"CycloneDX\"",
        "\"vulnerabilities\"",
        "\"analysis\"",
        "\"state\"",
        "\"affects\"",
        "\"ref\"",
        "\"bom-ref\"",
        "\"components\"",
        "urn:cdx:",
        "pkg:pypi/pyyaml@5.3",
        "pkg:oci/app",
        "CVE-2017-18342",
    ],
};

fn run(content: &[u8]) {
    if let Ok(document) = vex::parse("fuzz", content) {
        let (inventory, mut matches) = made::sample();
        let findings: Vec<usize> = matches.findings.iter().map(Vec::len).collect();
        vex::apply(&[document], &inventory, &mut matches);
        // Nothing disappears: a finding is marked, not removed.
        let after: Vec<usize> = matches.findings.iter().map(Vec::len).collect();
        assert_eq!(after, findings);
    }
}
