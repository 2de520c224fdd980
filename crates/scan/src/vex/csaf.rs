//! CSAF 2.0: the VEX profile, and security advisories, which have the same parts.

use std::collections::BTreeMap;

use seareeve_model::{VexJustification, VexStatus};

use super::json::{At, Malformed};
use super::product::{Identity, Target};
use super::{Content, Statement};

/// Products of products of products: real trees have two levels.
const MAX_RELATIONS: usize = 16;

pub(super) fn read(root: &At<'_>) -> Result<Content, Malformed> {
    let document = root.required("document")?;
    let version = document.required("csaf_version")?;
    if !version.string()?.starts_with("2.") {
        return Err(version.wrong("is not 2.0"));
    }
    let publisher = document.field("publisher")?;
    let author = publisher.map_or(Ok(""), |publisher| publisher.text("name"))?;
    let tracking = document.required("tracking")?;
    let released = tracking.time("current_release_date")?;
    let products = Products::read(root)?;
    let mut content = Content {
        author: author.to_owned(),
        statements: Vec::new(),
        unusable: Vec::new(),
    };
    for vulnerability in root.list("vulnerabilities")? {
        let mut ids: Vec<String> = Vec::new();
        ids.extend(
            vulnerability
                .field("cve")?
                .map(|cve| cve.string())
                .transpose()?
                .map(str::to_owned),
        );
        for id in vulnerability.list("ids")? {
            ids.push(id.required("text")?.string()?.to_owned());
        }
        let Some(statuses) = vulnerability.field("product_status")? else {
            continue;
        };
        let words = Words::read(&vulnerability, &products)?;
        for (name, status) in STATUSES {
            for product in statuses.list(name)? {
                let id = product.string()?;
                let targets = products.targets(id, MAX_RELATIONS).ok_or_else(|| {
                    product.wrong(format!("names {id:?}, which is not in the product tree"))
                })?;
                if targets.is_empty() {
                    content.unusable.push(product.path().to_owned());
                    continue;
                }
                content.statements.push(Statement {
                    vulnerabilities: ids.clone(),
                    targets,
                    status: *status,
                    justification: match status {
                        VexStatus::NotAffected => words.flags.get(id).copied(),
                        VexStatus::Affected | VexStatus::Fixed | VexStatus::UnderInvestigation => {
                            None
                        }
                    },
                    text: words.text(id, *status).to_owned(),
                    timestamp: released,
                });
            }
        }
    }
    Ok(content)
}

/// CSAF's states of products (section 3.2.3.9); `recommended` says nothing of being affected.
const STATUSES: &[(&str, VexStatus)] = &[
    ("first_affected", VexStatus::Affected),
    ("known_affected", VexStatus::Affected),
    ("last_affected", VexStatus::Affected),
    ("under_investigation", VexStatus::UnderInvestigation),
    ("first_fixed", VexStatus::Fixed),
    ("fixed", VexStatus::Fixed),
    ("known_not_affected", VexStatus::NotAffected),
];

/// What is said about products of one vulnerability, by product.
struct Words<'a> {
    flags: BTreeMap<&'a str, VexJustification>,
    impacts: BTreeMap<&'a str, &'a str>,
    remedies: BTreeMap<&'a str, &'a str>,
}

impl<'a> Words<'a> {
    fn read(vulnerability: &At<'a>, products: &Products<'a>) -> Result<Self, Malformed> {
        let mut words = Self {
            flags: BTreeMap::new(),
            impacts: BTreeMap::new(),
            remedies: BTreeMap::new(),
        };
        for flag in vulnerability.list("flags")? {
            let justification = flag.required("label")?.word(VexJustification::parse)?;
            for id in products.meant(&flag)? {
                words.flags.insert(id, justification);
            }
        }
        for threat in vulnerability.list("threats")? {
            if threat.text("category")? == "impact" {
                let details = threat.text("details")?;
                words
                    .impacts
                    .extend(products.meant(&threat)?.map(|id| (id, details)));
            }
        }
        for remedy in vulnerability.list("remediations")? {
            let details = remedy.text("details")?;
            for id in products.meant(&remedy)? {
                words.remedies.entry(id).or_insert(details);
            }
        }
        Ok(words)
    }

