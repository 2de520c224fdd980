//! A record while the database is being built: its names in memory, its bulk in the spool.

use std::collections::BTreeSet;
use std::io;

use jiff::Timestamp;
use seareeve_model::{Severity, SeveritySource};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ecosystem;
use super::module;
use super::osv::{OsvAffected, OsvRange, OsvRecord, Specific};
use super::rating::{self, Vector};
use super::spool::{Span, Spool};
use super::stored::{Event, EventKind, Range, Statement, StoredRating};

pub(super) struct Held {
    pub(super) modified: Option<i64>,
    pub(super) published: Option<i64>,
    pub(super) withdrawn: bool,
    /// Whether it says of itself that it is about no vulnerability.
    pub(super) is_bug_fix: bool,
    pub(super) aliases: Vec<String>,
    pub(super) upstream: Vec<String>,
    /// Related CVEs of a distribution's record, see [`ecosystem::Known::is_distribution`].
    pub(super) fixes: Vec<String>,
    pub(super) affected: Vec<HeldAffected>,
    pub(super) about: Span,
    /// Of everything above and below, so that of two records with one id the same one wins in any order.
    fingerprint: [u8; 32],
}

pub(super) struct HeldAffected {
    pub(super) ecosystem: String,
    pub(super) name: String,
    pub(super) statement: Span,
}

/// What a record says about the vulnerability itself.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) summary: String,
    pub(super) details: String,
    /// Version, vector, score.
    pub(super) cvss: Vec<Vector>,
    pub(super) word: Option<StoredRating>,
    pub(super) exploited: bool,
    pub(super) references: Vec<(String, String)>,
}

/// Why a record was left out, or what of it.
#[derive(Debug)]
pub(super) enum Refused {
    NoId,
    NoPackage,
    Control,
}

impl Held {
    /// Whether this one replaces `other` of the same id: the newer one does.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        (self.modified, self.fingerprint) > (other.modified, other.fingerprint)
    }

    /// Puts the record's bulk into the spool. Parts that cannot be used are told to `refuse`.
    pub(super) fn new(
        record: OsvRecord,
        spool: &mut Spool,
        refuse: &mut dyn FnMut(Refused),
    ) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut keep = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
            spool.put(bytes)
        };
        let about = keep(&encode(&about(&record))?)?;
        let general = General {
            priority: rating::ubuntu(&record.severity),
            heading: record.summary.as_deref().and_then(rating::heading),
            specific: record.database_specific.as_ref(),
        };
        let mut affected = Vec::with_capacity(record.affected.len());
        let mut told = BTreeSet::new();
        for item in &record.affected {
            let is_git = |range: &OsvRange| range.kind == "GIT";
            let Some(package) = &item.package else {
                // Ranges of commits need no package and match no package; anything else should have one.
                if item.ranges.is_empty() || !item.ranges.iter().all(is_git) {
                    refuse(Refused::NoPackage);
                }
                continue;
            };
            if package.ecosystem.is_empty() || package.name.is_empty() {
                refuse(Refused::NoPackage);
                continue;
            }
            if has_control(&package.ecosystem) || has_control(&package.name) {
                refuse(Refused::Control);
                continue;
            }
            let ecosystem = ecosystem::indexed_ecosystem(&package.ecosystem).into_owned();
            let name = ecosystem::indexed_name(&ecosystem, &package.name).into_owned();
            let mut said = statement(item, &package.ecosystem, &general);
            if module::is_modular(&said) {
                said.streams =
                    module::streams(record.summary.as_deref().unwrap_or_default()).collect();
            }
            let said = encode(&said)?;
            // Editions of one release, which have one name here, say the same of a package.
            if !told.insert((ecosystem.clone(), name.clone(), said.clone())) {
                continue;
            }
            affected.push(HeldAffected {
                ecosystem,
                name,
                statement: keep(&said)?,
            });
        }
        let is_distribution = affected.iter().any(|item| is_distribution(&item.ecosystem));
        let is_bug_fix = is_distribution && is_bug_fix(&record);
        let related = record.related.into_iter();
        let fixes = related.filter(|id| is_distribution && is_cve(id));
        let names = [record.aliases, record.upstream, fixes.collect()].map(ids);
        let modified = microseconds(record.modified.as_deref());
        let withdrawn = record.withdrawn.is_some();
        let packages: Vec<_> = affected
            .iter()
            .map(|item| (item.ecosystem.as_str(), item.name.as_str()))
            .collect();
        hasher.update(encode(&(&names, &packages, withdrawn, is_bug_fix))?);
        let [aliases, upstream, fixes] = names;
        Ok(Self {
            modified,
            published: microseconds(record.published.as_deref()),
            withdrawn,
            is_bug_fix,
            aliases,
            upstream,
            fixes,
            affected,
            about,
            fingerprint: hasher.finalize().into(),
        })
    }
}

impl Held {
    /// Whether the record calls several CVEs its aliases.
    pub(super) fn is_collective(&self) -> bool {
        self.aliases.iter().filter(|alias| is_cve(alias)).count() > 1
    }
}

pub(super) fn is_cve(id: &str) -> bool {
    id.starts_with("CVE-")
}

