//! The real registry of the distribution project, filled by the real `skopeo`.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use seareeve_image::{Options, Source};

use crate::made_images::make;
use crate::support::{did_not_run, read_all};

/// Ends the registry with the test, also when the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about it here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(folder: &Utf8Path, port: u16) -> Option<Running> {
    let config = folder.join("registry.yml");
    let text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/registry}}}}\n\
         http: {{addr: \"127.0.0.1:{port}\", secret: test}}\n"
    );
    std::fs::write(&config, text).unwrap();
    let started = Command::new("docker-registry")
        .args(["serve", config.as_str()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = started else {
        did_not_run("docker-registry");
        return None;
    };
    let running = Running(child);
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "docker-registry does not listen");
        std::thread::yield_now();
    }
    Some(running)
}

#[test]
fn a_real_registry_gives_what_the_archive_gives() {
    if Command::new("skopeo").arg("--version").output().is_err() {
        return did_not_run("skopeo");
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let names = ["tiny", "hostile-whiteouts"];
    if make(folder, &names).is_none() {
        return;
    }
    let Some(_running) = start(folder, port) else {
        return;
    };
    for name in names {
        let archive = folder.join(format!("{name}.oci.tar"));
        // skopeo splits at the colon of a name, so the name inside the archive is left out.
        let target = format!("docker://127.0.0.1:{port}/test/{name}:1");
        let copied = Command::new("skopeo")
            .args(["copy", "--insecure-policy", "--dest-tls-verify=false"])
            .args([format!("oci-archive:{archive}"), target])
            .output()
            .unwrap();
        assert!(
            copied.status.success(),
            "{}",
            String::from_utf8_lossy(&copied.stderr)
        );
        let local = read_all(&Source::Archive(archive), &Options::default()).unwrap();
        let reference = format!("127.0.0.1:{port}/test/{name}:1").parse().unwrap();
        let remote = read_all(&Source::Registry(reference), &Options::default()).unwrap();
        assert_eq!(remote.problems, []);
        assert_eq!(remote.tree, local.tree);
        assert_eq!(remote.image.layers, local.image.layers);
        assert_eq!(remote.image.config_digest, local.image.config_digest);
    }
    let absent = format!("127.0.0.1:{port}/test/absent:1").parse().unwrap();
    let error = read_all(&Source::Registry(absent), &Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("there is no image 127.0.0.1:{port}/test/absent:1")
    );
}
