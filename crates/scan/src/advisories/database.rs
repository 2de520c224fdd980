//! Reading a database. Opening maps the file and reads its header, nothing else; every read is checked,
//! so that a damaged or hostile file gives an error and never a panic.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use jiff::civil::Date;
use memmap2::Mmap;
use seareeve_model::{DatabaseInfo, DatabaseKind, DatabaseSource, Digest, Epss, Vulnerability};
use zstd::bulk::Decompressor;
use zstd::dict::DecoderDictionary;

use super::format::{Damage, Header, Section, Table};
use super::stored::{
    ScoreBytes, StoredEntry, StoredFeed, StoredInfo, StoredKey, StoredMore, StoredRecord,
    StoredVulnerability, read_scores, timestamp,
};

/// No vulnerability's text is larger; a file that claims so is damaged.
const MAX_TEXT: usize = 64 << 20;

/// Why a database cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file cannot be opened. When it does not exist, no database was built yet.
    #[error("failed to open the advisory database {path}")]
    Open {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is something else.
    #[error("this is not an advisory database")]
    NotADatabase,
    /// The file was written by another version of Seareeve: build or update it again.
    #[error(
        "the advisory database has format {found}, this program reads format {}",
        super::format::FORMAT
    )]
    OtherFormat {
        /// The format of the file.
        found: u32,
    },
    /// The file is damaged: build or update it again.
    #[error("the advisory database is damaged in its {part}")]
    Damaged {
        /// Which part.
        part: &'static str,
    },
}

impl From<Damage> for DatabaseError {
    fn from(damage: Damage) -> Self {
        match damage {
            Damage::NotADatabase => Self::NotADatabase,
            Damage::OtherFormat(found) => Self::OtherFormat { found },
            Damage::Part(part) => Self::Damaged { part },
        }
    }
}

/// An open advisory database. Cheap to open, shared by any number of threads and processes.
pub struct Database {
    bytes: Bytes,
    header: Header,
    info: DatabaseInfo,
    dictionary: OnceLock<Option<DecoderDictionary<'static>>>,
}

enum Bytes {
    Mapped(Mmap),
    Held(Cow<'static, [u8]>),
}

impl Bytes {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Held(bytes) => bytes,
        }
    }
}

impl Database {
    /// Opens a file by mapping it.
    ///
    /// # Errors
    /// When the file cannot be opened, is no database, of another format, or its header is damaged.
    pub fn open(path: &Utf8Path) -> Result<Self, DatabaseError> {
        let failed = |source| DatabaseError::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        #[expect(unsafe_code, reason = "mapping a file is the point of this format")]
        // SAFETY: the mapping is only sound while nobody changes or shortens the file. We never write to
        // a database in place: `build` writes another file and renames it, which leaves this one whole
        // until the last mapping is gone.
        let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
        Self::read(Bytes::Mapped(map))
    }

