//! A benchmark: which checks answer which control. Nothing is judged here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

/// Bytes of a file at most: CIS Kubernetes, the longest of ours, has a tenth.
const MOST_BYTES: usize = 1 << 20;

/// One edition of a benchmark or standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Benchmark {
    /// Its name, without the edition: `cis-docker`.
    pub id: String,
    /// The edition: `1.8.0`.
    pub version: String,
    /// For people.
    pub title: String,
    /// The kind of asset that it is about: `docker-host`.
    pub asset: String,
    /// Checks whose failing says that it does not concern an asset at all.
    pub left_out_by: Vec<Use>,
    /// In the benchmark's order.
    pub sections: Vec<Section>,
    /// In the benchmark's order.
    pub controls: Vec<Control>,
}

/// A part of a benchmark.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// What the ids of its controls begin with.
    pub id: String,
    /// In our own words.
    pub title: String,
}

/// One thing that a benchmark asks for.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Its number in this edition.
    pub id: String,
    /// The profile that it belongs to: 1 or 2 in CIS's.
    #[serde(default = "one")]
    pub level: u8,
    /// How the benchmark's makers mark it.
    #[serde(default)]
    pub assessment: Mark,
    /// In our own words.
    pub title: String,
    /// Those that must pass.
    #[serde(default)]
    pub checks: Vec<Use>,
    /// What a person is asked, where checks do not say all.
    #[serde(default)]
    pub ask: Option<String>,
    /// Checks that gather what a person looks at.
    #[serde(default)]
    pub evidence: Vec<Use>,
    /// How many days a person's answer holds.
    #[serde(default)]
    pub max_age_days: Option<u16>,
    /// The first version of what it is about (Kubernetes' minor version) that it is there for.
    #[serde(default)]
    pub since: Option<String>,
    /// The last one.
    #[serde(default)]
    pub until: Option<String>,
    /// Controls of the standards below that it takes the place of.
    #[serde(default)]
    pub overrides: Vec<String>,
}

/// A mark of the benchmark's makers, which says nothing of how we do it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A tool can tell.
    #[default]
    Automated,
    /// A person has to look.
    Manual,
}

/// A check, and the parameters that a control wants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The check's id.
    pub check: String,
    /// Those that differ from the check's own, as JSON, so that equal uses are equal.
    params: String,
}

/// Why a benchmark cannot be used. The fault of who wrote it.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarkError {
    /// The file is larger than any benchmark has to be.
    #[error("{0} bytes, of which {MOST_BYTES} are allowed")]
    Large(usize),
    /// It is not YAML, or a field is missing, unknown or of the wrong type.
    #[error("not a benchmark")]
    Format(#[source] Box<serde_saphyr::Error>),
    /// Its id or edition cannot stand in an address.
    #[error("{0:?} is no name of a benchmark and edition such as acme-hosts and 1.0")]
    Name(String),
    /// Two controls have one id.
    #[error("control {0} occurs twice")]
    Twice(String),
    /// A control asks for nothing.
    #[error("control {0} has neither checks nor a question")]
    Empty(String),
    /// The edition that it is like is not there.
    #[error("it is like edition {0}, which is not there")]
    Like(String),
    /// It speaks of a control that the edition that it is like does not have.
    #[error("control {0} is not in the edition that it is like")]
    Unknown(String),
}

/// A benchmark as it stands in its file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BenchmarkFile {
    pub(crate) id: String,
    pub(crate) version: String,
    title: String,
    asset: String,
    #[serde(default)]
    left_out_by: Vec<Use>,
    #[serde(default)]
    sections: Vec<Section>,
    #[serde(default)]
    controls: Vec<Control>,
    /// The edition that it takes its controls from.
    #[serde(default)]
    like: Option<String>,
    #[serde(default)]
    without: BTreeSet<String>,
    #[serde(default)]
    renumbered: BTreeMap<String, String>,
    /// Marks that differ, by this edition's number.
    #[serde(default)]
    marks: BTreeMap<String, Mark>,
    #[serde(default)]
    levels: BTreeMap<String, u8>,
}

fn one() -> u8 {
    1
}

