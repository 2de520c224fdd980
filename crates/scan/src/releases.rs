//! How long distributions look after their releases: the files of `content/releases`, one per distribution.
//!
//! After that day nobody announces what is missing, so a scan finds less than there is. What day it is comes in as
//! a parameter.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::civil::Date;
use rust_embed::Embed;
use seareeve_model::{Distro, ExtendedSupport, Notice, NoticeCode, ReleaseSupport};
use serde::Deserialize;

#[derive(Embed)]
#[folder = "../../content/releases"]
struct Content;

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Releases {
    /// `os-release`'s `ID`, and the name of the file.
    id: String,
    /// For people.
    name: String,
    /// How many parts of `VERSION_ID` name a release: `9.4` of RHEL is release 9, `3.19.1` of Alpine 3.19.
    version_parts: usize,
    /// Where the dates are published.
    #[serde(rename = "source")]
    _source: String,
    releases: Vec<Release>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    version: String,
    standard: Date,
    #[serde(default)]
    extended: Option<Extended>,
    #[serde(default)]
    paid: Option<Extended>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extended {
    name: String,
    until: Date,
}

/// How long the release of an image's distribution is looked after; `None` where that is not known to us.
#[must_use]
pub fn support(distro: &Distro) -> Option<ReleaseSupport> {
    let (_, release) = find(distro)?;
    Some(release.into())
}

/// That a release is past its end of life on the day `today`.
#[must_use]
pub fn notice(distro: &Distro, today: Date) -> Option<Notice> {
    let (releases, release) = find(distro)?;
    let support = ReleaseSupport::from(release);
    if !support.is_over(today) {
        return None;
    }
    let name = format!("{} {}", releases.name, release.version);
    let mut message = format!(
        "{name} is past its end of life ({}): missing fixes are not announced any more",
        support.ends()
    );
    if let Some(paid) = support.paid.filter(|paid| paid.until >= today) {
        message.push_str(&format!(
            "; {} has fixes for customers until {}",
            paid.name, paid.until
        ));
    }
    Some(Notice::new(NoticeCode::EndOfLife, name, message))
}

fn find(distro: &Distro) -> Option<(&'static Releases, &'static Release)> {
    let releases = all().get(distro.id.as_str())?;
    let parts = distro
        .version
        .splitn(releases.version_parts.saturating_add(1), '.');
    let parts: Vec<&str> = parts.take(releases.version_parts).collect();
    let version = parts.join(".");
    let release = releases
        .releases
        .iter()
        .find(|release| release.version == version)?;
    Some((releases, release))
}

/// All files, read at the first call. The content was checked by the tests of this module.
fn all() -> &'static BTreeMap<String, Releases> {
    static ALL: OnceLock<BTreeMap<String, Releases>> = OnceLock::new();
    ALL.get_or_init(|| {
        let files = Content::iter().filter_map(|file| {
            let releases = read(&file).ok()?;
            Some((releases.id.clone(), releases))
        });
        files.collect()
    })
}

fn read(file: &str) -> Result<Releases, serde_saphyr::Error> {
    let content = Content::get(file).unwrap_or_else(|| unreachable!("{file} was just listed"));
    serde_saphyr::from_slice(&content.data)
}

impl From<&Release> for ReleaseSupport {
    fn from(release: &Release) -> Self {
        let extended = |extended: &Extended| ExtendedSupport {
            name: extended.name.clone(),
            until: extended.until,
        };
        Self {
            standard: release.standard,
            extended: release.extended.as_ref().map(extended),
            paid: release.paid.as_ref().map(extended),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn distro(id: &str, version: &str) -> Distro {
        Distro {
            id: id.to_owned(),
            version: version.to_owned(),
            name: String::new(),
        }
    }

    #[test]
    fn every_file_is_whole_and_in_order() {
        let mut files = 0;
        for file in Content::iter() {
            let releases = read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
            files += 1;
            assert_eq!(format!("{}.yaml", releases.id), *file);
            assert!(releases._source.starts_with("https://"), "{file}");
            assert!(
                !releases.name.is_empty() && !releases.releases.is_empty(),
                "{file}"
            );
            let number = |version: &str| -> Vec<u32> {
                let parts = version.split('.').map(|part| part.parse());
                parts
                    .collect::<Result<_, _>>()
                    .unwrap_or_else(|_| panic!("{file}: {version}"))
            };
            for pair in releases.releases.windows(2) {
                let (a, b) = (&pair[0].version, &pair[1].version);
                assert!(number(a) < number(b), "{file}: {a} stands before {b}");
            }
            for release in &releases.releases {
                let parts = number(&release.version).len();
                assert!(
                    parts <= releases.version_parts,
                    "{file}: {}",
                    release.version
                );
                let extended = release.extended.as_ref().map(|extended| extended.until);
                let paid = release.paid.as_ref().map(|paid| paid.until);
                let free = extended.unwrap_or(release.standard);
                assert!(release.standard <= free, "{file}: {}", release.version);
                assert!(
                    paid.is_none_or(|paid| free < paid),
                    "{file}: {}",
                    release.version
                );
                let known = support(&distro(&releases.id, &release.version)).unwrap();
                assert_eq!(known.ends(), free);
            }
        }
        assert_eq!(all().len(), files);
        assert!(files >= 14);
    }

    #[test]
    fn a_release_is_over_the_day_after_its_last() {
        let buster = distro("debian", "10");
        let said = |today| notice(&buster, today).map(|notice| notice.message);
        assert_eq!(said(date(2024, 6, 30)), None);
        assert_eq!(
            said(date(2024, 7, 1)).as_deref(),
            Some(
                "Debian 10 is past its end of life (2024-06-30): missing fixes are not announced any more; \
                 ELTS has fixes for customers until 2029-06-30"
            )
        );
        assert_eq!(
            said(date(2030, 1, 1)).as_deref(),
            Some(
                "Debian 10 is past its end of life (2024-06-30): missing fixes are not announced any more"
            )
        );
    }

    #[test]
    fn releases_are_found_by_what_os_release_says() {
        let ends = |id, version| support(&distro(id, version)).map(|support| support.ends());
        assert_eq!(ends("alpine", "3.19.1"), Some(date(2025, 11, 1)));
        assert_eq!(ends("rhel", "9.4"), Some(date(2032, 5, 31)));
        assert_eq!(ends("rocky", "8.10"), Some(date(2029, 5, 31)));
        assert_eq!(ends("amzn", "2"), Some(date(2026, 6, 30)));
        assert_eq!(ends("sles", "15.5"), Some(date(2024, 12, 31)));
        for (id, version) in [
            ("sles", "15.99"),
            ("debian", ""),
            ("debian", "sid"),
            ("arch", ""),
        ] {
            assert_eq!(ends(id, version), None, "{id} {version}");
        }
    }
}