    /// A database that is in memory, such as the starter set.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, DatabaseError> {
        Self::read(Bytes::Held(bytes.into()))
    }

    fn read(bytes: Bytes) -> Result<Self, DatabaseError> {
        let header = Header::read(bytes.as_slice())?;
        let stored = header.section(bytes.as_slice(), Section::Info);
        let damaged = DatabaseError::Damaged { part: "summary" };
        let Ok((stored, more)) = postcard::take_from_bytes::<StoredInfo>(stored) else {
            return Err(damaged);
        };
        let more: StoredMore = match more {
            [] => StoredMore::default(),
            more => decode(more, "summary")?,
        };
        let sources = stored.sources.into_iter();
        let info = DatabaseInfo {
            kind: if stored.starter {
                DatabaseKind::Starter
            } else {
                DatabaseKind::Full
            },
            digest: Digest::sha256(&header.digest),
            built: Timestamp::from_microsecond(header.built).map_err(|_range| damaged)?,
            advisories: stored.advisories,
            bug_fixes: more.bug_fixes,
            sources: sources
                .map(|(ecosystem, advisories, newest)| DatabaseSource {
                    ecosystem,
                    advisories,
                    newest: timestamp(newest),
                })
                .collect(),
            known_exploited: stored.exploited.and_then(StoredFeed::read),
            epss: stored.epss.and_then(StoredFeed::read),
        };
        Ok(Self {
            bytes,
            header,
            info,
            dictionary: OnceLock::new(),
        })
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self.bytes {
            Bytes::Mapped(map) => map.to_vec(),
            Bytes::Held(bytes) => bytes.into_owned(),
        }
    }

    /// What the database is made of. Its digest covers the advisories, not the time of building.
    #[must_use]
    pub fn info(&self) -> DatabaseInfo {
        self.info.clone()
    }

    /// Reads the whole file and compares it with its digest.
    ///
    /// # Errors
    /// When they differ.
    pub fn verify(&self) -> Result<(), DatabaseError> {
        if self.header.is_content_whole(self.bytes.as_slice()) {
            Ok(())
        } else {
            Err(DatabaseError::Damaged { part: "content" })
        }
    }

    /// Whether there is any advisory for packages of `ecosystem`, written with its release.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn has_ecosystem(&self, ecosystem: &str) -> Result<bool, DatabaseError> {
        let keys = self.table(Section::Keys, "index")?;
        let at = lower_bound(keys.len(), |number| {
            Ok(names_of(keys.row(number)?)?.0.cmp(ecosystem.as_bytes()))
        })?;
        Ok(at < keys.len() && names_of(keys.row(at)?)?.0 == ecosystem.as_bytes())
    }

    /// All that is known of the vulnerabilities that `id` means: its own id, an alias, or a record that
    /// speaks of several. Empty when nothing is known.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn vulnerabilities(&self, id: &str) -> Result<Vec<Vulnerability>, DatabaseError> {
        let mut texts = self.texts()?;
        let read = |number| Ok(texts.vulnerability(number)?.into_model());
        self.numbers(id)?.into_iter().map(read).collect()
    }

    /// FIRST's estimate for the vulnerability `id`. It changes every day and is therefore no part of what
    /// [`super::changed_names`] compares: whoever keeps findings asks for it anew with each database.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn epss(&self, id: &str) -> Result<Option<Epss>, DatabaseError> {
        let scores = self.scores();
        let numbers = self.numbers(id)?.into_iter();
        let known = numbers.filter_map(|number| scores.get(number));
        Ok(known.max_by(|a, b| a.score.get().total_cmp(&b.score.get())))
    }

    /// The numbers of the vulnerabilities that `id` means.
    fn numbers(&self, id: &str) -> Result<Vec<u32>, DatabaseError> {
        let ids = self.table(Section::Ids, "list of ids")?;
        let read = |number| -> Result<(&str, Vec<u32>), DatabaseError> {
            decode(ids.row(number)?, "list of ids")
        };
        let at = lower_bound(ids.len(), |number| Ok(read(number)?.0.cmp(id)))?;
        if at >= ids.len() {
            return Ok(Vec::new());
        }
        let (found, numbers) = read(at)?;
        Ok(if found == id { numbers } else { Vec::new() })
    }

    fn scores(&self) -> ScoreTable<'_> {
        let section = self.header.section(self.bytes.as_slice(), Section::Epss);
        let (scores, _) = section.as_chunks();
        let date = self.info.epss.as_ref().map(|feed| feed.date);
        ScoreTable { scores, date }
    }

    /// What records say of one package, sorted by record.
    pub(crate) fn entries(
        &self,
        ecosystem: &str,
        name: &str,
    ) -> Result<Vec<StoredEntry<'_>>, DatabaseError> {
        let keys = self.table(Section::Keys, "index")?;
        let wanted = (ecosystem.as_bytes(), name.as_bytes());
        let at = lower_bound(keys.len(), |number| {
            Ok(names_of(keys.row(number)?)?.cmp(&wanted))
        })?;
        if at >= keys.len() || names_of(keys.row(at)?)? != wanted {
            return Ok(Vec::new());
        }
        let mut rest = self.table(Section::Entries, "statements")?.row(at)?;
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let Ok((entry, after)) = postcard::take_from_bytes(rest) else {
                return Err(DatabaseError::Damaged { part: "statements" });
            };
            entries.push(entry);
            rest = after;
        }
        Ok(entries)
    }

    /// The id and the last change of a record.
    pub(crate) fn record(&self, number: u32) -> Result<(&str, Option<Timestamp>), DatabaseError> {
        let records = self.table(Section::Records, "records")?;
        let record: StoredRecord<'_> = decode(records.row(number as usize)?, "records")?;
        Ok((record.id, timestamp(record.modified)))
    }

    /// The reader of the compressed texts. One serves any number of reads of one thread.
    pub(crate) fn texts(&self) -> Result<Texts<'_>, DatabaseError> {
        let damaged = DatabaseError::Damaged { part: "dictionary" };
        let dictionary = self.dictionary.get_or_init(|| {
            let bytes = self
                .header
                .section(self.bytes.as_slice(), Section::Dictionary);
            DecoderDictionary::try_copy(bytes).ok()
        });
        let dictionary = dictionary.as_ref().ok_or(damaged)?;
        Ok(Texts {
            rows: self.table(Section::Vulnerabilities, "vulnerabilities")?,
            scores: self.scores(),
            decompressor: Decompressor::with_prepared_dictionary(dictionary)
                .map_err(|_| DatabaseError::Damaged { part: "dictionary" })?,
        })
    }

    /// All keys with their hashes, in their order.
    pub(super) fn keys(
        &self,
    ) -> Result<impl Iterator<Item = Result<StoredKey<'_>, DatabaseError>>, DatabaseError> {
        let keys = self.table(Section::Keys, "index")?;
        Ok((0..keys.len()).map(move |number| decode(keys.row(number)?, "index")))
    }

    fn table(&self, section: Section, name: &'static str) -> Result<Table<'_>, DatabaseError> {
        let bytes = self.header.section(self.bytes.as_slice(), section);
        Ok(Table::read(bytes, name)?)
    }
}

