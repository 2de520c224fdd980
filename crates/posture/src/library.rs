//! All checks and benchmarks that a run knows: ours, and those of users beside them.

use std::collections::{BTreeMap, BTreeSet};

use rust_embed::Embed;
use seareeve_model::Digest;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::benchmark::{Benchmark, BenchmarkError, BenchmarkFile, Use};
use crate::check::{Check, CheckError};

/// Files of one load at most: ours are some hundreds.
const MOST_FILES: usize = 10_000;

#[derive(Embed)]
#[folder = "../../content/checks"]
struct Checks;

#[derive(Embed)]
#[folder = "../../content/benchmarks"]
struct Benchmarks;

/// What is judged by.
#[derive(Debug, Default)]
pub struct Library {
    checks: BTreeMap<String, Check>,
    /// By id and version.
    benchmarks: BTreeMap<(String, Vec<u32>), Benchmark>,
    /// The benchmarks that are built in.
    ours: BTreeSet<String>,
    /// Hashes of the files that are in use.
    sources: BTreeMap<String, [u8; 32]>,
}

/// A file that cannot be used: the rest can.
#[derive(Debug, thiserror::Error)]
#[error("failed to use {file}")]
pub struct ContentError {
    /// The file's name.
    pub file: String,
    /// Why.
    #[source]
    pub reason: Reason,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// As a check.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// As a benchmark.
    #[error(transparent)]
    Benchmark(#[from] BenchmarkError),
    /// The id is not the file's name.
    #[error("its id is {0}, which is not the file's name")]
    Name(String),
    /// There is one of that name already.
    #[error("there is another {0}")]
    Taken(String),
    /// A control names a check that is not there.
    #[error("control {control} wants the check {check}, which is not there")]
    Missing {
        /// The control.
        control: String,
        /// The check.
        check: String,
    },
    /// A control sets a parameter that the check does not have.
    #[error("control {control} sets {param}, which the check {check} does not have")]
    Param {
        /// The control.
        control: String,
        /// The check.
        check: String,
        /// The parameter.
        param: String,
    },
    /// A control sets a parameter to what the check can do nothing with.
    #[error("control {control} sets {param} of the check {check} to something that is no {wanted}")]
    ParamKind {
        /// The control.
        control: String,
        /// The check.
        check: String,
        /// The parameter.
        param: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// There are more files than anybody needs.
    #[error("there are more than {MOST_FILES} files")]
    Many,
}

impl Library {
    /// What is built in.
    #[must_use]
    pub fn builtin() -> Self {
        let (library, errors) = Self::embedded();
        // A test loads it, so there are none in what is shipped.
        debug_assert!(errors.is_empty(), "{errors:?}");
        library
    }

    pub(crate) fn embedded() -> (Self, Vec<ContentError>) {
        let mut library = Self::default();
        let errors = library.add(files::<Checks>(), files::<Benchmarks>());
        library.ours = library.benchmarks().map(|one| one.id.clone()).collect();
        (library, errors)
    }

    /// Adds checks and benchmarks, given as names and contents of their files. Those that cannot be used are told, and
    /// the rest is added. A name that is taken stays with what has it: nobody replaces our checks by accident.
    pub fn add(
        &mut self,
        checks: impl IntoIterator<Item = (String, String)>,
        benchmarks: impl IntoIterator<Item = (String, String)>,
    ) -> Vec<ContentError> {
        let mut errors = Vec::new();
        for (at, (file, text)) in checks.into_iter().enumerate() {
            let added = if at < MOST_FILES {
                self.add_check(&file, &text)
            } else {
                Err(Reason::Many)
            };
            if added.is_ok() {
                self.sources
                    .insert(file.clone(), Sha256::digest(&text).into());
            }
            if let Err(reason) = added {
                let is_end = matches!(reason, Reason::Many);
                errors.push(ContentError { file, reason });
                if is_end {
                    break;
                }
            }
        }
        let mut waiting = Vec::new();
        for (file, text) in benchmarks.into_iter().take(MOST_FILES) {
            match BenchmarkFile::parse(&text) {
                Ok(parsed) => waiting.push((file, parsed, Sha256::digest(&text).into())),
                Err(error) => errors.push(ContentError {
                    file,
                    reason: error.into(),
                }),
            }
        }
        // Those that are like another come after all that are not; an edition is not like one that is like another.
        waiting.sort_by_key(|(_, parsed, _)| parsed.like().is_some());
        for (file, parsed, hash) in waiting {
            match self.add_benchmark(&file, parsed) {
                Ok(()) => {
                    self.sources.insert(file, hash);
                }
                Err(reason) => errors.push(ContentError { file, reason }),
            }
        }
        errors
    }

    /// What tells this content from another: equal digests judge equally.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = Sha256::new();
        // Judging itself changes with the program.
        hasher.update(env!("CARGO_PKG_VERSION"));
        for (file, hash) in &self.sources {
            hasher.update(file);
            hasher.update([0]);
            hasher.update(hash);
        }
        Digest::sha256(&hasher.finalize().into())
    }

    /// A check by its id.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.get(id)
    }

