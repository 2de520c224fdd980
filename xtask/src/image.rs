//! `cargo xtask image`: an image of the release binary, as an archive that engines and clusters load.
//!
//! Without an engine and without a base image: the program, the libraries that it needs, taken from the machine that
//! built it, and what Debian says of these, so that scanners (ours among them) know whose they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use crate::shell::Shell;
use crate::{apt, builds, ui};

/// Who runs in it: nobody that the machine has. The chart and the manifests say the same number.
const USER: u64 = 65532;
/// Where data lies, if nothing else is said.
const DATA: &str = "data";

/// What is wanted.
pub(crate) struct Wish<'w> {
    /// Where the archive goes.
    pub(crate) output: &'w Path,
    /// What the image is called.
    pub(crate) reference: &'w str,
    /// A binary that is there already.
    pub(crate) binary: Option<&'w Path>,
}

/// Builds what is needed, and writes the archive.
pub(crate) fn image(shell: &Shell, wish: &Wish<'_>) -> Result<()> {
    let binary = match wish.binary {
        Some(binary) => binary.to_owned(),
        None => {
            apt::ensure(shell, apt::UI)?;
            ui::build(shell)?;
            builds::release(shell)?
        }
    };
    let layer = layer(shell, &binary)?;
    write(shell, wish, &layer)?;
    shell.say(&format!(
        "wrote {} ({}, {} MiB); load it with `docker load -i`, `podman load -i`, `ctr -n k8s.io images import` or \
         `skopeo copy docker-archive:`",
        wish.output.display(),
        wish.reference,
        layer.len() >> 20
    ))
}

/// The image's only layer.
fn layer(shell: &Shell, binary: &Path) -> Result<Vec<u8>> {
    let libraries = libraries(shell, binary)?;
    let mut tar = Builder::new(Vec::new());
    let mut folders = BTreeSet::new();
    put(
        &mut tar,
        &mut folders,
        "usr/bin/seareeve",
        0o755,
        &read(binary)?,
    )?;
    for library in &libraries {
        let name = library.strip_prefix("/").unwrap_or(library);
        put(
            &mut tar,
            &mut folders,
            &name.display().to_string(),
            0o755,
            &read(library)?,
        )?;
    }
    for (package, says) in packages(shell, &libraries)? {
        let name = format!("var/lib/dpkg/status.d/{package}");
        put(&mut tar, &mut folders, &name, 0o644, says.as_bytes())?;
    }
    let os = Path::new("/etc/os-release");
    put(&mut tar, &mut folders, "etc/os-release", 0o644, &read(os)?)?;
    let people =
        format!("root:x:0:0::/:/sbin/nologin\nseareeve:x:{USER}:{USER}::/{DATA}:/sbin/nologin\n");
    put(
        &mut tar,
        &mut folders,
        "etc/passwd",
        0o644,
        people.as_bytes(),
    )?;
    let groups = format!("root:x:0:\nseareeve:x:{USER}:\n");
    put(
        &mut tar,
        &mut folders,
        "etc/group",
        0o644,
        groups.as_bytes(),
    )?;
    let licence = read(&shell.workspace.root.join("LICENSE"))?;
    put(
        &mut tar,
        &mut folders,
        "usr/share/doc/seareeve/LICENSE",
        0o644,
        &licence,
    )?;
    folder(&mut tar, "tmp", 0o1777, 0)?;
    folder(&mut tar, DATA, 0o700, USER)?;
    tar.into_inner().context("failed to write the layer")
}

/// The loader and the libraries that the dynamic linker would load, by their paths.
fn libraries(shell: &Shell, binary: &Path) -> Result<Vec<PathBuf>> {
    let text = shell.capture(shell.command("ldd").arg(binary))?;
    let text = String::from_utf8_lossy(&text);
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.contains("not found") {
            bail!(
                "{} needs a library that is not here:{line}",
                binary.display()
            );
        }
        // `libc.so.6 => /lib/…/libc.so.6 (0x…)`, `/lib64/ld-linux-x86-64.so.2 (0x…)`
        let path = line.split_whitespace().find(|word| word.starts_with('/'));
        found.extend(path.map(PathBuf::from));
    }
    Ok(found.into_iter().collect())
}

