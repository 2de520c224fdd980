//! Findings as CycloneDX has them: one entry per vulnerability and judgement, with all packages that it hits.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_model::{CvssVector, Finding, FindingStatus, Severity, SeveritySource};
use serde::Serialize;

use super::analysis::{Analysis, Verdict};
use super::write::Property;
use crate::sbom::{Document, identity};

#[derive(Serialize)]
pub(super) struct Vulnerability<'a> {
    id: &'a str,
    source: Source,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<Same<'a>>,
    ratings: Vec<Rating<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    recommendation: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    advisories: Vec<Advisory<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<String>,
    analysis: Analysis<'a>,
    affects: Vec<Affected<'a>>,
    properties: Vec<Property<'a>>,
}

/// Whose word it is.
#[derive(Serialize)]
struct Source {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// The same vulnerability under another id.
#[derive(Serialize)]
struct Same<'a> {
    id: &'a str,
    source: Source,
}

#[derive(Serialize)]
struct Rating<'a> {
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    severity: &'static str,
    method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'static str>,
}

#[derive(Serialize)]
struct Advisory<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    url: String,
}

#[derive(Serialize)]
struct Affected<'a> {
    r#ref: &'a str,
    versions: [Version<'a>; 1],
}

#[derive(Serialize)]
struct Version<'a> {
    version: &'a str,
    status: &'static str,
}

/// The vulnerabilities of a document by id, the worse judgement first.
pub(super) fn of<'a>(document: &'a Document<'a>) -> Vec<Vulnerability<'a>> {
    type Judgement<'a> = (
        &'a str,
        std::cmp::Reverse<Severity>,
        SeveritySource,
        FindingStatus,
        Verdict<'a>,
    );
    let mut groups: BTreeMap<Judgement<'_>, Vec<(usize, &'a Finding)>> = BTreeMap::new();
    for index in 0..document.inventory.packages.len() {
        for finding in document.findings_of(index) {
            let judgement = (
                finding.vulnerability.id.as_str(),
                std::cmp::Reverse(finding.severity),
                finding.severity_source,
                finding.status,
                Verdict::of(finding),
            );
            groups.entry(judgement).or_default().push((index, finding));
        }
    }
    groups
        .into_values()
        .filter_map(|hits| vulnerability(document, &hits))
        .collect()
}

/// One entry. `hits` are findings of the same vulnerability with the same judgement, by package.
fn vulnerability<'a>(
    document: &'a Document<'a>,
    hits: &[(usize, &'a Finding)],
) -> Option<Vulnerability<'a>> {
    let (_, finding) = hits.first()?;
    let known = &finding.vulnerability;
    let remedies: BTreeSet<&str> = hits
        .iter()
        .map(|(_, hit)| hit.remediation.as_str())
        .collect();
    let remedies: Vec<&str> = remedies.into_iter().collect();
    let ids: BTreeSet<&str> = hits.iter().flat_map(|(_, hit)| hit.aliases()).collect();
    let analysis = Analysis::of(finding);
    let is_unaffected = analysis.is_unaffected();
    let affects = hits.iter().filter_map(|(index, _)| {
        Some(Affected {
            r#ref: document.ids.get(*index)?,
            versions: [Version {
                version: &document.inventory.packages.get(*index)?.package.version,
                status: if is_unaffected {
                    "unaffected"
                } else {
                    "affected"
                },
            }],
        })
    });
    Some(Vulnerability {
        id: &known.id,
        source: osv(&known.id),
        references: ids
            .into_iter()
            .map(|id| Same {
                id,
                source: osv(id),
            })
            .collect(),
        ratings: ratings(finding),
        description: &known.title,
        detail: &known.description,
        recommendation: remedies.join("\n"),
        advisories: advisories(hits),
        published: known
            .published
            .map(|time| identity::seconds(identity::writable(time))),
        updated: known
            .modified
            .map(|time| identity::seconds(identity::writable(time))),
        analysis,
        affects: affects.collect(),
        properties: properties(hits),
    })
}

/// OSV, from which all that we know comes.
fn osv(id: &str) -> Source {
    Source {
        name: "OSV",
        url: record_url(id),
    }
}

/// Where people find a record of OSV, if its id can stand in an address.
pub(in crate::sbom) fn record_url(id: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    (!id.is_empty() && id.bytes().all(plain)).then(|| format!("https://osv.dev/vulnerability/{id}"))
}

