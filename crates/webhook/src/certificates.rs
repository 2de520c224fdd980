//! The certificate that the API server sees: given files, or one of our own authority, which is made at the first
//! start and stays, so that what the API server was told of it stays true.

mod own;
mod validity;

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::SystemTime;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use seareeve_api::{AdmissionCertificate, AdmissionRefusal};
use tracing::{error, info, warn};

use self::validity::{Validity, is_trusted};

/// Days before its end from which on a certificate that is still there is late to be renewed, and an authority, of
/// which somebody has to tell the API server. Of what lives shortly, the last tenth of its life.
const LATE_DAYS: i64 = 14;
const AUTHORITY_LATE_DAYS: i64 = 60;
/// Addresses that are remembered for refusing it.
const MOST_REFUSALS: usize = 16;
/// The API server asks again and again: who refused it so long ago, and not since, is another.
const REFUSAL_KEPT: SignedDuration = SignedDuration::from_hours(24);

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
    changed: [Option<SystemTime>; 2],
}

/// What stands against being trusted.
#[derive(Debug, Default)]
struct Trouble {
    /// Why it could not be renewed, or read again.
    problem: Option<String>,
    /// What was lost that the API server had been told of. It stays until this process ends: nobody can tell from here
    /// what the API server was told since. Afterwards refusals tell.
    lost: Option<String>,
    /// Who would not take it, and when last.
    refusals: BTreeMap<IpAddr, AdmissionRefusal>,
    /// Whether it was said that it is late.
    is_late_said: bool,
}

/// Somebody who was shown the certificate, and went on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    address: IpAddr,
    since: Timestamp,
}

/// How long something holds.
struct Life {
    until: Timestamp,
    /// From when on another should have taken its place.
    late_from: Option<Timestamp>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

impl Certificates {
    pub(crate) fn load(tls: Tls, folder: &Utf8Path, clock: Clock) -> anyhow::Result<Self> {
        let now = clock();
        let mut trouble = Trouble::default();
        let state = match renewed(&tls, folder, now) {
            Ok(lost) => {
                trouble.lost = lost;
                read(&tls, folder)?
            }
            // What is there may hold for months: without anybody who answers, everything would be let in.
            Err(error) => match read(&tls, folder) {
                Ok(state) if state.is_trusted(now) => {
                    trouble.note(Some(format!("{error:#}")));
                    state
                }
                _ => return Err(error),
            },
        };
        let certificates = Self {
            tls,
            folder: folder.to_owned(),
            clock,
            state: RwLock::new(state),
            trouble: Mutex::new(trouble),
        };
        certificates.say_late();
        Ok(certificates)
    }

    /// The authority, as PEM.
    pub(crate) fn authority(&self) -> String {
        self.state().authority.clone()
    }

    /// How the certificate is, for the server.
    pub(crate) fn told(&self) -> AdmissionCertificate {
        let now = (self.clock)();
        let [own, authority] = self.state().lives(now);
        let mut noted = self.noted();
        let is_recent = |one: &AdmissionRefusal| now.duration_since(one.at) < REFUSAL_KEPT;
        noted.refusals.retain(|_, one| is_recent(one));
        let mut refusals: Vec<AdmissionRefusal> = noted.refusals.values().cloned().collect();
        refusals.sort_by_key(|one| std::cmp::Reverse(one.at));
        AdmissionCertificate {
            until: own.as_ref().map(|life| life.until),
            late_from: own.and_then(|life| life.late_from),
            authority_until: authority.as_ref().map(|life| life.until),
            authority_late_from: authority.and_then(|life| life.late_from),
            problem: noted.problem.as_ref().or(noted.lost.as_ref()).cloned(),
            refusals,
        }
    }

    /// Somebody would not take it. Whether that is the API server, nobody can tell from here; who else asks for reviews
    /// is rare.
    pub(crate) fn refuse(&self, by: IpAddr, why: &str) {
        let refusal = AdmissionRefusal {
            at: (self.clock)(),
            by: by.to_string(),
            why: why.to_owned(),
        };
        let mut noted = self.noted();
        let before = noted.refusals.insert(by, refusal);
        if noted.refusals.len() > MOST_REFUSALS {
            let oldest = noted.refusals.iter().min_by_key(|(_, one)| one.at);
            let oldest = oldest.map(|(address, _)| *address);
            oldest.and_then(|address| noted.refusals.remove(&address));
        }
        drop(noted);
        if before.is_none() {
            warn!(%by, why, "the certificate was refused; the API server lets everything in if it was that: register again");
        }
    }

    /// Somebody went on after the certificate was shown.
    pub(crate) fn peer(&self, address: IpAddr) -> Peer {
        Peer {
            address,
            since: (self.clock)(),
        }
    }

    /// Somebody asks for a review: who refused the certificate before this connection was made trusts it by now.
    /// Others need not, and a connection that is older than the refusal says nothing of it.
    pub(crate) fn trusted(&self, by: Peer) {
        let mut noted = self.noted();
        let refusal = noted.refusals.get(&by.address);
        if refusal.is_some_and(|refusal| refusal.at <= by.since) {
            noted.refusals.remove(&by.address);
        }
    }

    /// Makes another certificate when it is time, and reads files that changed.
    pub(crate) fn look(&self) {
        let looked = self.renew();
        let problem = looked.err().map(|error| format!("{error:#}"));
        self.noted().note(problem);
        self.say_late();
    }

