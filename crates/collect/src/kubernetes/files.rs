//! Manifests in files and folders.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_kubernetes::{Documents, Origin, Trouble};

/// Largest file that is read.
const MAX_FILE: u64 = 128 << 20;

/// Most files below one folder, and most folders below each other.
const MAX_FILES: usize = 100_000;
const MAX_DEPTH: usize = 64;

/// What files hold, and what of them could not be read.
#[derive(Debug, Default)]
pub struct Manifests {
    /// All documents of all files, in the order of the names.
    pub documents: Documents,
    /// How many files were read.
    pub files: usize,
    /// Which they are: what is given twice, under whatever name, is read once.
    sources: BTreeSet<Source>,
}

/// What can be read once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    StandardInput,
    /// By its file system and its number there.
    File(u64, u64),
}

/// Reads files, folders with all that lies below them and ends in `.yaml`, `.yml` or `.json`, and for `-`
/// `standard_input`. Links to folders are not followed.
pub fn manifests(paths: &[Utf8PathBuf], standard_input: &mut dyn Read) -> Manifests {
    let mut found = Manifests::default();
    for path in paths {
        if path.as_str() == "-" {
            found.take(Source::StandardInput, "stdin", standard_input);
        } else if path.is_dir() {
            found.folder(path, 0);
        } else {
            // Whoever names a pipe has somebody write to it.
            found.open(path);
        }
    }
    found
}

impl Manifests {
    fn folder(&mut self, folder: &Utf8Path, depth: usize) {
        if depth >= MAX_DEPTH {
            self.trouble(folder, "it lies too deep to be looked into");
            return;
        }
        let mut entries: Vec<Utf8PathBuf> = Vec::new();
        match folder.read_dir_utf8() {
            Err(error) => self.trouble(folder, &format!("failed to list it: {error}")),
            Ok(all) => {
                for entry in all {
                    match entry {
                        Ok(entry) => entries.push(entry.into_path()),
                        // One whose name is no text, which leaves the others.
                        Err(error) => self.trouble(folder, &format!("failed to list it: {error}")),
                    }
                }
            }
        }
        entries.sort();
        for path in entries {
            let Ok(about) = path.symlink_metadata() else {
                continue;
            };
            let is_manifest = matches!(path.extension(), Some("yaml" | "yml" | "json"));
            if about.is_dir() {
                self.folder(&path, depth.saturating_add(1));
            } else if is_manifest && self.files >= MAX_FILES {
                self.trouble(
                    &path,
                    "there are too many files: this one and what follows was not read",
                );
                return;
            } else if is_manifest {
                self.file(&path);
            }
        }
    }

    fn file(&mut self, path: &Utf8Path) {
        // Opening a pipe waits for its other end, for good.
        match path.metadata() {
            Ok(about) if about.is_file() => {}
            Ok(_) => return self.trouble(path, "it is no file"),
            Err(error) => return self.trouble(path, &format!("failed to read it: {error}")),
        }
        self.open(path);
    }

    fn open(&mut self, path: &Utf8Path) {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        match opened {
            Ok((about, mut file)) => {
                let source = Source::File(about.dev(), about.ino());
                self.take(source, path.as_str(), &mut file);
            }
            Err(error) => self.trouble(path, &format!("failed to read it: {error}")),
        }
    }

    fn take(&mut self, source: Source, name: &str, reader: &mut dyn Read) {
        if !self.sources.insert(source) {
            return;
        }
        let path = Utf8Path::new(name);
        let mut content = Vec::new();
        let read: io::Result<usize> = reader
            .take(MAX_FILE.saturating_add(1))
            .read_to_end(&mut content);
        if let Err(error) = read {
            return self.trouble(path, &format!("failed to read it: {error}"));
        }
        if u64::try_from(content.len()).unwrap_or(u64::MAX) > MAX_FILE {
            return self.trouble(path, "it has more than 128 MiB");
        }
        self.files = self.files.saturating_add(1);
        let read = seareeve_kubernetes::documents(name, &content);
        self.documents.objects.extend(read.objects);
        self.documents.others.extend(read.others);
        self.documents.troubles.extend(read.troubles);
    }

    fn trouble(&mut self, path: &Utf8Path, message: &str) {
        self.documents.troubles.push(Trouble {
            origin: Origin {
                file: path.to_string(),
                index: 0,
                line: 1,
            },
            message: message.to_owned(),
        });
    }
}