/// Our word first, then all vectors that are known.
fn ratings<'a>(finding: &'a Finding) -> Vec<Rating<'a>> {
    let ours = Rating {
        source: Source {
            name: identity::TOOL,
            url: None,
        },
        score: None,
        severity: finding.severity.as_str(),
        method: "other",
        vector: None,
        justification: Some(match finding.severity_source {
            SeveritySource::Distribution => "the distribution's own word for this package",
            SeveritySource::CvssV4 => "by the CVSS v4.0 vector",
            SeveritySource::CvssV3 => "by the CVSS v3 vector",
            SeveritySource::CvssV2 => "by the CVSS v2.0 vector",
            SeveritySource::Database => "the advisory database's word, without a vector",
            SeveritySource::None => "nobody has rated it",
        }),
    };
    let vector = |cvss: &'a CvssVector| Rating {
        source: Source {
            name: "OSV",
            url: None,
        },
        score: Some(cvss.score),
        severity: Severity::from_cvss_score(cvss.score).as_str(),
        method: match cvss.version.as_str() {
            "2.0" => "CVSSv2",
            "3.0" => "CVSSv3",
            "3.1" => "CVSSv31",
            "4.0" => "CVSSv4",
            _ => "other",
        },
        vector: Some(&cvss.vector),
        justification: None,
    };
    let vectors = finding.vulnerability.cvss.iter().map(vector);
    std::iter::once(ours).chain(vectors).collect()
}

/// The records that hit, and what they refer to.
fn advisories<'a>(hits: &[(usize, &'a Finding)]) -> Vec<Advisory<'a>> {
    let records: BTreeSet<&str> = hits
        .iter()
        .flat_map(|(_, hit)| &hit.advisories)
        .map(|advisory| advisory.id.as_str())
        .collect();
    let records = records.into_iter().filter_map(|id| {
        Some(Advisory {
            title: Some(id),
            url: record_url(id)?,
        })
    });
    let references = hits
        .iter()
        .take(1)
        .flat_map(|(_, hit)| &hit.vulnerability.references);
    let references = references.map(|reference| Advisory {
        title: None,
        url: iri(&reference.url),
    });
    records.chain(references).collect()
}

/// The address with those characters written as `%XX` that may not stand in one (RFC 3987); the schema asks
/// for it, and records hold addresses as people typed them.
fn iri(address: &str) -> String {
    let mut iri = String::with_capacity(address.len());
    let mut has_fragment = false;
    let mut rest = address.chars();
    while let Some(letter) = rest.next() {
        let is_escape = || {
            let mut next = rest.clone().take(2);
            next.clone().count() == 2 && next.all(|digit| digit.is_ascii_hexdigit())
        };
        let stands = match letter {
            '%' => is_escape(),
            '#' => !std::mem::replace(&mut has_fragment, true),
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '[' | ']' | ' ' => false,
            letter => {
                !letter.is_control()
                    && !matches!(u32::from(letter), 0xe000..=0xf8ff | 0xfff0..=0xffff | 0xf0000..)
            }
        };
        if stands {
            iri.push(letter);
        } else {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                iri.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    iri
}

/// What the format has no words for: the judgement, the versions with the fix, the statements that hit.
fn properties<'a>(hits: &[(usize, &'a Finding)]) -> Vec<Property<'a>> {
    let mut all: BTreeSet<(&'static str, String)> = BTreeSet::new();
    for (_, hit) in hits {
        all.insert(("seareeve:status", hit.status.as_str().to_owned()));
        all.insert((
            "seareeve:severity_source",
            hit.severity_source.as_str().to_owned(),
        ));
        let fixed = hit.fixed_versions.iter().cloned();
        all.extend(fixed.map(|version| ("seareeve:fixed_version", version)));
        if let Some(known) = &hit.vulnerability.known_exploited {
            let since = known.date_added.map(|date| date.to_string());
            let since = since.unwrap_or_else(|| "yes".to_owned());
            all.insert(("seareeve:known_exploited", since));
        }
        if let Some(epss) = &hit.vulnerability.epss {
            all.insert(("seareeve:epss", epss.score.to_string()));
            all.insert(("seareeve:epss_date", epss.date.to_string()));
        }
        if let Some(suppression) = &hit.suppressed {
            let by = suppression.by.as_str().to_owned();
            all.insert(("seareeve:suppressed_by", by));
            all.insert(("seareeve:suppression_source", suppression.source.clone()));
        }
        let statements = hit.advisories.iter();
        all.extend(statements.map(|advisory| {
            let statement = format!("{}: {}", advisory.id, advisory.range);
            ("seareeve:statement", statement)
        }));
    }
    let property = |(name, value): (&'static str, String)| Property {
        name: name.into(),
        value: value.into(),
    };
    all.into_iter().map(property).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_valid_and_stay_what_they_are() {
        for (address, expected) in [
            ("https://a.example/b?c=d&e#f", "https://a.example/b?c=d&e#f"),
            ("https://a.example/%41%", "https://a.example/%41%25"),
            ("https://a.example/a b#c#d", "https://a.example/a%20b#c%23d"),
            (
                "https://a.example/[x]|ü\u{1}",
                "https://a.example/%5Bx%5D%7Cü%01",
            ),
        ] {
            assert_eq!(iri(address), expected);
        }
        assert_eq!(record_url("CVE-2024-1 x"), None);
    }
}
