//! What is put around an input: layers, images and files, and the fixtures of the tests as seeds.

use std::ffi::OsStr;
use std::io::{Cursor, Write as _};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::LazyLock;

use camino::{Utf8Path, Utf8PathBuf};
use flate2::Compression;
use seareeve_api::Sbom;
use seareeve_image::{
    Contents, FileFacts, FileTree, LayerFiles, Limits, Options, ReadError, Selector as _, Source,
};
use seareeve_model::{
    Confidence, Digest, Image, ImagePath, Inventory, Layer, SecretFinding, SecretPlace, Severity,
};
use seareeve_scan::{Examiner, Matches, Scanner, ecosystems};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A file of a layer: its path as the tar says it, and its content; or a link and its target.
pub(crate) enum Entry<'a> {
    File(&'a [u8], &'a [u8]),
    Link(&'a [u8], &'a [u8]),
}

/// A tar archive. What tar cannot say is left out.
pub(crate) fn tar_of(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o755);
        // Only a path that no tar can hold is refused: then the file is not there.
        let _ = match entry {
            Entry::File(path, content) => {
                header.set_size(content.len() as u64);
                builder.append_data(&mut header, OsStr::from_bytes(path), *content)
            }
            Entry::Link(path, target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                let (path, target) = (OsStr::from_bytes(path), OsStr::from_bytes(target));
                builder.append_link(&mut header, path, target)
            }
        };
    }
    builder.into_inner().expect("a Vec takes any amount")
}

/// As [`tar_of`], of plain files.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let entries: Vec<Entry<'_>> = files
        .iter()
        .map(|(path, content)| Entry::File(path.as_bytes(), content))
        .collect();
    tar_of(&entries)
}

/// The tar archive with the checksum of each header put right, which no fuzzer finds out.
pub(crate) fn summed_tar(tar: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 512;
    let mut tar = tar.to_vec();
    let mut at = 0_usize;
    while let Some(block) = tar.get_mut(at..at.saturating_add(BLOCK)) {
        at = at.saturating_add(BLOCK);
        if block.iter().all(|byte| *byte == 0) {
            continue;
        }
        if let Some(field) = block.get_mut(148..156) {
            field.fill(b' ');
        }
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        let sum = format!("{sum:06o}\0 ");
        for (to, from) in block.iter_mut().skip(148).zip(sum.bytes()) {
            *to = from;
        }
        // Of directories, links and devices no content follows, whatever the size says.
        if !matches!(block.get(156), Some(b'1'..=b'6')) {
            let size = block.get(124..136).unwrap_or_default();
            let digits = size.iter().take_while(|byte| matches!(byte, b'0'..=b'7'));
            let size = digits.fold(0_usize, |size, digit| {
                size.saturating_mul(8)
                    .saturating_add(usize::from(digit.saturating_sub(b'0')))
            });
            at = at.saturating_add(size.div_ceil(BLOCK).saturating_mul(BLOCK));
        }
    }
    tar
}

/// A zip archive of these files.
pub(crate) fn zip(method: CompressionMethod, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options)
            .expect("a Vec takes any amount");
        zip.write_all(content).expect("a Vec takes any amount");
    }
    let written = zip.finish().expect("a Vec takes any amount");
    written.into_inner()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a Vec takes any amount");
    encoder.finish().expect("a Vec takes any amount")
}

pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a Vec takes any amount");
    encoder.finish().expect("a Vec takes any amount")
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("a Vec takes any amount")
}

/// A file with this content, as long as the first value lives.
pub(crate) fn temporary(content: &[u8]) -> (NamedTempFile, Utf8PathBuf) {
    let mut file = NamedTempFile::new().expect("a folder for temporary files");
    file.write_all(content).expect("space for a temporary file");
    let path = Utf8PathBuf::from_path_buf(file.path().to_owned()).expect("a UTF-8 path");
    (file, path)
}

/// Limits that an input of a fuzzer reaches.
pub(crate) fn limits() -> Limits {
    Limits {
        file_bytes: 1 << 20,
        kept_bytes: 4 << 20,
        layer_bytes: 16 << 20,
        image_bytes: 32 << 20,
        ratio_floor_bytes: 1 << 20,
        layer_entries: 10_000,
        layers: 16,
        ..Limits::default()
    }
}

/// Reads an image with everything in it wanted. Both ends are fine.
pub(crate) fn read(source: &Source, options: &Options) -> Result<Contents, ReadError> {
    let all = |_: &ImagePath| true;
    seareeve_image::read(source, options, &all, &|_| ControlFlow::Continue(()))
}

