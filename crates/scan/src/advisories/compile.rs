//! From held records to the file: names numbered, keys sorted, texts compressed with a shared dictionary.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Seek, Write};

use jiff::Timestamp;
use seareeve_model::DatabaseKind;
use sha2::{Digest as _, Sha256};
use zstd::bulk::Compressor;
use zstd::dict::EncoderDictionary;

use super::builder::BuildError;
use super::classes::{Class, Classes};
use super::ecosystem;
use super::format::FileWriter;
use super::held::{About, Held, encode};
use super::signals::Signals;
use super::spool::{Span, Spool};
use super::stored::{
    Statement, StoredEntry, StoredInfo, StoredKey, StoredMore, StoredRecord, StoredVulnerability,
    score_bytes,
};
use super::vulnerability::{self, Standing, Voice};

/// The file is written once and read often; reading costs the same at every level.
const LEVEL: i32 = 9;
const DICTIONARY_BYTES: usize = 64 << 10;
/// Texts that the dictionary is trained on, evenly spread.
const SAMPLES: usize = 1_000;
const SAMPLE_BYTES: usize = 4 << 10;

/// Writes the database of `records` to `out` and returns the digest of its content.
pub(super) fn compile<W: Write + Seek>(
    kind: DatabaseKind,
    built: Timestamp,
    records: &BTreeMap<String, Held>,
    signals: &Signals,
    spool: &mut Spool,
    out: W,
) -> Result<([u8; 32], W), BuildError> {
    let live: Vec<(&str, &Held)> = records
        .iter()
        .filter(|(_, record)| !record.withdrawn && !record.is_bug_fix)
        .map(|(id, record)| (id.as_str(), record))
        .collect();
    let classes = Classes::new(&live);
    let spoken: Vec<Vec<Class>> = live.iter().map(|(id, _)| classes.spoken_of(id)).collect();
    let index = Index::new(&classes, &live, &spoken);

    let mut file = FileWriter::start(out)?;
    let known = index.classes.iter();
    let known = known.map(|(_, class)| classes.members(*class));
    let bug_fixes = records.values().filter(|record| record.is_bug_fix).count();
    let more = StoredMore {
        bug_fixes: bug_fixes as u64,
    };
    let mut info = info(kind, &live);
    (info.exploited, info.epss) = signals.feeds(known.clone());
    file.blob(&[encode(&info)?, encode(&more)?].concat())?;
    let texts = Texts {
        signals,
        classes: &classes,
        live: &live,
        spoken: &spoken,
        index: &index,
    };
    let hashes = texts.hashes(spool)?;
    let keys = keys(&live);
    write_keys(&mut file, &keys, &live, &spoken, &index, &hashes, spool)?;
    write_entries(&mut file, &keys, &spoken, &index, spool)?;
    file.table::<BuildError>(|row| {
        for (id, record) in &live {
            row(&encode(&StoredRecord {
                id,
                modified: record.modified,
            })?)?;
        }
        Ok(())
    })?;
    write_ids(&mut file, &classes, &live, &spoken, &index)?;
    texts.write(&mut file, spool)?;
    let scores: Vec<_> = match signals.epss {
        Some(_) => known.map(|ids| score_bytes(signals.epss(ids))).collect(),
        None => Vec::new(),
    };
    file.blob(scores.as_flattened())?;
    Ok(file.finish(built.as_microsecond())?)
}

/// The vulnerabilities in the order of their ids, which is the order of the file.
struct Index<'a> {
    classes: Vec<(&'a str, Class)>,
    numbers: BTreeMap<Class, u32>,
    /// For each vulnerability the positions of the records that speak of it without being it.
    speakers: Vec<Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(classes: &Classes<'a>, live: &[(&str, &Held)], spoken: &[Vec<Class>]) -> Self {
        let all: BTreeSet<Class> = spoken.iter().flatten().copied().collect();
        let mut sorted: Vec<(&str, Class)> = all
            .into_iter()
            .map(|class| (classes.display_id(class), class))
            .collect();
        sorted.sort_unstable();
        let numbers: BTreeMap<Class, u32> =
            sorted.iter().map(|(_, class)| *class).zip(0..).collect();
        let mut speakers = vec![Vec::new(); sorted.len()];
        for (at, (id, _)) in live.iter().enumerate() {
            for class in spoken.get(at).into_iter().flatten() {
                let number = numbers.get(class).map(|number| *number as usize);
                let is_itself = classes.members(*class).binary_search(id).is_ok();
                if let Some(list) = number.and_then(|number| speakers.get_mut(number))
                    && !is_itself
                {
                    list.push(at);
                }
            }
        }
        Self {
            classes: sorted,
            numbers,
            speakers,
        }
    }

    fn numbers(&self, spoken: &[Class]) -> Vec<u32> {
        let numbers = spoken.iter().filter_map(|class| self.numbers.get(class));
        let mut numbers: Vec<u32> = numbers.copied().collect();
        numbers.sort_unstable();
        numbers
    }
}

