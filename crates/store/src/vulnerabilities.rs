//! Vulnerabilities and the facts of a match, to and from their stored form. The JSON here is a promise to
//! the database only; it has its own structs so that `model` need not make one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use seareeve_model::{
    AdvisoryMatch, CvssVector, Finding, FindingStatus, Reference, SeveritySource, SuppressedBy,
    Suppression, Vulnerability,
};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::columns::{Columns, severity_number};
use crate::exploitation::{self, StoredExploited};
use crate::images::verdicts::verdict_from_columns;
use crate::rows::{BATCH, clean, fingerprint, json, numbers, rows, texts};
use crate::{Changes, StoreError, Tx};

pub use crate::exploitation::{Named, named, set_epss};

#[derive(Serialize, Deserialize)]
struct StoredCvss {
    version: String,
    vector: String,
    score: f64,
}

#[derive(Serialize, Deserialize)]
struct StoredLink {
    kind: String,
    url: String,
}

#[derive(Serialize, Deserialize)]
struct StoredAdvisory {
    id: String,
    range: String,
    modified: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct StoredSuppression {
    by: String,
    reason: String,
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
}

/// The columns of a vulnerability called `v` with its `e` (vulnerability_epss) and of a match called `m`, for
/// [`finding_from_row`], which also wants [`crate::images::verdicts::verdict_columns`].
macro_rules! finding_columns {
    () => {
        "v.name AS vulnerability_name, v.title AS title, v.description AS description, \
         v.cvss AS cvss, v.aliases AS aliases, v.links AS links, v.published AS published, \
         v.modified AS modified, v.exploited AS exploited, e.score AS epss_score, \
         e.percentile AS epss_percentile, e.day AS epss_day, m.severity AS severity, m.severity_source AS severity_source, \
         m.status AS status, m.fixed_versions AS fixed_versions, m.remediation AS remediation, \
         m.advisories AS advisories, m.suppression AS suppression, m.first_seen AS first_seen "
    };
}
pub(crate) use finding_columns;

/// The finding in a row that has also the package's id as `package_id`.
pub(crate) fn finding_from_row(row: &AnyRow) -> Result<Finding, StoreError> {
    let columns = Columns::new(row, "vulnerability", &["vulnerability_name"]);
    let cvss: Vec<StoredCvss> = columns.json("cvss")?;
    let links: Vec<StoredLink> = columns.json("links")?;
    let vulnerability = Arc::new(Vulnerability {
        id: columns.text("vulnerability_name")?,
        aliases: columns.json("aliases")?,
        title: columns.text("title")?,
        description: columns.text("description")?,
        cvss: cvss
            .into_iter()
            .map(|cvss| CvssVector {
                version: cvss.version,
                vector: cvss.vector,
                score: cvss.score,
            })
            .collect(),
        published: columns.opt_parsed("published")?,
        modified: columns.opt_parsed("modified")?,
        references: links
            .into_iter()
            .map(|link| Reference {
                kind: link.kind,
                url: link.url,
            })
            .collect(),
        known_exploited: exploitation::exploited_from_columns(&columns)?,
        epss: exploitation::epss_from_columns(&columns)?,
    });
    let keys = &["package_id", "vulnerability_name"];
    let columns = Columns::new(row, "package_vulnerability", keys);
    let advisories: Vec<StoredAdvisory> = columns.json("advisories")?;
    let (vex, by_vex) = verdict_from_columns(&columns)?.unzip();
    let suppressed = suppression_from_columns(&columns)?;
    Ok(Finding {
        vulnerability,
        severity: columns.severity("severity")?,
        severity_source: columns.word("severity_source", SeveritySource::parse)?,
        status: columns.word("status", FindingStatus::parse)?,
        fixed_versions: columns.json("fixed_versions")?,
        remediation: columns.text("remediation")?,
        advisories: advisories
            .into_iter()
            .map(|advisory| AdvisoryMatch {
                id: advisory.id,
                range: advisory.range,
                modified: advisory.modified,
            })
            .collect(),
        vex,
        suppressed: suppressed.or(by_vex.flatten()),
    })
}

fn suppression_from_columns(columns: &Columns<'_>) -> Result<Option<Suppression>, StoreError> {
    let Some(stored) = columns.opt_json::<StoredSuppression>("suppression")? else {
        return Ok(None);
    };
    let by = SuppressedBy::parse(&stored.by)
        .ok_or_else(|| columns.corrupt("suppression", &"nobody of that name suppresses"))?;
    Ok(Some(Suppression {
        by,
        reason: stored.reason,
        source: stored.source,
        expires: stored.expires,
    }))
}

/// What `package_vulnerability` keeps besides its key: the facts of one match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct MatchRow {
    pub(crate) severity: i64,
    severity_source: String,
    status: String,
    fixed_versions: String,
    remediation: String,
    advisories: String,
    /// The distribution's. What others say holds for some images only.
    suppression: Option<String>,
}

