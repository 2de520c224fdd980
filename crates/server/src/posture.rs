//! What judging of assets needs: content, what people have said, and facts as they are stored.

pub(crate) mod counting;
mod forgetting;
pub(crate) mod images;
pub(crate) mod judging;
pub(crate) mod listed;
pub(crate) mod own;
pub(crate) mod placing;
pub(crate) mod scoring;

pub(crate) use forgetting::forget;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use anyhow::Context as _;
use jiff::Timestamp;
use seareeve_model::{Digest, Snapshot};
use seareeve_posture::{Attestation, Catalogue, Exception, Exceptions, Library, Outcome};
use seareeve_store::exemptions::Exemption;
use seareeve_store::recommendation_settings::RecommendationSetting;
use seareeve_store::{
    AssetId, Store, attestations, clusters, environments, exceptions, exemptions,
    recommendation_settings,
};
use sha2::{Digest as _, Sha256};

/// Facts of an asset, unpacked, at most: a host with 5,000 containers has some 80 MB.
const MOST_BYTES: u64 = 128 * 1024 * 1024;
/// Packing is done once for each change, and 3 is where zstd is both small and fast.
const PACKING_LEVEL: i32 = 3;

/// What is judged by: what is built in, and what people brought.
#[derive(Debug)]
pub(crate) struct Content {
    /// Checks and benchmarks.
    pub(crate) library: Library,
    /// Recommendations and score groups.
    pub(crate) catalogue: Catalogue,
    /// Tells this content from another.
    pub(crate) digest: Digest,
    /// Why what people brought cannot be used, by its name.
    pub(crate) problems: BTreeMap<String, String>,
    /// The ids of the benchmarks that came with the program.
    pub(crate) builtin_benchmarks: BTreeSet<String>,
    /// Tells what people brought, in use or not, from anything else.
    pub(crate) own: u64,
}

impl Content {
    /// The program's version and the digest of what is judged by, for reports.
    pub(crate) fn version(&self) -> String {
        let digest = self.digest.as_str();
        let hash = digest.split_once(':').map_or(digest, |(_, hash)| hash);
        let short: String = hash.chars().take(12).collect();
        format!("Seareeve {}, content {short}", env!("CARGO_PKG_VERSION"))
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
    /// Where assets belong; read only when an exemption is about an environment.
    pub(crate) environments: BTreeMap<AssetId, String>,
    /// What clouds know of clusters, by cluster: what was said of it before both were one still holds.
    pub(crate) parts: BTreeMap<AssetId, AssetId>,
    /// What is set for recommendations, by id.
    pub(crate) settings: BTreeMap<String, RecommendationSetting>,
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
                until: said.expires,
            };
            answers.push((said.asset, attestation));
        }
        let exempt = exemptions::list(store).await?;
        let environments = match exempt.iter().any(|one| one.said.environment.is_some()) {
            true => environments::of_assets(store).await?,
            false => BTreeMap::new(),
        };
        let sides = clusters::sides(store).await?.into_iter();
        let settings = recommendation_settings::list(store).await?.into_iter();
        Ok(Self {
            parts: sides
                .filter_map(|side| Some((side.cluster, side.cloud?)))
                .collect(),
            settings: settings
                .map(|setting| (setting.recommendation.clone(), setting))
                .collect(),
            exceptions: Exceptions {
                exceptions: exceptions.collect(),
            },
            attestations: answers,
            exemptions: exempt,
            environments,
        })
    }

    /// Whether an exemption is about an asset.
    pub(crate) fn is_about(&self, exemption: &Exemption, asset: AssetId) -> bool {
        let said = &exemption.said;
        let environment = said.environment.as_ref();
        said.asset.is_none_or(|of| self.is_of(of, asset))
            && environment.is_none_or(|of| self.environments.get(&asset) == Some(of))
    }

    /// Whether what was said of `of` was said of `asset`.
    fn is_of(&self, of: AssetId, asset: AssetId) -> bool {
        of == asset || self.parts.get(&asset) == Some(&of)
    }

    /// What was said of one asset, as judging wants it.
    pub(crate) fn statements(&self, asset: AssetId) -> seareeve_posture::Statements {
        let attestations = self.attestations.iter();
        seareeve_posture::Statements {
            exceptions: self.exceptions.clone(),
            attestations: attestations
                .filter(|(of, _)| self.is_of(*of, asset))
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
