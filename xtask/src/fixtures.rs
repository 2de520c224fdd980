//! Images that the tests scan, made here: `small-app` by ourselves, `hostile-whiteouts` by the shared maker of
//! images, and `gigabyte` for measuring memory.

mod archive;
mod forms;
mod gigabyte;
mod patched;
mod small_app;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::apt;
use crate::shell::Shell;
use crate::workspace::is_current;

pub(crate) use archive::hexadecimal;
pub(crate) use forms::{Packing, layout};
pub(crate) use patched::twin;

/// The files of one image.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// Such as `small-app`.
    pub(crate) name: String,
    /// In the form of `docker save`.
    pub(crate) docker: PathBuf,
    /// As a tar of an OCI layout.
    pub(crate) oci: PathBuf,
    /// What is in it, as the oracle reads it.
    pub(crate) packages: PathBuf,
}

impl Image {
    fn new(folder: &Path, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            docker: folder.join(format!("{name}.docker.tar")),
            oci: folder.join(format!("{name}.oci.tar")),
            packages: folder.join(format!("{name}.packages.json")),
        }
    }

    fn exists(&self) -> bool {
        [&self.docker, &self.oci, &self.packages]
            .iter()
            .all(|file| file.is_file())
    }
}

/// Where the small images are.
pub(crate) fn folder(shell: &Shell) -> PathBuf {
    shell.workspace.target.join("fixtures")
}

/// The small images. Without the shared data only ours.
pub(crate) fn small(shell: &Shell) -> Result<Vec<Image>> {
    let mut images = vec![small_app(shell)?];
    if shell.workspace.shared.is_some() {
        images.extend(shared(shell, &folder(shell), &["hostile-whiteouts"])?);
    }
    Ok(images)
}

/// A Debian 12 with old Python and Node packages and a whiteout, in four layers and a few kilobytes.
pub(crate) fn small_app(shell: &Shell) -> Result<Image> {
    let folder = folder(shell);
    fs::create_dir_all(&folder).context("failed to make the folder of images")?;
    let image = Image::new(&folder, "small-app");
    small_app::write(&image)?;
    Ok(image)
}

/// Images that the shared `make-images.py` makes, when they are not in `folder` yet.
pub(crate) fn shared(shell: &Shell, folder: &Path, names: &[&str]) -> Result<Vec<Image>> {
    let maker = shell.workspace.shared()?.join("tools/make-images.py");
    let mut images = Vec::new();
    for name in names {
        let image = Image::new(folder, name);
        if !image.exists() || !is_current(&image.packages, std::slice::from_ref(&maker)) {
            // The images with Python packages need pip; the others do with any Python.
            let python = apt::python_with(&["pip"])
                .or_else(|| apt::python_with(&["json"]))
                .context("python3 is not installed")?;
            shell.say(&format!("making {name} …"))?;
            let work = tempfile::tempdir().context("failed to make a temporary folder")?;
            let mut command = shell.command(python);
            command.arg(&maker).arg(folder).arg(name);
            shell.run(command.env("WORK_DIR", work.path()))?;
        }
        images.push(image);
    }
    Ok(images)
}

/// An OCI archive of one gigabyte, for measuring memory.
pub(crate) fn gigabyte(shell: &Shell, folder: &Path) -> Result<PathBuf> {
    let file = folder.join("gigabyte.oci.tar");
    if !file.is_file() {
        shell.say("making an image of one gigabyte …")?;
        // Half a file of an interrupted run must not be taken for a whole one.
        let part = file.with_extension("part");
        gigabyte::write(&part)?;
        fs::rename(&part, &file).with_context(|| format!("failed to name {}", file.display()))?;
    }
    Ok(file)
}
