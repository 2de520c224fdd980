//! Severities as records state them: CVSS vectors, of which the score is computed, and words.

use cvss::Cvss;
use seareeve_model::{Severity, SeveritySource};

use super::osv::OsvSeverity;
use super::stored::{Disposition, StoredRating};

/// A CVSS vector that could be read, with its version and its score.
pub(super) type Vector = (String, String, f64);

/// The metrics that a vector must have, of each version of CVSS.
const V2: &[&str] = &["AV", "AC", "Au", "C", "I", "A"];
const V3: &[&str] = &["AV", "AC", "PR", "UI", "S", "C", "I", "A"];
const V4: &[&str] = &[
    "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA",
];

/// The vectors among `severities`. One that cannot be parsed says nothing we could trust and is left out.
pub(super) fn vectors(severities: &[OsvSeverity]) -> Vec<Vector> {
    let texts = severities
        .iter()
        .filter_map(|severity| severity.score.as_deref());
    texts.filter_map(vector).collect()
}

fn vector(text: &str) -> Option<Vector> {
    let text = text.trim();
    let parsed: Cvss = text.parse().ok()?;
    let (version, mandatory) = match &parsed {
        Cvss::CvssV20(_) => ("2.0", V2),
        Cvss::CvssV30(_) => ("3.0", V3),
        Cvss::CvssV31(_) => ("3.1", V3),
        Cvss::CvssV40(_) => ("4.0", V4),
        // `Cvss` is non-exhaustive: a later version of CVSS needs a source of its own first.
        _ => return None,
    };
    // The crate scores a vector without all its base metrics too, as if the rest did no harm.
    let has = |metric: &&str| {
        text.split('/')
            .any(|part| part.split(':').next() == Some(*metric))
    };
    if !mandatory.iter().all(has) {
        return None;
    }
    Some((version.to_owned(), text.to_owned(), parsed.score()))
}

/// The rating by the newest version of CVSS among pairs of version and score; of several scores by that
/// version the worst counts.
pub(super) fn by_scores<'a>(scores: impl Iterator<Item = (&'a str, f64)>) -> Option<StoredRating> {
    let known = scores.filter_map(|(version, score)| {
        let source = match version {
            "4.0" => SeveritySource::CvssV4,
            "3.0" | "3.1" => SeveritySource::CvssV3,
            "2.0" => SeveritySource::CvssV2,
            _ => return None,
        };
        Some((source, score))
    });
    let worst = known.min_by(|(a, x), (b, y)| a.cmp(b).then_with(|| y.total_cmp(x)));
    worst.map(|(source, score)| StoredRating::new(source, Severity::from_cvss_score(score)))
}

/// [`by_scores`] of vectors.
pub(super) fn by_vectors(vectors: &[Vector]) -> Option<StoredRating> {
    by_scores(
        vectors
            .iter()
            .map(|(version, _, score)| (version.as_str(), *score)),
    )
}

/// Ubuntu's priority, which stands among the severities as a word.
pub(super) fn ubuntu(severities: &[OsvSeverity]) -> Option<Severity> {
    let priority = severities
        .iter()
        .find(|severity| severity.kind == "Ubuntu")?;
    word(priority.score.as_deref()?)
}

/// The word with which Red Hat's family begins its summaries: `Important: openssl security update`.
pub(super) fn heading(summary: &str) -> Option<Severity> {
    let (first, _) = summary.split_once(':')?;
    word(first)
}

/// What a distribution has decided, in the words of Debian's tracker, Ubuntu's, and Red Hat's.
pub(super) fn disposition(text: &str) -> Option<Disposition> {
    let words = text.trim().to_ascii_lowercase();
    let words: Vec<&str> = words
        .split(|c: char| c.is_whitespace() || "-_'’".contains(c))
        .collect();
    Some(match words.as_slice() {
        ["unimportant"] => Disposition::Unimportant,
        ["no", "dsa"] | ["postponed"] | ["deferred"] | ["fix", "deferred"] => {
            Disposition::FixDeferred
        }
        ["ignored"] | ["will", "not", "fix"] | ["wont", "fix"] | ["won", "t", "fix"] => {
            Disposition::WillNotFix
        }
        ["end", "of", "life"] | ["out", "of", "support", "scope"] => Disposition::EndOfLife,
        _ => return None,
    })
}

/// A severity in words: GitHub's, Bitnami's, Debian's urgency, Ubuntu's priority. Words that rate nothing
/// (`not yet assigned`, `end-of-life`) are none. Debian's `medium**` is its guess, which is better than none.
pub(super) fn word(text: &str) -> Option<Severity> {
    let text = text.trim().trim_end_matches('*');
    Some(match text.to_ascii_lowercase().as_str() {
        "critical" => Severity::Critical,
        "high" | "important" => Severity::High,
        "medium" | "moderate" => Severity::Medium,
        // Debian's "unimportant" has no security impact in Debian, Ubuntu's "negligible" hardly any.
        "low" | "unimportant" | "negligible" => Severity::Low,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn severity(score: &str) -> OsvSeverity {
        OsvSeverity {
            kind: "CVSS_V3".to_owned(),
            score: Some(score.to_owned()),
        }
    }

    #[test]
    fn computes_scores_of_all_versions() {
        let known = [
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", "2.0", 7.8),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.0", 9.8),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "3.1", 10.0),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                "4.0",
                9.3,
            ),
        ];
        for (text, version, score) in known {
            let read = vectors(&[severity(text)]);
            assert_eq!((read[0].0.as_str(), read[0].2), (version, score), "{text}");
        }
        assert!(
            vectors(&[severity("CVSS:3.1/AV:N"), severity("9.8"), severity("high")]).is_empty()
        );
    }

    #[test]
    fn newest_version_first_then_the_worst() {
        let all = vectors(&[
            severity("AV:N/AC:L/Au:N/C:C/I:C/A:C"),
            severity("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"),
            severity("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"),
        ]);
        let rating = by_vectors(&all).and_then(StoredRating::read);
        assert_eq!(rating, Some((SeveritySource::CvssV3, Severity::High)));
        assert_eq!(by_vectors(&[]), None);
    }

    #[test]
    fn words_that_rate_nothing_are_none() {
        assert_eq!(word("unimportant"), Some(Severity::Low));
        assert_eq!(word("MODERATE"), Some(Severity::Medium));
        assert_eq!(word("not yet assigned"), None);
        assert_eq!(word("end-of-life"), None);
        assert_eq!(word("medium**"), Some(Severity::Medium));
        assert_eq!(heading("Important: kernel update"), Some(Severity::High));
        assert_eq!(heading("perl: fix of a crash"), None);
        assert_eq!(heading("Low"), None);
    }

    #[test]
    fn every_tracker_has_its_words_for_a_decision() {
        let cases = [
            ("unimportant", Disposition::Unimportant),
            ("no-dsa", Disposition::FixDeferred),
            ("Fix deferred", Disposition::FixDeferred),
            ("ignored", Disposition::WillNotFix),
            ("Will not fix", Disposition::WillNotFix),
            ("won't fix", Disposition::WillNotFix),
            ("end-of-life", Disposition::EndOfLife),
            ("Out of support scope", Disposition::EndOfLife),
        ];
        for (text, expected) in cases {
            assert_eq!(disposition(text), Some(expected), "{text}");
        }
        for text in ["", "low", "not yet assigned", "needed", "affected"] {
            assert_eq!(disposition(text), None, "{text}");
        }
    }
}
