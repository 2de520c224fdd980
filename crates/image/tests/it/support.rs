//! Small images built in memory, and reading them.

use std::io::Write as _;
use std::ops::ControlFlow;

use camino::Utf8PathBuf;
use seareeve_image::{Contents, FileTree, Options, ReadError, Source, read};
use seareeve_model::{ImagePath, Problem, ProblemCode};
use serde_json::{Value, json};
use sha2::Digest as _;

pub(crate) fn path(text: &str) -> ImagePath {
    ImagePath::parse(text.as_bytes()).unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hash = sha2::Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An entry of a layer, written exactly as it says: names are not cleaned.
pub(crate) enum Entry<'a> {
    File(&'a str, &'a [u8]),
    Dir(&'a str),
    Symlink(&'a str, &'a str),
    HardLink(&'a str, &'a str),
    Fifo(&'a str),
}

pub(crate) fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let (name, kind, link, content) = match *entry {
            Entry::File(name, content) => (name, tar::EntryType::Regular, "", content),
            Entry::Dir(name) => (name, tar::EntryType::Directory, "", &b""[..]),
            Entry::Symlink(name, to) => (name, tar::EntryType::Symlink, to, &b""[..]),
            Entry::HardLink(name, to) => (name, tar::EntryType::Link, to, &b""[..]),
            Entry::Fifo(name) => (name, tar::EntryType::Fifo, "", &b""[..]),
        };
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// The configuration of an image with these unpacked layers.
pub(crate) fn config(layers: &[Vec<u8>]) -> Vec<u8> {
    let diff_ids: Vec<String> = layers
        .iter()
        .map(|layer| format!("sha256:{}", sha256(layer)))
        .collect();
    let mut history = vec![json!({"created_by": "ENV A=b", "empty_layer": true})];
    history.extend((0..layers.len()).map(|index| json!({"created_by": format!("step {index}")})));
    json!({
        "os": "linux", "architecture": "amd64", "created": "2024-01-02T03:04:05.6Z",
        "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history,
    })
    .to_string()
    .into_bytes()
}

/// A `docker save` archive of Docker before version 25: the manifest comes last.
pub(crate) fn docker(layers: &[Vec<u8>]) -> Vec<u8> {
    let names: Vec<String> = (0..layers.len())
        .map(|index| format!("{index:064}/layer.tar"))
        .collect();
    let config = config(layers);
    let config_name = format!("{}.json", sha256(&config));
    let manifest = json!([{"Config": config_name, "RepoTags": ["test/app:1"], "Layers": names}]);
    let manifest = manifest.to_string();
    let mut entries: Vec<Entry<'_>> = names
        .iter()
        .zip(layers)
        .map(|(name, layer)| Entry::File(name, layer))
        .collect();
    entries.push(Entry::File(&config_name, &config));
    entries.push(Entry::File("manifest.json", manifest.as_bytes()));
    tar(&entries)
}

/// Documents and blobs of one image, to be put into a layout or a registry.
pub(crate) struct Oci {
    pub(crate) blobs: Vec<(String, Vec<u8>)>,
    pub(crate) manifest: Value,
    pub(crate) manifest_hex: String,
    pub(crate) index: Value,
}

/// An OCI image of layers given as (unpacked, packed).
pub(crate) fn oci(layers: &[(Vec<u8>, Vec<u8>)]) -> Oci {
    let unpacked: Vec<Vec<u8>> = layers.iter().map(|(plain, _)| plain.clone()).collect();
    let config = config(&unpacked);
    let descriptor =
        |bytes: &[u8]| json!({"digest": format!("sha256:{}", sha256(bytes)), "size": bytes.len()});
    let manifest = json!({
        "schemaVersion": 2,
        "config": descriptor(&config),
        "layers": layers.iter().map(|(_, packed)| descriptor(packed)).collect::<Vec<_>>(),
    });
    let manifest_bytes = manifest.to_string().into_bytes();
    let mut listed = descriptor(&manifest_bytes);
    listed["annotations"] = json!({"org.opencontainers.image.ref.name": "test/app:1"});
    listed["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let mut blobs: Vec<(String, Vec<u8>)> = layers
        .iter()
        .map(|(_, packed)| packed)
        .chain([&config, &manifest_bytes])
        .map(|bytes| (sha256(bytes), bytes.clone()))
        .collect();
    blobs.sort();
    blobs.dedup();
    Oci {
        blobs,
        manifest,
        manifest_hex: sha256(&manifest_bytes),
        index: json!({"schemaVersion": 2, "manifests": [listed]}),
    }
}

impl Oci {
    pub(crate) fn archive(&self) -> Vec<u8> {
        self.archive_with(&[])
    }

    /// The layout as tar file, with further entries.
    pub(crate) fn archive_with(&self, further: &[(&str, &[u8])]) -> Vec<u8> {
        let names: Vec<String> = self
            .blobs
            .iter()
            .map(|(hex, _)| format!("blobs/sha256/{hex}"))
            .collect();
        let index = self.index.to_string();
        let mut entries = vec![
            Entry::File("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
            Entry::File("index.json", index.as_bytes()),
        ];
        for (name, (_, bytes)) in names.iter().zip(&self.blobs) {
            entries.push(Entry::File(name, bytes));
        }
        for (name, bytes) in further {
            entries.push(Entry::File(name, bytes));
        }
        tar(&entries)
    }
}

/// Reads an archive with everything in it wanted.
pub(crate) fn read_bytes(archive: &[u8], options: &Options) -> Result<Contents, ReadError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(archive).unwrap();
    let path = Utf8PathBuf::from_path_buf(file.path().to_owned()).unwrap();
    read_all(&Source::Archive(path), options)
}

pub(crate) fn read_all(source: &Source, options: &Options) -> Result<Contents, ReadError> {
    read(source, options, &|_: &ImagePath| true, &|_| {
        ControlFlow::Continue(())
    })
}

/// `path@layer=content` of every file, for comparison.
pub(crate) fn listing(tree: &FileTree) -> Vec<String> {
    tree.iter()
        .map(|(path, file)| {
            let content = String::from_utf8_lossy(&file.content);
            format!("{path}@{}={content}", file.layer)
        })
        .collect()
}

pub(crate) fn codes(problems: &[Problem]) -> Vec<ProblemCode> {
    problems.iter().map(|problem| problem.code).collect()
}

/// Says that a test did not run because `what` is missing here, or fails where it must be there.
#[expect(
    clippy::print_stderr,
    reason = "the test's reader must see that nothing was tested"
)]
pub(crate) fn did_not_run(what: &str) {
    let required = std::env::var_os("SEAREEVE_REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(
        !required,
        "{what} is missing, and SEAREEVE_REQUIRE_SHARED=1 requires it"
    );
    eprintln!("DID NOT RUN: {what} is missing");
}
