//! One change to a machine: what it makes of what, so that it can be shown, made and taken back.

use std::os::unix::fs::{MetadataExt, PermissionsExt as _, chown};

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use seareeve_model::{FactKind, Snapshot};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::output;

/// A change, with what was there before.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    /// The content of a configuration file; nothing before when there was no file.
    Content {
        path: Utf8PathBuf,
        before: Option<String>,
        after: String,
    },
    /// A file's mode and owner.
    Rights {
        path: Utf8PathBuf,
        before: Rights,
        after: Rights,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rights {
    mode: u32,
    uid: u32,
    gid: u32,
}

impl Change {
    /// Sets `keys` in the `daemon.json` of the engine that `daemon` is about.
    pub(super) fn daemon(
        daemon: &Value,
        keys: &Map<String, Value>,
        root: &Utf8Path,
    ) -> anyhow::Result<Self> {
        let path = daemon
            .pointer("/config/path")
            .and_then(Value::as_str)
            .context("the engine does not say where its daemon.json is")?;
        for key in keys.keys() {
            let source = daemon
                .get("effective")
                .and_then(|effective| effective.get(key))
                .and_then(|option| option.get("source"));
            if source.and_then(Value::as_str) == Some("flag") {
                bail!(
                    "{key} is set on dockerd's command line, and dockerd does not start when {path} sets it too: change it there"
                );
            }
        }
        let path = super::below(root, path);
        let before = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("failed to read {path}")),
        };
        let mut content: Map<String, Value> = match before.as_deref().map(str::trim) {
            None | Some("") => Map::new(),
            Some(text) => serde_json::from_str(text)
                .with_context(|| format!("{path} is no JSON: mend that first"))?,
        };
        for (key, value) in keys {
            content.insert(key.clone(), value.clone());
        }
        let mut after = serde_json::to_string_pretty(&content)?;
        after.push('\n');
        Ok(Self::Content {
            path,
            before,
            after,
        })
    }

    /// Sets the mode and owner of a file that is no link.
    pub(super) fn file(
        path: Utf8PathBuf,
        mode: Option<&str>,
        owner: Option<&str>,
        snapshot: &Snapshot,
    ) -> anyhow::Result<Self> {
        let metadata = std::fs::symlink_metadata(&path)
            .with_context(|| format!("failed to look at {path}"))?;
        if metadata.file_type().is_symlink() {
            bail!("{path} has become a link since it was looked at");
        }
        let before = Rights {
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
        };
        let mut after = before;
        if let Some(mode) = mode {
            let most = u32::from_str_radix(mode, 8).context("the check's mode is not octal")?;
            // Rights are only ever taken away.
            after.mode &= most;
        }
        if let Some(owner) = owner {
            let (user, group) = owner
                .split_once(':')
                .context("the check's owner is not user:group")?;
            after.uid = number(snapshot, "host.user", "uid", user)?;
            after.gid = number(snapshot, "host.group", "gid", group)?;
        }
        Ok(Self::Rights {
            path,
            before,
            after,
        })
    }

    /// For people, before anything is changed.
    pub(super) fn shown(&self) -> anyhow::Result<String> {
        Ok(match self {
            Self::Content {
                path,
                before,
                after,
            } => {
                let mut text = format!("{path}\n");
                let before = before.as_deref().unwrap_or_default();
                for line in before
                    .lines()
                    .filter(|line| !after.lines().any(|new| new == *line))
                {
                    text.push_str(&format!("- {line}\n"));
                }
                for line in after
                    .lines()
                    .filter(|line| !before.lines().any(|old| old == *line))
                {
                    text.push_str(&format!("+ {line}\n"));
                }
                text
            }
            Self::Rights {
                path,
                before,
                after,
            } => format!(
                "{path}\n- {:04o} {}:{}\n+ {:04o} {}:{}\n",
                before.mode, before.uid, before.gid, after.mode, after.uid, after.gid
            ),
        })
    }

    pub(super) fn apply(&self) -> anyhow::Result<()> {
        match self {
            Self::Content { path, after, .. } => write(path, after),
            Self::Rights { path, after, .. } => set(path, *after),
        }
    }

    /// Back to what was before; refuses where somebody else changed it since.
    pub(super) fn take_back(&self) -> anyhow::Result<()> {
        match self {
            Self::Content {
                path,
                before,
                after,
            } => {
                let now = std::fs::read_to_string(path)
                    .with_context(|| format!("failed to read {path}"))?;
                if now != *after {
                    bail!("{path} was changed since: bring it back by hand");
                }
                match before {
                    Some(before) => write(path, before),
                    None => std::fs::remove_file(path)
                        .with_context(|| format!("failed to remove {path}")),
                }
            }
            Self::Rights { path, before, .. } => set(path, *before),
        }
    }

    /// Whether the engine has to be started again to know of it.
    pub(super) fn needs_restart(&self) -> bool {
        matches!(self, Self::Content { .. })
    }
}

/// Replaces a file in one step, with the rights that it had.
fn write(path: &Utf8Path, content: &str) -> anyhow::Result<()> {
    let rights = std::fs::metadata(path).ok();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("failed to make {folder}"))?;
    }
    output::result(Some(path), content)?;
    let mode = rights
        .as_ref()
        .map_or(0o644, |rights| rights.mode() & 0o7777);
    set(
        path,
        Rights {
            mode,
            uid: rights.as_ref().map_or(0, MetadataExt::uid),
            gid: rights.as_ref().map_or(0, MetadataExt::gid),
        },
    )
}

fn set(path: &Utf8Path, rights: Rights) -> anyhow::Result<()> {
    chown(path, Some(rights.uid), Some(rights.gid))
        .with_context(|| format!("failed to set the owner of {path}"))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(rights.mode))
        .with_context(|| format!("failed to set the mode of {path}"))
}

/// The number of a user or group of the machine.
fn number(snapshot: &Snapshot, kind: &str, field: &str, name: &str) -> anyhow::Result<u32> {
    let kind = FactKind::new(kind)?;
    let items = snapshot.facts.get(&kind).map(|facts| &facts.items);
    let mut items = items.into_iter().flatten();
    items
        .find(|fact| fact.data.get("name").and_then(Value::as_str) == Some(name))
        .and_then(|fact| fact.data.get(field)?.as_u64())
        .and_then(|number| u32::try_from(number).ok())
        .with_context(|| format!("this machine has no {name}"))
}
