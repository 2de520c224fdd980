//! Audit rules on files: those on disk, those in the kernel, and what of a path they watch.

mod kernel;
mod text;

use std::collections::BTreeMap;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::host::root::Root;

pub(crate) use kernel::{Kernel, ask};

/// Bytes of one file of rules.
const FILE: u64 = 1 << 20;

/// Kinds of access, as auditctl(8) names them.
const PERMS: [(u8, &str); 4] = [(8, "a"), (4, "r"), (2, "w"), (1, "x")];

/// A rule that is about one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) path: Utf8PathBuf,
    /// Whether all below the path is meant. Unknown for `-w`: that is for the file system to say.
    pub(crate) recursive: Option<bool>,
    /// The bits of [`PERMS`].
    pub(crate) perm: u8,
    pub(crate) key: String,
    /// `never` takes out what later rules would watch.
    pub(crate) always: bool,
    /// Whether something else than the path decides as well.
    pub(crate) narrowed: bool,
}

/// A rule, and where it is from.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    rule: Rule,
    sources: Vec<Value>,
    is_loaded: bool,
}

/// All rules, in the order in which they count: a rule of both places stands where it was found first.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    known: Vec<Known>,
    /// Whether the kernel said which rules it has.
    asked: bool,
}

/// What rules watch of one path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Coverage {
    persisted: u8,
    loaded: Option<u8>,
    rules: Vec<String>,
}

impl Rules {
    /// Reads the files and adds what the kernel said.
    pub(crate) fn collect(
        root: &Root,
        kernel: Option<&[Rule]>,
        problems: &mut Vec<String>,
    ) -> Self {
        let mut rules = Self::default();
        let folder = "/etc/audit/rules.d";
        let names = root.names(folder).unwrap_or_default();
        let files: Vec<String> = names
            .iter()
            .filter(|name| name.ends_with(".rules"))
            .map(|name| format!("{folder}/{name}"))
            .collect();
        // augenrules(8) makes the latter of the former.
        for group in [files, vec!["/etc/audit/audit.rules".to_owned()]] {
            let mut found = Vec::new();
            for path in &group {
                match root.text(path, FILE) {
                    Ok(text) => text::parse(&text, path, &mut found),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => problems.push(format!("failed to read {path}: {error}")),
                }
            }
            for (rule, source) in found {
                rules.add(resolved(root, rule), Some(source));
            }
        }
        rules.asked = kernel.is_some();
        for rule in kernel.unwrap_or_default() {
            rules.add(resolved(root, rule.clone()), None);
        }
        rules
    }

    fn add(&mut self, rule: Rule, source: Option<Value>) {
        let is_loaded = source.is_none();
        if let Some(known) = self.known.iter_mut().find(|known| known.rule == rule) {
            known.is_loaded |= is_loaded;
            known.sources.extend(source);
        } else {
            self.known.push(Known {
                rule,
                sources: source.into_iter().collect(),
                is_loaded,
            });
        }
    }

    /// What is watched of a path. `is_folder` asks for all that is in it.
    pub(crate) fn coverage(&self, path: &Utf8Path, is_folder: bool) -> Coverage {
        let mut rules = Vec::new();
        let mut watched = |counts: fn(&Known) -> bool| {
            let (mut seen, mut hidden) = (0_u8, 0_u8);
            for (number, known) in self.known.iter().enumerate() {
                let rule = &known.rule;
                if !counts(known) || rule.narrowed || !rule.covers(path, is_folder) {
                    continue;
                }
                // The first rule that fits decides (audit.rules(7)).
                if rule.always {
                    seen |= rule.perm & !hidden;
                } else {
                    hidden |= rule.perm & !seen;
                }
                rules.push(number);
            }
            seen
        };
        let persisted = watched(|known| !known.sources.is_empty());
        let loaded = self.asked.then(|| watched(|known| known.is_loaded));
        rules.sort_unstable();
        rules.dedup();
        Coverage {
            persisted,
            loaded,
            rules: rules.into_iter().map(|number| self.id(number)).collect(),
        }
    }

