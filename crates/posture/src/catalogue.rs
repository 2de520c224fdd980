//! Recommendations and score groups: what assets are healthy or unhealthy for. Their form is
//! `docs/reference/recommendations.md`; what becomes of an asset's verdicts is decided in `health.rs`.

use std::collections::{BTreeMap, BTreeSet};

use rust_embed::Embed;
use seareeve_model::{FactKind, Severity};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::benchmark::Use;
use crate::library::Library;

#[derive(Embed)]
#[folder = "../../content/recommendations"]
struct Files;

const GROUPS_FILE: &str = "score-groups.yaml";
const GROUPS: &str = include_str!("../../../content/score-groups.yaml");

/// All recommendations and score groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    recommendations: BTreeMap<String, Recommendation>,
    groups: Vec<ScoreGroup>,
}

/// A part of the secure score.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ScoreGroup {
    /// Words with hyphens.
    pub id: String,
    /// For people.
    pub title: String,
    /// What it gives when all of its assets are healthy.
    pub points: f64,
}

/// `score-groups.yaml` as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Groups {
    #[serde(rename = "id")]
    _id: String,
    groups: Vec<ScoreGroup>,
}

/// One recommendation.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// Words with hyphens.
    pub id: String,
    /// What should be so.
    pub title: String,
    /// How bad it is when it is not.
    #[serde(deserialize_with = "severity")]
    pub severity: Severity,
    /// The kind of asset that is healthy or not.
    pub asset: String,
    /// The kind of object that is counted within the asset.
    #[serde(default)]
    pub of: Option<String>,
    /// Where it counts.
    #[serde(default)]
    pub score_groups: Vec<String>,
    /// Checks that must not fail.
    #[serde(default)]
    pub checks: Vec<Use>,
    /// Checks that say the same of an asset that is seen from its cloud only.
    #[serde(default)]
    pub cloud_checks: Vec<Use>,
    /// The benchmark whose failed controls it gathers.
    #[serde(default)]
    pub benchmark: Option<String>,
    /// The findings that it gathers.
    #[serde(default)]
    pub findings: Option<String>,
    /// The plan that has to be on.
    #[serde(default)]
    pub plan: Option<String>,
    /// Why it matters.
    pub why: String,
    /// What to do, in order.
    #[serde(default)]
    pub steps: Vec<String>,
    /// What can be set.
    #[serde(default)]
    pub parameters: BTreeMap<String, Value>,
    /// Namespaces that are left out.
    #[serde(default)]
    pub excluded_namespaces: Vec<String>,
    /// Judged and shown, but not counted.
    #[serde(default)]
    pub preview: bool,
    /// Whether it is judged before somebody switches it on.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What one click does.
    #[serde(default)]
    pub quick_fix: Option<String>,
    /// Whether the quick fix can be applied to what comes later.
    #[serde(default)]
    pub enforce: bool,
    /// Whether its checks can be made rules of admission.
    #[serde(default)]
    pub deny: bool,
    /// The keys of what it stands for in Azure.
    #[serde(default)]
    pub azure: BTreeMap<String, String>,
}

/// Why the catalogue cannot be used. Its author's fault.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file is no YAML of the form.
    #[error("failed to read {file}")]
    Format {
        /// Its name.
        file: String,
        /// Why.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// The id is not the file's name.
    #[error("{file}: its id is {id}, which is not the file's name")]
    Name {
        /// The file.
        file: String,
        /// The id.
        id: String,
    },
    /// A recommendation counts in a group that is not there.
    #[error("{recommendation} counts in {group}, which is no score group")]
    Group {
        /// The recommendation.
        recommendation: String,
        /// The group.
        group: String,
    },
}

impl Recommendation {
    /// Its checks with its parameters: those that people `set`, its own for the rest. Parameters that a check does not
    /// have, or that are its own defaults, are left out, so that equal uses are equal.
    #[must_use]
    pub fn uses(&self, library: &Library, set: &Map<String, Value>) -> Vec<Use> {
        self.with_params(&self.checks, library, set)
    }

    /// The same for an asset that has facts of some kinds only: those of its checks that can say something there, or if
    /// there are none, those that can from the cloud's side.
    #[must_use]
    pub fn uses_on(
        &self,
        library: &Library,
        set: &Map<String, Value>,
        has: &dyn Fn(&FactKind) -> bool,
    ) -> Vec<Use> {
        let can_say = |used: &Use| {
            library
                .check(&used.check)
                .is_some_and(|check| has(check.on()))
        };
        let of = |checks: &[Use]| {
            let mut uses = self.with_params(checks, library, set);
            uses.retain(can_say);
            uses
        };
        let uses = of(&self.checks);
        if uses.is_empty() {
            of(&self.cloud_checks)
        } else {
            uses
        }
    }