/// The packages of an image with these layers, after checking what holds of every inventory.
pub(crate) fn inventory(layers: &[Vec<Entry<'_>>]) -> Inventory {
    let examiner = Examiner::new(&[Scanner::Vulnerabilities]);
    let mut tree = FileTree::default();
    let mut problems = Vec::new();
    for (number, entries) in (0..).zip(layers) {
        let tar = tar_of(entries);
        let layer = LayerFiles::read(tar.as_slice(), &limits(), &examiner, "layer");
        problems.extend(layer.problems.iter().cloned());
        tree.apply(number, layer, &examiner);
    }
    let inventory = ecosystems::inventory(image(layers.len()), &tree, problems);
    check(&inventory);
    inventory
}

/// What holds of every inventory, whatever it was read from.
pub(crate) fn check(inventory: &Inventory) {
    assert!(inventory.packages.is_sorted() && inventory.problems.is_sorted());
    let matches = seareeve_scan::match_inventory(seareeve_scan::starter::database(), inventory);
    assert_eq!(matches.findings.len(), inventory.packages.len());
    // Whatever was read must survive being sent to a server; paths are sent as text, though.
    let sent = Inventory::try_from(Sbom::from(inventory)).expect("what we send we can read");
    let mut packages = inventory.packages.clone();
    for installed in &mut packages {
        let text = installed.path.to_text().into_owned();
        installed.path = ImagePath::parse(text.as_bytes()).expect("the text of a path is one");
    }
    packages.sort();
    packages.dedup();
    assert_eq!(sent.packages, packages);
}

fn image(layers: usize) -> Image {
    let digest = Digest::sha256(&[0; 32]);
    let layer = Layer {
        diff_id: digest.clone(),
        digest: None,
        size_bytes: 0,
        created_by: String::new(),
    };
    Image {
        references: Vec::new(),
        digest: digest.clone(),
        config_digest: digest,
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        created: None,
        layers: vec![layer; layers],
    }
}

/// The files of a folder of this repository, by name.
pub(crate) fn folder(path: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let listed = folder.read_dir_utf8().expect("a folder of this repository");
    let mut files: Vec<Utf8PathBuf> = listed
        .map(|entry| entry.expect("a file of this repository").into_path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let content = std::fs::read(&path).expect("a file of this repository");
            (path.file_name().unwrap_or_default().to_owned(), content)
        })
        .collect()
}

/// The files of `fuzz/seeds/<name>`.
pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    let files = folder(&format!("seeds/{name}")).into_iter();
    files.map(|(_, content)| content).collect()
}

/// Cuts an input into parts at `mark`, so that a fuzzer can move, double and drop whole parts. At most `most`.
pub(crate) fn parts<'a>(input: &'a [u8], mark: &'a [u8], most: usize) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = input;
    while parts.len() < most {
        match rest.windows(mark.len()).position(|window| window == mark) {
            Some(at) => {
                let (part, behind) = rest.split_at(at);
                parts.push(part);
                rest = behind.get(mark.len()..).unwrap_or_default();
            }
            None => {
                parts.push(rest);
                break;
            }
        }
    }
    parts
}

/// Feeds a file to its inspectors whole, and in pieces of lengths that `pieces` chooses: what they remember must be
/// the same.
pub(crate) fn same_in_pieces(scanner: Scanner, path: &str, content: &[u8], pieces: u8) {
    let examiner = Examiner::new(&[scanner]);
    let path = ImagePath::parse(path.as_bytes()).expect("a path");
    let facts = FileFacts {
        size: content.len() as u64,
        is_executable: true,
        ..FileFacts::default()
    };
    let length = usize::from(pieces).saturating_add(1);
    let remembered = [content.len().max(1), length].map(|length| {
        let mut inspector = examiner.inspector(&path, facts)?;
        let mut rest = content;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(length.min(rest.len()));
            if inspector.take(piece).is_break() {
                break;
            }
            let skips = usize::try_from(inspector.skips()).unwrap_or(usize::MAX);
            rest = behind.get(skips..).unwrap_or_default();
        }
        inspector.finish(true)
    });
    assert_eq!(
        remembered.first(),
        remembered.last(),
        "differs by the length of pieces"
    );
    let start = content.get(..length).unwrap_or(content);
    if !start.is_empty() && examiner.passes_over(&path, start) {
        assert_eq!(remembered.first(), Some(&None), "passed over");
    }
}

/// An image with findings, for what is said of findings.
pub(crate) fn sample() -> (Inventory, Matches) {
    static SAMPLE: LazyLock<(Inventory, Matches)> = LazyLock::new(|| {
        let inventory = inventory(&[vec![
            Entry::File(b"etc/os-release", b"ID=debian\nVERSION_ID=7\n"),
            Entry::File(
                b"var/lib/dpkg/status",
                b"Package: libssl1.0.0\nSource: openssl\nStatus: install ok installed\nVersion: 1.0.1e-2\n",
            ),
            Entry::File(
                b"usr/lib/python3/dist-packages/PyYAML-3.13.dist-info/METADATA",
                b"Name: PyYAML\nVersion: 3.13\n",
            ),
        ]]);
        let database = seareeve_scan::starter::database();
        let matches = seareeve_scan::match_inventory(database, &inventory);
        assert!(matches.findings.iter().all(|found| !found.is_empty()));
        (inventory, matches)
    });
    SAMPLE.clone()
}

/// A secret in that image.
pub(crate) fn secret() -> SecretFinding {
    SecretFinding {
        place: SecretPlace::File {
            path: ImagePath::parse(b"srv/app/.env").expect("a path"),
            layer: 0,
            is_hidden: false,
        },
        line: 1,
        column: 1,
        rule: "github-token".to_owned(),
        title: String::new(),
        provider: String::new(),
        severity: Severity::High,
        confidence: Confidence::High,
    }
}
