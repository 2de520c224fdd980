//! Finds out what a document is, and takes off what is wrapped around it.
//!
//! SBOMs come as they are, as the predicate of an in-toto statement (BuildKit, in-toto/attestation "Statement"),
//! as such a statement in a DSSE envelope (cosign, secure-systems-lab/dsse "Envelope"), and as GitHub's API
//! hands them out, under `sbom`.

use std::cell::LazyCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seareeve_model::{Digest, Inventory};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::json::{First, List, Records, Text};
use super::{LARGEST, cyclonedx, gather, spdx};

/// Why a document could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The document is larger than [`LARGEST`]. The user's fault, or somebody's who wants to harm.
    #[error("the SBOM has {0} bytes, more than the limit of {LARGEST}")]
    TooLarge(usize),
    /// It is not JSON, or breaks off. The fault of whoever made it.
    #[error("failed to read the SBOM as JSON")]
    NotJson(#[source] serde_json::Error),
    /// It is an SBOM in a format or version that we do not read. The user can convert it.
    #[error("{0} is not read: use CycloneDX 1.2 or later, or SPDX 2.2 or 2.3, as JSON")]
    Unsupported(String),
    /// It is JSON, but no SBOM. The user's fault.
    #[error("the file is JSON, but neither CycloneDX nor SPDX")]
    NotAnSbom,
}

/// Envelopes in envelopes: DSSE, statement, a predicate that is a text, and the document.
const MOST_WRAPPINGS: usize = 4;

/// The fields of all documents and envelopes that are read; no two formats have the same name for two things.
/// One pass finds the records, of which each is then read by itself.
#[derive(Deserialize)]
pub(super) struct Outline<'a> {
    // CycloneDX.
    #[serde(rename = "bomFormat", borrow)]
    bom_format: Option<Text<'a>>,
    #[serde(rename = "specVersion", borrow)]
    spec_version: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) components: List<Records<'a>>,
    // SPDX.
    #[serde(rename = "spdxVersion", borrow)]
    spdx_version: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) packages: List<Records<'a>>,
    #[serde(rename = "documentDescribes", borrow, default)]
    pub(super) document_describes: List<First<Text<'a>>>,
    #[serde(borrow, default)]
    pub(super) relationships: List<spdx::Described<'a>>,
    #[serde(rename = "@context", borrow)]
    context: Option<&'a RawValue>,
    // An in-toto statement.
    #[serde(borrow, default)]
    subject: List<First<Subject<'a>>>,
    #[serde(borrow)]
    predicate: Option<&'a RawValue>,
    // A DSSE envelope.
    #[serde(borrow)]
    payload: Option<Text<'a>>,
    // GitHub.
    #[serde(borrow)]
    sbom: Option<&'a RawValue>,
}

/// The artifact that a statement is about.
#[derive(Deserialize)]
struct Subject<'a> {
    #[serde(borrow, default)]
    digest: SubjectDigest<'a>,
}

#[derive(Default, Deserialize)]
struct SubjectDigest<'a> {
    #[serde(borrow)]
    sha256: Option<Text<'a>>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Inventory, ReadError> {
    if bytes.len() > LARGEST {
        return Err(ReadError::TooLarge(bytes.len()));
    }
    // Not every document is asked for its digest, and it takes longer than to read some.
    let document = LazyCell::new(|| Digest::sha256(&Sha256::digest(bytes).into()));
    unwrap(bytes, &|| document.clone(), None, MOST_WRAPPINGS)
}

