//! Certificates of an authority of our own.
//!
//! All authorities lie in one file, and their keys in another. In the last year of one the next is added, so that
//! whoever registers the webhook in that year tells the API server of both, and nothing ends with the old one.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use tracing::{error, info};

use super::Tls;
use super::validity::{Validity, is_trusted};

pub(super) const AUTHORITY: &str = "admission-ca.crt";
const AUTHORITY_KEY: &str = "admission-ca.key";
pub(super) const CERTIFICATE: &str = "admission.crt";
pub(super) const KEY: &str = "admission.key";
/// For whom the certificate is, one name in a line.
const NAMES: &str = "admission.names";
/// Years that an authority is good for.
const AUTHORITY_YEARS: i64 = 10;
/// Days that a certificate is good for, and the last of them, in which another takes its place. An authority that does
/// not last as long as a new certificate gets another beside it.
const DAYS: i64 = 365;
const LAST_DAYS: i64 = 95;
/// Clocks differ: so long before an authority ends, the next one signs.
const HANDOVER: SignedDuration = SignedDuration::from_hours(1);

/// The authorities there are.
struct Authorities {
    all: Vec<Authority>,
    /// Their certificates and keys, as PEM.
    certificates: String,
    keys: String,
}

struct Authority {
    certificate: CertificateDer<'static>,
    until: Timestamp,
    /// Nothing, if it is gone.
    key: Option<KeyPair>,
}

/// Makes an authority if there is none that lasts, and a certificate if there is none, it is for others, is not trusted,
/// or will end. An authority that cannot be read is not replaced: the API server knows it, and it may be read later.
/// Says what is lost that the API server knew.
pub(super) fn renew(
    folder: &Utf8Path,
    names: &[String],
    now: Timestamp,
) -> anyhow::Result<Option<String>> {
    let days = |days: i64| now + SignedDuration::from_hours(24 * days);
    let mut authorities = Authorities::read(folder)?;
    let had_signer = authorities.signer(now).is_some();
    if !authorities.last_until(days(DAYS)) {
        authorities.add(folder, now)?;
    }
    let (signer, signer_key) = authorities
        .signer(now)
        .context("there is no authority that could sign")?;
    let certificate = folder.join(CERTIFICATE);
    let has_served = certificate.exists();
    let wanted = names.join("\n");
    if let Ok(there) = super::read(&Tls::Own(names.to_vec()), folder)
        && there.is_trusted(now)
        && fs::read_to_string(folder.join(NAMES)).is_ok_and(|names| names == wanted)
        && let chain = &there.certified.cert
        && let Some(own) = chain.first().and_then(Validity::of)
    {
        let is_of_signer = is_trusted(chain, std::slice::from_ref(&signer.certificate), now);
        // None outlives its authority, so another would be of no use in its last days.
        if is_of_signer && own.until() >= days(LAST_DAYS).min(signer.until) {
            return Ok(None);
        }
        if !is_of_signer && own.until() > now + HANDOVER {
            return Ok(Some(format!(
                "the key of the authority is gone: from {} on another one signs, so register the webhook again before",
                own.until()
            )));
        }
    }
    let until = days(DAYS).min(signer.until);
    let issuer = Issuer::new(authority(now)?, signer_key);
    let key = KeyPair::generate().context("failed to make a key")?;
    let signed = params(names, now, until)?
        .signed_by(&key, &issuer)
        .context("failed to make a certificate")?;
    // The names last: without them all is made anew, whatever was written before somebody pulled the plug.
    write(&folder.join(KEY), &key.serialize_pem(), 0o600)?;
    write(&certificate, &signed.pem(), 0o644)?;
    write(&folder.join(NAMES), &wanted, 0o644)?;
    info!(names = names.join(","), "a certificate was made");
    if had_signer || !has_served {
        return Ok(None);
    }
    error!(%folder, "the authority was gone or over, and another was made: register again");
    Ok(Some(format!(
        "the authority was gone or over, and another was made at {now}: if the webhook was not registered again since, \
         the API server lets everything in"
    )))
}

