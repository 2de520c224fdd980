//! The certificate that the API server sees: given files, or one of our own authority, which is made at the first
//! start and stays, so that what the API server was told of it stays true.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tracing::{error, info};

const AUTHORITY: &str = "admission-ca.crt";
const AUTHORITY_KEY: &str = "admission-ca.key";
const CERTIFICATE: &str = "admission.crt";
const KEY: &str = "admission.key";
/// For whom the certificate is, one name in a line.
const NAMES: &str = "admission.names";
/// Years that the authority is good for.
const AUTHORITY_YEARS: i16 = 10;
/// Days that a certificate is good for, and after which another is made.
const DAYS: i64 = 365;
const RENEWED: Duration = Duration::from_secs(270 * 24 * 3600);

/// Which certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// One of an authority of our own, for these names and addresses.
    Own(Vec<String>),
    /// Given files, in PEM. They are read again when they change.
    Files {
        /// The certificate, with those that signed it.
        certificate: Utf8PathBuf,
        /// Its key.
        key: Utf8PathBuf,
        /// The authority, which the API server is told of.
        authority: Option<Utf8PathBuf>,
    },
}

/// The certificate in use.
pub(crate) struct Certificates {
    tls: Tls,
    folder: Utf8PathBuf,
    state: RwLock<State>,
}

struct State {
    certified: Arc<CertifiedKey>,
    authority: String,
    changed: Option<SystemTime>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

impl Certificates {
    pub(crate) fn load(tls: Tls, folder: &Utf8Path) -> anyhow::Result<Self> {
        if let Tls::Own(names) = &tls {
            own(folder, names)?;
        }
        let state = read(&tls, folder)?;
        Ok(Self {
            tls,
            folder: folder.to_owned(),
            state: RwLock::new(state),
        })
    }

    /// The authority, as PEM.
    pub(crate) fn authority(&self) -> String {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.authority.clone()
    }

    /// Makes another certificate when it is time, and reads files that changed.
    pub(crate) fn look(&self) {
        if let Tls::Own(names) = &self.tls
            && let Err(error) = own(&self.folder, names)
        {
            error!(
                error = format!("{error:#}"),
                "the certificate could not be renewed"
            );
        }
        let known = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            state.changed
        };
        let (certificate, _) = files(&self.tls, &self.folder);
        if changed(&certificate) == known {
            return;
        }
        match read(&self.tls, &self.folder) {
            Ok(fresh) => {
                info!("the certificate was read again");
                let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
                *state = fresh;
            }
            Err(error) => {
                error!(
                    error = format!("{error:#}"),
                    "the certificate cannot be used; the last one stays"
                );
            }
        }
    }
}

/// What the API server is told, as PEM. One of our own that is there already is left alone, with its certificate:
/// whoever asks need not know for which names the webhook has it.
pub(crate) fn authority_of(tls: Tls, folder: &Utf8Path) -> anyhow::Result<String> {
    let kept = folder.join(AUTHORITY);
    if matches!(tls, Tls::Own(_)) && kept.exists() && folder.join(AUTHORITY_KEY).exists() {
        return text(&kept);
    }
    Ok(Certificates::load(tls, folder)?.authority())
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&state.certified))
    }
}

/// Where certificate and key are.
fn files(tls: &Tls, folder: &Utf8Path) -> (Utf8PathBuf, Utf8PathBuf) {
    match tls {
        Tls::Own(_) => (folder.join(CERTIFICATE), folder.join(KEY)),
        Tls::Files {
            certificate, key, ..
        } => (certificate.clone(), key.clone()),
    }
}

