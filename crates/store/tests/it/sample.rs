//! Small images, packages and findings to store.

use std::sync::Arc;

use jiff::Timestamp;
use seareeve_model::{
    AdvisoryMatch, CvssVector, Digest, Distro, Finding, FindingStatus, Image, ImagePath,
    InstalledPackage, Inventory, Layer, Package, PackageKind, Problem, ProblemCode, Purl,
    Reference, Severity, SeveritySource, SourcePackage, Vulnerability,
};
use seareeve_store::images::Saved;
use seareeve_store::{Store, StoreError, images};

/// A time `second` seconds after a fixed one.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + second).unwrap()
}

pub(crate) fn digest(number: u8) -> Digest {
    Digest::sha256(&[number; 32])
}

pub(crate) fn path(text: &str) -> ImagePath {
    ImagePath::parse(text.as_bytes()).unwrap()
}

/// A Debian package built from a source of the same name.
pub(crate) fn deb(name: &str, version: &str) -> InstalledPackage {
    let qualifiers = [("arch", "amd64"), ("distro", "debian-12")];
    InstalledPackage {
        package: Package {
            kind: PackageKind::Deb,
            name: name.to_owned(),
            version: version.to_owned(),
            source: Some(SourcePackage {
                name: name.to_owned(),
                version: version.to_owned(),
            }),
            ecosystem: "Debian:12".to_owned(),
            purl: Purl::new("deb", "debian", name, version, &qualifiers).unwrap(),
        },
        path: path("var/lib/dpkg/status"),
        layer: 0,
    }
}

/// A Node package that the second layer brought.
pub(crate) fn npm(name: &str, version: &str, place: &str) -> InstalledPackage {
    InstalledPackage {
        package: Package {
            kind: PackageKind::Npm,
            name: name.to_owned(),
            version: version.to_owned(),
            source: None,
            ecosystem: "npm".to_owned(),
            purl: Purl::new("npm", "", name, version, &[]).unwrap(),
        },
        path: path(place),
        layer: 1,
    }
}

/// A finding that nothing fixes.
pub(crate) fn finding(id: &str, severity: Severity) -> Finding {
    Finding {
        vulnerability: Arc::new(Vulnerability {
            id: id.to_owned(),
            aliases: vec![format!("GHSA-{id}")],
            title: format!("Title of {id}"),
            description: "Text with \"quotes\",\nlines and ü".to_owned(),
            cvss: vec![CvssVector {
                version: "3.1".to_owned(),
                vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned(),
                score: 9.8,
            }],
            published: Some("2024-02-29T23:59:59.123456789Z".parse().unwrap()),
            modified: None,
            known_exploited: None,
            epss: None,
            references: vec![Reference {
                kind: "ADVISORY".to_owned(),
                url: format!("https://advisories.example/{id}"),
            }],
        }),
        severity,
        severity_source: SeveritySource::CvssV3,
        vex: None,
        suppressed: None,
        status: FindingStatus::Affected,
        fixed_versions: Vec::new(),
        remediation: "wait for a fix".to_owned(),
        advisories: vec![AdvisoryMatch {
            id: format!("DSA-{id}"),
            range: ">= 0".to_owned(),
            modified: Some(at(-5)),
        }],
    }
}

/// A finding that version 9 fixes.
pub(crate) fn fixed(id: &str, severity: Severity) -> Finding {
    Finding {
        status: FindingStatus::Fixed,
        fixed_versions: vec!["9".to_owned()],
        remediation: "upgrade to 9".to_owned(),
        ..finding(id, severity)
    }
}

/// An image with two layers, a distribution and a problem.
pub(crate) fn inventory(
    number: u8,
    references: &[&str],
    packages: Vec<InstalledPackage>,
) -> Inventory {
    let layer = |part: u8, created_by: &str| Layer {
        diff_id: digest(number.wrapping_add(part)),
        digest: (part == 100).then(|| digest(part)),
        size_bytes: 1_000 * u64::from(part),
        created_by: created_by.to_owned(),
    };
    Inventory {
        image: Image {
            references: references.iter().map(|&text| text.to_owned()).collect(),
            digest: digest(number),
            config_digest: digest(number.wrapping_add(50)),
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            created: Some("0001-01-01T00:00:00.000000001Z".parse().unwrap()),
            layers: vec![layer(100, "ADD rootfs.tar /"), layer(101, "")],
        },
        distro: Some(Distro {
            id: "debian".to_owned(),
            version: "12".to_owned(),
            name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        }),
        packages,
        problems: vec![Problem::new(
            ProblemCode::FileUnreadable,
            "etc/x",
            "failed to read",
        )],
    }
}

/// Saves in a transaction of its own.
pub(crate) async fn save(
    store: &Store,
    inventory: &Inventory,
    findings: &[Vec<Finding>],
    second: i64,
) -> Result<Saved, StoreError> {
    let mut tx = store.begin().await?;
    let saved = images::save(&mut tx, inventory, findings, at(second)).await?;
    tx.commit().await?;
    Ok(saved)
}
