//! OpenVEX 0.2.0, and 0.0.x, which writes vulnerabilities and products as plain texts.

use jiff::Timestamp;
use seareeve_model::{VexJustification, VexStatus};

use super::json::{At, Malformed};
use super::product::{Identity, Target};
use super::{Content, Statement};

/// What the context of every version begins with.
const CONTEXT: &str = "https://openvex.dev/ns";

pub(super) fn read(root: &At<'_>) -> Result<Content, Malformed> {
    let context = root.required("@context")?;
    if !context.string()?.starts_with(CONTEXT) {
        return Err(context.wrong("is not OpenVEX's"));
    }
    let time = time(root)?;
    let mut content = Content {
        author: root.text("author")?.to_owned(),
        statements: Vec::new(),
        unusable: Vec::new(),
    };
    for at in root.list("statements")? {
        let statement = statement(&at, time, &mut content.unusable)?;
        content.statements.push(statement);
    }
    Ok(content)
}

/// When it was last said: a statement inherits the document's time (specification, "Inheritance Flow").
fn time(at: &At<'_>) -> Result<Option<Timestamp>, Malformed> {
    Ok(at.time("last_updated")?.max(at.time("timestamp")?))
}

fn statement(
    at: &At<'_>,
    inherited: Option<Timestamp>,
    unusable: &mut Vec<String>,
) -> Result<Statement, Malformed> {
    let status = at.required("status")?.word(VexStatus::parse)?;
    let justification = at.field("justification")?;
    let justification = justification
        .map(|at| at.word(justification_of))
        .transpose()?;
    let impact = at.text("impact_statement")?;
    if status == VexStatus::NotAffected && justification.is_none() && impact.is_empty() {
        return Err(at.wrong("is not_affected without justification and impact_statement"));
    }
    let texts = [
        impact,
        at.text("action_statement")?,
        at.text("status_notes")?,
    ];
    let text = texts.into_iter().find(|text| !text.is_empty());
    // 0.0.x has the subcomponents of all products beside them.
    let common = at.list("subcomponents")?;
    let mut targets = Vec::new();
    for product in at.list("products")? {
        let mut parts = match product.as_text() {
            Some(_) => Vec::new(),
            None => product.list("subcomponents")?,
        };
        parts.extend(common.iter().cloned());
        let (named, known) = (!parts.is_empty(), identities_of(&parts, unusable)?);
        let identities = identities(&product)?;
        if identities.is_empty() {
            unusable.push(product.path().to_owned());
        } else if !named || !known.is_empty() {
            targets.push(Target {
                product: identities,
                parts: known,
            });
        }
    }
    Ok(Statement {
        vulnerabilities: vulnerabilities(&at.required("vulnerability")?)?,
        targets,
        status,
        justification,
        text: text.unwrap_or_default().to_owned(),
        timestamp: time(at)?.or(inherited),
    })
}

/// The five reasons of OpenVEX; CycloneDX's are not allowed here.
fn justification_of(text: &str) -> Option<VexJustification> {
    let own = VexJustification::ALL.iter().take(5);
    own.copied().find(|reason| reason.as_str() == text)
}

fn vulnerabilities(at: &At<'_>) -> Result<Vec<String>, Malformed> {
    if let Some(name) = at.as_text() {
        return Ok(vec![name.to_owned()]);
    }
    let name = at.required("name")?.string()?;
    if name.is_empty() {
        return Err(at.wrong("has an empty name"));
    }
    let mut names = vec![name.to_owned()];
    names.extend(at.texts("aliases")?.into_iter().map(str::to_owned));
    Ok(names)
}

fn identities_of(parts: &[At<'_>], unusable: &mut Vec<String>) -> Result<Vec<Identity>, Malformed> {
    let mut known = Vec::new();
    for part in parts {
        let identities = identities(part)?;
        if identities.is_empty() {
            unusable.push(part.path().to_owned());
        }
        known.extend(identities);
    }
    Ok(known)
}

fn identities(at: &At<'_>) -> Result<Vec<Identity>, Malformed> {
    if let Some(id) = at.as_text() {
        return Ok(Identity::purl(id).into_iter().collect());
    }
    let mut known: Vec<Identity> = Identity::purl(at.text("@id")?).into_iter().collect();
    for (kind, value) in at.pairs("identifiers")? {
        known.extend(match kind {
            "purl" => Identity::purl(value),
            "cpe22" | "cpe23" => Identity::cpe(value),
            _ => None,
        });
    }
    for (algorithm, value) in at.pairs("hashes")? {
        known.extend(Identity::hash(algorithm, value));
    }
    known.dedup();
    Ok(known)
}