    fn with_params(&self, checks: &[Use], library: &Library, set: &Map<String, Value>) -> Vec<Use> {
        let own = |name: &str| self.parameters.get(name).and_then(|one| one.get("default"));
        let uses = checks.iter().filter_map(|used| {
            let check = library.check(&used.check)?;
            let mut params = used.params();
            for (name, default) in check.params() {
                let given = set.get(name).or_else(|| own(name));
                if let Some(value) = given {
                    params.insert(name.clone(), value.clone());
                }
                if params.get(name) == Some(default) {
                    params.remove(name);
                }
            }
            Some(Use::new(used.check.clone(), &params))
        });
        uses.collect()
    }
}

fn yes() -> bool {
    true
}

fn severity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
    let word = String::deserialize(deserializer)?;
    let known = Severity::ALL.into_iter().find(|one| one.as_str() == word);
    known.ok_or_else(|| serde::de::Error::custom(format!("`{word}` is no severity")))
}

impl Catalogue {
    /// What is built in. A test reads it, so it can be read.
    #[must_use]
    pub fn builtin() -> Self {
        let embedded = Self::embedded();
        debug_assert!(embedded.is_ok(), "{embedded:?}");
        embedded.unwrap_or_default()
    }

    fn embedded() -> Result<Self, CatalogueError> {
        let failed = |file: &str, source: serde_saphyr::Error| CatalogueError::Format {
            file: file.to_owned(),
            source: Box::new(source),
        };
        let groups: Groups =
            serde_saphyr::from_str(GROUPS).map_err(|error| failed(GROUPS_FILE, error))?;
        let mut catalogue = Self {
            groups: groups.groups,
            ..Self::default()
        };
        for file in Files::iter() {
            let text = Files::get(&file)
                .map(|file| String::from_utf8_lossy(&file.data).into_owned())
                .unwrap_or_default();
            let parsed = serde_saphyr::from_str(&text);
            let one: Recommendation = parsed.map_err(|error| failed(&file, error))?;
            if file.strip_suffix(".yaml") != Some(one.id.as_str()) {
                return Err(CatalogueError::Name {
                    file: file.to_string(),
                    id: one.id,
                });
            }
            catalogue.recommendations.insert(one.id.clone(), one);
        }
        let groups: BTreeSet<&str> = catalogue.groups.iter().map(|one| one.id.as_str()).collect();
        for one in catalogue.recommendations.values() {
            if let Some(group) = one
                .score_groups
                .iter()
                .find(|id| !groups.contains(id.as_str()))
            {
                return Err(CatalogueError::Group {
                    recommendation: one.id.clone(),
                    group: group.clone(),
                });
            }
        }
        Ok(catalogue)
    }

    /// All recommendations, by id.
    pub fn recommendations(&self) -> impl Iterator<Item = &Recommendation> {
        self.recommendations.values()
    }

    /// A recommendation by its id.
    #[must_use]
    pub fn recommendation(&self, id: &str) -> Option<&Recommendation> {
        self.recommendations.get(id)
    }

    /// The score groups, those with the most points first.
    #[must_use]
    pub fn groups(&self) -> &[ScoreGroup] {
        &self.groups
    }

    /// The groups' points, as [`crate::score`] wants them.
    #[must_use]
    pub fn points(&self) -> BTreeMap<String, f64> {
        let groups = self.groups.iter();
        groups.map(|one| (one.id.clone(), one.points)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_can_be_read_and_names_what_is_there() {
        let catalogue = Catalogue::embedded().unwrap();
        assert_eq!(catalogue.recommendations().count(), Files::iter().count());
        // 60 in 2019, less the two of data classification: `reference.md`, sections 4.1 and 4.2.
        let all: f64 = catalogue.points().values().sum();
        assert!((all - 58.0).abs() < 1e-9, "{all}");
        let library = Library::builtin();
        let hosts = catalogue.recommendation("docker-host-configuration");
        let benchmark = hosts.unwrap().benchmark.as_deref().unwrap();
        assert!(library.benchmark(benchmark, None).is_some());
        for one in catalogue.recommendations() {
            for used in &one.cloud_checks {
                assert!(library.check(&used.check).is_some(), "{}", used.check);
            }
        }
    }
}
