//! Ignore files: findings that a user has looked at and accepts, with the reason, and until when.
//!
//! Three forms are read: `.trivyignore` (an id per line), `.trivyignore.yaml`, and our own:
//!
//! ```yaml
//! ignore:
//!   - id: CVE-2024-1234            # or any alias, or the record that hit
//!     package: openssl             # or: purl: pkg:deb/debian/openssl
//!     paths: ["usr/lib/**"]
//!     reason: the parser is never called
//!     expires: 2026-12-31          # counts again from that day on
//!   - id: private-key              # the rule that finds a secret
//!     paths: ["opt/tests/**"]
//!     reason: made for tests
//! ```
//! What is ignored stays in the report with its reason. An entry that is past its day, or fits nothing, is told.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use seareeve_model::{
    Finding, InstalledPackage, Inventory, Notice, NoticeCode, SecretFinding, SecretPlace,
    SuppressedBy, Suppression,
};
use serde::Deserialize;

use crate::Matches;
use crate::pattern::{PathPattern, PurlPattern};

/// No list that people keep is larger.
const MAX_FILE: usize = 4 << 20;

/// Why an ignore file cannot be used. The fault of whoever wrote it.
#[derive(Debug, thiserror::Error)]
pub enum IgnoreError {
    /// It is not YAML of one of the two forms.
    #[error("failed to read the ignore file {file}")]
    Yaml {
        /// The name it was given under.
        file: String,
        /// Why.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// An entry makes no sense.
    #[error("the ignore file {place}: {why}")]
    Entry {
        /// The file, and the line or entry.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// It is no text, or larger than any list that people keep.
    #[error("the ignore file {file} is not a text of at most {} MiB", MAX_FILE >> 20)]
    NotText {
        /// The name it was given under.
        file: String,
    },
}

/// An ignore file of any form.
#[derive(Clone, Debug, PartialEq)]
pub struct IgnoreFile {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    /// The file, and the line or entry.
    place: String,
    id: String,
    package: Option<String>,
    purls: Vec<PurlPattern>,
    paths: Vec<PathPattern>,
    reason: String,
    expires: Option<Timestamp>,
}

/// Our own form. `ignore` tells it from Trivy's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    ignore: Vec<OwnEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnEntry {
    id: String,
    #[serde(default)]
    package: Option<String>,
    #[serde(default)]
    purl: Option<String>,
    #[serde(default)]
    paths: Vec<String>,
    reason: String,
    #[serde(default)]
    expires: Option<String>,
}

/// Trivy's form. Its sections for other scanners are none of ours. Whether an id is that of a vulnerability or of a
/// rule for secrets, it says itself.
#[derive(Deserialize)]
struct Trivys {
    #[serde(default)]
    vulnerabilities: Vec<TrivysEntry>,
    #[serde(default)]
    secrets: Vec<TrivysEntry>,
}

#[derive(Deserialize)]
struct TrivysEntry {
    id: String,
    #[serde(default)]
    purls: Vec<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    statement: Option<String>,
    #[serde(default)]
    expired_at: Option<String>,
}

/// What both forms in YAML have in common, to tell them apart.
#[derive(Deserialize)]
struct Shape {
    #[serde(default)]
    ignore: Option<serde::de::IgnoredAny>,
}

/// Reads an ignore file; `name` is its name, which says by its ending whether it is YAML.
///
/// # Errors
/// When it, or an entry in it, makes no sense: a list that is read in part would hide less than its writer thinks.
pub fn parse(name: &str, content: &[u8]) -> Result<IgnoreFile, IgnoreError> {
    let not_text = || IgnoreError::NotText {
        file: name.to_owned(),
    };
    if content.len() > MAX_FILE {
        return Err(not_text());
    }
    let text = std::str::from_utf8(content).map_err(|_| not_text())?;
    let entries = if name.ends_with(".yaml") || name.ends_with(".yml") {
        yaml(name, text)?
    } else {
        lines(name, text)?
    };
    Ok(IgnoreFile { entries })
}

fn yaml(name: &str, text: &str) -> Result<Vec<Entry>, IgnoreError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let failed = |source| IgnoreError::Yaml {
        file: name.to_owned(),
        source: Box::new(source),
    };
    let shape: Shape = serde_saphyr::from_str(text).map_err(failed)?;
    let raw: Vec<OwnEntry> = if shape.ignore.is_some() {
        let own: Own = serde_saphyr::from_str(text).map_err(failed)?;
        own.ignore
    } else {
        let trivys: Trivys = serde_saphyr::from_str(text).map_err(failed)?;
        let entries = trivys.vulnerabilities.into_iter().chain(trivys.secrets);
        return entries
            .enumerate()
            .map(|(number, raw)| {
                let place = place(name, number, &raw.id);
                Ok(Entry {
                    id: id(&place, &raw.id)?,
                    package: None,
                    purls: purls(&place, &raw.purls)?,
                    paths: paths(&place, &raw.paths)?,
                    reason: raw.statement.unwrap_or_default().trim().to_owned(),
                    expires: expires(&place, raw.expired_at.as_deref())?,
                    place,
                })
            })
            .collect();
    };
    raw.into_iter()
        .enumerate()
        .map(|(number, raw)| {
            let place = place(name, number, &raw.id);
            let reason = raw.reason.trim().to_owned();
            if reason.is_empty() {
                return Err(wrong(
                    &place,
                    "the reason is empty: say why this is accepted",
                ));
            }
            Ok(Entry {
                id: id(&place, &raw.id)?,
                package: raw.package,
                purls: purls(&place, raw.purl.as_slice())?,
                paths: paths(&place, &raw.paths)?,
                reason,
                expires: expires(&place, raw.expires.as_deref())?,
                place,
            })
        })
        .collect()
}

