//! Certificate signing requests: as whom somebody wants to be signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Aspect, Portrait, items};
use crate::json::Node;

/// Most names of one request that are looked at.
const MAX_NAMES: usize = 64;

impl Portrait {
    pub(super) fn signing_request(&mut self, request: Node<'_>) {
        if let Some(spec) = request.get("spec") {
            self.push_some(Aspect::Signer, spec.get("signerName"));
            for usage in items(spec.get("usages")) {
                self.push_some(Aspect::Usage, Some(usage));
            }
            let pem = spec.get("request").and_then(Node::str);
            let pem = pem.and_then(|text| STANDARD.decode(text.as_ref()).ok());
            for (attribute, name) in pem.and_then(|pem| subject(&pem)).unwrap_or_default() {
                match attribute {
                    Attribute::CommonName => self.push(Aspect::CommonName, name),
                    Attribute::Organization => self.push(Aspect::Organization, name),
                }
            }
        }
        for condition in items(request.path(&["status", "conditions"])) {
            self.push_some(Aspect::Condition, condition.get("type"));
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    CommonName,
    Organization,
}

/// The names in the subject of a PKCS #10 request in PEM (RFC 2986, 4.1).
fn subject(pem: &[u8]) -> Option<Vec<(Attribute, String)>> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, body) = text.split_once("REQUEST-----")?;
    let (body, _) = body.split_once("-----END")?;
    let base64: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let der = STANDARD.decode(base64).ok()?;
    let request = element(&der, SEQUENCE)?.0;
    let information = element(request, SEQUENCE)?.0;
    let (_version, rest) = element(information, INTEGER)?;
    let mut names = element(rest, SEQUENCE)?.0;
    let mut found = Vec::new();
    while let Some((set, behind)) = element(names, SET) {
        names = behind;
        let mut pairs = set;
        while let Some((pair, behind)) = element(pairs, SEQUENCE) {
            pairs = behind;
            let (id, value) = element(pair, OBJECT)?;
            let attribute = match id {
                [0x55, 4, 3] => Attribute::CommonName,
                [0x55, 4, 10] => Attribute::Organization,
                _ => continue,
            };
            let (_, text, _) = any_element(value)?;
            if found.len() < MAX_NAMES {
                found.push((attribute, String::from_utf8_lossy(text).into_owned()));
            }
        }
    }
    Some(found)
}

const INTEGER: u8 = 0x02;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// The content of the element that `der` begins with, which has to be of this kind, and what is behind it.
fn element(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, behind) = any_element(der)?;
    (tag == wanted).then_some((content, behind))
}

/// X.690, 8.1: a tag of one byte, a length of one to five, the content.
fn any_element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, first, rest @ ..] = der else {
        return None;
    };
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        // 0x80 is a length that is not said: DER does not have it.
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = bytes
                .iter()
                .fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, behind) = rest.split_at_checked(length)?;
    Some((*tag, content, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a request for O=system:masters, CN=root: what is behind the subject is not looked at.
    fn request() -> Vec<u8> {
        fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
            let length = u8::try_from(content.len()).unwrap();
            [&[tag, length][..], content].concat()
        }
        let name = |id: u8, text: &str| {
            let pair = [wrap(OBJECT, &[0x55, 4, id]), wrap(0x0c, text.as_bytes())].concat();
            wrap(SET, &wrap(SEQUENCE, &pair))
        };
        let names = [name(10, "system:masters"), name(6, "DE"), name(3, "root")].concat();
        let information = [wrap(INTEGER, &[0]), wrap(SEQUENCE, &names)].concat();
        wrap(SEQUENCE, &wrap(SEQUENCE, &information))
    }

    fn pem(der: &[u8]) -> String {
        format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            STANDARD.encode(der)
        )
    }

    #[test]
    fn the_subject_is_found() {
        assert_eq!(
            subject(pem(&request()).as_bytes()).unwrap(),
            [
                (Attribute::Organization, "system:masters".to_owned()),
                (Attribute::CommonName, "root".to_owned()),
            ]
        );
    }

    #[test]
    fn what_is_cut_or_changed_does_no_harm() {
        let der = request();
        for end in 0..der.len() {
            let _names = subject(pem(&der[..end]).as_bytes());
        }
        for at in 0..der.len() {
            for byte in [0, 0x80, 0x84, 0xff] {
                let mut changed = der.clone();
                changed[at] = byte;
                let _names = subject(pem(&changed).as_bytes());
            }
        }
    }
}
