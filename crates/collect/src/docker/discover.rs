//! Which engines there are on a machine.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::FileTypeExt;

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_engine::Endpoint;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{command_line, config_file::ConfigFile};
use crate::host::processes::Processes;
use crate::host::root::Root;

/// Engines of one machine that are asked.
const ENGINES: usize = 64;
/// Bytes of the client's files.
const FILE: u64 = 1 << 20;

/// A place where an engine may listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// As the host has it, links followed.
    pub(crate) endpoint: Endpoint,
    /// As we have to connect to it.
    pub(crate) connect: Endpoint,
    /// Whether somebody named it: then it is a failure if nobody answers.
    pub(crate) is_named: bool,
}

impl Found {
    /// The same next time.
    pub(crate) fn id(&self) -> String {
        self.endpoint.to_string()
    }
}

/// The engines to ask: those that are named, else all that can be found. Each is asked once, however many names its
/// socket has. The second list says where a socket could not even be looked at.
pub(crate) fn find(
    named: &[Endpoint],
    home: Option<&Utf8Path>,
    root: Option<&Root>,
    processes: &Processes,
) -> (Vec<Found>, Vec<String>) {
    let mut unseen = Vec::new();
    let mut found: BTreeMap<Endpoint, Found> = BTreeMap::new();
    let candidates = if named.is_empty() {
        root.map(|root| usual(root, home, processes))
            .unwrap_or_default()
    } else {
        named.to_vec()
    };
    for endpoint in candidates {
        let settled = match (&endpoint, root) {
            (Endpoint::Unix(path), Some(root)) => match socket(root, path) {
                Ok(Some(real)) => {
                    let place = Utf8PathBuf::from_path_buf(root.place(&real));
                    let Ok(place) = place else { continue };
                    (Endpoint::Unix(real), Endpoint::Unix(place))
                }
                // Whoever named it shall hear that nobody answers.
                Ok(None) if named.is_empty() => continue,
                Ok(None) => (endpoint.clone(), endpoint.clone()),
                Err(error) => {
                    unseen.push(format!("failed to look at {path}: {error}"));
                    continue;
                }
            },
            _ => (endpoint.clone(), endpoint.clone()),
        };
        let (endpoint, connect) = settled;
        if found.len() < ENGINES {
            found.entry(endpoint.clone()).or_insert(Found {
                endpoint,
                connect,
                is_named: !named.is_empty(),
            });
        }
    }
    (found.into_values().collect(), unseen)
}

