//! CycloneDX 1.4 to 1.6: the vulnerabilities of a BOM that carry an analysis.

use std::collections::BTreeMap;

use seareeve_model::{VexJustification, VexStatus};

use super::json::{At, Malformed};
use super::product::{Identity, Target};
use super::{Content, Statement};

pub(super) fn read(root: &At<'_>) -> Result<Content, Malformed> {
    let metadata = root.field("metadata")?;
    let mut content = Content {
        author: String::new(),
        statements: Vec::new(),
        unusable: Vec::new(),
    };
    let mut components = Components::default();
    let mut issued = None;
    if let Some(metadata) = &metadata {
        issued = metadata.time("timestamp")?;
        for author in metadata.list("authors")? {
            let name = author.text("name")?;
            if content.author.is_empty() {
                name.clone_into(&mut content.author);
            }
        }
        if let Some(component) = metadata.field("component")? {
            components.add_subject(&component)?;
        }
    }
    components.add_all(root.list("components")?)?;
    for at in root.list("vulnerabilities")? {
        // Without an analysis it is a finding of another scanner.
        let Some(analysis) = at.field("analysis")? else {
            continue;
        };
        let Some(state) = analysis.field("state")? else {
            continue;
        };
        let status = state.word(status_of)?;
        let justification = analysis.field("justification")?;
        let justification = justification
            .map(|at| at.word(justification_of))
            .transpose()?;
        let mut vulnerabilities = vec![at.required("id")?.string()?.to_owned()];
        for reference in at.list("references")? {
            vulnerabilities.push(reference.required("id")?.string()?.to_owned());
        }
        let texts = [analysis.text("detail")?, at.text("recommendation")?];
        let text = texts.into_iter().find(|text| !text.is_empty());
        let times = [analysis.time("lastUpdated")?, analysis.time("firstIssued")?];
        let times = times.into_iter().chain([at.time("updated")?, issued]);
        let general = Statement {
            vulnerabilities,
            targets: Vec::new(),
            status,
            justification,
            text: text.unwrap_or_default().to_owned(),
            timestamp: times.into_iter().flatten().next(),
        };
        let said = targets(&at, &components, status, &mut content.unusable)?;
        for (status, targets) in said {
            content.statements.push(Statement {
                targets,
                status,
                ..general.clone()
            });
        }
    }
    Ok(content)
}

fn status_of(state: &str) -> Option<VexStatus> {
    Some(match state {
        "resolved" | "resolved_with_pedigree" => VexStatus::Fixed,
        "exploitable" => VexStatus::Affected,
        "in_triage" => VexStatus::UnderInvestigation,
        "false_positive" | "not_affected" => VexStatus::NotAffected,
        _ => return None,
    })
}

/// CycloneDX's nine reasons.
fn justification_of(text: &str) -> Option<VexJustification> {
    let own = VexJustification::ALL.iter().skip(5);
    own.copied().find(|reason| reason.as_str() == text)
}

/// What the vulnerability's `affects` mean, by status: a version may be said to be unaffected on its own.
fn targets(
    at: &At<'_>,
    components: &Components<'_>,
    status: VexStatus,
    unusable: &mut Vec<String>,
) -> Result<BTreeMap<VexStatus, Vec<Target>>, Malformed> {
    let mut said: BTreeMap<VexStatus, Vec<Target>> = BTreeMap::new();
    let affects = at.list("affects")?;
    if affects.is_empty() {
        let whole = components.subject.clone();
        match whole.is_empty() {
            true => unusable.push(at.path().to_owned()),
            false => said.entry(status).or_default().push(Target {
                product: whole,
                parts: Vec::new(),
            }),
        }
    }
    for affected in affects {
        let reference = affected.required("ref")?.string()?;
        let target = components.target(reference);
        let versions = affected.list("versions")?;
        let Some(target) = target else {
            unusable.push(affected.path().to_owned());
            continue;
        };
        if versions.is_empty() {
            said.entry(status).or_default().push(target);
            continue;
        }
        for version in versions {
            let status = match version.text("status")? {
                "" | "affected" => status,
                "unaffected" => VexStatus::NotAffected,
                "unknown" => VexStatus::UnderInvestigation,
                other => {
                    let short: String = other.chars().take(80).collect();
                    return Err(version.wrong(format!("has the unknown status {short:?}")));
                }
            };
            let number = version.text("version")?;
            match target.at_version(number) {
                Some(target) => said.entry(status).or_default().push(target),
                // A range of versions (`vers:`): which ones it means, nobody agrees on.
                None => unusable.push(version.path().to_owned()),
            }
        }
    }
    Ok(said)
}

