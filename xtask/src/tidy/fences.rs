//! Which crate may depend on which: the arrows of the plan, and what pure crates must not reach for.

use super::{Tree, Violations, numbered};

/// A crate's fence.
struct Fence {
    /// Its folder.
    folder: &'static str,
    /// The workspace crates that it may depend on.
    allowed: &'static [&'static str],
    /// Crates that it must not depend on, because it has no business with networks or databases.
    denied: &'static [&'static str],
}

const IO: &[&str] = &["axum", "sqlx", "tokio", "ureq"];

/// A new arrow is decided first, and its reason written into ARCHITECTURE.md.
const FENCES: &[Fence] = &[
    Fence {
        folder: "crates/admission",
        allowed: &["cel", "kubernetes", "model", "posture"],
        denied: IO,
    },
    Fence {
        folder: "crates/audit",
        allowed: &["detect", "kubernetes", "model", "redact"],
        denied: IO,
    },
    Fence {
        folder: "crates/bus",
        allowed: &[],
        denied: &["axum", "sqlx", "ureq"],
    },
    Fence {
        folder: "crates/cel",
        allowed: &[],
        denied: IO,
    },
    Fence {
        folder: "crates/model",
        allowed: &[],
        denied: IO,
    },
    Fence {
        folder: "crates/detect",
        allowed: &["model"],
        denied: IO,
    },
    Fence {
        folder: "crates/engine",
        allowed: &[],
        // Engines are asked by ureq.
        denied: &["axum", "sqlx", "tokio"],
    },
    Fence {
        folder: "crates/image",
        allowed: &["engine", "inflate", "model", "trust"],
        // Registries are read by ureq.
        denied: &["axum", "sqlx", "tokio"],
    },
    Fence {
        folder: "crates/inflate",
        allowed: &[],
        denied: IO,
    },
    Fence {
        folder: "crates/intel",
        // Alerts are told which list they rest on.
        allowed: &["model"],
        denied: IO,
    },
    Fence {
        folder: "crates/kubernetes",
        allowed: &["model", "redact"],
        denied: IO,
    },
    Fence {
        // Only tests depend on it.
        folder: "crates/lab",
        allowed: &[],
        denied: IO,
    },
    Fence {
        folder: "crates/redact",
        allowed: &[],
        denied: IO,
    },
    Fence {
        folder: "crates/scan",
        allowed: &["image", "model"],
        denied: IO,
    },
    Fence {
        folder: "crates/posture",
        allowed: &["cel", "kubernetes", "model"],
        denied: IO,
    },
    Fence {
        folder: "crates/collect",
        allowed: &["engine", "kubernetes", "lab", "model", "redact", "trust"],
        denied: &["axum", "sqlx"],
    },
    Fence {
        folder: "crates/store",
        allowed: &["model"],
        denied: &["axum", "ureq"],
    },
    Fence {
        folder: "crates/api",
        // Verdicts get their wire form beside the wire types.
        allowed: &["model", "posture", "trust"],
        denied: &["axum", "sqlx", "tokio"],
    },
    Fence {
        folder: "crates/server",
        allowed: &[
            "admission",
            "api",
            "audit",
            "bus",
            "collect",
            "detect",
            "image",
            "intel",
            // Which machines are nodes of a cluster, and which kinds of facts its API tells.
            "kubernetes",
            // Its tests only.
            "lab",
            "model",
            "posture",
            "scan",
            "store",
        ],
        denied: &["sqlx"],
    },
    Fence {
        folder: "crates/cli",
        allowed: &[
            "admission",
            "api",
            "audit",
            "collect",
            "detect",
            "engine",
            "image",
            "intel",
            "kubernetes",
            // Its tests only.
            "lab",
            "model",
            "posture",
            "scan",
            "server",
            "store",
            "webhook",
        ],
        denied: &["axum", "sqlx"],
    },
    Fence {
        folder: "crates/trust",
        allowed: &[],
        // It is what clients made with ureq trust.
        denied: &["axum", "sqlx", "tokio"],
    },
    Fence {
        folder: "crates/webhook",
        // The server is asked by the typed client; ureq is for its tests.
        allowed: &["admission", "api", "posture"],
        denied: &["sqlx"],
    },
    Fence {
        folder: "fuzz",
        allowed: &[
            "admission",
            "api",
            "audit",
            "cel",
            "collect",
            "detect",
            "engine",
            "image",
            "inflate",
            "intel",
            "kubernetes",
            "model",
            "posture",
            "scan",
        ],
        denied: IO,
    },
    Fence {
        folder: "xtask",
        allowed: &[],
        denied: IO,
    },
];

