//! Runs the binary in a scrubbed environment, and makes images for it.

use std::path::Path;
use std::process::{Command, Output};

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
        let mut command = Command::new(env!("CARGO_BIN_EXE_seareeve"));
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

    /// Writes a `docker save` archive `app.tar` with these files in one layer.
    pub(crate) fn image(&self, files: &[(&str, &str)]) {
        let layer = tar(&files
            .iter()
            .map(|(path, text)| (*path, text.as_bytes()))
            .collect::<Vec<_>>());
        let value: [u8; 32] = Sha256::digest(&layer).into();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {}, "created": "2023-11-14T22:13:20Z",
            "rootfs": { "type": "layers", "diff_ids": [seareeve_model::Digest::sha256(&value).as_str()] },
            "history": [{ "created_by": "COPY . /" }],
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