/// Whether a distribution's record says, by its id or its title, that it mends bugs or brings something new, and names no
/// vulnerability: those of Red Hat's family call their advisories `…SA`, `…BA` (bug fixes) and `…EA` (enhancements).
fn is_bug_fix(record: &OsvRecord) -> bool {
    let mut named = [&record.aliases, &record.upstream, &record.related]
        .into_iter()
        .flatten();
    if named.any(|id| is_cve(id)) {
        return false;
    }
    let kind = record.id.split('-').next().unwrap_or_default().as_bytes();
    let title = record.summary.as_deref().unwrap_or_default().to_lowercase();
    let says = |word| title.contains(word);
    matches!(kind, [b'A'..=b'Z', b'A'..=b'Z', b'B' | b'E', b'A'])
        || ((says("bug fix") || says("bugfix") || says("enhancement")) && !says("security"))
}

/// `postcard` fails only when a value refuses to be serialised, which none of ours does.
pub(super) fn encode<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(io::Error::other)
}

fn ids(mut ids: Vec<String>) -> Vec<String> {
    ids.retain(|id| !id.trim().is_empty());
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn microseconds(text: Option<&str>) -> Option<i64> {
    let time: Timestamp = text?.trim().parse().ok()?;
    // Go's zero time (0001-01-01) stands for an unknown one in Go's own records.
    Some(time.as_microsecond()).filter(|microseconds| *microseconds > 0)
}

fn about(record: &OsvRecord) -> About {
    let mut vectors = rating::vectors(&record.severity);
    for affected in &record.affected {
        vectors.extend(rating::vectors(&affected.severity));
    }
    let specific = record
        .affected
        .iter()
        .filter_map(|a| a.ecosystem_specific.as_ref());
    let words = specific.chain(&record.database_specific);
    let words = words.filter_map(|specific| rating::word(specific.severity.as_deref()?));
    let url = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
    About {
        summary: record.summary.clone().unwrap_or_default(),
        details: record.details.clone().unwrap_or_default(),
        cvss: vectors,
        word: words
            .max()
            .map(|word| StoredRating::new(SeveritySource::Database, word)),
        exploited: record
            .database_specific
            .as_ref()
            .is_some_and(|specific| specific.known_exploited == Some(true)),
        references: record
            .references
            .iter()
            .filter_map(|reference| {
                let url = reference.url.as_deref().map(str::trim).filter(url)?;
                let kind = reference.kind.as_deref().unwrap_or("WEB");
                Some((kind.to_owned(), url.to_owned()))
            })
            .collect(),
    }
}

/// What a record says of all its packages at once.
struct General<'a> {
    /// Ubuntu's priority.
    priority: Option<Severity>,
    /// The word with which the summary begins.
    heading: Option<Severity>,
    specific: Option<&'a Specific>,
}

fn is_distribution(ecosystem: &str) -> bool {
    ecosystem::known(ecosystem::base(ecosystem)).is_some_and(|known| known.is_distribution)
}

fn statement<'a>(
    affected: &'a OsvAffected,
    ecosystem: &str,
    general: &General<'_>,
) -> Statement<'a> {
    let own = [&affected.ecosystem_specific, &affected.database_specific];
    let own = own.into_iter().filter_map(Option::as_ref);
    let specifics = || own.clone().chain(general.specific);
    let is_distribution = is_distribution(ecosystem);
    let own_word = || {
        let mut words = specifics().filter_map(|specific| {
            let urgency = specific.urgency.as_deref().and_then(rating::word);
            let severity = specific.severity.as_deref().filter(|_| is_distribution);
            urgency.or_else(|| severity.and_then(rating::word))
        });
        words.next()
    };
    let word = own_word()
        .or_else(|| rating::ubuntu(&affected.severity))
        .or(general.priority)
        .or(general.heading.filter(|_| is_distribution))
        .map(|word| StoredRating::new(SeveritySource::Distribution, word));
    let disposition = specifics()
        .flat_map(|specific| [&specific.urgency, &specific.status, &specific.fix_state])
        .filter_map(|word| rating::disposition(word.as_deref()?))
        .next()
        .filter(|_| is_distribution);
    Statement {
        versions: affected.versions.iter().map(String::as_str).collect(),
        streams: Vec::new(),
        ranges: affected.ranges.iter().filter_map(range).collect(),
        rating: word.or_else(|| rating::by_vectors(&rating::vectors(&affected.severity))),
        disposition: disposition.unwrap_or_default(),
    }
}

/// Ranges of commits, and of kinds that we do not know, are left out: OSV says to ignore them.
fn range(range: &OsvRange) -> Option<Range<'_>> {
    let semver = match range.kind.as_str() {
        "SEMVER" => true,
        "ECOSYSTEM" => false,
        _ => return None,
    };
    let mut events = Vec::with_capacity(range.events.len());
    for event in &range.events {
        let said = [
            (EventKind::Introduced, &event.introduced),
            (EventKind::Fixed, &event.fixed),
            (EventKind::LastAffected, &event.last_affected),
            (EventKind::Limit, &event.limit),
        ];
        events.extend(said.into_iter().filter_map(|(kind, version)| {
            let version = version.as_deref()?;
            Some(Event { kind, version })
        }));
    }
    Some(Range { semver, events })
}