/// Reads the texts of vulnerabilities.
pub(crate) struct Texts<'a> {
    rows: Table<'a>,
    scores: ScoreTable<'a>,
    decompressor: Decompressor<'a>,
}

impl Texts<'_> {
    pub(crate) fn vulnerability(
        &mut self,
        number: u32,
    ) -> Result<StoredVulnerability, DatabaseError> {
        let damaged = || DatabaseError::Damaged {
            part: "vulnerabilities",
        };
        let row = self.rows.row(number as usize)?;
        let (length, packed) = row.split_first_chunk::<4>().ok_or_else(damaged)?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > MAX_TEXT {
            return Err(damaged());
        }
        let text = self.decompressor.decompress(packed, length);
        let mut known: StoredVulnerability =
            decode(&text.map_err(|_| damaged())?, "vulnerabilities")?;
        known.epss = self.scores.get(number);
        Ok(known)
    }
}

/// The scores, by the number of the vulnerability. Empty where the database was built without them.
struct ScoreTable<'a> {
    scores: &'a [ScoreBytes],
    date: Option<Date>,
}

impl ScoreTable<'_> {
    fn get(&self, number: u32) -> Option<Epss> {
        let (score, percentile) = read_scores(*self.scores.get(number as usize)?)?;
        Some(Epss {
            score,
            percentile,
            date: self.date?,
        })
    }
}

/// Ecosystem and name of a [`StoredKey`]. Looking for a package reads a score of keys to compare them, so neither that
/// they are text is asked nor the hash is read.
fn names_of(key: &[u8]) -> Result<(&[u8], &[u8]), DatabaseError> {
    match postcard::take_from_bytes(key) {
        Ok((names, _hash)) => Ok(names),
        Err(_) => Err(DatabaseError::Damaged { part: "index" }),
    }
}

fn decode<'a, T: serde::Deserialize<'a>>(
    bytes: &'a [u8],
    part: &'static str,
) -> Result<T, DatabaseError> {
    postcard::from_bytes(bytes).map_err(|_| DatabaseError::Damaged { part })
}

/// The first of `count` sorted rows that is not less than what is looked for.
fn lower_bound(
    count: usize,
    compare: impl Fn(usize) -> Result<Ordering, DatabaseError>,
) -> Result<usize, DatabaseError> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        if compare(middle)?.is_lt() {
            low = middle.saturating_add(1);
        } else {
            high = middle;
        }
    }
    Ok(low)
}
