//! The certificate that the API server sees: given files, or one of our own authority, which is made at the first
//! start and stays, so that what the API server was told of it stays true.

use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, RootCertStore};
use tracing::{error, info, warn};

const AUTHORITY: &str = "admission-ca.crt";
const AUTHORITY_KEY: &str = "admission-ca.key";
const CERTIFICATE: &str = "admission.crt";
const KEY: &str = "admission.key";
/// For whom the certificate is, one name in a line.
const NAMES: &str = "admission.names";
/// Years that the authority is good for.
const AUTHORITY_YEARS: i64 = 10;
/// Days that a certificate is good for, and the last of them, in which another takes its place.
const DAYS: i64 = 365;
const LAST_DAYS: i64 = 95;
/// Days before the end of a given certificate from which on that is said.
const SAID_DAYS: i64 = 14;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

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
    clock: Clock,
    state: RwLock<State>,
    trouble: Mutex<Trouble>,
}

struct State {
    certified: Arc<CertifiedKey>,
    authority: String,
    changed: Option<SystemTime>,
}

/// What stands against being trusted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trouble {
    /// Why it could not be renewed, or read again.
    pub(crate) problem: Option<String>,
    /// Who would not take it last.
    pub(crate) refused: Option<Refused>,
    /// Whether its end was said to be near.
    is_end_said: bool,
}

/// Somebody to whom it was shown does not trust it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) at: Timestamp,
    pub(crate) by: IpAddr,
    /// What it said, in the words of TLS.
    pub(crate) why: String,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

impl Certificates {
    pub(crate) fn load(tls: Tls, folder: &Utf8Path, clock: Clock) -> anyhow::Result<Self> {
        if let Tls::Own(names) = &tls {
            own(folder, names, clock())?;
        }
        let state = read(&tls, folder)?;
        let certificates = Self {
            tls,
            folder: folder.to_owned(),
            clock,
            state: RwLock::new(state),
            trouble: Mutex::default(),
        };
        certificates.say_end();
        Ok(certificates)
    }

    /// The authority, as PEM.
    pub(crate) fn authority(&self) -> String {
        self.state().authority.clone()
    }

    /// Until when the certificate holds, and the authority. Nothing where that cannot be read, or is never.
    pub(crate) fn until(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let state = self.state();
        let own = state.certified.cert.first().and_then(end);
        (own, end_of(&state.authority))
    }

    pub(crate) fn trouble(&self) -> Trouble {
        self.noted().clone()
    }

    /// Somebody would not take it. Whether that is the API server, nobody can tell from here; who else asks for reviews
    /// is rare.
    pub(crate) fn refuse(&self, by: IpAddr, why: &str) {
        let refused = Refused {
            at: (self.clock)(),
            by,
            why: why.to_owned(),
        };
        let before = self.noted().refused.replace(refused);
        if before.is_none() {
            warn!(%by, why, "the certificate was refused; the API server lets everything in if it was that: register again");
        }
    }

    /// The API server asked for reviews: it trusts us.
    pub(crate) fn trusted(&self) {
        self.noted().refused = None;
    }

    /// Makes another certificate when it is time, and reads files that changed.
    pub(crate) fn look(&self) {
        let looked = self.renew();
        let problem = looked.err().map(|error| format!("{error:#}"));
        {
            let mut noted = self.noted();
            // Looked at every few seconds, and said once.
            if let Some(error) = problem.as_ref().filter(|_| noted.problem != problem) {
                error!(error, "there is no fresh certificate; the last one stays");
            }
            noted.problem = problem;
        }
        self.say_end();
    }

    fn renew(&self) -> anyhow::Result<()> {
        if let Tls::Own(names) = &self.tls {
            own(&self.folder, names, (self.clock)())
                .context("the certificate could not be renewed")?;
        }
        let (certificate, _) = files(&self.tls, &self.folder);
        if changed(&certificate) == self.state().changed {
            return Ok(());
        }
        let fresh = read(&self.tls, &self.folder)?;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.noted().is_end_said = false;
        info!("the certificate was read again");
        Ok(())
    }