impl MatchRow {
    pub(crate) fn new(finding: &Finding) -> Self {
        let advisories: Vec<StoredAdvisory> = finding
            .advisories
            .iter()
            .map(|advisory| StoredAdvisory {
                id: advisory.id.clone(),
                range: advisory.range.clone(),
                modified: advisory.modified,
            })
            .collect();
        Self {
            severity: severity_number(finding.severity),
            severity_source: finding.severity_source.as_str().to_owned(),
            status: finding.status.as_str().to_owned(),
            fixed_versions: json(&finding.fixed_versions),
            remediation: clean(&finding.remediation),
            advisories: json(&advisories),
            suppression: finding
                .suppressed
                .as_ref()
                .filter(|suppression| suppression.by == SuppressedBy::Distribution)
                .map(|suppression| {
                    json(&StoredSuppression {
                        by: suppression.by.as_str().to_owned(),
                        reason: clean(&suppression.reason),
                        source: clean(&suppression.source),
                        expires: suppression.expires,
                    })
                }),
        }
    }

    pub(crate) fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            severity: columns.int("severity")?,
            severity_source: columns.text("severity_source")?,
            status: columns.text("status")?,
            fixed_versions: columns.text("fixed_versions")?,
            remediation: columns.text("remediation")?,
            advisories: columns.text("advisories")?,
            suppression: columns.opt_text("suppression")?,
        })
    }

    pub(crate) fn counts(&self) -> bool {
        self.suppression.is_none()
    }

    pub(crate) fn is_fixable(&self) -> bool {
        self.status == FindingStatus::Fixed.as_str()
    }
}

#[derive(Serialize)]
struct VulnerabilityRow {
    name: String,
    title: String,
    description: String,
    cvss: String,
    aliases: String,
    links: String,
    published: Option<String>,
    modified: Option<String>,
    /// Left out where there is none, so that what an earlier version stored is not rewritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    exploited: Option<String>,
}

#[derive(Serialize)]
struct NewRow {
    /// 0 when it is not stored yet.
    id: i64,
    content: String,
    #[serde(flatten)]
    row: VulnerabilityRow,
}

impl VulnerabilityRow {
    fn new(vulnerability: &Vulnerability) -> Self {
        let cvss: Vec<StoredCvss> = vulnerability
            .cvss
            .iter()
            .map(|cvss| StoredCvss {
                version: cvss.version.clone(),
                vector: cvss.vector.clone(),
                score: cvss.score,
            })
            .collect();
        let links: Vec<StoredLink> = vulnerability
            .references
            .iter()
            .map(|link| StoredLink {
                kind: link.kind.clone(),
                url: link.url.clone(),
            })
            .collect();
        Self {
            name: clean(&vulnerability.id),
            title: clean(&vulnerability.title),
            description: clean(&vulnerability.description),
            cvss: json(&cvss),
            aliases: json(&vulnerability.aliases),
            links: json(&links),
            published: vulnerability.published.map(|time| time.to_string()),
            modified: vulnerability.modified.map(|time| time.to_string()),
            exploited: vulnerability
                .known_exploited
                .as_ref()
                .map(|known| json(&StoredExploited::from(known))),
        }
    }
}

const BY_NAME: &str = "SELECT id, name, exploited, content FROM vulnerability \
     WHERE name IN (SELECT value ->> 't' FROM json_each($1))";
