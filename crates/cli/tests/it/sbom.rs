//! `seareeve sbom`.

use serde_json::Value;

use crate::support::{APP, Home};

fn report(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_sbom_has_the_findings_of_its_image() {
    let home = Home::new();
    home.image(&APP);
    let image = home.run(&[
        "image",
        "--input",
        "app.tar",
        "-f",
        "json",
        "--scanners",
        "vuln",
    ]);
    for format in ["cyclonedx", "spdx-json"] {
        let written = home.run(&[
            "image",
            "--input",
            "app.tar",
            "-f",
            format,
            "-o",
            "sbom.json",
        ]);
        assert_eq!((written.code, written.err.as_str()), (0, ""), "{format}");
        let from_file = home.run(&["sbom", "sbom.json", "-f", "json"]);
        assert_eq!(
            (from_file.code, from_file.out.as_str()),
            (0, image.out.as_str()),
            "{format}"
        );
        let bytes = std::fs::read(home.path().join("sbom.json")).unwrap();
        let from_input = home.run_with_input(&["sbom", "-", "-f", "json"], &bytes);
        assert_eq!(from_input.out, image.out, "{format}");
        assert_eq!(
            home.run(&["sbom", "sbom.json", "--fail-on", "high"]).code,
            2
        );
        assert_eq!(home.run(&["sbom", "sbom.json", "-f", "html"]).code, 0);
    }
}

#[test]
fn sboms_of_others_and_ours_for_servers_are_read() {
    let home = Home::new();
    home.write(
        "theirs.json",
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [
            {"type": "library", "name": "PyYAML", "version": "5.3", "purl": "pkg:pypi/pyyaml@5.3"}]}"#,
    );
    let theirs = home.run(&["sbom", "theirs.json", "-f", "json"]);
    assert_eq!((theirs.code, theirs.err.as_str()), (0, ""));
    assert_eq!(report(&theirs.out)["findings"][0]["id"], "CVE-2020-14343");
    let table = home.run(&["sbom", "theirs.json"]);
    assert!(
        table.out.starts_with("theirs.json · no distribution"),
        "{}",
        table.out
    );

    let digest = format!("sha256:{}", "ab".repeat(32));
    let ours = serde_json::json!({
        "schema_version": 1, "distro": null, "problems": [],
        "image": { "references": ["a:1"], "digest": digest, "config_digest": digest, "os": "linux", "architecture": "arm64",
            "created": null, "layers": [{ "diff_id": digest, "digest": null, "size_bytes": 1, "created_by": "" }] },
        "packages": [{ "kind": "pypi", "name": "PyYAML", "version": "5.3", "source": null, "ecosystem": "PyPI",
            "purl": "pkg:pypi/pyyaml@5.3", "path": "a/METADATA", "layer": 0 }],
    });
    let ours = home.run_with_input(&["sbom", "-", "-f", "json"], ours.to_string().as_bytes());
    assert_eq!((ours.code, ours.err.as_str()), (0, ""));
    assert_eq!(report(&ours.out)["image"]["architecture"], "arm64");
}

#[test]
fn what_is_no_sbom_is_said() {
    let home = Home::new();
    for (text, why) in [
        ("{}", "the file is JSON, but neither CycloneDX nor SPDX"),
        (
            "SPDXVersion: SPDX-2.3",
            "SPDX in the tag-value form is not read",
        ),
        ("<bom/>", "XML is not read"),
        ("", "failed to read the SBOM as JSON"),
    ] {
        let run = home.run_with_input(&["sbom", "-"], text.as_bytes());
        assert_eq!((run.code, run.out.as_str()), (1, ""));
        assert!(run.err.contains(why), "{}", run.err);
    }
    assert_eq!(home.run(&["sbom", "absent.json"]).code, 1);
    assert_eq!(home.run(&["sbom"]).code, 1);
}