    /// Says once that the certificate, or its authority, comes to its end.
    fn say_end(&self) {
        let (own, authority) = self.until();
        let Some(until) = [own, authority].into_iter().flatten().min() else {
            return;
        };
        let is_near = (self.clock)() + SignedDuration::from_hours(24 * SAID_DAYS) > until;
        let was_said = std::mem::replace(&mut self.noted().is_end_said, is_near);
        if is_near && !was_said {
            warn!(%until, "the certificate ends; from then on the API server lets everything in");
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn noted(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the API server is told, as PEM. One of our own that is there already is left alone, with its certificate:
/// whoever asks need not know for which names the webhook has it.
pub(crate) fn authority_of(tls: Tls, folder: &Utf8Path) -> anyhow::Result<String> {
    let kept = folder.join(AUTHORITY);
    if matches!(tls, Tls::Own(_)) && kept.exists() && folder.join(AUTHORITY_KEY).exists() {
        return text(&kept);
    }
    Ok(Certificates::load(tls, folder, Arc::new(Timestamp::now))?.authority())
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.state().certified))
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

/// Until when a certificate holds. rustls reads it and tells nobody, unless it is over: so it is asked at a time when
/// every certificate is.
fn end(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    /// The year 10000; what never ends has the last second before it (RFC 5280, 4.1.2.5).
    const AFTER_ALL: Duration = Duration::from_secs(253_402_300_800);
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let (nobody, then) = (
        RootCertStore::empty(),
        UnixTime::since_unix_epoch(AFTER_ALL),
    );
    match verify_server_cert_signed_by_trust_anchor(&parsed, &nobody, &[], then, &[]) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Timestamp::from_second(i64::try_from(not_after.as_secs()).ok()?).ok()
        }
        _ => None,
    }
}

/// Until when the certificates of a PEM text hold: the last of them.
fn end_of(pem: &str) -> Option<Timestamp> {
    let all = CertificateDer::pem_slice_iter(pem.as_bytes());
    all.flatten().filter_map(|one| end(&one)).max()
}

/// Whether somebody who knows the authority takes the certificate in use, at that time.
fn is_trusted(state: &State, now: Timestamp) -> bool {
    let mut roots = RootCertStore::empty();
    let authorities = CertificateDer::pem_slice_iter(state.authority.as_bytes());
    roots.add_parsable_certificates(authorities.flatten());
    let Some((own, others)) = state.certified.cert.split_first() else {
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

/// Makes the authority if there is none, and a certificate if there is none, it is for others, is not trusted, or will
/// end.
fn own(folder: &Utf8Path, names: &[String], now: Timestamp) -> anyhow::Result<()> {
    let wanted = names.join("\n");
    let authority_end = text(&folder.join(AUTHORITY))
        .ok()
        .filter(|_| folder.join(AUTHORITY_KEY).exists())
        .and_then(|pem| end_of(&pem))
        .filter(|end| *end > now);
    let days = |days: i64| now + SignedDuration::from_hours(24 * days);
    if let Some(authority_end) = authority_end
        && fs::read_to_string(folder.join(NAMES)).is_ok_and(|names| names == wanted)
        && let Ok(state) = read(&Tls::Own(names.to_vec()), folder)
        && is_trusted(&state, now)
    {
        // None outlives its authority, so another would be of no use in its last days.
        let end = state.certified.cert.first().and_then(end);
        if end.is_some_and(|end| end >= days(LAST_DAYS).min(authority_end)) {
            return Ok(());
        }
    }
    let (issuer_key, last) = match authority_end {
        Some(end) => {
            let key = PrivateKeyDer::from_pem_file(folder.join(AUTHORITY_KEY))
                .context("failed to read the authority's key")?;
            let key = KeyPair::try_from(&key).context("failed to use the authority's key")?;
            (key, end)
        }
        None => new_authority(folder, now)?,
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
    let (year, month, day) = date(days(-1))?;
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(days(DAYS).min(last))?;
    params.not_after = date_time_ymd(year, month, day);
    let signed = params
        .signed_by(&key, &issuer)
        .context("failed to make a certificate")?;
    // The names last: without them all is made anew, whatever was written before somebody pulled the plug.
    write(
        &folder.join(KEY),
        &pem("PRIVATE KEY", &key.serialize_der()),
        0o600,
    )?;
    write(
        &folder.join(CERTIFICATE),
        &pem("CERTIFICATE", signed.der()),
        0o644,
    )?;
    write(&folder.join(NAMES), &wanted, 0o644)?;
    info!(names = names.join(","), "a certificate was made");
    Ok(())
}

/// Makes an authority: its key, and its end.
fn new_authority(folder: &Utf8Path, now: Timestamp) -> anyhow::Result<(KeyPair, Timestamp)> {
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
    let last = end(authority.der()).context("an authority without an end was made")?;
    Ok((key, last))
}

fn authority(now: Timestamp) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "seareeve admission authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let (year, month, day) = date(now - SignedDuration::from_hours(24))?;
    params.not_before = date_time_ymd(year, month, day);
    let last = now + SignedDuration::from_hours(24 * 365 * AUTHORITY_YEARS);
    let (year, month, day) = date(last)?;
    params.not_after = date_time_ymd(year, month, day);
    Ok(params)
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
