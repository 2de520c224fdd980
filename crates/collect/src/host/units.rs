//! systemd's units: where they lie, and what a socket unit listens on (systemd.unit(5), systemd.socket(5)).

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::root::Root;

/// Folders of units, the one that counts first. User units are not looked for.
const FOLDERS: &[&str] = &[
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// Bytes of a unit.
const UNIT: u64 = 256 << 10;

/// A unit's files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) fragment: Option<Utf8PathBuf>,
    pub(crate) drop_ins: Vec<Utf8PathBuf>,
}

/// Finds a unit as systemd does: of files with one name, the first folder's counts; drop-ins apply in the order of
/// their names.
pub(crate) fn find(root: &Root, name: &str) -> Unit {
    let fragment = FOLDERS
        .iter()
        .map(|folder| Utf8Path::new(folder).join(name))
        .find(|path| root.exists(path.as_str()));
    let mut drop_ins: Vec<Utf8PathBuf> = Vec::new();
    for folder in FOLDERS {
        let folder = format!("{folder}/{name}.d");
        for file in root.names(&folder).unwrap_or_default() {
            let is_known = drop_ins
                .iter()
                .any(|known| known.file_name() == Some(&file));
            if file.ends_with(".conf") && !is_known {
                drop_ins.push(Utf8Path::new(&folder).join(file));
            }
        }
    }
    drop_ins.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    Unit { fragment, drop_ins }
}

impl Unit {
    /// What a socket unit listens on: paths and addresses, as they are written.
    pub(crate) fn streams(&self, root: &Root) -> Vec<String> {
        let files = self.fragment.iter().chain(&self.drop_ins);
        let mut streams = Vec::new();
        for file in files {
            let Ok(text) = root.text(file.as_str(), UNIT) else {
                continue;
            };
            let values = text.lines().filter_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == "ListenStream").then(|| value.trim().to_owned())
            });
            for value in values {
                if value.is_empty() {
                    // An empty assignment takes back those before.
                    streams.clear();
                } else {
                    streams.push(value.replace("%t", "/run"));
                }
            }
        }
        streams
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn units_are_found_as_systemd_finds_them() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "lib/systemd/system/docker.socket",
            "[Socket]\nListenStream=%t/docker.sock\n",
        );
        write(
            "usr/lib/systemd/system/docker.socket",
            "[Socket]\nListenStream=/run/docker.sock\n",
        );
        write(
            "etc/systemd/system/docker.socket.d/20-b.conf",
            "ListenStream=2376\n",
        );
        write(
            "usr/lib/systemd/system/docker.socket.d/10-a.conf",
            "ListenStream=\nListenStream = /a\n",
        );
        write(
            "usr/lib/systemd/system/docker.socket.d/20-b.conf",
            "ListenStream=/hidden\n",
        );
        write("usr/lib/systemd/system/docker.socket.d/README", "");
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let unit = find(&root, "docker.socket");
        assert_eq!(
            unit.fragment.as_deref(),
            Some("/usr/lib/systemd/system/docker.socket".into())
        );
        assert_eq!(
            unit.drop_ins,
            [
                "/usr/lib/systemd/system/docker.socket.d/10-a.conf",
                "/etc/systemd/system/docker.socket.d/20-b.conf"
            ]
        );
        assert_eq!(unit.streams(&root), ["/a", "2376"]);
        assert_eq!(find(&root, "docker.service"), Unit::default());
    }
}
