//! From when to when certificates hold, and for whom.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};

/// The year 10000; what never ends has the last second before it (RFC 5280, 4.1.2.5).
const AFTER_ALL: Duration = Duration::from_secs(253_402_300_800);

/// When a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    from: Timestamp,
    until: Timestamp,
}

impl Validity {
    /// rustls reads it and tells nobody, unless it is over or not yet: so it is asked at times when every certificate
    /// is. Nothing where it cannot be read, or is never over.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let until = match refused_at(certificate, AFTER_ALL)? {
            CertificateError::ExpiredContext { not_after, .. } => time(not_after)?,
            _ => return None,
        };
        let from = match refused_at(certificate, Duration::ZERO) {
            Some(CertificateError::NotValidYetContext { not_before, .. }) => time(not_before)?,
            _ => Timestamp::UNIX_EPOCH,
        };
        Some(Self { from, until })
    }

    pub(super) fn until(&self) -> Timestamp {
        self.until
    }

    /// The last days, or of what has few of them, the last tenth.
    pub(super) fn late_from(&self, days: i64) -> Timestamp {
        let tenth = self.until.duration_since(self.from) / 10;
        self.until - tenth.min(SignedDuration::from_hours(24 * days))
    }
}

fn refused_at(certificate: &CertificateDer<'_>, at: Duration) -> Option<CertificateError> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let (nobody, at) = (RootCertStore::empty(), UnixTime::since_unix_epoch(at));
    match verify_server_cert_signed_by_trust_anchor(&parsed, &nobody, &[], at, &[]) {
        Err(Error::InvalidCertificate(error)) => Some(error),
        _ => None,
    }
}

fn time(time: UnixTime) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(time.as_secs()).ok()?).ok()
}

/// Whether somebody who knows these authorities takes the first certificate of a chain, at that time.
pub(super) fn is_trusted(
    chain: &[CertificateDer<'_>],
    authorities: &[CertificateDer<'_>],
    now: Timestamp,
) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities.iter().cloned());
    let Some((own, others)) = chain.split_first() else {
        return false;
    };
    let (Ok(parsed), Ok(seconds)) = (
        ParsedCertificate::try_from(own),
        u64::try_from(now.as_second()),
    ) else {
        return false;
    };
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    verify_server_cert_signed_by_trust_anchor(&parsed, &roots, others, now, algorithms.all).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lives_shortly_is_late_shortly_before_its_end() {
        let late = |life: &str, days| {
            let until = Timestamp::UNIX_EPOCH + life.parse::<SignedDuration>().unwrap();
            let from = Timestamp::UNIX_EPOCH;
            let late = until.duration_since(Validity { from, until }.late_from(days));
            format!("{late:#}")
        };
        assert_eq!(late("8760h", 14), "336h", "two weeks of a year");
        assert_eq!(late("1680h", 14), "168h", "of ten weeks one");
        assert_eq!(late("24h", 14), "2h 24m");
        assert_eq!(late("87600h", 60), "1440h");
    }
}