impl BenchmarkFile {
    pub(crate) fn parse(yaml: &str) -> Result<Self, BenchmarkError> {
        if yaml.len() > MOST_BYTES {
            return Err(BenchmarkError::Large(yaml.len()));
        }
        let file: Self = serde_saphyr::from_str(yaml)
            .map_err(|error| BenchmarkError::Format(Box::new(error)))?;
        let is_version = file.version.len() <= 20
            && file
                .version
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        if crate::check::check_id(&file.id).is_err() || !is_version {
            let name = format!("{}-{}", file.id, file.version);
            return Err(BenchmarkError::Name(name.chars().take(100).collect()));
        }
        Ok(file)
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// The whole edition. `find` looks for another edition of it.
    pub(crate) fn resolve<'b>(
        self,
        find: impl Fn(&str) -> Option<&'b Benchmark>,
    ) -> Result<Benchmark, BenchmarkError> {
        let mut left_out_by = self.left_out_by;
        let mut sections = self.sections;
        let mut controls = Vec::new();
        if let Some(like) = &self.like {
            let model = find(like).ok_or_else(|| BenchmarkError::Like(like.clone()))?;
            for id in self.without.iter().chain(self.renumbered.keys()) {
                if model.control(id).is_none() {
                    return Err(BenchmarkError::Unknown(id.clone()));
                }
            }
            if sections.is_empty() {
                sections.clone_from(&model.sections);
            }
            if left_out_by.is_empty() {
                left_out_by.clone_from(&model.left_out_by);
            }
            for control in &model.controls {
                if self.without.contains(&control.id) {
                    continue;
                }
                let mut control = control.clone();
                if let Some(id) = self.renumbered.get(&control.id) {
                    control.id.clone_from(id);
                }
                if let Some(mark) = self.marks.get(&control.id) {
                    control.assessment = *mark;
                }
                if let Some(level) = self.levels.get(&control.id) {
                    control.level = *level;
                }
                controls.push(control);
            }
        }
        controls.extend(self.controls);
        if self.like.is_some() {
            controls.sort_by_cached_key(|control| numbers(&control.id));
        }
        let mut seen = BTreeSet::new();
        for control in &controls {
            // A standard may say the same control for several versions.
            let key = (&control.id, &control.since);
            if !seen.insert(key) {
                return Err(BenchmarkError::Twice(control.id.clone()));
            }
            if control.checks.is_empty() && control.ask.is_none() {
                return Err(BenchmarkError::Empty(control.id.clone()));
            }
        }
        Ok(Benchmark {
            id: self.id,
            version: self.version,
            title: self.title,
            asset: self.asset,
            left_out_by,
            sections,
            controls,
        })
    }

    pub(crate) fn like(&self) -> Option<&str> {
        self.like.as_deref()
    }
}

impl Benchmark {
    /// The control with a number; the newest form where there are several.
    #[must_use]
    pub fn control(&self, id: &str) -> Option<&Control> {
        self.controls.iter().rev().find(|control| control.id == id)
    }

    /// The controls that are in force for a version of what the benchmark is about (`1.30` of Kubernetes): a version
    /// that is newer than the benchmark is taken for its newest.
    #[must_use]
    pub fn at(&self, version: &str) -> Self {
        let wanted = numbers(version).min(numbers(&self.version));
        let holds = |control: &&Control| {
            let since = control.since.as_deref().map(numbers);
            let until = control.until.as_deref().map(numbers);
            since.is_none_or(|since| since <= wanted) && until.is_none_or(|until| wanted <= until)
        };
        let held: Vec<&Control> = self.controls.iter().filter(holds).collect();
        let overridden: BTreeSet<&String> =
            held.iter().flat_map(|control| &control.overrides).collect();
        let controls = held
            .iter()
            .filter(|control| !overridden.contains(&control.id))
            .map(|control| (*control).clone());
        Self {
            controls: controls.collect(),
            ..self.clone()
        }
    }

    /// The section that a control stands in: the longest whose id its own begins with.
    #[must_use]
    pub fn section(&self, control: &Control) -> Option<&Section> {
        let holds = |section: &&Section| {
            control
                .id
                .strip_prefix(&section.id)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        let holding = self.sections.iter().filter(holds);
        holding.max_by_key(|section| section.id.len())
    }
}

impl Use {
    /// The parameters that differ from the check's own.
    #[must_use]
    pub fn params(&self) -> Map<String, Value> {
        // It was written by us.
        serde_json::from_str(&self.params).unwrap_or_default()
    }

