//! Where the policy comes from: a file, or the server, whose last one is kept for the time it is away.

use std::fs;
use std::io::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use seareeve_admission::{Policy, PolicyFile};
use seareeve_api::AdmissionPolicy;
use seareeve_posture::{Catalogue, Library};
use tracing::{error, info, warn};

use crate::memory::{InForce, Memory};

/// The last policy of the server, in the webhook's folder.
const KEPT: &str = "admission-policy.json";
/// Bytes of a policy at most.
const MOST_BYTES: u64 = 1 << 20;

/// Where the policy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file. It is read again when it changes.
    File(Utf8PathBuf),
    /// The server.
    Server,
}

/// The policy in force, and what it was read from.
pub(crate) struct Policies {
    source: Source,
    folder: Utf8PathBuf,
    in_force: InForce,
    /// When the file was changed that was read last.
    read: Option<SystemTime>,
}

impl Policies {
    /// The first policy: of the file, which has to be right; of the server the last one that was kept, or until it
    /// says something, the one that refuses nothing.
    pub(crate) fn new(
        source: Source,
        folder: Utf8PathBuf,
        library: &Library,
        catalogue: &Catalogue,
    ) -> anyhow::Result<Self> {
        let (in_force, read) = match &source {
            Source::File(file) => {
                let read = changed(file);
                let policy = of_file(file, library, catalogue)?;
                (own(policy), read)
            }
            Source::Server => match kept(&folder, library, catalogue) {
                Some(in_force) => (in_force, None),
                None => {
                    info!("no policy is known yet: everything is recorded, and nothing refused");
                    let policy = Policy::new(PolicyFile::default(), library, catalogue)?;
                    (own(policy), None)
                }
            },
        };
        Ok(Self {
            source,
            folder,
            in_force,
            read,
        })
    }

    pub(crate) fn in_force(&self) -> &InForce {
        &self.in_force
    }

    /// Whether the server is asked for it.
    pub(crate) fn is_of_server(&self) -> bool {
        self.source == Source::Server
    }

    /// Reads the file again if it changed. One that cannot be used leaves the last one in force.
    pub(crate) fn look(&mut self, memory: &Memory) {
        let Source::File(file) = &self.source else {
            return;
        };
        let changed = changed(file);
        if changed.is_none() || changed == self.read {
            return;
        }
        self.read = changed;
        match of_file(file, &memory.library, &memory.catalogue) {
            Ok(policy) => {
                info!(%file, "the policy was read again");
                self.in_force = own(policy);
                memory.replace(self.in_force.clone());
            }
            Err(error) => {
                error!(%file, error = format!("{error:#}"), "the policy cannot be used; the last one stays");
            }
        }
    }

    /// Takes what the server says, if it is new, and keeps it.
    pub(crate) fn take(&mut self, said: AdmissionPolicy, memory: &Memory) -> anyhow::Result<()> {
        if said.digest == self.in_force.digest {
            return Ok(());
        }
        let in_force = of_server(&said, &memory.library, &memory.catalogue)?;
        info!(digest = in_force.digest, "the server has another policy");
        self.in_force = in_force;
        memory.replace(self.in_force.clone());
        if let Err(error) = keep(&self.folder, &said) {
            warn!(
                error = format!("{error:#}"),
                "the policy could not be kept for the next start"
            );
        }
        Ok(())
    }
}

/// One that is not the server's.
fn own(policy: Policy) -> InForce {
    InForce {
        policy: Arc::new(policy),
        digest: String::new(),
    }
}

fn of_file(file: &Utf8Path, library: &Library, catalogue: &Catalogue) -> anyhow::Result<Policy> {
    let failed = || format!("failed to use {file}");
    let size = fs::metadata(file).with_context(failed)?.len();
    anyhow::ensure!(size <= MOST_BYTES, "{file} has {size} bytes");
    let text = fs::read_to_string(file).with_context(failed)?;
    let parsed = PolicyFile::parse(&text).with_context(failed)?;
    Policy::new(parsed, library, catalogue).with_context(failed)
}

fn of_server(
    said: &AdmissionPolicy,
    library: &Library,
    catalogue: &Catalogue,
) -> anyhow::Result<InForce> {
    let text = serde_json::to_string(&said.policy)?;
    let policy = Policy::new(PolicyFile::parse(&text)?, library, catalogue)?;
    Ok(InForce {
        policy: Arc::new(policy),
        digest: said.digest.clone(),
    })
}

fn kept(folder: &Utf8Path, library: &Library, catalogue: &Catalogue) -> Option<InForce> {
    let file = folder.join(KEPT);
    let text = fs::read_to_string(&file).ok()?;
    let read = serde_json::from_str(&text)
        .map_err(anyhow::Error::from)
        .and_then(|said| of_server(&said, library, catalogue));
    match read {
        Ok(in_force) => {
            info!(
                digest = in_force.digest,
                "the server's last policy holds until it says another"
            );
            Some(in_force)
        }
        Err(error) => {
            warn!(%file, error = format!("{error:#}"), "the policy that was kept cannot be used");
            None
        }
    }
}

fn keep(folder: &Utf8Path, said: &AdmissionPolicy) -> anyhow::Result<()> {
    let fresh = folder.join(format!("{KEPT}.new"));
    let mut file = fs::File::create(&fresh)?;
    file.write_all(serde_json::to_string(said)?.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, folder.join(KEPT))?;
    Ok(())
}

/// When a file was changed. A mounted ConfigMap is a link that is replaced: what it leads to counts.
fn changed(file: &Utf8Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}