    /// All checks, by id.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.checks.values()
    }

    /// An edition of a benchmark, or the newest without a version.
    #[must_use]
    pub fn benchmark(&self, id: &str, version: Option<&str>) -> Option<&Benchmark> {
        let mut editions = self
            .benchmarks
            .values()
            .filter(|benchmark| benchmark.id == id);
        match version {
            None => editions.next_back(),
            Some(version) => editions.find(|benchmark| benchmark.version == version),
        }
    }

    /// All benchmarks, by id and version.
    pub fn benchmarks(&self) -> impl Iterator<Item = &Benchmark> {
        self.benchmarks.values()
    }

    fn add_check(&mut self, file: &str, text: &str) -> Result<(), Reason> {
        let check = Check::parse(text)?;
        if stem(file) != check.id() {
            return Err(Reason::Name(check.id().to_owned()));
        }
        if self.checks.contains_key(check.id()) {
            return Err(Reason::Taken(check.id().to_owned()));
        }
        self.checks.insert(check.id().to_owned(), check);
        Ok(())
    }

    fn add_benchmark(&mut self, file: &str, parsed: BenchmarkFile) -> Result<(), Reason> {
        let name = format!("{}-{}", parsed.id, parsed.version);
        if stem(file) != name {
            return Err(Reason::Name(name));
        }
        let key = (parsed.id.clone(), version_key(&parsed.version));
        if self.benchmarks.contains_key(&key) {
            return Err(Reason::Taken(name));
        }
        // A newer edition would be the one that is meant where nobody says which.
        if self.ours.contains(&key.0) {
            return Err(Reason::Taken(key.0));
        }
        let id = parsed.id.clone();
        let benchmark = parsed.resolve(|version| self.benchmark(&id, Some(version)))?;
        for used in &benchmark.left_out_by {
            self.usable("left_out_by", used)?;
        }
        for control in &benchmark.controls {
            for used in control.checks.iter().chain(&control.evidence) {
                self.usable(&control.id, used)?;
            }
        }
        self.benchmarks.insert(key, benchmark);
        Ok(())
    }

    /// Whether a check that a control names is there, with the parameters that it sets.
    fn usable(&self, control: &str, used: &Use) -> Result<(), Reason> {
        let Some(check) = self.checks.get(&used.check) else {
            return Err(Reason::Missing {
                control: control.to_owned(),
                check: used.check.clone(),
            });
        };
        let params = used.params();
        for (param, value) in &params {
            let (control, check_id) = (control.to_owned(), used.check.clone());
            let Some(own) = check.params().get(param) else {
                return Err(Reason::Param {
                    control,
                    check: check_id,
                    param: param.clone(),
                });
            };
            if !own.is_null() && kind_of(own) != kind_of(value) {
                return Err(Reason::ParamKind {
                    control,
                    check: check_id,
                    param: param.clone(),
                    wanted: kind_of(own),
                });
            }
        }
        Ok(())
    }
}

/// The embedded files, by path.
fn files<E: Embed>() -> Vec<(String, String)> {
    let text = |path: &str| {
        let file = E::get(path)?;
        String::from_utf8(file.data.into_owned()).ok()
    };
    E::iter()
        .filter_map(|path| Some((path.to_string(), text(&path)?)))
        .collect()
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "truth value",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}

/// A file's name without folders and ending.
fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".yaml")
        .or_else(|| name.strip_suffix(".yml"))
        .unwrap_or(name)
}

fn version_key(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map(|part| part.parse().unwrap_or(u32::MAX))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::benchmark::Mark;
    use crate::examples::run_examples;

    #[test]
    fn all_that_is_built_in_can_be_used() {
        let (library, errors) = Library::embedded();
        let told: Vec<String> = errors
            .iter()
            .map(|error| {
                let mut text = error.to_string();
                let mut source = std::error::Error::source(error);
                while let Some(cause) = source {
                    text.push_str(&format!(": {cause}"));
                    source = cause.source();
                }
                text
            })
            .collect();
        assert_eq!(told, Vec::<String>::new());
        assert_eq!(library.checks().count(), Checks::iter().count());
        assert_eq!(library.benchmarks().count(), Benchmarks::iter().count());
    }

    #[test]
    fn examples_come_out_as_they_say() {
        let (library, _) = Library::embedded();
        let faults: Vec<String> = library
            .checks()
            .flat_map(run_examples)
            .filter_map(|result| {
                let fault = result.fault?;
                Some(format!("{}: {}: {fault}", result.check, result.name))
            })
            .collect();
        assert_eq!(faults, Vec::<String>::new());
    }

    /// The editions as their makers published them: counts of controls, by level and mark.
    #[test]
    fn editions_have_their_controls() {
        let (library, _) = Library::embedded();
        let editions = [
            ("cis-docker", "1.8.0", 118, 87, 31, 23),
            ("cis-aks", "1.8.0", 51, 39, 12, 21),
            ("cis-kubernetes", "2.0.0", 131, 116, 15, 64),
            ("cis-kubernetes", "1.12.0", 131, 116, 15, 64),
        ];
        for (id, version, all, first, second, automated) in editions {
            let benchmark = library.benchmark(id, Some(version)).unwrap();
            let mut levels: BTreeMap<u8, usize> = BTreeMap::new();
            for control in &benchmark.controls {
                *levels.entry(control.level).or_default() += 1;
            }
            let marked = benchmark
                .controls
                .iter()
                .filter(|control| control.assessment == Mark::Automated)
                .count();
            assert_eq!(benchmark.controls.len(), all, "{id}");
            assert_eq!(levels, BTreeMap::from([(1, first), (2, second)]), "{id}");
            assert_eq!(marked, automated, "{id}");
        }
    }
}