    fn text(&self, id: &str, status: VexStatus) -> &'a str {
        let words = match status {
            VexStatus::NotAffected => &self.impacts,
            VexStatus::Affected | VexStatus::Fixed | VexStatus::UnderInvestigation => {
                &self.remedies
            }
        };
        words.get(id).copied().unwrap_or_default()
    }
}

/// The product tree, flat.
struct Products<'a> {
    known: BTreeMap<&'a str, Vec<Identity>>,
    /// Product → the component and the product that it is a component of.
    relations: BTreeMap<&'a str, (&'a str, &'a str)>,
    groups: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Products<'a> {
    fn read(root: &At<'a>) -> Result<Self, Malformed> {
        let mut products = Self {
            known: BTreeMap::new(),
            relations: BTreeMap::new(),
            groups: BTreeMap::new(),
        };
        let Some(tree) = root.field("product_tree")? else {
            return Ok(products);
        };
        // As deep as JSON is nested, which its reader limits.
        let mut open = tree.list("branches")?;
        while let Some(branch) = open.pop() {
            if let Some(product) = branch.field("product")? {
                products.add(&product)?;
            }
            open.extend(branch.list("branches")?);
        }
        for product in tree.list("full_product_names")? {
            products.add(&product)?;
        }
        for relation in tree.list("relationships")? {
            let product = relation.required("full_product_name")?;
            let id = products.add(&product)?;
            let component = relation.required("product_reference")?.string()?;
            let whole = relation
                .required("relates_to_product_reference")?
                .string()?;
            products.relations.insert(id, (component, whole));
        }
        for group in tree.list("product_groups")? {
            let id = group.required("group_id")?.string()?;
            products.groups.insert(id, group.texts("product_ids")?);
        }
        Ok(products)
    }

    /// Section 3.1.3: a product with what helps to identify it.
    fn add(&mut self, product: &At<'a>) -> Result<&'a str, Malformed> {
        let id = product.required("product_id")?.string()?;
        let mut known = Vec::new();
        if let Some(helper) = product.field("product_identification_helper")? {
            known.extend(Identity::purl(helper.text("purl")?));
            // CSAF 2.1 has several.
            for purl in helper.texts("purls")? {
                known.extend(Identity::purl(purl));
            }
            known.extend(Identity::cpe(helper.text("cpe")?));
            for file in helper.list("hashes")? {
                for hash in file.list("file_hashes")? {
                    let (algorithm, value) = (hash.text("algorithm")?, hash.text("value")?);
                    known.extend(Identity::hash(algorithm, value));
                }
            }
        }
        self.known.insert(id, known);
        Ok(id)
    }

    /// What a product id means; nothing when the product has no name that could be found in an image. `None` when
    /// there is no such product.
    fn targets(&self, id: &str, depth: usize) -> Option<Vec<Target>> {
        let own = self.known.get(id)?;
        let alone = |product: &[Identity]| Target {
            product: product.to_vec(),
            parts: Vec::new(),
        };
        let Some((component, whole)) = self.relations.get(id) else {
            return Some(if own.is_empty() {
                Vec::new()
            } else {
                vec![alone(own)]
            });
        };
        // Circles end here.
        let Some(depth) = depth.checked_sub(1) else {
            return Some(Vec::new());
        };
        let parts = self.names(component, depth)?;
        let wholes = self.targets(whole, depth)?;
        let wholes = wholes.into_iter().filter(|_| !parts.is_empty());
        Some(
            wholes
                .map(|target| Target {
                    product: target.product,
                    parts: parts.clone(),
                })
                .collect(),
        )
    }

    /// The names of a component, which may itself be a component of something.
    fn names(&self, id: &str, depth: usize) -> Option<Vec<Identity>> {
        let own = self.known.get(id)?;
        match self.relations.get(id) {
            Some((component, _)) if own.is_empty() => self.names(component, depth.checked_sub(1)?),
            Some(_) | None => Some(own.clone()),
        }
    }

    /// The products that a flag, threat or remediation is about.
    fn meant(&self, at: &At<'a>) -> Result<impl Iterator<Item = &'a str>, Malformed> {
        let mut ids = at.texts("product_ids")?;
        for group in at.list("group_ids")? {
            let id = group.string()?;
            let members = self.groups.get(id).ok_or_else(|| {
                group.wrong(format!("names {id:?}, which is not in the product tree"))
            })?;
            ids.extend(members);
        }
        Ok(ids.into_iter())
    }
}