/// An id per line, `exp:` and the day behind it; comments above or behind are the reason.
fn lines(name: &str, text: &str) -> Result<Vec<Entry>, IgnoreError> {
    let mut entries = Vec::new();
    let mut above: Vec<&str> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim().trim_start_matches('\u{feff}');
        if let Some(comment) = line.strip_prefix('#') {
            above.push(comment.trim());
            continue;
        }
        let (said, comment) = line.split_once('#').unwrap_or((line, ""));
        let mut words = said.split_whitespace();
        let Some(first) = words.next() else {
            above.clear();
            continue;
        };
        let place = format!("{name}:{}", number.saturating_add(1));
        let mut day = None;
        for word in words {
            match word.strip_prefix("exp:") {
                Some(date) => day = Some(date),
                None => {
                    let why = format!("{word:?} after the id is neither exp:DATE nor a # comment");
                    return Err(wrong(&place, &why));
                }
            }
        }
        let reason = match comment.trim() {
            "" => above.join(" "),
            comment => comment.to_owned(),
        };
        entries.push(Entry {
            id: id(&place, first)?,
            package: None,
            purls: Vec::new(),
            paths: Vec::new(),
            reason,
            expires: expires(&place, day)?,
            place,
        });
        above.clear();
    }
    Ok(entries)
}

fn place(name: &str, number: usize, id: &str) -> String {
    let id: String = id.chars().take(60).collect();
    format!("{name} entry {} ({id})", number.saturating_add(1))
}

fn wrong(place: &str, why: &str) -> IgnoreError {
    IgnoreError::Entry {
        place: place.to_owned(),
        why: why.to_owned(),
    }
}

fn id(place: &str, text: &str) -> Result<String, IgnoreError> {
    let id = text.trim();
    if id.is_empty() || id.chars().any(char::is_whitespace) {
        return Err(wrong(place, "there is no id such as CVE-2024-1234"));
    }
    Ok(id.to_owned())
}

fn purls(place: &str, texts: &[String]) -> Result<Vec<PurlPattern>, IgnoreError> {
    let purl = |text: &String| {
        let why = || wrong(place, &format!("{text:?} is not a package URL"));
        PurlPattern::parse(text).ok_or_else(why)
    };
    texts.iter().map(purl).collect()
}