    /// A check with parameters.
    #[must_use]
    pub fn new(check: impl Into<String>, params: &Map<String, Value>) -> Self {
        Self {
            check: check.into(),
            params: Value::Object(params.clone()).to_string(),
        }
    }
}

/// `check.id`, or `{check: check.id, params: {…}}`.
impl<'de> Deserialize<'de> for Use {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            check: String,
            #[serde(default)]
            params: Map<String, Value>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Short(String),
            Long(Long),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Short(check) => Self::new(check, &Map::new()),
            Form::Long(Long { check, params }) => Self::new(check, &params),
        })
    }
}

/// `5.10` after `5.9`.
fn numbers(id: &str) -> Vec<(u32, String)> {
    id.split('.')
        .map(|part| (part.parse().unwrap_or(u32::MAX), part.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"
id: house
version: "2"
title: House rules
asset: docker-host
sections: [{id: "1", title: Doors}, {id: "1.1", title: Locks}]
controls:
  - {id: "1.1.9", title: a, checks: [x.a]}
  - {id: "1.1.10", level: 2, assessment: manual, title: b, checks: [{check: x.a, params: {b: 1, a: 2}}]}
  - {id: "1.2", title: c, ask: Is it?, max_age_days: 30}
"#;

    fn benchmark(yaml: &str) -> Result<Benchmark, BenchmarkError> {
        BenchmarkFile::parse(yaml)?.resolve(|_| None)
    }

    #[test]
    fn a_benchmark_says_what_it_says() {
        let house = benchmark(FIRST).unwrap();
        let lock = house.control("1.1.10").unwrap();
        assert_eq!((lock.level, lock.assessment), (2, Mark::Manual));
        let params = serde_json::json!({"a": 2, "b": 1});
        assert_eq!(Value::Object(lock.checks[0].params()), params);
        assert_eq!(house.section(lock).unwrap().title, "Locks");
        let other = house.control("1.2").unwrap();
        assert_eq!(house.section(other).unwrap().title, "Doors");
    }

    #[test]
    fn an_edition_like_another_is_renumbered_and_sorted() {
        let house = benchmark(FIRST).unwrap();
        let older = r#"
id: house
version: "1"
title: House rules
asset: docker-host
like: "2"
without: ["1.2"]
renumbered: {"1.1.9": "1.1.11"}
levels: {"1.1.11": 2}
"#;
        let older = BenchmarkFile::parse(older).unwrap();
        let older = older
            .resolve(|version| (version == "2").then_some(&house))
            .unwrap();
        let ids: Vec<(&str, u8)> = older
            .controls
            .iter()
            .map(|control| (control.id.as_str(), control.level))
            .collect();
        assert_eq!(ids, [("1.1.10", 2), ("1.1.11", 2)]);
        assert_eq!(older.sections, house.sections);
    }

    #[test]
    fn controls_are_in_force_for_their_versions() {
        let standard = r#"
id: standard
version: "1.37"
title: t
asset: a
controls:
  - {id: open, until: "1.9", title: t, checks: [x.a]}
  - {id: open, since: "1.10", title: t, checks: [x.b]}
  - {id: strict, since: "1.30", overrides: [open], title: t, checks: [x.c]}
"#;
        let standard = benchmark(standard).unwrap();
        let checks = |version: &str| -> Vec<String> {
            let at = standard.at(version);
            let uses = at.controls.iter().flat_map(|control| &control.checks);
            uses.map(|used| used.check.clone()).collect()
        };
        assert_eq!(checks("1.9"), ["x.a"]);
        assert_eq!(checks("1.10"), ["x.b"]);
        assert_eq!(checks("1.30"), ["x.c"]);
        assert_eq!(checks("2.0"), ["x.c"]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let twice = format!("{FIRST}  - {{id: \"1.2\", title: d, checks: [x.a]}}\n");
        let cases = [
            (twice.as_str(), "control 1.2 occurs twice"),
            (
                "{id: h, version: '1', title: t, asset: a, controls: [{id: '1', title: t}]}",
                "control 1 has neither checks nor a question",
            ),
            (
                "{id: h, version: '1', title: t, asset: a, like: '9'}",
                "it is like edition 9, which is not there",
            ),
            ("{id: h}", "not a benchmark"),
        ];
        for (yaml, message) in cases {
            assert_eq!(benchmark(yaml).unwrap_err().to_string(), message);
        }
    }
}
