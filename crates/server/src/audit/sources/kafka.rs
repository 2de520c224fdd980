//! A topic of a broker that speaks Kafka's protocol, as Azure Event Hubs does.
//!
//! There is no consumer group: how far each partition is read is kept by us, together with what is durable here.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use futures_util::future::join_all;
use rskafka::BackoffConfig;
use rskafka::client::partition::{OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder, Credentials, SaslConfig};
use rskafka::record::RecordAndOffset;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncReadExt as _;

use super::Feed;

/// Bytes of one answer; a record that is larger comes alone.
const MOST_BYTES: i32 = 512 << 10;
/// How long a broker waits for something to come, in milliseconds.
const WAIT_MS: i32 = 500;
/// Time for one request, with all that the client tries by itself.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time in which a connection is tried again and again. Short: we try again ourselves, and a user who is refused is
/// locked out sooner or later.
const CONNECTING: Duration = Duration::from_secs(1);
/// How passwords are shown.
pub(crate) const MECHANISMS: [&str; 3] = ["plain", "scram-sha-256", "scram-sha-512"];
/// Bytes of a file with a password.
const MOST_SECRET: u64 = 16 << 10;
/// Bytes of a message.
const MOST_MESSAGE: usize = 32 << 20;
/// Bytes of what is appended in one go.
const FRAME: usize = 8 << 20;

/// What is read.
pub(super) struct Topic {
    pub(super) brokers: Vec<String>,
    pub(super) name: String,
    pub(super) tls: bool,
    pub(super) username: Option<String>,
    pub(super) mechanism: Option<String>,
    pub(super) password_file: Option<Utf8PathBuf>,
    pub(super) ca_file: Option<String>,
    pub(super) from_start: bool,
}

/// By partition, the offset of the next record.
type Position = BTreeMap<i32, i64>;

/// Follows a topic until it cannot be read.
pub(super) async fn follow(
    feed: &Feed,
    topic: Topic,
    position: Option<&str>,
) -> anyhow::Result<()> {
    let mut position: Position = position
        .map(serde_json::from_str)
        .transpose()
        .context("how far the topic was read cannot be understood")?
        .unwrap_or_default();
    let client = within(connect(&topic)).await?;
    let topics = within(async { Ok(client.list_topics().await?) }).await?;
    let found = topics.into_iter().find(|one| one.name == topic.name);
    let found = found.with_context(|| format!("there is no topic {}", topic.name))?;
    let mut partitions = Vec::new();
    for number in found.partitions {
        let opening = client.partition_client(&topic.name, number, UnknownTopicHandling::Error);
        let partition = within(async { Ok(opening.await?) }).await?;
        if let std::collections::btree_map::Entry::Vacant(entry) = position.entry(number) {
            let from = if topic.from_start {
                OffsetAt::Earliest
            } else {
                OffsetAt::Latest
            };
            entry.insert(within(async { Ok(partition.get_offset(from).await?) }).await?);
        }
        partitions.push(partition);
    }
    // Where it begins is worth keeping: after a restart it must not begin later.
    feed.append(Vec::new(), &serde_json::to_string(&position)?)
        .await?;
    loop {
        let asked = partitions.iter().map(|partition| {
            let at = position.get(&partition.partition()).copied().unwrap_or(0);
            within(fetch(partition, at))
        });
        for (partition, fetched) in partitions.iter().zip(join_all(asked).await) {
            let fetched = fetched?;
            let number = partition.partition();
            if let Some(lost) = fetched.lost {
                let why = format!(
                    "topic {}: {lost} records of partition {number} were deleted before they were read",
                    topic.name
                );
                feed.tell(&why).await;
                position.insert(number, fetched.next);
            }
            append(feed, &mut position, number, fetched.records).await?;
        }
    }
}

async fn append(
    feed: &Feed,
    position: &mut Position,
    partition: i32,
    records: Vec<RecordAndOffset>,
) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    let mut records = records.into_iter().peekable();
    while let Some(record) = records.next() {
        if let Some(value) = record.record.value {
            // Between the values of a JSON document a line may end, within them it may not: it stays the same document.
            lines.extend(
                value
                    .into_iter()
                    .map(|byte| if byte == b'\n' { b' ' } else { byte }),
            );
            lines.push(b'\n');
        }
        position.insert(partition, record.offset.saturating_add(1));
        if lines.len() >= FRAME || records.peek().is_none() {
            let position = serde_json::to_string(&position)?;
            feed.append(std::mem::take(&mut lines), &position).await?;
        }
    }
    Ok(())
}

