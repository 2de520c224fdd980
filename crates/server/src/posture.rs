//! What judging of assets needs: content, what people have said, and facts as they are stored.

pub(crate) mod judging;
pub(crate) mod listed;
pub(crate) mod scoring;

use std::io::Read as _;
use std::sync::{Arc, LazyLock};

use anyhow::Context as _;
use jiff::Timestamp;
use seareeve_model::{Digest, Snapshot};
use seareeve_posture::{Attestation, Catalogue, Exception, Exceptions, Library, Outcome};
use seareeve_store::exemptions::Exemption;
use seareeve_store::{AssetId, Store, attestations, exceptions, exemptions};
use sha2::{Digest as _, Sha256};

/// Facts of an asset, unpacked, at most: a host with 5,000 containers has some 80 MB.
const MOST_BYTES: u64 = 128 * 1024 * 1024;
/// Packing is done once for each change, and 3 is where zstd is both small and fast.
const PACKING_LEVEL: i32 = 3;

/// What is judged by. It is the same for as long as the process lives.
#[derive(Debug)]
pub(crate) struct Content {
    /// Checks and benchmarks.
    pub(crate) library: Library,
    /// Recommendations and score groups.
    pub(crate) catalogue: Catalogue,
    /// Tells this content from another.
    pub(crate) digest: Digest,
}

static BUILT_IN: LazyLock<Arc<Content>> = LazyLock::new(|| {
    let library = Library::builtin();
    Arc::new(Content {
        digest: library.digest(),
        catalogue: Catalogue::builtin(),
        library,
    })
});

impl Content {
    /// What is built in.
    pub(crate) fn builtin() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }
}

/// All that people have said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// What may fail.
    pub(crate) exceptions: Exceptions,
    /// Answers, by asset.
    pub(crate) attestations: Vec<(AssetId, Attestation)>,
    /// Assets that recommendations do not count.
    pub(crate) exemptions: Vec<Exemption>,
}

impl Said {
    /// Reads it from the store.
    pub(crate) async fn load(store: &Store) -> anyhow::Result<Self> {
        let exceptions = exceptions::list(store).await?.into_iter();
        let exceptions = exceptions.map(|exception| Exception {
            check: exception.said.check_id,
            benchmark: exception.said.benchmark,
            asset: exception.said.asset,
            object: exception.said.object,
            reason: exception.said.reason,
            until: exception.said.expires,
        });
        let mut answers = Vec::new();
        for answer in attestations::list(store, None).await? {
            let said = answer.said;
            let outcome = Outcome::parse(&said.outcome)
                .with_context(|| format!("attestation {} has no known outcome", answer.id))?;
            let attestation = Attestation {
                benchmark: said.benchmark,
                version: said.version,
                control: said.control,
                outcome,
                by: answer.author,
                reason: said.reason,
                at: answer.created,
            };
            answers.push((said.asset, attestation));
        }
        Ok(Self {
            exceptions: Exceptions {
                exceptions: exceptions.collect(),
            },
            attestations: answers,
            exemptions: exemptions::list(store).await?,
        })
    }

    /// What was said of one asset, as judging wants it.
    pub(crate) fn statements(&self, asset: AssetId) -> seareeve_posture::Statements {
        let attestations = self.attestations.iter();
        seareeve_posture::Statements {
            exceptions: self.exceptions.clone(),
            attestations: attestations
                .filter(|(of, _)| *of == asset)
                .map(|(_, attestation)| attestation.clone())
                .collect(),
        }
    }
}

/// Tells facts from others. When they were collected is no part of what they say.
pub(crate) fn digest(snapshot: &Snapshot) -> anyhow::Result<Digest> {
    let timeless = Snapshot {
        collected_at: Timestamp::UNIX_EPOCH,
        ..snapshot.clone()
    };
    let hash = Sha256::digest(serde_json::to_vec(&timeless)?);
    Ok(Digest::sha256(&hash.into()))
}

/// Facts as they are stored.
pub(crate) fn pack(snapshot: &Snapshot) -> anyhow::Result<Vec<u8>> {
    let text = serde_json::to_vec(snapshot)?;
    zstd::bulk::compress(&text, PACKING_LEVEL).context("failed to pack facts")
}

/// Facts as they were before they were stored.
pub(crate) fn unpack(content: &[u8]) -> anyhow::Result<Snapshot> {
    let mut text = Vec::new();
    let decoder = zstd::Decoder::new(content).context("failed to unpack facts")?;
    decoder
        .take(MOST_BYTES)
        .read_to_end(&mut text)
        .context("failed to unpack facts")?;
    serde_json::from_slice(&text).context("failed to understand stored facts")
}
