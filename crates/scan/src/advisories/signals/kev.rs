//! CISA's catalogue of known exploited vulnerabilities, as its JSON file.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use super::{Cve, FeedError};
use crate::advisories::stored::{StoredDate, StoredExploited};

/// The catalogue, by CVE.
#[derive(Debug)]
pub struct Catalogue {
    pub(super) date: StoredDate,
    entries: BTreeMap<Cve, StoredExploited>,
    /// Entries that name no CVE, for the report of the build.
    pub(in crate::advisories) unreadable: u64,
}

/// The parts of the file that we use.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "dateReleased")]
    date_released: String,
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID", default)]
    cve: String,
    #[serde(default)]
    date_added: String,
    #[serde(default)]
    due_date: String,
    #[serde(default)]
    known_ransomware_campaign_use: String,
}

impl Catalogue {
    /// Reads the catalogue's JSON.
    ///
    /// # Errors
    /// When it is not the catalogue. Single entries that name no CVE are counted and left out.
    pub fn parse(json: &[u8]) -> Result<Self, FeedError> {
        let wrong = |why| FeedError::Format {
            what: "CISA's catalogue of exploited vulnerabilities",
            why,
        };
        let file: File = serde_json::from_slice(json).map_err(|error| wrong(error.to_string()))?;
        let released = file.date_released.get(..10).unwrap_or_default();
        let date: Date = released
            .parse()
            .map_err(|_| wrong(format!("dateReleased is {:?}", file.date_released)))?;
        let mut catalogue = Self {
            date: date.into(),
            entries: BTreeMap::new(),
            unreadable: 0,
        };
        for entry in file.vulnerabilities {
            let date = |text: &str| text.parse::<Date>().ok().map(StoredDate::from);
            let Some(cve) = Cve::parse(entry.cve.trim()) else {
                catalogue.unreadable = catalogue.unreadable.saturating_add(1);
                continue;
            };
            let known = StoredExploited {
                added: date(&entry.date_added),
                due: date(&entry.due_date),
                ransomware: entry.known_ransomware_campaign_use == "Known",
            };
            catalogue.entries.insert(cve, known);
        }
        Ok(catalogue)
    }

    pub(super) fn get(&self, cve: Cve) -> Option<StoredExploited> {
        self.entries.get(&cve).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entries_and_counts_what_is_none() {
        let catalogue = Catalogue::parse(
            br#"{"title": "x", "dateReleased": "2025-08-25T17:04:19.9796Z", "vulnerabilities": [
            {"cveID": "CVE-2021-44228", "dateAdded": "2021-12-10", "dueDate": "2021-12-24",
             "knownRansomwareCampaignUse": "Known", "new": {}},
            {"cveID": "CVE-2020-1", "dateAdded": "soon"}, {"cveID": "none"}]}"#,
        )
        .unwrap();
        assert_eq!((catalogue.len(), catalogue.unreadable), (2, 1));
        let known = catalogue
            .get(Cve::parse("CVE-2021-44228").unwrap())
            .unwrap()
            .into_model();
        assert_eq!(known.date_added, Some(jiff::civil::date(2021, 12, 10)));
        assert_eq!(known.due_date, Some(jiff::civil::date(2021, 12, 24)));
        assert!(known.ransomware);
        let bare = catalogue.get(Cve::parse("CVE-2020-1").unwrap()).unwrap();
        assert_eq!((bare.added, bare.ransomware), (None, false));
    }

    #[test]
    fn another_file_is_refused_with_a_reason() {
        for (bad, why) in [
            ("<html>", "expected value"),
            (r#"{"vulnerabilities": []}"#, "dateReleased"),
            (
                r#"{"dateReleased": "yesterday", "vulnerabilities": []}"#,
                "yesterday",
            ),
        ] {
            let error = Catalogue::parse(bad.as_bytes()).unwrap_err().to_string();
            assert!(
                error.starts_with("this is not CISA's catalogue") && error.contains(why),
                "{error}"
            );
        }
    }
}
