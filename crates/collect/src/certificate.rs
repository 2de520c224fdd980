//! What is read of certificates (RFC 5280, 4.1): dates, whose they are, and what tells two of them apart. The few
//! lines of DER that this needs.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use jiff::civil::date;
use sha2::{Digest as _, Sha256};

/// Most certificates of one file.
const MAX_CERTIFICATES: usize = 500;

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    /// The subject's common name, the last one where there are several.
    pub(crate) common_name: Option<String>,
    /// SHA-256 of the public key with its algorithm (SubjectPublicKeyInfo), hexadecimal.
    pub(crate) public_key: String,
    /// SHA-256 of all of it, hexadecimal.
    pub(crate) fingerprint: String,
    /// The names of hosts that it is for.
    pub(crate) names: Vec<String>,
}

/// The certificates in a PEM text, in their order. What is none is passed over.
pub(crate) fn all(pem: &str) -> Vec<Certificate> {
    let parts = pem.split("-----BEGIN CERTIFICATE-----").skip(1);
    parts
        .filter_map(|part| {
            let (body, _) = part.split_once("-----END CERTIFICATE-----")?;
            let text: String = body.split_whitespace().collect();
            parse(&BASE64_STANDARD.decode(text).ok()?)
        })
        .take(MAX_CERTIFICATES)
        .collect()
}

/// The first certificate of a PEM text: not before, not after.
pub(crate) fn validity(pem: &str) -> Option<(Timestamp, Timestamp)> {
    let first = all(pem).into_iter().next()?;
    Some((first.not_before, first.not_after))
}

/// What a server shows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCertificate {
    /// From when on it holds.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// The names of hosts that it is for, in its order.
    pub names: Vec<String>,
}

/// The first certificate of a chain in PEM form; nothing, if there is none that can be read.
#[must_use]
pub fn server_certificate(pem: &str) -> Option<ServerCertificate> {
    let first = all(pem).into_iter().next()?;
    Some(ServerCertificate {
        not_before: first.not_before,
        not_after: first.not_after,
        names: first.names,
    })
}

fn parse(der: &[u8]) -> Option<Certificate> {
    let (SEQUENCE, certificate, _) = element(der)? else {
        return None;
    };
    let (SEQUENCE, mut to_be_signed, _) = element(certificate)? else {
        return None;
    };
    // The version has a tag of its own and may be missing; then come number, algorithm and issuer.
    if let (VERSION, _, rest) = element(to_be_signed)? {
        to_be_signed = rest;
    }
    for _ in 0..3 {
        to_be_signed = element(to_be_signed)?.2;
    }
    let (SEQUENCE, validity, rest) = element(to_be_signed)? else {
        return None;
    };
    let (tag, before, after) = element(validity)?;
    let (after_tag, after, _) = element(after)?;
    let (SEQUENCE, subject, key) = element(rest)? else {
        return None;
    };
    let (SEQUENCE, _, after_key) = element(key)? else {
        return None;
    };
    let key = key.get(..key.len().checked_sub(after_key.len())?)?;
    Some(Certificate {
        not_before: time(tag, before)?,
        not_after: time(after_tag, after)?,
        common_name: common_name(subject),
        public_key: hex(&Sha256::digest(key)),
        fingerprint: hex(&Sha256::digest(der)),
        names: alternative_names(after_key).unwrap_or_default(),
    })
}

/// The DNS names of the extension subjectAltName (4.2.1.6), among what comes after the key.
fn alternative_names(mut rest: &[u8]) -> Option<Vec<String>> {
    /// Most names of one certificate.
    const MAX_NAMES: usize = 100;
    /// The tag of the extensions among the optional parts.
    const EXTENSIONS: u8 = 0xa3;
    /// 2.5.29.17
    const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
    const OCTETS: u8 = 0x04;
    const DNS_NAME: u8 = 0x82;
    let all = loop {
        let (tag, content, after) = element(rest)?;
        if tag == EXTENSIONS {
            break content;
        }
        rest = after;
    };
    let (SEQUENCE, mut extensions, _) = element(all)? else {
        return None;
    };
    while let Some((_, extension, others)) = element(extensions) {
        let (_, id, mut value) = element(extension)?;
        if id == ALTERNATIVE_NAME {
            // Whether it is critical may stand before it.
            let octets = loop {
                let (tag, content, after) = element(value)?;
                if tag == OCTETS {
                    break content;
                }
                value = after;
            };
            let (SEQUENCE, mut names, _) = element(octets)? else {
                return None;
            };
            let mut found = Vec::new();
            while let Some((tag, name, others)) = element(names) {
                if tag == DNS_NAME && found.len() < MAX_NAMES {
                    found.extend(std::str::from_utf8(name).ok().map(str::to_owned));
                }
                names = others;
            }
            return Some(found);
        }
        extensions = others;
    }
    None
}