fn unwrap(
    bytes: &[u8],
    document: &dyn Fn() -> Digest,
    subject: Option<Digest>,
    wrappings: usize,
) -> Result<Inventory, ReadError> {
    // Some tools begin files with a byte order mark.
    let bytes = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    if bytes.starts_with(b"<") {
        return Err(ReadError::Unsupported("XML".to_owned()));
    }
    if bytes.starts_with(b"SPDXVersion:") {
        return Err(ReadError::Unsupported(
            "SPDX in the tag-value form".to_owned(),
        ));
    }
    if bytes.starts_with(b"\"") && wrappings > 0 {
        // cosign writes some predicates as a text that holds the document.
        let text: String = serde_json::from_slice(bytes).map_err(ReadError::NotJson)?;
        return unwrap(text.as_bytes(), document, subject, wrappings - 1);
    }
    // Asking once whether all is text is faster than asking of each part. Where it is not, the parts that are read
    // still may be.
    let outline: Result<Outline<'_>, _> = match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(bytes),
    };
    let outline = outline.map_err(ReadError::NotJson)?;
    if let Some(said) = said(&outline)? {
        return Ok(gather::inventory(said, document, subject));
    }
    if wrappings == 0 {
        return Err(ReadError::NotAnSbom);
    }
    if let Some(inner) = outline.predicate.or(outline.sbom) {
        let List(First(first)) = outline.subject;
        let named = first.and_then(|first| first.digest.sha256);
        let subject = named
            .and_then(|Text(hex)| format!("sha256:{hex}").parse().ok())
            .or(subject);
        return unwrap(inner.get().as_bytes(), document, subject, wrappings - 1);
    }
    if let Some(Text(payload)) = outline.payload {
        let inner = STANDARD.decode(payload.as_bytes()).ok();
        let inner = inner.ok_or(ReadError::NotAnSbom)?;
        return unwrap(&inner, document, subject, wrappings - 1);
    }
    Err(ReadError::NotAnSbom)
}

/// What a document says, if it is one.
fn said<'a>(outline: &Outline<'a>) -> Result<Option<gather::Said<'a>>, ReadError> {
    let minor = |version: &str, major: &str| -> Option<u32> {
        let rest = version.strip_prefix(major)?;
        rest.split('.').next()?.parse().ok()
    };
    if outline.bom_format.is_some() {
        let version = outline.spec_version.clone().unwrap_or_default().0;
        // JSON came with 1.2, and what came later only added to it.
        return match minor(&version, "1.") {
            Some(2..) => Ok(Some(cyclonedx::read(outline))),
            Some(_) | None => Err(ReadError::Unsupported(format!("CycloneDX {version}"))),
        };
    }
    if let Some(Text(version)) = &outline.spdx_version {
        return match minor(version, "SPDX-2.") {
            Some(2..) => Ok(Some(spdx::read(outline))),
            Some(_) | None => Err(ReadError::Unsupported(version.clone().into_owned())),
        };
    }
    match outline.context {
        Some(context) if context.get().contains("spdx.org/rdf/3") => {
            Err(ReadError::Unsupported("SPDX 3".to_owned()))
        }
        Some(_) | None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(document: impl AsRef<[u8]>, message: &str) {
        assert_eq!(read(document.as_ref()).unwrap_err().to_string(), message);
    }

    #[test]
    fn says_why_a_document_is_refused() {
        let other = "is not read: use CycloneDX 1.2 or later, or SPDX 2.2 or 2.3, as JSON";
        refused("<bom/>", &format!("XML {other}"));
        refused(
            "SPDXVersion: SPDX-2.3\n",
            &format!("SPDX in the tag-value form {other}"),
        );
        refused(
            r#"{"bomFormat": "CycloneDX", "specVersion": "2.0"}"#,
            &format!("CycloneDX 2.0 {other}"),
        );
        refused(
            r#"{"spdxVersion": "SPDX-3.0"}"#,
            &format!("SPDX-3.0 {other}"),
        );
        refused(
            r#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}"#,
            &format!("SPDX 3 {other}"),
        );
        for not_json in [&b""[..], b"{", b"\xff\xfe{\0", b"[1", b"{\"bomFormat\": 1}"] {
            refused(not_json, "failed to read the SBOM as JSON");
        }
        for nothing in ["{}", "{\"payload\": \"?\"}", "{\"predicate\": {}}"] {
            refused(nothing, "the file is JSON, but neither CycloneDX nor SPDX");
        }
    }

    #[test]
    fn envelopes_are_not_taken_off_without_end() {
        let mut document = "{}".to_owned();
        for _ in 0..30 {
            document = format!("{{\"predicate\": {document}}}");
        }
        refused(document, "the file is JSON, but neither CycloneDX nor SPDX");
    }
}
