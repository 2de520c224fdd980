//! The words that stand for things: references, digests, package URLs, paths in images, platforms, endpoints,
//! registries. What is read must be written so that the same is read again.

use seareeve_image::{Endpoint, Platform, RegistryName};
use seareeve_model::{Digest, ImagePath, ImageReference, Purl};

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "names",
    run,
    longest: 512,
    seeds,
    words: &[
        "pkg:",
        "deb/debian/",
        "npm/%40",
        "oci/",
        "?repository_url=",
        "&tag=",
        "#sub/path",
        "@sha256:",
        "sha256:abababababababababababababababababababababababababababababababab",
        "sha512:",
        "docker.io/",
        "library/",
        "localhost:5000/",
        "[::1]:5000/",
        "unix://",
        "tcp://",
        "linux/arm/v7",
        "../",
        "%2F",
        "%00",
    ],
};

fn run(input: &[u8]) {
    if let Some(path) = ImagePath::parse(input) {
        assert_eq!(ImagePath::parse(path.as_bytes()), Some(path.clone()));
        let below = path.join(b"a").expect("a path below a path");
        assert!(below.starts_with(&path) && !path.starts_with(&below));
        assert_eq!(below.parent(), Some(path));
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(reference) = text.parse::<ImageReference>() {
        let again = reference.to_string().parse::<ImageReference>();
        assert_eq!(again.ok(), Some(reference));
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.as_str().parse::<Digest>().ok(), Some(digest));
    }
    if let Ok(platform) = text.parse::<Platform>() {
        assert_eq!(
            platform.to_string().parse::<Platform>().ok(),
            Some(platform)
        );
    }
    if let Ok(endpoint) = text.parse::<Endpoint>() {
        assert_eq!(
            endpoint.to_string().parse::<Endpoint>().ok(),
            Some(endpoint)
        );
    }
    let _ = text.parse::<RegistryName>();
    if let Ok(purl) = text.parse::<Purl>() {
        let again: Purl = purl.as_str().parse().expect("what we write we can read");
        let (parts, parts_again) = (purl.parts(), again.parts());
        assert_eq!(parts.kind(), parts_again.kind());
        assert_eq!(parts.namespace(), parts_again.namespace());
        assert_eq!(parts.name(), parts_again.name());
        assert_eq!(parts.version(), parts_again.version());
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "debian:12",
        "registry.example:5000/team/app:1.2@sha256:abababababababababababababababababababababababababababababababab",
        "localhost/app",
        "sha256:abababababababababababababababababababababababababababababababab",
        "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&epoch=1",
        "pkg:npm/%40angular/core@1.0.0#src/a",
        "pkg:golang/github.com/a/b/v2@v2.0.0%2Bincompatible",
        "pkg:oci/app@sha256%3Aabab?repository_url=registry.example/team/app&tag=1",
        "./usr//lib/../lib/x",
        "linux/arm/v7",
        "tcp://[::1]:2375/",
        "unix:///var/run/docker.sock",
        "https://index.docker.io/v1/",
        "*.example.org",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