fn read(tls: &Tls, folder: &Utf8Path) -> anyhow::Result<State> {
    let (certificate, key) = files(tls, folder);
    let changed = changed(&certificate);
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("failed to read the certificate in {certificate}"))?;
    let private = PrivateKeyDer::from_pem_file(&key)
        .with_context(|| format!("failed to read the key in {key}"))?;
    let provider = rustls::crypto::ring::default_provider();
    let certified = CertifiedKey::from_der(chain, private, &provider)
        .with_context(|| format!("{certificate} and {key} cannot be used together"))?;
    let authority = match tls {
        Tls::Own(_) => text(&folder.join(AUTHORITY))?,
        Tls::Files {
            authority: Some(authority),
            ..
        } => text(authority)?,
        Tls::Files { .. } => text(&certificate)?,
    };
    Ok(State {
        certified: Arc::new(certified),
        authority,
        changed,
    })
}

fn text(file: &Utf8Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("failed to read {file}"))
}

fn changed(file: &Utf8Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}

/// Makes the authority if there is none, and a certificate if there is none, it is for others, or will end.
fn own(folder: &Utf8Path, names: &[String]) -> anyhow::Result<()> {
    let wanted = names.join("\n");
    let certificate = folder.join(CERTIFICATE);
    let is_young = changed(&certificate)
        .and_then(|changed| changed.elapsed().ok())
        .is_some_and(|age| age < RENEWED);
    let is_for_these = fs::read_to_string(folder.join(NAMES)).is_ok_and(|names| names == wanted);
    let has_authority = folder.join(AUTHORITY).exists() && folder.join(AUTHORITY_KEY).exists();
    if is_young && is_for_these && has_authority {
        return Ok(());
    }
    let now = Timestamp::now();
    let issuer_key = if has_authority {
        let key = PrivateKeyDer::from_pem_file(folder.join(AUTHORITY_KEY))
            .context("failed to read the authority's key")?;
        KeyPair::try_from(&key).context("failed to use the authority's key")?
    } else {
        let key = KeyPair::generate().context("failed to make a key")?;
        let authority = authority(now)?
            .self_signed(&key)
            .context("failed to make an authority")?;
        write(
            &folder.join(AUTHORITY_KEY),
            &pem("PRIVATE KEY", &key.serialize_der()),
            0o600,
        )?;
        write(
            &folder.join(AUTHORITY),
            &pem("CERTIFICATE", authority.der()),
            0o644,
        )?;
        info!(%folder, "an authority of certificates was made");
        key
    };
    let issuer = Issuer::new(authority(now)?, issuer_key);
    let key = KeyPair::generate().context("failed to make a key")?;
    let mut params =
        CertificateParams::new(names.to_vec()).context("the names of the certificate are none")?;
    params
        .distinguished_name
        .push(DnType::CommonName, "seareeve admission");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let (year, month, date) = day(now, -1)?;
    params.not_before = date_time_ymd(year, month, date);
    let (year, month, date) = day(now, DAYS)?;
    params.not_after = date_time_ymd(year, month, date);
    let signed = params
        .signed_by(&key, &issuer)
        .context("failed to make a certificate")?;
    write(
        &folder.join(KEY),
        &pem("PRIVATE KEY", &key.serialize_der()),
        0o600,
    )?;
    write(&folder.join(NAMES), &wanted, 0o644)?;
    write(&certificate, &pem("CERTIFICATE", signed.der()), 0o644)?;
    info!(names = names.join(","), "a certificate was made");
    Ok(())
}

fn authority(now: Timestamp) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "seareeve admission authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let (year, month, date) = day(now, -1)?;
    params.not_before = date_time_ymd(year, month, date);
    let (year, month, date) = day(now, i64::from(AUTHORITY_YEARS) * 365)?;
    params.not_after = date_time_ymd(year, month, date);
    Ok(params)
}

/// The day so many days from now: year, month and day.
fn day(now: Timestamp, days: i64) -> anyhow::Result<(i32, u8, u8)> {
    let date = now.to_zoned(TimeZone::UTC).checked_add(days.days())?.date();
    let number = |part: i8| u8::try_from(part).context("a day has no such number");
    Ok((
        i32::from(date.year()),
        number(date.month())?,
        number(date.day())?,
    ))
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let body = STANDARD.encode(der);
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
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