const INSERT: &str = "INSERT INTO vulnerability \
     (name, title, description, cvss, aliases, links, published, modified, exploited, content) \
     SELECT n.value ->> 'name', n.value ->> 'title', n.value ->> 'description', n.value ->> 'cvss', \
       n.value ->> 'aliases', n.value ->> 'links', n.value ->> 'published', n.value ->> 'modified', \
       n.value ->> 'exploited', n.value ->> 'content' \
     FROM json_each($1) AS n RETURNING id, name";
const UPDATE: &str = "UPDATE vulnerability SET title = n.value ->> 'title', \
       description = n.value ->> 'description', cvss = n.value ->> 'cvss', \
       aliases = n.value ->> 'aliases', links = n.value ->> 'links', \
       published = n.value ->> 'published', modified = n.value ->> 'modified', \
       exploited = n.value ->> 'exploited', content = n.value ->> 'content' \
     FROM json_each($1) AS n WHERE vulnerability.id = CAST(n.value ->> 'id' AS BIGINT)";

/// What [`put`] found and wrote.
pub(crate) struct Put {
    /// The row ids by name.
    pub(crate) ids: HashMap<String, i64>,
    /// Those that are known to be exploited now and were not before, or the other way round: all findings of
    /// them count differently, not only those of the packages at hand.
    pub(crate) flipped: Vec<i64>,
}

/// The row ids of these vulnerabilities; those that are new or changed are written.
pub(crate) async fn put<'a>(
    tx: &mut Tx,
    vulnerabilities: &BTreeMap<&'a str, &'a Vulnerability>,
    changes: &mut Changes,
) -> Result<Put, StoreError> {
    let mut ids = HashMap::new();
    let mut flipped = Vec::new();
    let mut stored = HashMap::new();
    let found = sqlx::query(BY_NAME)
        .bind(texts(vulnerabilities.keys().copied()))
        .fetch_all(tx.connection())
        .await?;
    for row in &found {
        let columns = Columns::new(row, "vulnerability", &["id"]);
        let (name, id) = (columns.text("name")?, columns.int("id")?);
        let was_exploited = columns.opt_text("exploited")?.is_some();
        stored.insert(name.clone(), (id, was_exploited, columns.text("content")?));
        ids.insert(name, id);
    }

    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for vulnerability in vulnerabilities.values() {
        let row = VulnerabilityRow::new(vulnerability);
        let content = fingerprint(&row);
        match stored.get(&row.name) {
            Some((_, _, known)) if *known == content => {}
            Some((id, was_exploited, _)) => {
                if *was_exploited != row.exploited.is_some() {
                    flipped.push(*id);
                }
                changed.push(NewRow {
                    id: *id,
                    content,
                    row,
                });
            }
            None => new.push(NewRow {
                id: 0,
                content,
                row,
            }),
        }
    }
    for batch in new.chunks(BATCH) {
        let inserted = sqlx::query(INSERT)
            .bind(rows(batch))
            .fetch_all(tx.connection())
            .await?;
        for row in &inserted {
            let columns = Columns::new(row, "vulnerability", &["id"]);
            ids.insert(columns.text("name")?, columns.int("id")?);
        }
        changes.inserted += inserted.len() as u64;
    }
    for batch in changed.chunks(BATCH) {
        let done = sqlx::query(UPDATE)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
        changes.updated += done.rows_affected();
    }
    let scores = vulnerabilities.values().filter_map(|vulnerability| {
        let id = ids.get(&clean(&vulnerability.id))?;
        Some((*id, vulnerability.epss.as_ref()))
    });
    exploitation::put_epss(tx, &scores.collect(), changes).await?;
    Ok(Put { ids, flipped })
}

const PRUNE: &str = "DELETE FROM vulnerability \
     WHERE id IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1)) \
       AND NOT EXISTS (SELECT 1 FROM package_vulnerability m WHERE m.vulnerability = vulnerability.id)";

/// Deletes those of these vulnerabilities that no package has any more.
pub(crate) async fn prune(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = i64>,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let ids = numbers(ids);
    if ids == "[]" {
        return Ok(());
    }
    let done = sqlx::query(PRUNE)
        .bind(ids)
        .execute(tx.connection())
        .await?;
    changes.deleted += done.rows_affected();
    Ok(())
}
