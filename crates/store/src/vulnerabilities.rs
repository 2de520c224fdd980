//! Vulnerabilities and the facts of a match, to and from their stored form. The JSON here is a promise to
//! the database only; it has its own structs so that `model` need not make one.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use seareeve_model::{
    AdvisoryMatch, CvssVector, Finding, FindingStatus, Reference, SeveritySource, Vulnerability,
};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::columns::{Columns, severity_number};
use crate::rows::{BATCH, clean, fingerprint, json, numbers, rows, texts};
use crate::{Changes, StoreError, Tx};

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

/// The columns of a vulnerability called `v` and of a match called `m`, for [`finding_from_row`].
macro_rules! finding_columns {
    () => {
        "v.name AS vulnerability_name, v.title AS title, v.description AS description, \
         v.cvss AS cvss, v.aliases AS aliases, v.links AS links, v.published AS published, \
         v.modified AS modified, m.severity AS severity, m.severity_source AS severity_source, \
         m.status AS status, m.fixed_versions AS fixed_versions, m.remediation AS remediation, \
         m.advisories AS advisories, m.first_seen AS first_seen "
    };
}
pub(crate) use finding_columns;

/// The finding in a row that has also the package's id as `package_id`.
pub(crate) fn finding_from_row(row: &AnyRow) -> Result<Finding, StoreError> {
    let columns = Columns::new(row, "vulnerability", &["vulnerability_name"]);
    let cvss: Vec<StoredCvss> = columns.json("cvss")?;
    let links: Vec<StoredLink> = columns.json("links")?;
    let vulnerability = Vulnerability {
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
        known_exploited: None,
        epss: None,
    };
    let keys = &["package_id", "vulnerability_name"];
    let columns = Columns::new(row, "package_vulnerability", keys);
    let advisories: Vec<StoredAdvisory> = columns.json("advisories")?;
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
        vex: None,
        suppressed: None,
    })
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
        })
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
        }
    }
}

const BY_NAME: &str = "SELECT id, name, content FROM vulnerability \
     WHERE name IN (SELECT value ->> 't' FROM json_each($1))";
const INSERT: &str = "INSERT INTO vulnerability \
     (name, title, description, cvss, aliases, links, published, modified, content) \
     SELECT n.value ->> 'name', n.value ->> 'title', n.value ->> 'description', n.value ->> 'cvss', \
       n.value ->> 'aliases', n.value ->> 'links', n.value ->> 'published', n.value ->> 'modified', \
       n.value ->> 'content' \
     FROM json_each($1) AS n RETURNING id, name";
const UPDATE: &str = "UPDATE vulnerability SET title = n.value ->> 'title', \
       description = n.value ->> 'description', cvss = n.value ->> 'cvss', \
       aliases = n.value ->> 'aliases', links = n.value ->> 'links', \
       published = n.value ->> 'published', modified = n.value ->> 'modified', \
       content = n.value ->> 'content' \
     FROM json_each($1) AS n WHERE vulnerability.id = CAST(n.value ->> 'id' AS BIGINT)";

/// The row ids of these vulnerabilities by name; those that are new or changed are written.
pub(crate) async fn put<'a>(
    tx: &mut Tx,
    vulnerabilities: &BTreeMap<&'a str, &'a Vulnerability>,
    changes: &mut Changes,
) -> Result<HashMap<String, i64>, StoreError> {
    let mut ids = HashMap::new();
    let mut stored = HashMap::new();
    let found = sqlx::query(BY_NAME)
        .bind(texts(vulnerabilities.keys().copied()))
        .fetch_all(tx.connection())
        .await?;
    for row in &found {
        let columns = Columns::new(row, "vulnerability", &["id"]);
        let (name, id) = (columns.text("name")?, columns.int("id")?);
        stored.insert(name.clone(), (id, columns.text("content")?));
        ids.insert(name, id);
    }

    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for vulnerability in vulnerabilities.values() {
        let row = VulnerabilityRow::new(vulnerability);
        let content = fingerprint(&row);
        match stored.get(&row.name) {
            Some((_, known)) if *known == content => {}
            Some((id, _)) => changed.push(NewRow {
                id: *id,
                content,
                row,
            }),
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
    Ok(ids)
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