    fn renew(&self) -> anyhow::Result<()> {
        if let Some(lost) = renewed(&self.tls, &self.folder, (self.clock)())? {
            self.noted().lost = Some(lost);
        }
        if changed(&self.tls, &self.folder) == self.state().changed {
            return Ok(());
        }
        let fresh = read(&self.tls, &self.folder)?;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        info!("the certificate was read again");
        Ok(())
    }

    /// Says once that the certificate, or its authority, should have been replaced.
    fn say_late(&self) {
        let now = (self.clock)();
        let lives = self.state().lives(now);
        let late = lives.into_iter().flatten();
        let late = late.filter(|life| life.late_from.is_some_and(|late_from| late_from <= now));
        let until = late.map(|life| life.until).min();
        let was_said = std::mem::replace(&mut self.noted().is_late_said, until.is_some());
        if let Some(until) = until.filter(|_| !was_said) {
            warn!(%until, "the certificate, or its authority, ends; from then on the API server lets everything in");
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn noted(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether somebody who knows the authority takes the certificate.
    fn is_trusted(&self, now: Timestamp) -> bool {
        let authorities: Vec<_> = self.authorities().collect();
        is_trusted(&self.certified.cert, &authorities, now)
    }

    fn authorities(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(self.authority.as_bytes()).flatten()
    }

    /// How long the certificate holds, and its authority. Nothing where that cannot be read, or is never.
    fn lives(&self, now: Timestamp) -> [Option<Life>; 2] {
        let chain = &self.certified.cert;
        let is_of = |one: &CertificateDer<'_>| is_trusted(chain, std::slice::from_ref(one), now);
        let of_it = self.authorities().filter(is_of);
        let of_it = of_it
            .filter_map(|one| Validity::of(&one))
            .max_by_key(Validity::until);
        let any = || self.authorities().filter_map(|one| Validity::of(&one));
        let authority = of_it.or_else(|| any().max_by_key(Validity::until));
        let own = chain.first().and_then(Validity::of).map(|own| Life {
            until: own.until(),
            // None outlives its authority: with that one's end near, another would be of no use.
            late_from: authority
                .as_ref()
                .is_none_or(|authority| own.until() < authority.until())
                .then(|| own.late_from(LATE_DAYS)),
        });
        let authority = authority.map(|authority| Life {
            until: authority.until(),
            late_from: Some(authority.late_from(AUTHORITY_LATE_DAYS)),
        });
        [own, authority]
    }
}

impl Trouble {
    /// Looked at every few seconds, and said once.
    fn note(&mut self, problem: Option<String>) {
        if let Some(error) = problem.as_ref().filter(|_| self.problem != problem) {
            error!(error, "there is no fresh certificate; the last one stays");
        }
        self.problem = problem;
    }
}

/// What the API server is told, as PEM. One of our own that is there already is left alone, with its certificate:
/// whoever asks need not know for which names the webhook has it.
pub(crate) fn authority_of(tls: Tls, folder: &Utf8Path) -> anyhow::Result<String> {
    let kept = folder.join(own::AUTHORITY);
    if matches!(tls, Tls::Own(_)) && kept.exists() {
        return text(&kept);
    }
    Ok(Certificates::load(tls, folder, Arc::new(Timestamp::now))?.authority())
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.state().certified))
    }
}

/// Looks after certificates of our own. What was lost of them is returned.
fn renewed(tls: &Tls, folder: &Utf8Path, now: Timestamp) -> anyhow::Result<Option<String>> {
    match tls {
        Tls::Own(names) => {
            own::renew(folder, names, now).context("the certificate could not be renewed")
        }
        Tls::Files { .. } => Ok(None),
    }
}

/// Where certificate, key and authority are.
fn files(tls: &Tls, folder: &Utf8Path) -> [Utf8PathBuf; 3] {
    match tls {
        Tls::Own(_) => [own::CERTIFICATE, own::KEY, own::AUTHORITY].map(|name| folder.join(name)),
        Tls::Files {
            certificate,
            key,
            authority,
        } => {
            let authority = authority.as_ref().unwrap_or(certificate);
            [certificate.clone(), key.clone(), authority.clone()]
        }
    }
}

fn read(tls: &Tls, folder: &Utf8Path) -> anyhow::Result<State> {
    let changed = changed(tls, folder);
    let [certificate, key, authority] = files(tls, folder);
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("failed to read the certificate in {certificate}"))?;
    let private = PrivateKeyDer::from_pem_file(&key)
        .with_context(|| format!("failed to read the key in {key}"))?;
    let provider = rustls::crypto::ring::default_provider();
    let certified = CertifiedKey::from_der(chain, private, &provider)
        .with_context(|| format!("{certificate} and {key} cannot be used together"))?;
    Ok(State {
        certified: Arc::new(certified),
        authority: text(&authority)?,
        changed,
    })
}

fn text(file: &Utf8Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("failed to read {file}"))
}

/// When certificate and authority were changed.
fn changed(tls: &Tls, folder: &Utf8Path) -> [Option<SystemTime>; 2] {
    let [certificate, _, authority] = files(tls, folder);
    [certificate, authority].map(|file| fs::metadata(file).ok()?.modified().ok())
}