/// Of a Name (4.1.2.4): sets of pairs of an identifier and a text.
fn common_name(mut name: &[u8]) -> Option<String> {
    /// 2.5.4.3
    const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    let mut found = None;
    while let Some((_, mut set, rest)) = element(name) {
        while let Some((_, pair, others)) = element(set) {
            if let Some((_, COMMON_NAME, value)) = element(pair)
                && let Some((_, text, _)) = element(value)
            {
                found = std::str::from_utf8(text).ok();
            }
            set = others;
        }
        name = rest;
    }
    found.map(str::to_owned)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Tag and content of the element that `bytes` begin with, and what comes after it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        // The length of the length; more than four bytes of it are nothing of ours.
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 7))?;
            let length = digits
                .iter()
                .fold(0_usize, |length, digit| (length << 8) | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, the only forms that certificates may use (4.1.2.5).
fn time(tag: u8, content: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let text = match tag {
        UTC_TIME => {
            let century = if text.get(..2)? < "50" { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let number = |start: usize, length: usize| -> Option<i8> {
        text.get(start..start.checked_add(length)?)?.parse().ok()
    };
    let year: i16 = text.get(..4)?.parse().ok()?;
    let (month, day) = (number(4, 2)?, number(6, 2)?);
    let (hour, minute, second) = (number(8, 2)?, number(10, 2)?, number(12, 2)?);
    let is_real = text.len() == 14
        && (1..=12).contains(&month)
        && (0..=23).contains(&hour)
        && (0..=59).contains(&minute)
        && (0..=59).contains(&second);
    if !is_real {
        return None;
    }
    let days = date(year, month, 1).days_in_month();
    if !(1..=days).contains(&day) {
        return None;
    }
    let moment = date(year, month, day).at(hour, minute, second, 0);
    let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(moment.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with openssl 3: `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -days 3650`.
    const REAL: &str = include_str!("certificate/ca.pem");
    const FINGERPRINT: &str = "1dd0267e139a83cca0aefed7cf35cf80f2ced471044d23dab0391f2574fe4486";
    const PUBLIC_KEY: &str = "31faf4d84c622093507635897be0c19e0ceb6be58abbb4331b2ba457213b1265";

    #[test]
    fn a_real_certificate_is_read() {
        let (before, after) = validity(REAL).unwrap();
        assert_eq!(after.as_second() - before.as_second(), 3650 * 86_400);
    }

    #[test]
    fn a_certificate_is_known_by_name_and_prints() {
        let found = all(REAL);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].common_name.as_deref(), Some("ca"));
        // openssl x509 -fingerprint -sha256; openssl x509 -pubkey | openssl pkey -pubin -outform der | sha256sum
        assert_eq!(found[0].fingerprint, FINGERPRINT);
        assert_eq!(found[0].public_key, PUBLIC_KEY);
        assert_eq!(all(&format!("{REAL}junk\n{REAL}")).len(), 2);
    }

    #[test]
    fn what_is_cut_short_is_none() {
        for length in 0..REAL.len() - 30 {
            assert_eq!(validity(&REAL[..length]), None);
        }
        let body: String = REAL.lines().filter(|line| !line.starts_with('-')).collect();
        let der = BASE64_STANDARD.decode(body).unwrap();
        for length in 0..der.len() {
            let pem = BASE64_STANDARD.encode(&der[..length]);
            let pem = format!("-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n");
            assert_eq!(validity(&pem), None);
        }
    }

    #[test]
    fn times_are_those_of_certificates() {
        let shown = |tag, text: &str| time(tag, text.as_bytes()).map(|time| time.to_string());
        for (tag, text, expected) in [
            (UTC_TIME, "260102030405Z", Some("2026-01-02T03:04:05Z")),
            (UTC_TIME, "991231235959Z", Some("1999-12-31T23:59:59Z")),
            (
                GENERALIZED_TIME,
                "20500101000000Z",
                Some("2050-01-01T00:00:00Z"),
            ),
            (GENERALIZED_TIME, "99991231235959Z", None),
            (UTC_TIME, "260231000000Z", None),
            (UTC_TIME, "261301000000Z", None),
            (UTC_TIME, "2601020304Z", None),
            (UTC_TIME, "260102030405+0100", None),
            (0x04, "260102030405Z", None),
        ] {
            assert_eq!(shown(tag, text).as_deref(), expected, "{text}");
        }
    }
}
