//! From when to when a certificate is valid (RFC 5280, 4.1): the few lines of DER that this needs.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use jiff::civil::date;

/// Reads the first certificate of a PEM text: not before, not after.
pub(crate) fn validity(pem: &str) -> Option<(Timestamp, Timestamp)> {
    let body = pem.split_once("-----BEGIN CERTIFICATE-----")?.1;
    let body = body.split_once("-----END CERTIFICATE-----")?.0;
    let text: String = body.split_whitespace().collect();
    let der = BASE64_STANDARD.decode(text).ok()?;
    let (SEQUENCE, certificate, _) = element(&der)? else {
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
    let (SEQUENCE, validity, _) = element(to_be_signed)? else {
        return None;
    };
    let (tag, before, rest) = element(validity)?;
    let (after_tag, after, _) = element(rest)?;
    Some((time(tag, before)?, time(after_tag, after)?))
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

    #[test]
    fn a_real_certificate_is_read() {
        let (before, after) = validity(REAL).unwrap();
        assert_eq!(after.as_second() - before.as_second(), 3650 * 86_400);
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