impl Authorities {
    fn read(folder: &Utf8Path) -> anyhow::Result<Self> {
        let (file, key_file) = (folder.join(AUTHORITY), folder.join(AUTHORITY_KEY));
        let why = "is it damaged, take it away: another is made, and the webhook has to be registered again";
        let failed = || format!("failed to use the authority in {file} ({why})");
        let certificates = text_if_there(&file)?;
        let keys = text_if_there(&key_file)?;
        let mut all_keys = PrivateKeyDer::pem_slice_iter(keys.as_bytes())
            .map(|key| anyhow::Ok(KeyPair::try_from(&key?)?))
            .collect::<Result<Vec<KeyPair>, _>>()
            .with_context(|| format!("failed to use the authority's key in {key_file} ({why})"))?;
        anyhow::ensure!(
            !all_keys.is_empty() || keys.is_empty(),
            "{key_file} holds no key ({why})"
        );
        let mut all = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(certificates.as_bytes()) {
            let certificate = certificate.with_context(failed)?;
            let public = ParsedCertificate::try_from(&certificate).with_context(failed)?;
            let public = public.subject_public_key_info();
            let is_of = |key: &KeyPair| key.subject_public_key_info() == public.as_ref();
            let key = all_keys.iter().position(is_of);
            all.push(Authority {
                until: Validity::of(&certificate).with_context(failed)?.until(),
                key: key.map(|place| all_keys.swap_remove(place)),
                certificate,
            });
        }
        anyhow::ensure!(
            !all.is_empty() || certificates.is_empty(),
            "{file} holds no certificate ({why})"
        );
        Ok(Self {
            all,
            certificates,
            keys,
        })
    }

    /// Who signs, and by what: the oldest, which the API server was told of.
    fn signer(&self, now: Timestamp) -> Option<(&Authority, &KeyPair)> {
        let able = self.all.iter().filter(|one| one.until > now + HANDOVER);
        let able = able.filter_map(|one| Some((one, one.key.as_ref()?)));
        able.min_by_key(|(one, _)| one.until)
    }

    fn last_until(&self, then: Timestamp) -> bool {
        let mut all = self.all.iter();
        all.any(|one| one.key.is_some() && one.until > then)
    }

    /// Adds one.
    fn add(&mut self, folder: &Utf8Path, now: Timestamp) -> anyhow::Result<()> {
        let key = KeyPair::generate().context("failed to make a key")?;
        let made = authority(now)?
            .self_signed(&key)
            .context("failed to make an authority")?;
        self.keys.push_str(&key.serialize_pem());
        self.certificates.push_str(&made.pem());
        // Keys first: one that opens nothing does no harm.
        write(&folder.join(AUTHORITY_KEY), &self.keys, 0o600)?;
        write(&folder.join(AUTHORITY), &self.certificates, 0o644)?;
        info!(%folder, "an authority of certificates was made");
        let own = Validity::of(made.der()).context("an authority without an end was made")?;
        self.all.push(Authority {
            certificate: made.der().clone(),
            until: own.until(),
            key: Some(key),
        });
        Ok(())
    }
}

/// A file's text; empty, if there is no file.
fn text_if_there(file: &Utf8Path) -> anyhow::Result<String> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| format!("failed to read {file}")),
    }
}

fn params(names: &[String], now: Timestamp, until: Timestamp) -> anyhow::Result<CertificateParams> {
    let mut params =
        CertificateParams::new(names.to_vec()).context("the names of the certificate are none")?;
    params
        .distinguished_name
        .push(DnType::CommonName, "seareeve admission");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    holds(&mut params, now, until)?;
    Ok(params)
}

fn authority(now: Timestamp) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "seareeve admission authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let until = now + SignedDuration::from_hours(24 * 365 * AUTHORITY_YEARS);
    holds(&mut params, now, until)?;
    Ok(params)
}

/// From yesterday, since clocks differ, until the day of `until` begins.
fn holds(params: &mut CertificateParams, now: Timestamp, until: Timestamp) -> anyhow::Result<()> {
    let (year, month, day) = date(now - SignedDuration::from_hours(24))?;
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(until)?;
    params.not_after = date_time_ymd(year, month, day);
    Ok(())
}

/// Year, month and day of that time.
fn date(time: Timestamp) -> anyhow::Result<(i32, u8, u8)> {
    let date = time.to_zoned(TimeZone::UTC).date();
    let number = |part: i8| u8::try_from(part).context("a day has no such number");
    Ok((
        i32::from(date.year()),
        number(date.month())?,
        number(date.day())?,
    ))
}

/// Writes a file in one step.
fn write(file: &Utf8Path, content: &str, mode: u32) -> anyhow::Result<()> {
    let fresh = Utf8PathBuf::from(format!("{file}.new"));
    let write = || -> std::io::Result<()> {
        // What an interrupted start left behind may have another mode.
        let _ = fs::remove_file(&fresh);
        let mut options = fs::OpenOptions::new();
        let mut opened = options
            .create_new(true)
            .write(true)
            .mode(mode)
            .open(&fresh)?;
        opened.write_all(content.as_bytes())?;
        opened.sync_all()?;
        fs::rename(&fresh, file)
    };
    write().with_context(|| format!("failed to write {file}"))
}
