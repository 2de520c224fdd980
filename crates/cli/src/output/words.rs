//! Words that several formats for people share.

use seareeve_api::{Epss, ImageReport, ReportFinding, ReportNotice, ReportSecret};

/// Severities as reports name them, worst first.
pub(super) const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "unknown"];

/// What an image is called: the first of its names, or what the user calls it.
pub(super) fn name_of<'a>(report: &'a ImageReport, name: &'a str) -> &'a str {
    report.image.references.first().map_or(name, String::as_str)
}

/// `1 layer`, `2 layers`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// A word of the wire as people write it: `will_not_fix` is `will not fix`.
pub(super) fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

/// How many findings have this severity.
pub(super) fn count_of(findings: &[ReportFinding], severity: &str) -> usize {
    let has = |finding: &&ReportFinding| finding.severity == severity;
    findings.iter().filter(has).count()
}

/// The versions that mend it, or why there is none.
pub(super) fn fixed(finding: &ReportFinding) -> String {
    match finding.fixed_versions.as_slice() {
        [] => spaced(&finding.status),
        versions => versions.join(", "),
    }
}

/// EPSS's probability in percent, as exact as it is of use.
pub(super) fn percent(epss: &Epss) -> String {
    let percent = epss.score * 100.0;
    if percent >= 10.0 {
        format!("{percent:.0}%")
    } else if percent >= 0.1 {
        format!("{percent:.1}%")
    } else {
        "<0.1%".to_owned()
    }
}

/// Whether, and how probably, it is made use of: `KEV 94%`; empty when nothing is known.
pub(super) fn exploit(finding: &ReportFinding) -> String {
    let known = finding.known_exploited.as_ref().map(|_| "KEV".to_owned());
    let probable = finding.epss.as_ref().map(percent);
    let parts: Vec<String> = known.into_iter().chain(probable).collect();
    parts.join(" ")
}

/// Index of a layer, as people count.
pub(super) fn index_of(report: &ImageReport, layer: &str) -> String {
    let mut layers = report.image.layers.iter();
    let index = layers.position(|known| known.diff_id == layer);
    index.map_or_else(|| "?".to_owned(), |index| index.to_string())
}

/// Where a secret stands.
pub(super) fn place_of(secret: &ReportSecret) -> String {
    match (&secret.path, &secret.field) {
        (Some(path), _) if secret.is_hidden => format!("{path} (hidden by a higher layer)"),
        (Some(path), _) => path.clone(),
        (None, Some(field)) => format!("configuration: {field}"),
        (None, None) => String::new(),
    }
}

/// Whether the package came with the distribution: then its file is the distribution's database, and says nothing.
pub(super) fn is_of_distribution(finding: &ReportFinding) -> bool {
    let kind = seareeve_model::PackageKind::parse(&finding.package.kind);
    kind.is_some_and(seareeve_model::PackageKind::is_operating_system)
}

/// A notice as one line.
pub(super) fn said(notice: &ReportNotice) -> String {
    match notice.code.as_str() {
        // Its message names the release as well.
        "end_of_life" => notice.message.clone(),
        _ => format!("{}: {}", notice.place, notice.message),
    }
}

/// Who took a finding out, for people: `VEX`, `ignore file`.
pub(super) fn by(word: &str) -> String {
    match word {
        "vex" => "VEX".to_owned(),
        other => spaced(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_are_as_exact_as_they_are_of_use() {
        let shown = [0.0, 0.00042, 0.001, 0.0999, 0.1, 0.943, 1.0].map(|score| {
            percent(&Epss {
                score,
                percentile: 0.5,
                date: "2026-01-01".parse().unwrap(),
            })
        });
        assert_eq!(
            shown,
            ["<0.1%", "<0.1%", "0.1%", "10.0%", "10%", "94%", "100%"]
        );
    }
}