impl Target {
    /// The same for one version only.
    fn at_version(&self, version: &str) -> Option<Self> {
        if version.is_empty() {
            return None;
        }
        let mut target = self.clone();
        let narrow = match target.parts.is_empty() {
            true => &mut target.product,
            false => &mut target.parts,
        };
        for identity in narrow {
            if let Identity::Purl(purl) = identity {
                purl.set_version(version)?;
            }
        }
        Some(target)
    }
}

/// The components of the BOM, by `bom-ref`.
#[derive(Default)]
struct Components<'a> {
    /// What the BOM as a whole is about.
    subject: Vec<Identity>,
    subject_ref: &'a str,
    known: BTreeMap<&'a str, Vec<Identity>>,
}

impl<'a> Components<'a> {
    fn add_subject(&mut self, component: &At<'a>) -> Result<(), Malformed> {
        self.subject = identities(component)?;
        self.subject_ref = component.text("bom-ref")?;
        self.add_all(component.list("components")?)
    }

    fn add_all(&mut self, mut open: Vec<At<'a>>) -> Result<(), Malformed> {
        while let Some(component) = open.pop() {
            let id = component.text("bom-ref")?;
            if !id.is_empty() {
                self.known.insert(id, identities(&component)?);
            }
            open.extend(component.list("components")?);
        }
        Ok(())
    }

    /// A `bom-ref`, a BOM-Link (`urn:cdx:SERIAL/VERSION#bom-ref`), or the package URL itself, as which many
    /// write the `bom-ref`s of other documents. `None` when it names nothing that could be found in an image.
    fn target(&self, reference: &str) -> Option<Target> {
        let own = decode(reference.rsplit_once('#').map_or(reference, |(link, own)| {
            if link.starts_with("urn:cdx:") {
                own
            } else {
                reference
            }
        }));
        let alone = |product: Vec<Identity>| Target {
            product,
            parts: Vec::new(),
        };
        if !self.subject_ref.is_empty() && own == self.subject_ref {
            return (!self.subject.is_empty()).then(|| alone(self.subject.clone()));
        }
        let known = self
            .known
            .get(own.as_str())
            .filter(|known| !known.is_empty());
        let names = match known {
            Some(known) => known.clone(),
            None => vec![Identity::purl(&own)?],
        };
        // In a BOM of an image, a component is that of this image and of no other.
        Some(if self.is_about_an_image() {
            Target {
                product: self.subject.clone(),
                parts: names,
            }
        } else {
            alone(names)
        })
    }

    fn is_about_an_image(&self) -> bool {
        let is_image = |identity: &Identity| match identity {
            Identity::Purl(purl) => ["oci", "docker"].contains(&purl.kind()),
            Identity::Digest(_) => true,
            Identity::System { .. } => false,
        };
        self.subject.iter().any(is_image)
    }
}

fn identities(component: &At<'_>) -> Result<Vec<Identity>, Malformed> {
    let mut known: Vec<Identity> = Identity::purl(component.text("purl")?)
        .into_iter()
        .collect();
    known.extend(Identity::cpe(component.text("cpe")?));
    if component.text("type")? == "container" {
        for hash in component.list("hashes")? {
            known.extend(Identity::hash(hash.text("alg")?, hash.text("content")?));
        }
    }
    Ok(known)
}

/// Undoes percent-encoding, which BOM-Links need for their fragment; a package URL in it keeps its own, which was
/// encoded once more.
fn decode(text: &str) -> String {
    if text.starts_with("pkg:") {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let code = match (first, after) {
            (b'%', [high, low, ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let value = digit(high)
                    .zip(digit(low))
                    .map(|(high, low)| high * 16 + low);
                value.and_then(|value| u8::try_from(value).ok())
            }
            _ => None,
        };
        match code {
            Some(code) => {
                bytes.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            None => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