/// What dpkg says of the packages that the libraries are of.
fn packages(shell: &Shell, libraries: &[PathBuf]) -> Result<BTreeMap<String, String>> {
    let mut said = BTreeMap::new();
    for library in libraries {
        // Folders of libraries are links since Debian joined them; dpkg knows files by the path they were installed at.
        let real = fs::canonicalize(library)
            .with_context(|| format!("failed to find {}", library.display()))?;
        let rest = real.strip_prefix("/usr").unwrap_or(&real);
        let rest = Path::new("/").join(rest.strip_prefix("/").unwrap_or(rest));
        let mut owners = shell.output(shell.command("dpkg-query").arg("--search").arg(&rest))?;
        if !owners.status.success() {
            owners = shell.output(shell.command("dpkg-query").arg("--search").arg(&real))?;
        }
        let text = String::from_utf8_lossy(&owners.stdout).into_owned();
        let Some((package, _)) = text.split_once(": ") else {
            bail!("dpkg does not know whose {} is", real.display());
        };
        let status = shell.capture(shell.command("dpkg-query").arg("--status").arg(package))?;
        let name = package.split(':').next().unwrap_or(package).to_owned();
        said.insert(name, String::from_utf8_lossy(&status).into_owned());
    }
    Ok(said)
}

/// The archive: layer, configuration, manifest.
fn write(shell: &Shell, wish: &Wish<'_>, layer: &[u8]) -> Result<()> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    // The same commit gives the same image.
    let git = ["log", "-1", "--format=%cI"];
    let created = shell.capture(shell.command("git").args(git))?;
    let created = String::from_utf8_lossy(&created).trim().to_owned();
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "created": created,
        "config": {
            "User": format!("{USER}:{USER}"),
            "Entrypoint": ["/usr/bin/seareeve"],
            "Env": ["PATH=/usr/bin", format!("HOME=/{DATA}"), format!("SEAREEVE_SERVER_DATA_DIR=/{DATA}")],
            "WorkingDir": "/",
            "Labels": {
                "org.opencontainers.image.title": "seareeve",
                "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
                "org.opencontainers.image.licenses": "Apache-2.0",
                "org.opencontainers.image.created": created,
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", digest(layer))]},
        "history": [{"created": created, "created_by": "cargo xtask image"}],
    })
    .to_string();
    let name = format!("{}.json", digest(config.as_bytes()));
    let manifest = json!([{"Config": name, "RepoTags": [wish.reference], "Layers": ["layer.tar"]}]);
    let failed = || format!("failed to write {}", wish.output.display());
    let file = fs::File::create(wish.output).with_context(failed)?;
    let mut tar = Builder::new(file);
    let mut none = BTreeSet::new();
    put(&mut tar, &mut none, &name, 0o644, config.as_bytes())?;
    put(&mut tar, &mut none, "layer.tar", 0o644, layer)?;
    put(
        &mut tar,
        &mut none,
        "manifest.json",
        0o644,
        manifest.to_string().as_bytes(),
    )?;
    tar.into_inner()
        .and_then(|mut file| file.flush())
        .with_context(failed)
}

fn put<W: std::io::Write>(
    tar: &mut Builder<W>,
    folders: &mut BTreeSet<String>,
    path: &str,
    mode: u32,
    content: &[u8],
) -> Result<()> {
    let mut at = 0;
    while let Some(next) = path.get(at..).and_then(|rest| rest.find('/')) {
        at += next;
        let parent = path.get(..at).unwrap_or_default();
        if folders.insert(parent.to_owned()) {
            folder(tar, parent, 0o755, 0)?;
        }
        at += 1;
    }
    let mut header = header(EntryType::Regular, mode, 0);
    header.set_size(u64::try_from(content.len())?);
    tar.append_data(&mut header, path, content)
        .with_context(|| format!("failed to write {path}"))
}

fn folder<W: std::io::Write>(
    tar: &mut Builder<W>,
    path: &str,
    mode: u32,
    owner: u64,
) -> Result<()> {
    let mut header = header(EntryType::Directory, mode, owner);
    header.set_size(0);
    tar.append_data(&mut header, format!("{path}/"), std::io::empty())
        .with_context(|| format!("failed to write {path}"))
}

fn header(kind: EntryType, mode: u32, owner: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(owner);
    header.set_gid(owner);
    header.set_mtime(0);
    header
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("failed to read {}", path.display()))
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
