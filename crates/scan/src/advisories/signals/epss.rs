//! FIRST's EPSS scores, as the CSV file of one day.
//!
//! ```text
//! #model_version:v2025.03.14,score_date:2025-08-25T12:55:00Z
//! cve,epss,percentile
//! CVE-1999-0001,0.01245,0.78492
//! ```

use jiff::civil::Date;
use seareeve_model::Probability;

use super::{Cve, FeedError};
use crate::advisories::stored::{StoredDate, billionths};

/// The scores of one day, sorted by CVE: a third of a million, so 16 bytes each.
#[derive(Debug)]
pub struct Scores {
    pub(super) date: StoredDate,
    entries: Vec<(Cve, u32, u32)>,
    /// Rows that could not be read, for the report of the build.
    pub(in crate::advisories) unreadable: u64,
}

impl Scores {
    /// Reads the unpacked CSV.
    ///
    /// # Errors
    /// When the first line does not say the day, or the second not the columns. Single rows that make no sense
    /// are counted and left out.
    pub fn parse(csv: &[u8]) -> Result<Self, FeedError> {
        let wrong = |why: &str| FeedError::Format {
            what: "a file of EPSS scores",
            why: why.to_owned(),
        };
        let text = std::str::from_utf8(csv).map_err(|_| wrong("not UTF-8"))?;
        let mut lines = text.lines();
        let head = lines.next().unwrap_or_default();
        let day = head.strip_prefix('#').and_then(|head| {
            head.split(',')
                .find_map(|part| part.strip_prefix("score_date:"))
        });
        let date = day.and_then(|day| day.get(..10)?.parse::<Date>().ok());
        let date = date.ok_or_else(|| wrong("the first line names no score_date"))?;
        if lines.next().map(str::trim_end) != Some("cve,epss,percentile") {
            return Err(wrong("the second line is not `cve,epss,percentile`"));
        }
        let mut scores = Self {
            date: date.into(),
            entries: Vec::new(),
            unreadable: 0,
        };
        for line in lines.filter(|line| !line.trim().is_empty()) {
            match row(line) {
                Some(entry) => scores.entries.push(entry),
                None => scores.unreadable = scores.unreadable.saturating_add(1),
            }
        }
        scores.entries.sort_unstable();
        scores.entries.dedup_by_key(|(cve, ..)| *cve);
        Ok(scores)
    }

    /// Score and percentile in billionths.
    pub(super) fn get(&self, cve: Cve) -> Option<(u32, u32)> {
        let at = self
            .entries
            .binary_search_by_key(&cve, |(cve, ..)| *cve)
            .ok()?;
        let (_, score, percentile) = self.entries.get(at)?;
        Some((*score, *percentile))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

fn row(line: &str) -> Option<(Cve, u32, u32)> {
    let mut fields = line.trim_end().split(',');
    let cve = Cve::parse(fields.next()?.trim())?;
    let mut number = || {
        let value: f64 = fields.next()?.trim().parse().ok()?;
        Probability::new(value).map(billionths)
    };
    Some((cve, number()?, number()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisories::stored::{read_scores, score_bytes};

    const HEAD: &str =
        "#model_version:v2025.03.14,score_date:2025-08-25T12:55:00Z\ncve,epss,percentile\n";

    #[test]
    fn reads_rows_exactly_and_counts_what_is_none() {
        let text = format!(
            "{HEAD}CVE-2021-44228,0.94358,0.99961\r\nCVE-1999-0001,0.01245,0.78492\nCVE-2020-1,1.5,0\n\
             CVE-2020-2,NaN,0\nCVE-2020-3,0.1\nnothing\n\nCVE-2020-4,1,0.000000001\n"
        );
        let scores = Scores::parse(text.as_bytes()).unwrap();
        assert_eq!((scores.len(), scores.unreadable), (3, 4));
        let read = |cve: &str| {
            let scores = scores.get(Cve::parse(cve)?);
            let (score, percentile) = read_scores(score_bytes(scores))?;
            Some((score.get(), percentile.get()))
        };
        assert_eq!(read("CVE-2021-44228"), Some((0.94358, 0.99961)));
        assert_eq!(read("CVE-2020-4"), Some((1.0, 1e-9)));
        assert_eq!(read("CVE-2020-1"), None);
        assert_eq!(scores.date, jiff::civil::date(2025, 8, 25).into());
    }

    #[test]
    fn the_older_form_of_the_day_is_read_and_other_files_are_refused() {
        let older =
            "#model_version:v2022.01.01,score_date:2022-02-04T00:00:00+0000\ncve,epss,percentile\n";
        assert!(Scores::parse(older.as_bytes()).is_ok());
        for bad in [
            "",
            "cve,epss,percentile\n",
            "#model_version:v1\n",
            "<html>",
            "#score_date:2025-08-25\na,b",
        ] {
            assert!(Scores::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Scores::parse(b"\xff\xfe").is_err());
    }
}