    /// Unique, and the same as long as the rule is.
    fn id(&self, number: usize) -> String {
        let Some(known) = self.known.get(number) else {
            return String::new();
        };
        let id = known.rule.text();
        let earlier = self.known.iter().take(number);
        match earlier.filter(|other| other.rule.text() == id).count() {
            0 => id,
            count => format!("{id} ({})", count.saturating_add(1)),
        }
    }

    /// Facts: id and data.
    pub(crate) fn data(&self) -> impl Iterator<Item = (String, Value)> {
        self.known.iter().enumerate().map(|(number, known)| {
            let rule = &known.rule;
            let mut data = BTreeMap::from([
                ("path", json!(rule.path)),
                ("recursive", json!(rule.recursive == Some(true))),
                ("perm", json!(letters(rule.perm))),
                (
                    "action",
                    json!(if rule.always { "always" } else { "never" }),
                ),
                ("narrowed", json!(rule.narrowed)),
                ("persisted", json!(!known.sources.is_empty())),
                ("sources", json!(known.sources)),
            ]);
            if !rule.key.is_empty() {
                data.insert("key", json!(rule.key));
            }
            if self.asked {
                data.insert("loaded", json!(known.is_loaded));
            }
            (self.id(number), json!(data))
        })
    }
}

impl Rule {
    fn covers(&self, path: &Utf8Path, is_folder: bool) -> bool {
        let recursive = self.recursive == Some(true);
        if is_folder || path != self.path {
            recursive && path.starts_with(&self.path)
        } else {
            true
        }
    }

    fn text(&self) -> String {
        let action = if self.always { "" } else { "never " };
        let below = if self.recursive == Some(true) {
            "/**"
        } else {
            ""
        };
        let narrowed = if self.narrowed { " narrowed" } else { "" };
        format!(
            "{action}{}{below} {}{narrowed} {}",
            self.path,
            letters(self.perm).concat(),
            self.key
        )
        .trim_end()
        .to_owned()
    }
}

impl Coverage {
    pub(crate) fn data(&self) -> Value {
        let mut data = BTreeMap::from([
            ("persisted", json!(letters(self.persisted))),
            ("rules", json!(self.rules)),
        ]);
        if let Some(loaded) = self.loaded {
            data.insert("loaded", json!(letters(loaded)));
        }
        json!(data)
    }
}

fn letters(perm: u8) -> Vec<&'static str> {
    let set = PERMS.iter().filter(|(bit, _)| perm & bit != 0);
    set.map(|(_, letter)| *letter).collect()
}

/// The path as the kernel has it: it watches a name in a folder, and looks the folder up when the rule is loaded.
fn resolved(root: &Root, rule: Rule) -> Rule {
    let written = rule.path.as_str();
    let path = Utf8PathBuf::from(match written.trim_end_matches('/') {
        "" => "/",
        path => path,
    });
    let real = root.metadata(&path);
    let is_folder = real.as_ref().is_ok_and(|(_, metadata)| metadata.is_dir());
    let recursive = rule
        .recursive
        .unwrap_or(is_folder || written.ends_with('/'));
    let path = match (real, recursive) {
        (Ok((real, _)), true) => real,
        (_, _) => in_real_folder(root, &path),
    };
    Rule {
        path,
        recursive: Some(recursive),
        ..rule
    }
}

