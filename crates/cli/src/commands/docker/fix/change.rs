//! One change to a machine: what it makes of what, so that it can be shown, made and taken back.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Stat, Uid};
use seareeve_model::{FactKind, Snapshot};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
        /// Which file it was: another one under its name is none of ours.
        inode: (u64, u64),
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
        let before = content(&path)?;
        let mut keys_now: Map<String, Value> = match before.as_deref().map(str::trim) {
            None | Some("") => Map::new(),
            Some(text) => serde_json::from_str(text)
                .with_context(|| format!("{path} is no JSON: mend that first"))?,
        };
        for (key, value) in keys {
            keys_now.insert(key.clone(), value.clone());
        }
        let mut after = serde_json::to_string_pretty(&keys_now)?;
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
        let opened = Opened::new(&path)?;
        let before = opened.rights;
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
            inode: opened.inode,
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
                ..
            } => format!(
                "{path}\n- {:04o} {}:{}\n+ {:04o} {}:{}\n",
                before.mode, before.uid, before.gid, after.mode, after.uid, after.gid
            ),
        })
    }

    /// Makes it. Refuses where somebody else changed it since it was shown.
    pub(super) fn apply(&self) -> anyhow::Result<()> {
        match self {
            Self::Content {
                path,
                before,
                after,
            } => replace(path, before.as_deref(), Some(after)),
            Self::Rights {
                path,
                inode,
                before,
                after,
            } => set(path, *inode, *before, *after),
        }
    }

    /// Back to what was before. Refuses where somebody else changed it since, or a later fix.
    pub(super) fn take_back(&self) -> anyhow::Result<()> {
        match self {
            Self::Content {
                path,
                before,
                after,
            } => replace(path, Some(after), before.as_deref()),
            Self::Rights {
                path,
                inode,
                before,
                after,
            } => set(path, *inode, *after, *before),
        }
    }

    /// Whether the engine has to be started again to know of it.
    pub(super) fn needs_restart(&self) -> bool {
        matches!(self, Self::Content { .. })
    }
}

/// What a file says; nothing where there is none.
fn content(path: &Utf8Path) -> anyhow::Result<Option<String>> {
    if path.is_symlink() {
        bail!("{path} is a link: change what it leads to");
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read {path}")),
    }
}

/// Replaces what a file says in one step, or removes it. It keeps its rights, also while it is written: it may hold
/// what not everybody may read.
fn replace(path: &Utf8Path, from: Option<&str>, to: Option<&str>) -> anyhow::Result<()> {
    if content(path)?.as_deref() != from {
        bail!(
            "{path} was changed since, by somebody or by a later fix: that has to be taken back first"
        );
    }
    let Some(to) = to else {
        return std::fs::remove_file(path).with_context(|| format!("failed to remove {path}"));
    };
    let folder = path.parent().context("a file has a folder")?;
    std::fs::create_dir_all(folder).with_context(|| format!("failed to make {folder}"))?;
    let failed = || format!("failed to write {path}");
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .with_context(failed)?;
    file.write_all(to.as_bytes()).with_context(failed)?;
    let rights = match from {
        Some(_) => Opened::new(path)?.rights,
        None => Rights {
            mode: 0o644,
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        },
    };
    give(file.as_file().as_fd(), rights).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    file.persist(path).with_context(failed)?;
    Ok(())
}

/// Sets the rights of the very file that was looked at.
fn set(path: &Utf8Path, inode: (u64, u64), from: Rights, to: Rights) -> anyhow::Result<()> {
    let opened = Opened::new(path)?;
    if opened.inode != inode || opened.rights != from {
        bail!(
            "{path} was changed since, by somebody or by a later fix: that has to be taken back first"
        );
    }
    give(opened.file.as_fd(), to).with_context(|| format!("failed to set the rights of {path}"))
}

/// A file of any kind, held so that nobody can put another one in its place.
struct Opened {
    file: std::os::fd::OwnedFd,
    inode: (u64, u64),
    rights: Rights,
}

impl Opened {
    fn new(path: &Utf8Path) -> anyhow::Result<Self> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let looked = || format!("failed to look at {path}");
        let file =
            rustix::fs::open(path.as_std_path(), flags, Mode::empty()).with_context(looked)?;
        let stat: Stat = rustix::fs::fstat(&file).with_context(looked)?;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode).is_symlink() {
            bail!("{path} has become a link since it was looked at");
        }
        Ok(Self {
            file,
            inode: (stat.st_dev, stat.st_ino),
            rights: Rights {
                mode: stat.st_mode & 0o7777,
                uid: stat.st_uid,
                gid: stat.st_gid,
            },
        })
    }
}

/// The owner first: changing it takes bits of the mode away.
fn give(file: BorrowedFd<'_>, rights: Rights) -> std::io::Result<()> {
    let (uid, gid) = (Uid::from_raw(rights.uid), Gid::from_raw(rights.gid));
    rustix::fs::chownat(file, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
    // The kernel changes no mode of what is opened without reading, but by this way.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    std::fs::set_permissions(path, Permissions::from_mode(rights.mode))
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