/// Dependencies stay inside the fences, and every crate has one.
pub(super) fn fences(tree: &Tree, found: &mut Violations) {
    for path in manifests(tree) {
        let folder = path.trim_end_matches("/Cargo.toml");
        let Some(fence) = FENCES.iter().find(|fence| fence.folder == folder) else {
            found.add(
                path,
                1,
                "this crate has no fence: add it to FENCES in xtask/src/tidy/fences.rs",
            );
            continue;
        };
        for dependency in dependencies(tree, path, found) {
            let name = dependency.package.as_str();
            match name.strip_prefix("seareeve-") {
                Some(ours) if !fence.allowed.contains(&ours) => {
                    found.add(
                        path,
                        dependency.line,
                        format!("{folder} must not depend on {name}"),
                    );
                }
                None if fence.denied.contains(&name) => {
                    found.add(
                        path,
                        dependency.line,
                        format!("{folder} must not depend on {name}"),
                    );
                }
                _ => {}
            }
        }
    }
}

/// Versions stand in the workspace's table only.
pub(super) fn workspace_versions(tree: &Tree, found: &mut Violations) {
    for path in manifests(tree) {
        for dependency in dependencies(tree, path, found) {
            if !dependency.is_workspace {
                let message = format!(
                    "write `{}.workspace = true`; versions stand in the root Cargo.toml",
                    dependency.key
                );
                found.add(path, dependency.line, message);
            }
        }
    }
}

/// The members' manifests: a manifest that is a workspace of its own is no part of the product.
fn manifests(tree: &Tree) -> impl Iterator<Item = &str> {
    tree.ending(&["toml"])
        .filter(|path| path.ends_with("/Cargo.toml"))
        .filter(|path| {
            let text = tree.text(path).unwrap_or_default();
            !text.lines().any(|line| line.trim() == "[workspace]")
        })
}

struct Dependency {
    key: String,
    package: String,
    is_workspace: bool,
    line: usize,
}

/// The dependencies of all kinds, those of single targets included.
fn dependencies(tree: &Tree, path: &str, found: &mut Violations) -> Vec<Dependency> {
    let text = tree.text(path).unwrap_or_default();
    let manifest: toml::Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => {
            found.add(path, 1, format!("failed to parse: {error}"));
            return Vec::new();
        }
    };
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = std::iter::once(&manifest).chain(
        targets
            .into_iter()
            .flatten()
            .filter_map(|(_, target)| target.as_table()),
    );
    tables
        .flat_map(|table| {
            ["dependencies", "dev-dependencies", "build-dependencies"]
                .into_iter()
                .filter_map(|kind| table.get(kind).and_then(toml::Value::as_table))
        })
        .flatten()
        .map(|(key, value)| Dependency {
            key: key.clone(),
            package: value
                .get("package")
                .and_then(toml::Value::as_str)
                .unwrap_or(key)
                .to_owned(),
            is_workspace: value.get("workspace").and_then(toml::Value::as_bool) == Some(true),
            line: line_of(&text, key),
        })
        .collect()
}

fn line_of(text: &str, key: &str) -> usize {
    numbered(text)
        .find(|(_, line)| {
            line.trim_start()
                .strip_prefix(key)
                .is_some_and(|rest| rest.starts_with([' ', '.', '=']))
        })
        .map_or(1, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::super::violations_of;
    use super::*;

    #[test]
    fn arrows_against_the_plan_are_found_in_every_kind_of_dependency() {
        let files = [
            (
                "crates/model/Cargo.toml",
                "[dependencies]\njiff.workspace = true\n[dev-dependencies]\ntokio.workspace = true\n",
            ),
            (
                "crates/scan/Cargo.toml",
                "[dependencies]\nseareeve-image.workspace = true\n[target.'cfg(unix)'.dependencies]\ndb = { package = \"seareeve-store\", workspace = true }\n",
            ),
            (
                "crates/server/Cargo.toml",
                "[dependencies]\nseareeve-store.workspace = true\ntokio.workspace = true\n",
            ),
        ];
        assert_eq!(
            violations_of(fences, &files),
            [
                "crates/model/Cargo.toml:4: crates/model must not depend on tokio",
                "crates/scan/Cargo.toml:4: crates/scan must not depend on seareeve-store",
            ]
        );
    }

    #[test]
    fn a_crate_without_a_fence_is_found() {
        let files = [
            ("crates/novel/Cargo.toml", "[package]\nname = \"novel\"\n"),
            (
                "fuzz/Cargo.toml",
                "[dependencies]\ntar = \"0.4\"\n[workspace]\n",
            ),
        ];
        let found = violations_of(fences, &files);
        assert_eq!(
            found,
            [
                "crates/novel/Cargo.toml:1: this crate has no fence: add it to FENCES in xtask/src/tidy/fences.rs"
            ]
        );
    }

    #[test]
    fn a_version_outside_the_workspace_table_is_found() {
        let files = [(
            "crates/model/Cargo.toml",
            "[dependencies]\njiff = \"0.2\"\nthiserror.workspace = true\n",
        )];
        assert_eq!(
            violations_of(workspace_versions, &files),
            [
                "crates/model/Cargo.toml:2: write `jiff.workspace = true`; versions stand in the root Cargo.toml"
            ]
        );
    }
}
