//! SBOMs in the formats of others, bare and in their envelopes: any bytes must be refused, or be an inventory that
//! survives being written and read again.

use seareeve_scan::sbom::{self, Format};

use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "sbom_documents",
    run,
    longest: 8 << 10,
    seeds,
    words: &[
        "\"bomFormat\"",
        "\"CycloneDX\"",
        "\"specVersion\"",
        "\"metadata\"",
        "\"component\"",
        "\"components\"",
        "\"purl\"",
        "\"version\"",
        "\"properties\"",
        "\"name\"",
        "\"value\"",
        "\"aquasecurity:trivy:LayerDiffID\"",
        "\"aquasecurity:trivy:SrcName\"",
        "\"syft:location:0:path\"",
        "\"spdxVersion\"",
        "\"SPDX-2.3\"",
        "\"packages\"",
        "\"SPDXID\"",
        "\"SPDXRef-a\"",
        "\"externalRefs\"",
        "\"referenceType\"",
        "\"referenceLocator\"",
        "\"versionInfo\"",
        "\"primaryPackagePurpose\"",
        "\"relationships\"",
        "\"relatedSpdxElement\"",
        "\"relationshipType\"",
        "\"annotations\"",
        "\"comment\"",
        "\"sourceInfo\"",
        "\"payloadType\"",
        "\"payload\"",
        "\"predicateType\"",
        "\"predicate\"",
        "\"sbom\"",
        "pkg:deb/debian/a@1?distro=debian-12",
        "pkg:oci/a@sha256%3Aab",
    ],
};

fn run(data: &[u8]) {
    let Ok(inventory) = sbom::read(data) else {
        return;
    };
    made::check(&inventory);
    for format in [Format::CycloneDx, Format::Spdx] {
        let mut document = Vec::new();
        let time = sbom::time_of(&inventory);
        sbom::write(format, &inventory, None, time, &mut document).expect("a Vec takes all bytes");
        assert_eq!(sbom::read(&document).ok().as_ref(), Some(&inventory));
    }
}

/// The smaller fixtures, and what we write ourselves.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = made::folder("../crates/scan/tests/fixtures/sbom")
        .into_iter()
        .filter(|(name, content)| name.ends_with(".json") && content.len() <= TARGET.longest)
        .map(|(_, content)| content)
        .collect();
    let (inventory, matches) = made::sample();
    for format in [Format::CycloneDx, Format::Spdx] {
        for findings in [None, Some(matches.findings.as_slice())] {
            let mut document = Vec::new();
            let time = sbom::time_of(&inventory);
            sbom::write(format, &inventory, findings, time, &mut document)
                .expect("a Vec takes all bytes");
            seeds.push(document);
        }
    }
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://cyclonedx.org/bom","predicate":{}}}"#,
        String::from_utf8_lossy(seeds.first().map(Vec::as_slice).unwrap_or_default())
    );
    seeds.push(statement.into_bytes());
    seeds.push(br#"{"payloadType":"application/vnd.in-toto+json","payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJwcmVkaWNhdGUiOnsiYm9tRm9ybWF0IjoiQ3ljbG9uZURYIiwic3BlY1ZlcnNpb24iOiIxLjYifX0=","signatures":[]}"#.to_vec());
    seeds.retain(|seed| seed.len() <= TARGET.longest);
    seeds
}