fn info(kind: DatabaseKind, live: &[(&str, &Held)]) -> StoredInfo {
    let mut sources: BTreeMap<&str, (u64, Option<i64>)> = BTreeMap::new();
    for (_, record) in live {
        let bases = record
            .affected
            .iter()
            .map(|item| ecosystem::base(&item.ecosystem));
        for base in bases.collect::<BTreeSet<_>>() {
            let (count, newest) = sources.entry(base).or_default();
            *count = count.saturating_add(1);
            *newest = (*newest).max(record.modified);
        }
    }
    StoredInfo {
        starter: match kind {
            DatabaseKind::Starter => true,
            DatabaseKind::Full => false,
        },
        advisories: live.len() as u64,
        sources: sources
            .into_iter()
            .map(|(name, (count, newest))| (name.to_owned(), count, newest))
            .collect(),
        exploited: None,
        epss: None,
    }
}

/// Key → what records say of it, in the order of the records.
type Keys<'a> = BTreeMap<(&'a str, &'a str), Vec<(usize, Span)>>;

fn keys<'a>(live: &[(&'a str, &'a Held)]) -> Keys<'a> {
    let mut keys = Keys::new();
    for (at, (_, record)) in live.iter().enumerate() {
        for item in &record.affected {
            let key = (item.ecosystem.as_str(), item.name.as_str());
            keys.entry(key).or_default().push((at, item.statement));
        }
    }
    keys
}

fn write_keys<W: Write + Seek>(
    file: &mut FileWriter<W>,
    keys: &Keys<'_>,
    live: &[(&str, &Held)],
    spoken: &[Vec<Class>],
    index: &Index<'_>,
    hashes: &[[u8; 32]],
    spool: &mut Spool,
) -> Result<(), BuildError> {
    file.table::<BuildError>(|row| {
        for ((ecosystem, name), entries) in keys {
            let mut hasher = Sha256::new();
            for (at, span) in entries {
                let (id, record) = live.get(*at).ok_or(BuildError::TooLarge)?;
                hasher.update(encode(&StoredRecord {
                    id,
                    modified: record.modified,
                })?);
                hasher.update(spool.get(*span)?);
                for number in index.numbers(spoken.get(*at).map_or(&[], Vec::as_slice)) {
                    hasher.update(hashes.get(number as usize).ok_or(BuildError::TooLarge)?);
                }
            }
            let digest = hasher.finalize();
            let hash = *digest.first_chunk::<16>().unwrap_or(&[0; 16]);
            row(&encode(&StoredKey {
                ecosystem,
                name,
                hash,
            })?)?;
        }
        Ok(())
    })
}

fn write_entries<W: Write + Seek>(
    file: &mut FileWriter<W>,
    keys: &Keys<'_>,
    spoken: &[Vec<Class>],
    index: &Index<'_>,
    spool: &mut Spool,
) -> Result<(), BuildError> {
    file.table::<BuildError>(|row| {
        for entries in keys.values() {
            let mut bytes = Vec::new();
            for (at, span) in entries {
                let statement = spool.get(*span)?;
                let statement: Statement<'_> =
                    postcard::from_bytes(&statement).map_err(io::Error::other)?;
                bytes.extend(encode(&StoredEntry {
                    record: u32::try_from(*at).map_err(|_| BuildError::TooLarge)?,
                    vulnerabilities: index.numbers(spoken.get(*at).map_or(&[], Vec::as_slice)),
                    statement,
                })?);
            }
            row(&bytes)?;
        }
        Ok(())
    })
}