/// The real path of a socket, if there is one.
fn socket(root: &Root, path: &Utf8Path) -> io::Result<Option<Utf8PathBuf>> {
    match root.metadata(path) {
        Ok((real, metadata)) => Ok(metadata.file_type().is_socket().then_some(real)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn usual(root: &Root, home: Option<&Utf8Path>, processes: &Processes) -> Vec<Endpoint> {
    let mut all: Vec<Endpoint> = [
        "/run/docker.sock",
        "/var/run/docker.sock",
        "/run/podman/podman.sock",
    ]
    .map(|path| Endpoint::Unix(path.into()))
    .into();
    for user in root.names("/run/user").unwrap_or_default() {
        for name in ["docker.sock", "podman/podman.sock"] {
            all.push(Endpoint::Unix(format!("/run/user/{user}/{name}").into()));
        }
    }
    // Engines that listen elsewhere say so on their command line or in their file.
    for process in processes
        .engines
        .iter()
        .filter(|process| process.name == "dockerd")
    {
        let (flags, _) = command_line::parse(&process.argv);
        let path = flags.get("config-file").and_then(Value::as_str);
        let file = ConfigFile::read(
            root,
            Utf8Path::new(path.unwrap_or("/etc/docker/daemon.json")),
        );
        for hosts in [flags.get("hosts"), file.get("hosts")] {
            let hosts = super::environment::texts(hosts);
            let sockets = hosts.filter_map(|text| text.parse().ok());
            all.extend(sockets.filter(|endpoint| matches!(endpoint, Endpoint::Unix(_))));
        }
    }
    // `podman system service unix:///…`
    for process in &processes.engines {
        if process.name == "podman" {
            let named = process.argv.iter().filter_map(|word| word.parse().ok());
            all.extend(named.filter(|endpoint| matches!(endpoint, Endpoint::Unix(_))));
        }
    }
    all.extend(home.and_then(|home| context(root, home)));
    all
}

/// Where the client's current context leads (`docker context use`).
fn context(root: &Root, home: &Utf8Path) -> Option<Endpoint> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Config {
        current_context: String,
    }
    let folder = home.join(".docker");
    let config = root.read(&folder.join("config.json"), FILE).ok()?;
    let config: Config = serde_json::from_slice(&config).ok()?;
    let hash = Sha256::digest(config.current_context.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let meta = folder.join("contexts/meta").join(hex).join("meta.json");
    let meta: Value = serde_json::from_slice(&root.read(&meta, FILE).ok()?).ok()?;
    let host = meta.pointer("/Endpoints/docker/Host")?.as_str()?;
    let endpoint: Endpoint = host.parse().ok()?;
    // Other machines' engines are theirs to tell of.
    matches!(endpoint, Endpoint::Unix(_)).then_some(endpoint)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::host::processes::Process;

    #[test]
    fn a_socket_of_several_names_is_found_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for path in [
            "run/user/1000/podman",
            "var",
            "srv",
            "etc/docker",
            "root/.docker",
        ] {
            fs::create_dir_all(at(path)).unwrap();
        }
        symlink("/run", at("var/run")).unwrap();
        symlink("/srv/own.sock", at("run/link.sock")).unwrap();
        let _sockets: Vec<UnixListener> = [
            "run/docker.sock",
            "run/user/1000/podman/podman.sock",
            "srv/own.sock",
            "srv/ctx.sock",
            "srv/pod.sock",
        ]
        .map(|path| UnixListener::bind(at(path)).unwrap())
        .into();
        fs::write(at("run/user/1000/docker.sock"), "a file").unwrap();
        fs::write(
            at("etc/docker/daemon.json"),
            r#"{"hosts": ["unix:///run/link.sock"]}"#,
        )
        .unwrap();
        fs::write(
            at("root/.docker/config.json"),
            r#"{"currentContext": "own", "auths": {}}"#,
        )
        .unwrap();
        let hash: String = Sha256::digest(b"own")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let meta = at("root/.docker/contexts/meta").join(hash);
        fs::create_dir_all(&meta).unwrap();
        let context = r#"{"Endpoints": {"docker": {"Host": "unix:///srv/ctx.sock"}}}"#;
        fs::write(meta.join("meta.json"), context).unwrap();

        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let dockerd = Process {
            name: "dockerd".to_owned(),
            pid: 1,
            argv: [
                "dockerd",
                "-H",
                "unix:///run/docker.sock",
                "-H",
                "tcp://0.0.0.0:1",
            ]
            .map(str::to_owned)
            .into(),
            exe: None,
            uid: None,
            started_unix: None,
        };
        let podman = Process {
            name: "podman".to_owned(),
            argv: [
                "podman",
                "system",
                "service",
                "--time=0",
                "unix:///srv/pod.sock",
            ]
            .map(str::to_owned)
            .into(),
            ..dockerd.clone()
        };
        let processes = Processes {
            engines: vec![dockerd, podman],
            ..Processes::default()
        };
        let (found, unseen) = find(&[], Some("/root".into()), Some(&root), &processes);
        let ids: Vec<String> = found.iter().map(Found::id).collect();
        assert_eq!(
            ids,
            [
                "unix:///run/docker.sock",
                "unix:///run/user/1000/podman/podman.sock",
                "unix:///srv/ctx.sock",
                "unix:///srv/own.sock",
                "unix:///srv/pod.sock",
            ]
        );
        assert_eq!(unseen, [""; 0]);
        assert_eq!(
            found[0].connect.to_string(),
            format!("unix://{}", at("run/docker.sock").display())
        );

        let named = [
            "unix:///var/run/docker.sock".parse().unwrap(),
            "unix:///gone.sock".parse().unwrap(),
        ];
        let (found, _) = find(&named, None, Some(&root), &processes);
        let ids: Vec<String> = found.iter().map(Found::id).collect();
        assert_eq!(ids, ["unix:///gone.sock", "unix:///run/docker.sock"]);
    }
}