fn paths(place: &str, texts: &[String]) -> Result<Vec<PathPattern>, IgnoreError> {
    let path = |text: &String| {
        let why = || {
            let why = format!("{text:?} is not a path; of wildcards *, ** and ? are known");
            wrong(place, &why)
        };
        PathPattern::parse(text).ok_or_else(why)
    };
    texts.iter().map(path).collect()
}

/// The start of a day in UTC, or a moment.
fn expires(place: &str, text: Option<&str>) -> Result<Option<Timestamp>, IgnoreError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let day = text.parse::<Date>();
    let start = |day: Date| day.to_zoned(TimeZone::UTC).map(|start| start.timestamp());
    let moment = text.parse::<Timestamp>().or_else(|_| day.and_then(start));
    let why = || wrong(place, &format!("{text:?} is not a day such as 2026-12-31"));
    moment.map(Some).map_err(|_| why())
}

/// Suppresses the findings that entries fit, at the time `now`. Entries that are past their day or fit nothing are
/// told as notices. A finding that is suppressed already stays as it is. Returns for each of `secrets` why it does
/// not count.
pub fn apply(
    files: &[IgnoreFile],
    inventory: &Inventory,
    secrets: &[SecretFinding],
    matches: &mut Matches,
    now: Timestamp,
) -> Vec<Option<Suppression>> {
    let entries: Vec<&Entry> = files.iter().flat_map(|file| &file.entries).collect();
    let is_over = |entry: &Entry| entry.expires.is_some_and(|expires| expires <= now);
    let mut used = vec![false; entries.len()];
    for (installed, findings) in inventory.packages.iter().zip(&mut matches.findings) {
        for finding in findings {
            for (entry, used) in entries.iter().zip(&mut used) {
                if is_over(entry) || !entry.fits(installed, finding) {
                    continue;
                }
                *used = true;
                finding
                    .suppressed
                    .get_or_insert_with(|| entry.suppression());
            }
        }
    }
    let mut suppressed = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let mut by = None;
        for (entry, used) in entries.iter().zip(&mut used) {
            if !is_over(entry) && entry.fits_secret(secret) {
                *used = true;
                by.get_or_insert_with(|| entry.suppression());
            }
        }
        suppressed.push(by);
    }
    for (entry, used) in entries.iter().zip(used) {
        let (code, message) = match entry.expires {
            Some(expires) if is_over(entry) => {
                let day = expires.to_zoned(TimeZone::UTC).date();
                let message = format!("{} is ignored no longer, since {day}", entry.id);
                (NoticeCode::IgnoreExpired, message)
            }
            Some(_) | None if !used => {
                let message = format!("{} fits no finding: the entry can go", entry.id);
                (NoticeCode::IgnoreUnused, message)
            }
            Some(_) | None => continue,
        };
        matches
            .notices
            .push(Notice::new(code, entry.place.as_str(), message));
    }
    suppressed
}

impl Entry {
    fn fits(&self, installed: &InstalledPackage, finding: &Finding) -> bool {
        let package = &installed.package;
        let is_name = |name: &String| *name == package.name || name == package.advisory_name();
        let mut purls = self.purls.iter();
        let mut paths = self.paths.iter();
        finding.is_called(&self.id)
            && self.package.as_ref().is_none_or(is_name)
            && (self.purls.is_empty() || purls.any(|purl| purl.fits(package)))
            && (self.paths.is_empty() || paths.any(|path| path.fits(&installed.path)))
    }

    /// An entry that names a package, or paths where the secret is in no file, means something else.
    fn fits_secret(&self, secret: &SecretFinding) -> bool {
        let is_there = match &secret.place {
            SecretPlace::File { path, .. } => {
                self.paths.is_empty() || self.paths.iter().any(|pattern| pattern.fits(path))
            }
            SecretPlace::Configuration { .. } => self.paths.is_empty(),
        };
        self.id == secret.rule && self.package.is_none() && self.purls.is_empty() && is_there
    }

    fn suppression(&self) -> Suppression {
        Suppression {
            by: SuppressedBy::IgnoreFile,
            reason: if self.reason.is_empty() {
                "listed without a reason".to_owned()
            } else {
                self.reason.clone()
            },
            source: self.place.clone(),
            expires: self.expires,
        }
    }
}
