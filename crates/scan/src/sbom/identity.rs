//! Names and times in documents, made of what they name: equal input gives equal documents.

use std::borrow::Cow;
use std::io;

use jiff::Timestamp;
use seareeve_model::{Image, ImageReference, InstalledPackage, Purl};
use sha2::{Digest as _, Sha256};

/// The name of this program in documents.
pub(super) const TOOL: &str = "seareeve";
/// Its version.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// 2¹²⁸ names: a hostile image cannot bring forth two equal ones. The same package at the same place in the
/// same layer has the same name in every document.
pub(super) fn of_package(installed: &InstalledPackage) -> String {
    let package = &installed.package;
    let source = package.source.as_ref();
    let layer = installed.layer.to_le_bytes();
    let fields: [&[u8]; 9] = [
        package.kind.as_str().as_bytes(),
        package.name.as_bytes(),
        package.version.as_bytes(),
        source.map_or(&[], |source| source.name.as_bytes()),
        source.map_or(&[], |source| source.version.as_bytes()),
        package.ecosystem.as_bytes(),
        package.purl.as_str().as_bytes(),
        installed.path.as_bytes(),
        &layer,
    ];
    let mut hasher = Sha256::new();
    hasher.update([u8::from(source.is_some())]);
    for field in fields {
        // The length first, so that no two lists of fields are the same bytes.
        hasher.update((field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    let hash: [u8; 32] = hasher.finalize().into();
    let digest = seareeve_model::Digest::sha256(&hash);
    digest.hex().chars().take(32).collect()
}

/// A UUID (RFC 9562, version 8: made in a way of one's own) of what `body` writes.
pub(super) fn uuid_of(
    body: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<String> {
    let mut hashing = Hashing(Sha256::new());
    body(&mut hashing)?;
    let hash: [u8; 32] = hashing.0.finalize().into();
    let first = hash.first_chunk().expect("32 bytes begin with 16");
    let value = u128::from_be_bytes(*first);
    let value = value & !(0xf << 76) | (0x8 << 76);
    let value = value & !(0x3 << 62) | (0x2 << 62);
    Ok(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        value >> 96,
        (value >> 80) & 0xffff,
        (value >> 64) & 0xffff,
        (value >> 48) & 0xffff,
        value & 0xffff_ffff_ffff
    ))
}

struct Hashing(Sha256);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The nearest time that both schemas can write: RFC 3339 has no years before Christ, and nobody means those
/// before 1970. An image may say whatever it likes of when it was made; years beyond 9999 are no timestamp.
pub(super) fn writable(time: Timestamp) -> Timestamp {
    time.max(Timestamp::UNIX_EPOCH)
}

/// The time to the second, which is all that SPDX allows (2.3, "created").
pub(super) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What people call the image: the first of its names, else its digest.
pub(super) fn name(image: &Image) -> &str {
    image
        .references
        .first()
        .map_or(image.digest.as_str(), String::as_str)
}

/// The image's package URL (purl-spec, "oci"). Its version is a digest that a registry knows, so an archive
/// without manifest has none.
pub(super) fn purl(image: &Image) -> Option<Purl> {
    if image.digest == image.config_digest {
        return None;
    }
    let reference: ImageReference = image.references.first()?.parse().ok()?;
    let (_, name) = reference
        .repository()
        .rsplit_once('/')
        .unwrap_or(("", reference.repository()));
    let repository = format!("{}/{}", reference.registry(), reference.repository());
    let qualifiers = [
        ("arch", image.architecture.as_str()),
        ("repository_url", &repository),
        ("tag", reference.tag().unwrap_or_default()),
    ];
    Purl::new("oci", "", name, image.digest.as_str(), &qualifiers).ok()
}

/// The package URL as others look for it: Grype and Syft read the source package from the qualifier
/// `upstream`, `name` or `name@version`.
pub(super) fn purl_with_source(installed: &InstalledPackage) -> Cow<'_, Purl> {
    let package = &installed.package;
    let plain = Cow::Borrowed(&package.purl);
    let Some(source) = &package.source else {
        return plain;
    };
    let upstream = match (
        source.name == package.name,
        source.version == package.version,
    ) {
        (true, true) => return plain,
        (_, true) => source.name.clone(),
        (_, false) => format!("{}@{}", source.name, source.version),
    };
    match package.purl.with_qualifier("upstream", &upstream) {
        Ok(with) if !package.purl.as_str().contains("upstream=") => Cow::Owned(with),
        Ok(_) | Err(_) => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_of_the_content_and_of_version_8() {
        let uuid = |text: &'static [u8]| uuid_of(|out| out.write_all(text)).unwrap();
        // The first half of SHA-256 of "abc" (FIPS 180-4), but for version and variant.
        assert_eq!(uuid(b"abc"), "ba7816bf-8f01-8fea-8141-40de5dae2223");
        assert_ne!(uuid(b"abc"), uuid(b"abd"));
    }

    #[test]
    fn times_are_those_of_rfc_3339() {
        for (time, written) in [
            ("-000500-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("2024-02-29T12:00:00.123456789Z", "2024-02-29T12:00:00Z"),
        ] {
            let time = writable(time.parse().unwrap());
            assert_eq!(seconds(time), written);
        }
        assert_eq!(seconds(writable(Timestamp::MAX)).len(), 20);
    }
}