/// A path with the links of its folder followed, but not its own.
pub(crate) fn in_real_folder(root: &Root, path: &Utf8Path) -> Utf8PathBuf {
    match (
        path.parent().map(|folder| root.real(folder)),
        path.file_name(),
    ) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn coverage(rules: &str, path: &str, is_folder: bool) -> Value {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("etc/audit/rules.d")).unwrap();
        fs::create_dir_all(at("etc/docker")).unwrap();
        fs::create_dir_all(at("run/containerd")).unwrap();
        fs::create_dir_all(at("var")).unwrap();
        std::os::unix::fs::symlink("/run", at("var/run")).unwrap();
        fs::write(at("etc/audit/rules.d/a.rules"), rules).unwrap();
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let mut problems = Vec::new();
        let rules = Rules::collect(&root, None, &mut problems);
        assert_eq!(problems, [""; 0]);
        let mut data = rules.coverage(Utf8Path::new(path), is_folder).data();
        data["persisted"].take()
    }

    #[test]
    fn a_path_is_watched_by_its_own_rule_or_by_one_of_a_folder_above() {
        for (rules, path, is_folder, expected) in [
            (
                "-w /usr/bin/dockerd -k d",
                "/usr/bin/dockerd",
                false,
                json!(["a", "r", "w", "x"]),
            ),
            (
                "-w /usr/bin/dockerd -p wa",
                "/usr/bin/dockerd",
                false,
                json!(["a", "w"]),
            ),
            // A longer name is another file, and a file in a folder is not the folder.
            (
                "-w /usr/bin/containerd-shim -p wa",
                "/usr/bin/containerd",
                false,
                json!([]),
            ),
            (
                "-w /run/containerd/containerd.sock",
                "/run/containerd",
                true,
                json!([]),
            ),
            (
                "-w /run/containerd/ -p w",
                "/run/containerd",
                true,
                json!(["w"]),
            ),
            (
                "-w /run/containerd -p w",
                "/run/containerd/containerd.sock",
                false,
                json!(["w"]),
            ),
            (
                "-w /var/run/containerd -p w",
                "/run/containerd",
                true,
                json!(["w"]),
            ),
            (
                "-w /etc/docker -p wa",
                "/etc/docker/daemon.json",
                false,
                json!(["a", "w"]),
            ),
            (
                "-a always,exit -F path=/etc/docker -F perm=wa",
                "/etc/docker",
                true,
                json!([]),
            ),
            (
                "-a exit,always -F dir=/etc/docker -F perm=wa -k x",
                "/etc/docker",
                true,
                json!(["a", "w"]),
            ),
            (
                "-a always,exit -F arch=b64 -S all -F path=/x -F perm=x -F key=k",
                "/x",
                false,
                json!(["x"]),
            ),
            (
                "-a always,exit -F path=/x -F auid>=1000 -F perm=wa",
                "/x",
                false,
                json!([]),
            ),
            (
                "-a always,exit -S open -F path=/x -F perm=wa",
                "/x",
                false,
                json!([]),
            ),
            (
                "-a never,exit -F path=/x -F perm=w\n-w /x -p wa",
                "/x",
                false,
                json!(["a"]),
            ),
            (
                "-w /x -p wa\n-a never,exit -F path=/x -F perm=w",
                "/x",
                false,
                json!(["a", "w"]),
            ),
            ("-w /x -p wa\n-D\n-w /y", "/x", false, json!([])),
            (
                "# -w /x\n  \n-w '/with space' -p a\n-e 2",
                "/with space",
                false,
                json!(["a"]),
            ),
            ("-w /x -p wa\n-W /x -p wa", "/x", false, json!([])),
        ] {
            assert_eq!(coverage(rules, path, is_folder), expected, "{rules}");
        }
    }

    #[test]
    fn a_rule_on_disk_and_in_the_kernel_is_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("etc/audit")).unwrap();
        fs::write(
            folder.path().join("etc/audit/audit.rules"),
            "-D\n-w /x -p wa -k docker\n-w /y -p w\n",
        )
        .unwrap();
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let loaded = |path: &str, key: &str| Rule {
            path: path.into(),
            recursive: Some(false),
            perm: 8 | 2,
            key: key.to_owned(),
            always: true,
            narrowed: false,
        };
        let kernel = [loaded("/x", "docker"), loaded("/z", "")];
        let rules = Rules::collect(&root, Some(&kernel), &mut Vec::new());
        let seen: Vec<(String, Value, Value)> = rules
            .data()
            .map(|(id, mut data)| (id, data["persisted"].take(), data["loaded"].take()))
            .collect();
        assert_eq!(
            seen,
            [
                ("/x aw docker".to_owned(), json!(true), json!(true)),
                ("/y w".to_owned(), json!(true), json!(false)),
                ("/z aw".to_owned(), json!(false), json!(true)),
            ]
        );
        assert_eq!(
            rules.coverage(Utf8Path::new("/y"), false).data(),
            json!({"persisted": ["w"], "loaded": [], "rules": ["/y w"]})
        );
    }
}
