//! What feeds besides OSV say of vulnerabilities that OSV's records describe: that one is exploited (CISA), and
//! how probable it is that it will be (FIRST). They name CVEs and nothing else.

pub(super) mod epss;
pub(super) mod kev;

use std::fs::File;
use std::io::{self, BufReader, Read};

use camino::Utf8Path;
use flate2::bufread::MultiGzDecoder;

use super::stored::{StoredExploited, StoredFeed};

pub use epss::Scores;
pub use kev::Catalogue;

/// The largest feed that is read, unpacked. CISA's has 1.5 MB, FIRST's 11 MB.
const MAX_FEED: u64 = 256 << 20;

/// Why a feed cannot be used. Nobody's but its publisher's fault, or the file is another one.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The file is not what it should be.
    #[error("this is not {what}: {why}")]
    Format {
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The file cannot be read, or unpacks to more than any real one.
    #[error("failed to read")]
    Read(#[from] io::Error),
}

/// A feed's file, unpacked where it is packed.
pub(super) fn read(path: &Utf8Path) -> Result<Vec<u8>, FeedError> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let is_packed = io::BufRead::fill_buf(&mut file)?.starts_with(&[0x1f, 0x8b]);
    let mut content = Vec::new();
    let limit = MAX_FEED.saturating_add(1);
    let size = if is_packed {
        MultiGzDecoder::new(file)
            .take(limit)
            .read_to_end(&mut content)?
    } else {
        file.take(limit).read_to_end(&mut content)?
    };
    if size as u64 > MAX_FEED {
        let why = format!("larger than {} MiB", MAX_FEED >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why).into());
    }
    Ok(content)
}

/// A CVE's year and number in one: `CVE-2024-0001` is written in many lengths, and a third of a million of them
/// are held at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cve(u64);

impl Cve {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (year, number) = text.strip_prefix("CVE-")?.split_once('-')?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        if !is_number(year) || !is_number(number) || year.len() != 4 || number.len() > 12 {
            return None;
        }
        let (year, number): (u64, u64) = (year.parse().ok()?, number.parse().ok()?);
        Some(Self(year << 48 | number))
    }
}

/// The feeds that a database is built with.
#[derive(Debug, Default)]
pub(super) struct Signals {
    pub(super) exploited: Option<Catalogue>,
    pub(super) epss: Option<Scores>,
}

impl Signals {
    /// Of several CVEs that are one vulnerability the first that is in the catalogue counts.
    pub(super) fn exploited(&self, ids: &[&str]) -> Option<StoredExploited> {
        let catalogue = self.exploited.as_ref()?;
        let cves = ids.iter().filter_map(|id| Cve::parse(id));
        cves.into_iter().find_map(|cve| catalogue.get(cve))
    }

    /// Score and percentile in billionths; of several CVEs that are one vulnerability the most probable counts.
    pub(super) fn epss(&self, ids: &[&str]) -> Option<(u32, u32)> {
        let scores = self.epss.as_ref()?;
        let cves = ids.iter().filter_map(|id| Cve::parse(id));
        cves.filter_map(|cve| scores.get(cve)).max()
    }

    /// What the summary says of both, `vulnerabilities` being the ids of each.
    pub(super) fn feeds<'a>(
        &self,
        vulnerabilities: impl Iterator<Item = &'a [&'a str]> + Clone,
    ) -> (Option<StoredFeed>, Option<StoredFeed>) {
        let count = |is_used: &dyn Fn(&[&str]) -> bool| {
            let used = vulnerabilities.clone().filter(|ids| is_used(ids));
            used.count() as u64
        };
        let exploited = self.exploited.as_ref().map(|catalogue| StoredFeed {
            date: catalogue.date,
            entries: catalogue.len() as u64,
            used: count(&|ids| self.exploited(ids).is_some()),
        });
        let epss = self.epss.as_ref().map(|scores| StoredFeed {
            date: scores.date,
            entries: scores.len() as u64,
            used: count(&|ids| self.epss(ids).is_some()),
        });
        (exploited, epss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cves_of_any_length_and_nothing_else() {
        let cve = |text| Cve::parse(text);
        assert!(cve("CVE-1999-0001") < cve("CVE-2024-1234567"));
        assert_eq!(cve("CVE-2024-0001"), cve("CVE-2024-1"));
        for bad in [
            "",
            "GHSA-1",
            "CVE-2024",
            "CVE-2024-",
            "CVE-+024-1",
            "CVE-2024--1",
            "CVE-2024-1234567890123",
            "CVE-2024-x",
        ] {
            assert_eq!(cve(bad), None, "{bad}");
        }
    }
}
