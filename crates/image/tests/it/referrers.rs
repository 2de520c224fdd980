//! What is attached to images in registries.

use seareeve_image::{ReadError, Referrer, attachments, referrers};
use serde_json::json;

use crate::fake::{Reply, Request, Server, reply};
use crate::registry::{image, quick, serve};
use crate::support::sha256;

const SBOM: &[u8] = br#"{"spdxVersion":"SPDX-2.3"}"#;

fn artifact() -> String {
    json!({
        "schemaVersion": 2, "artifactType": "application/spdx+json",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": format!("sha256:{}", sha256(b"{}")), "size": 2},
        "layers": [{"mediaType": "application/spdx+json", "digest": format!("sha256:{}", sha256(SBOM)), "size": SBOM.len()}],
    })
    .to_string()
}

fn index() -> String {
    json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": "application/spdx+json",
        "digest": format!("sha256:{}", sha256(artifact().as_bytes())), "size": artifact().len(),
        "annotations": {"org.opencontainers.image.created": "2024-01-02T03:04:05Z"},
    }]})
    .to_string()
}

fn answer(request: &Request, at: &str) -> Reply {
    let manifest = format!("manifests/sha256:{}", sha256(artifact().as_bytes()));
    match request.target.strip_prefix("/v2/team/app/") {
        Some(path) if path == at => reply(200, index().as_bytes()),
        Some(path) if path == manifest => reply(200, artifact().as_bytes()),
        Some(path) if path.ends_with(&sha256(SBOM)) => reply(200, SBOM),
        _ => serve(&image(), request),
    }
}

#[test]
fn attachments_are_listed_by_either_way_and_read() {
    let digest = image().manifest_hex;
    for at in [
        format!("referrers/sha256:{digest}"),
        format!("manifests/sha256-{digest}"),
    ] {
        let server = Server::start(move |request| answer(request, &at));
        let name = format!("127.0.0.1:{}/team/app:1", server.port)
            .parse()
            .unwrap();
        let listed = referrers(&name, &quick()).unwrap();
        let [sbom] = listed.as_slice() else {
            panic!("{listed:?}");
        };
        assert_eq!(sbom.artifact_type.as_deref(), Some("application/spdx+json"));
        assert_eq!(sbom.annotations.len(), 1);
        let read = attachments(&name, sbom, &quick()).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].content, SBOM);
        assert_eq!(read[0].media_type.as_deref(), Some("application/spdx+json"));

        let other = Referrer {
            digest: format!("sha256:{digest}").parse().unwrap(),
            ..sbom.clone()
        };
        let mut small = quick();
        small.limits.file_bytes = 10;
        assert!(matches!(
            attachments(&name, &other, &small),
            Err(ReadError::LimitReached { .. })
        ));
    }
}

#[test]
fn an_image_without_attachments_has_none() {
    let server = Server::start(|request| serve(&image(), request));
    let name = format!("127.0.0.1:{}/team/app:1", server.port)
        .parse()
        .unwrap();
    assert_eq!(referrers(&name, &quick()).unwrap(), []);
}
