//! Packages × advisories → findings. Pure: the same inventory and database give the same findings, in the
//! same order.
//!
//! `range` evaluates what OSV calls ranges, `finding` makes one finding of all that hits.

mod finding;
mod range;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seareeve_model::{
    Finding, InstalledPackage, Inventory, Notice, Package, Problem, ProblemCode, Vulnerability,
};

use crate::advisories::module;
use crate::advisories::stored::{StoredEntry, StoredRating};
use crate::advisories::{self, Database, DatabaseError, Texts};
use crate::versions::Order;
use finding::Hit;

/// What matching an inventory found.
#[derive(Clone, Debug, PartialEq)]
pub struct Matches {
    /// For each of the inventory's packages, in its order; each list is sorted by vulnerability.
    pub findings: Vec<Vec<Finding>>,
    /// What could not be judged, sorted.
    pub problems: Vec<Problem>,
    /// What is worth knowing besides. Matching itself has none: they come from what is applied afterwards.
    pub notices: Vec<Notice>,
}

/// Matches all packages of an inventory; equal packages, which stand together in it, are matched once.
#[must_use]
pub fn match_inventory(database: &Database, inventory: &Inventory) -> Matches {
    let mut matcher = Matcher::new(database);
    let mut problems = BTreeSet::new();
    let mut findings: Vec<Vec<Finding>> = Vec::with_capacity(inventory.packages.len());
    let is_same = |a: &InstalledPackage, b: &InstalledPackage| a.package == b.package;
    for same in inventory.packages.chunk_by(is_same) {
        let Some(first) = same.first() else { continue };
        let (found, trouble) = matcher.package(&first.package);
        problems.extend(trouble);
        findings.extend(std::iter::repeat_n(found, same.len()));
    }
    Matches {
        findings,
        problems: problems.into_iter().collect(),
        notices: Vec::new(),
    }
}

/// Matches one package.
#[must_use]
pub fn match_package(database: &Database, package: &Package) -> (Vec<Finding>, Vec<Problem>) {
    Matcher::new(database).package(package)
}

/// What is worth keeping from package to package: binary packages of one source have the same findings.
struct Matcher<'a> {
    database: &'a Database,
    texts: Option<Texts<'a>>,
    vulnerabilities: BTreeMap<u32, Known>,
    ecosystems: BTreeMap<String, bool>,
}

/// A vulnerability that was read, with the rating that does not depend on the package.
#[derive(Clone)]
struct Known {
    vulnerability: Arc<Vulnerability>,
    rating: Option<StoredRating>,
}

impl<'a> Matcher<'a> {
    fn new(database: &'a Database) -> Self {
        Self {
            database,
            texts: None,
            vulnerabilities: BTreeMap::new(),
            ecosystems: BTreeMap::new(),
        }
    }

    fn package(&mut self, package: &Package) -> (Vec<Finding>, Vec<Problem>) {
        let place = format!("{} {}", package.name, package.version);
        let problem = |code, message| {
            (
                Vec::new(),
                vec![Problem::new(code, place.as_str(), message)],
            )
        };
        let ecosystem = package.ecosystem.as_str();
        if ecosystem.is_empty() {
            // One problem for all such packages, therefore not at the package's own place.
            let message = "the packages of an unknown operating system were not matched";
            let code = ProblemCode::DistroUnknown;
            return (
                Vec::new(),
                vec![Problem::new(code, "operating system", message)],
            );
        }
        let Some(order) = Order::for_ecosystem(advisories::base(ecosystem)) else {
            let message = format!("the versions of {ecosystem} cannot be compared yet");
            let problem = Problem::new(ProblemCode::VersionUnreadable, ecosystem, message);
            return (Vec::new(), vec![problem]);
        };
        match self.findings(package, order) {
            Ok((findings, unreadable)) => {
                let problems = unreadable.map(|version| {
                    let message = format!(
                        "version {version} cannot be compared, so some advisories could not be judged"
                    );
                    Problem::new(ProblemCode::VersionUnreadable, place.as_str(), message)
                });
                let missing = match self.has_advisories(ecosystem, package) {
                    Ok(true) => None,
                    Ok(false) => Some(Problem::new(
                        ProblemCode::AdvisoriesMissing,
                        ecosystem,
                        format!("the advisory database holds nothing for {ecosystem}"),
                    )),
                    Err(error) => {
                        return problem(ProblemCode::AdvisoriesMissing, error.to_string());
                    }
                };
                (findings, problems.into_iter().chain(missing).collect())
            }
            Err(error) => problem(ProblemCode::AdvisoriesMissing, error.to_string()),
        }
    }

    fn has_advisories(&mut self, name: &str, package: &Package) -> Result<bool, DatabaseError> {
        if let Some(known) = self.ecosystems.get(name) {
            return Ok(*known);
        }
        let mut has = false;
        for (ecosystem, _) in advisories::keys_of(package) {
            has = has || self.database.has_ecosystem(&ecosystem)?;
        }
        self.ecosystems.insert(name.to_owned(), has);
        Ok(has)
    }

    /// The findings, and a version that could not be compared if there was one.
    fn findings(
        &mut self,
        package: &Package,
        order: Order,
    ) -> Result<(Vec<Finding>, Option<String>), DatabaseError> {
        let database = self.database;
        let mut entries: Vec<StoredEntry<'_>> = Vec::new();
        for (ecosystem, name) in advisories::keys_of(package) {
            entries.extend(database.entries(&ecosystem, &name)?);
        }
        entries.retain(|entry| module::concerns(&entry.statement, package));
        let version = package.advisory_version();
        let is_distribution = package.kind.is_operating_system();
        let mut unreadable = None;
        let mut hits: BTreeMap<u32, Vec<Hit<'_>>> = BTreeMap::new();
        let mut denied: BTreeSet<u32> = BTreeSet::new();
        for entry in &entries {
            if is_distribution && range::denies(&entry.statement) {
                denied.extend(&entry.vulnerabilities);
            }
            let reading = range::read(order, version, &entry.statement);
            unreadable = unreadable.or_else(|| reading.unreadable.map(str::to_owned));
            if reading.is_hit() {
                let (id, modified) = database.record(entry.record)?;
                for number in &entry.vulnerabilities {
                    let hit = Hit {
                        id,
                        modified,
                        version,
                        statement: &entry.statement,
                        reading: reading.clone(),
                    };
                    hits.entry(*number).or_default().push(hit);
                }
            }
        }
        hits.retain(|number, _| !denied.contains(number));
        let mut findings = Vec::with_capacity(hits.len());
        for (number, hits) in hits {
            let Known {
                vulnerability,
                rating,
            } = self.vulnerability(number)?;
            findings.push(finding::make(package, order, vulnerability, rating, hits)?);
        }
        Ok((findings, unreadable))
    }

    fn vulnerability(&mut self, number: u32) -> Result<Known, DatabaseError> {
        if let Some(known) = self.vulnerabilities.get(&number) {
            return Ok(known.clone());
        }
        if self.texts.is_none() {
            self.texts = Some(self.database.texts()?);
        }
        let damaged = DatabaseError::Damaged {
            part: "vulnerabilities",
        };
        let read = self.texts.as_mut().ok_or(damaged)?.vulnerability(number)?;
        let known = Known {
            rating: read.rating,
            vulnerability: Arc::new(read.into_model()),
        };
        self.vulnerabilities.insert(number, known.clone());
        Ok(known)
    }
}
