//! Static pods: the files from which a kubelet starts them, and which component each is.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_kubernetes::{of_command, value};
use serde_json::Value;

use super::places::Places;
use crate::host::root::Root;

/// Bytes of one.
const MAX_FILE: u64 = 1 << 20;
/// How many are read.
const MAX_FILES: usize = 500;

/// A static pod that is a component.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) path: Utf8PathBuf,
    pub(super) component: &'static str,
    /// What its container is started with, the program's name not among them.
    pub(super) arguments: Vec<String>,
    pub(super) places: Places,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    pub(super) folder: Utf8PathBuf,
    pub(super) found: Vec<Manifest>,
    /// Files that could not be read, and the folder: each may be any component's.
    pub(super) unread: Vec<(Utf8PathBuf, io::Error)>,
}

/// Reads the folder as a kubelet does: files whose names begin with a point are passed over.
pub(super) fn read(root: &Root, folder: &str) -> Manifests {
    let mut manifests = Manifests {
        folder: folder.into(),
        ..Manifests::default()
    };
    let names = match root.names(folder) {
        Ok(names) => names,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                manifests.unread.push((folder.into(), error));
            }
            return manifests;
        }
    };
    let files = names.iter().filter(|name| !name.starts_with('.'));
    for name in files.take(MAX_FILES) {
        let path = Utf8Path::new(folder).join(name);
        match root.read(&path, MAX_FILE) {
            // What is no pod is none of ours: the kubelet says so itself.
            Ok(content) => manifests
                .found
                .extend(value(&content).ok().and_then(|pod| of_pod(path, &pod))),
            Err(error) => manifests.unread.push((path, error)),
        }
    }
    manifests
}

fn of_pod(path: Utf8PathBuf, pod: &Value) -> Option<Manifest> {
    let list = |value: &Value, name: &str| -> Vec<Value> {
        let list = value.get(name).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    let text = |value: &Value, name: &str| -> Option<String> {
        Some(value.get(name)?.as_str()?.to_owned())
    };
    let spec = pod.get("spec")?;
    let volumes = list(spec, "volumes");
    list(spec, "containers").iter().find_map(|container| {
        let words = list(container, "command").into_iter();
        let words = words.chain(list(container, "args"));
        let command: Vec<String> = words
            .filter_map(|word| Some(word.as_str()?.to_owned()))
            .collect();
        let (component, arguments) = of_command(&command)?;
        let mounts = list(container, "volumeMounts");
        let mounts = mounts.iter().filter_map(|mount| {
            let name = text(mount, "name")?;
            let volume = volumes
                .iter()
                .find(|volume| text(volume, "name").as_ref() == Some(&name))?;
            let host = text(volume.get("hostPath")?, "path")?;
            let below = text(mount, "subPath").unwrap_or_default();
            let host = match below.as_str() {
                "" => Utf8PathBuf::from(host),
                below => Utf8PathBuf::from(host).join(below),
            };
            Some((text(mount, "mountPath")?.into(), host))
        });
        Some(Manifest {
            places: Places::of_pod(mounts),
            path: path.clone(),
            component,
            arguments,
        })
    })
}