struct Fetched {
    records: Vec<RecordAndOffset>,
    /// Records that are gone.
    lost: Option<i64>,
    next: i64,
}

async fn fetch(partition: &PartitionClient, at: i64) -> anyhow::Result<Fetched> {
    let fetched = partition.fetch_records(at, 1..MOST_BYTES, WAIT_MS).await;
    match fetched {
        Ok((records, _end)) => Ok(Fetched {
            // A batch is sent whole, also when its first records were read.
            records: records
                .into_iter()
                .filter(|record| record.offset >= at)
                .collect(),
            lost: None,
            next: at,
        }),
        Err(error) => {
            let earliest = partition.get_offset(OffsetAt::Earliest).await?;
            let latest = partition.get_offset(OffsetAt::Latest).await?;
            // The topic was made anew, or keeps records for too short a time.
            if at < earliest || at > latest {
                return Ok(Fetched {
                    records: Vec::new(),
                    lost: Some(earliest.saturating_sub(at).max(0)),
                    next: earliest,
                });
            }
            Err(error.into())
        }
    }
}

/// The broker does not let the user in.
#[derive(Debug, thiserror::Error)]
#[error(
    "the broker refuses the user {user}: is the password in {file} right, and is the user known for {mechanism}?"
)]
pub(super) struct Refused {
    user: String,
    file: String,
    mechanism: &'static str,
}

async fn connect(topic: &Topic) -> anyhow::Result<Client> {
    let mut builder = ClientBuilder::new(topic.brokers.clone())
        .client_id("seareeve")
        .max_message_size(MOST_MESSAGE)
        .backoff_config(BackoffConfig {
            deadline: Some(CONNECTING),
            ..BackoffConfig::default()
        });
    if topic.tls {
        builder = builder.tls_config(tls(topic.ca_file.as_deref())?);
    }
    let mut refused = None;
    if let Some(username) = &topic.username {
        let file = topic
            .password_file
            .as_deref()
            .context("a user needs a password_file")?;
        let read = async || -> io::Result<String> {
            let file = tokio::fs::File::open(file).await?;
            let mut text = String::new();
            file.take(MOST_SECRET).read_to_string(&mut text).await?;
            Ok(text)
        };
        let password = read()
            .await
            .with_context(|| format!("failed to read {file}"))?;
        let credentials = Credentials::new(username.clone(), password.trim().to_owned());
        let (mechanism, config) = match topic.mechanism.as_deref() {
            None | Some("plain") => ("PLAIN", SaslConfig::Plain(credentials)),
            Some("scram-sha-256") => ("SCRAM-SHA-256", SaslConfig::ScramSha256(credentials)),
            Some("scram-sha-512") => ("SCRAM-SHA-512", SaslConfig::ScramSha512(credentials)),
            Some(other) => anyhow::bail!("{other} is no mechanism: {}", MECHANISMS.join(", ")),
        };
        builder = builder.sasl_config(config);
        refused = Some(Refused {
            user: username.clone(),
            file: file.to_string(),
            mechanism,
        });
    }
    builder.build().await.map_err(|error| match refused {
        Some(refused) if is_refusal(&error) => refused.into(),
        // The client's errors repeat what caused them.
        _ => anyhow::anyhow!("failed to connect to any broker: {error}"),
    })
}

/// Whether a broker said that it does not let somebody in. The client tells only in words what happened to each of its
/// attempts.
fn is_refusal(error: &rskafka::client::error::Error) -> bool {
    let text = format!("{error:?} {error}");
    [
        "Sasl handshake failed",
        "SaslFailed",
        "SaslAuthenticationFailed",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// The authorities of browsers, and those of a file.
fn tls(ca_file: Option<&str>) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    if let Some(file) = ca_file {
        let own = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| format!("failed to read the certificates {file}"))?;
        let (added, _) = roots.add_parsable_certificates(own);
        if added == 0 {
            anyhow::bail!("{file} holds no certificate");
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("failed to prepare TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

async fn within<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .context("the broker did not answer in time")?
}
