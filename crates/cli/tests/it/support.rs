//! Runs the binary in a scrubbed environment, and makes images and servers for it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A home folder of one's own.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program with these arguments, in this home, and nothing of our own environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        // Another one, when a test is to run with what is shipped.
        let given = std::env::var_os("SEAREEVE_TEST_PROGRAM");
        let program = given.unwrap_or_else(|| env!("CARGO_BIN_EXE_seareeve").into());
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.path())
            .current_dir(self.path());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::from(self.command(arguments).output().unwrap())
    }

    /// The same with something on standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A program that refuses its arguments does not read.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let run = Run::from(child.wait_with_output().unwrap());
        writer.join().unwrap();
        run
    }

    /// Writes a file below the home.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The same content as a folder.
    pub(crate) fn rootfs(&self, folder: &str, files: &[(&str, &str)]) {
        for (path, text) in files {
            self.write(&format!("{folder}/{path}"), text);
        }
    }

    /// Writes a `docker save` archive `app.tar` with these files in one layer.
    pub(crate) fn image(&self, files: &[(&str, &str)]) {
        self.image_made_by("COPY . /", files);
    }

    /// The same, saying which command made the layer.
    pub(crate) fn image_made_by(&self, command: &str, files: &[(&str, &str)]) {
        let layer = tar(&files
            .iter()
            .map(|(path, text)| (*path, text.as_bytes()))
            .collect::<Vec<_>>());
        let value: [u8; 32] = Sha256::digest(&layer).into();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {}, "created": "2023-11-14T22:13:20Z",
            "rootfs": { "type": "layers", "diff_ids": [seareeve_model::Digest::sha256(&value).as_str()] },
            "history": [{ "created_by": command }],
        });
        let manifest = json!([{ "Config": "config.json", "RepoTags": ["test/app:1"], "Layers": ["layer.tar"] }]);
        let files = [
            ("layer.tar", layer.as_slice()),
            ("config.json", config.to_string().as_bytes()),
            ("manifest.json", manifest.to_string().as_bytes()),
        ]
        .map(|(name, content)| (name, content.to_vec()));
        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(name, content)| (*name, content.as_slice()))
            .collect();
        std::fs::write(self.path().join("app.tar"), tar(&files)).unwrap();
    }
}

/// What a server answers: by method and path, the status line's rest, the type, and the body.
pub(crate) type Answer = (&'static str, &'static str, Vec<u8>);
/// Chooses an answer by the request line (`GET /v2/`), and the head in lower case.
pub(crate) type Answers = dyn Fn(&str, &str) -> Answer + Send + Sync;

/// The same by the request line and the body.
pub(crate) type Takes = dyn Fn(&str, &[u8]) -> Answer + Send + Sync;

/// Serves `answers` on a loopback port; the authority of its address.
pub(crate) fn serve(answers: Box<Answers>) -> String {
    serve_all(Box::new(move |request, head, _| answers(request, head)))
}

/// Serves what takes bodies.
pub(crate) fn take(answers: Box<Takes>) -> String {
    serve_all(Box::new(move |request, _, body| answers(request, body)))
}

type Everything = dyn Fn(&str, &str, &[u8]) -> Answer + Send + Sync;

fn serve_all(answers: Box<Everything>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let answers: Arc<Everything> = answers.into();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = Arc::clone(&answers);
            std::thread::spawn(move || {
                let reader = stream.try_clone().unwrap();
                converse(reader, stream, &*answers);
            });
        }
    });
    authority
}

/// The same on a socket in the file system.
pub(crate) fn serve_socket(path: &Path, answers: Box<Answers>) {
    let listener = UnixListener::bind(path).unwrap();
    let answers: Box<Everything> = Box::new(move |request, head, _| answers(request, head));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let reader = stream.try_clone().unwrap();
            converse(reader, stream, &*answers);
        }
    });
}

/// One request, one answer.
fn converse(reader: impl Read, mut writer: impl Write, answers: &Everything) {
    let mut reader = BufReader::new(reader);
    let mut head = String::new();
    loop {
        let before = head.len();
        // A client that hangs up, or an empty line.
        if reader.read_line(&mut head).is_err() || head.len() - before <= 2 {
            break;
        }
    }
    let request = head.split(" HTTP/").next().unwrap_or_default().to_owned();
    let head = head.to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    let _ = reader.read_exact(&mut body);
    let (status, kind, content) = answers(&request, &head, &body);
    let _ = write!(
        writer,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        content.len()
    );
    let _ = writer.write_all(&content);
}

/// An image with these files as a registry has it: content by path below `/v2/team/app/`, with its type.
pub(crate) fn in_registry(files: &[(&str, &str)]) -> BTreeMap<String, (&'static str, Vec<u8>)> {
    let layer = tar(&files
        .iter()
        .map(|(path, text)| (*path, text.as_bytes()))
        .collect::<Vec<_>>());
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
    })
    .to_string()
    .into_bytes();
    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(&config), "size": config.len() },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest(&layer), "size": layer.len() }],
    })
    .to_string()
    .into_bytes();
    BTreeMap::from([
        ("manifests/1".to_owned(), (MANIFEST, manifest.clone())),
        (
            format!("manifests/{}", digest(&manifest)),
            (MANIFEST, manifest),
        ),
        (
            format!("blobs/{}", digest(&config)),
            ("application/octet-stream", config),
        ),
        (
            format!("blobs/{}", digest(&layer)),
            ("application/octet-stream", layer),
        ),
    ])
}

fn digest(bytes: &[u8]) -> String {
    let value: [u8; 32] = Sha256::digest(bytes).into();
    seareeve_model::Digest::sha256(&value).to_string()
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A Debian 12 with an old Python package.
pub(crate) const APP: [(&str, &str); 3] = [
    (
        "etc/os-release",
        "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
    ),
    (
        "var/lib/dpkg/status",
        "Package: hello\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.10-3\n",
    ),
    (
        "usr/lib/python3/PyYAML-5.3.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: PyYAML\nVersion: 5.3\n",
    ),
];

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Whether files can be given to other users, as some tests need; it is said when they cannot.
#[expect(
    clippy::print_stderr,
    reason = "the test's reader must see that nothing was tested"
)]
pub(crate) fn gives_files_away() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        let required =
            std::env::var_os("SEAREEVE_REQUIRE_SHARED").is_some_and(|value| value == "1");
        assert!(!required, "SEAREEVE_REQUIRE_SHARED=1 requires root");
        eprintln!("DID NOT RUN: only root gives files away");
    }
    is_root
}