fn write_ids<W: Write + Seek>(
    file: &mut FileWriter<W>,
    classes: &Classes<'_>,
    live: &[(&str, &Held)],
    spoken: &[Vec<Class>],
    index: &Index<'_>,
) -> Result<(), BuildError> {
    let mut ids: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for (class, number) in &index.numbers {
        for id in classes.members(*class) {
            ids.entry(id).or_default().insert(*number);
        }
    }
    for ((id, _), spoken) in live.iter().zip(spoken) {
        ids.entry(id).or_default().extend(index.numbers(spoken));
    }
    file.table::<BuildError>(|row| {
        for id in &ids {
            row(&encode(&id)?)?;
        }
        Ok(())
    })
}

/// The texts of the vulnerabilities, made anew each time they are needed: all at once they fill the memory.
struct Texts<'a> {
    signals: &'a Signals,
    classes: &'a Classes<'a>,
    live: &'a [(&'a str, &'a Held)],
    spoken: &'a [Vec<Class>],
    index: &'a Index<'a>,
}

impl Texts<'_> {
    fn hashes(&self, spool: &mut Spool) -> Result<Vec<[u8; 32]>, BuildError> {
        let all = 0..self.index.classes.len();
        all.map(|number| Ok(Sha256::digest(self.text(number, spool)?).into()))
            .collect()
    }

    fn write<W: Write + Seek>(
        &self,
        file: &mut FileWriter<W>,
        spool: &mut Spool,
    ) -> Result<(), BuildError> {
        let dictionary = self.dictionary(spool)?;
        file.blob(&dictionary)?;
        let prepared = EncoderDictionary::try_copy(&dictionary, LEVEL)?;
        let mut compressor = Compressor::with_prepared_dictionary(&prepared)?;
        file.table::<BuildError>(|row| {
            for number in 0..self.index.classes.len() {
                let text = self.text(number, spool)?;
                let length = u32::try_from(text.len()).map_err(|_| BuildError::TooLarge)?;
                let mut bytes = length.to_le_bytes().to_vec();
                bytes.extend(compressor.compress(&text)?);
                row(&bytes)?;
            }
            Ok(())
        })
    }

    /// Small sets give too few samples to learn from: then there is no dictionary.
    fn dictionary(&self, spool: &mut Spool) -> Result<Vec<u8>, BuildError> {
        let count = self.index.classes.len();
        let step = count.div_ceil(SAMPLES).max(1);
        let mut samples = Vec::new();
        for number in (0..count).step_by(step) {
            let mut text = self.text(number, spool)?;
            text.truncate(SAMPLE_BYTES);
            samples.push(text);
        }
        Ok(zstd::dict::from_samples(&samples, DICTIONARY_BYTES).unwrap_or_default())
    }

    fn text(&self, number: usize, spool: &mut Spool) -> Result<Vec<u8>, BuildError> {
        let (id, class) = self.index.classes.get(number).ok_or(BuildError::TooLarge)?;
        let mut voices = Vec::new();
        for at in self.classes.records(*class) {
            voices.push(self.voice(at, Standing::Itself, spool)?);
        }
        for at in self.index.speakers.get(number).into_iter().flatten() {
            // What is said of an alias is said of it, whether or not it has others beside it.
            let alone = self.spoken.get(*at).is_some_and(|spoken| spoken.len() == 1)
                || (self.live.get(*at)).is_some_and(|(_, record)| record.is_collective());
            let standing = if alone {
                Standing::Only
            } else {
                Standing::Among
            };
            voices.push(self.voice(*at, standing, spool)?);
        }
        let aliases = self
            .classes
            .members(*class)
            .iter()
            .filter(|alias| *alias != id);
        let aliases = aliases.map(|alias| (*alias).to_owned()).collect();
        let mut stored: StoredVulnerability = vulnerability::gather(id, aliases, voices);
        let listed = self.signals.exploited(self.classes.members(*class));
        stored.exploited = listed.or(stored.exploited);
        Ok(encode(&stored)?)
    }

    fn voice(&self, at: usize, standing: Standing, spool: &mut Spool) -> Result<Voice, BuildError> {
        let (id, record) = self.live.get(at).ok_or(BuildError::TooLarge)?;
        let about = spool.get(record.about)?;
        let about: About = postcard::from_bytes(&about).map_err(io::Error::other)?;
        Ok(Voice {
            id: (*id).to_owned(),
            published: record.published,
            modified: record.modified,
            about,
            standing,
        })
    }
}
