//! What a reader of images looks for: files to keep, and inspectors for those that only pass by.

use std::ops::ControlFlow;

use seareeve_image::{Contents, FileFacts, FileTree, Inspector, Selector};
use seareeve_model::{ImagePath, Inventory, Problem, ProblemCode, SecretFinding, SecretPlace};
use serde::{Deserialize, Serialize};

use crate::ecosystems::ownership::{self, ListInspector};
use crate::ecosystems::{self, JavaIndex};
use crate::secrets::{self, Secrets};

/// What to look for in images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scanner {
    /// Packages, to be matched with advisories.
    Vulnerabilities,
    /// Credentials.
    Secrets,
    /// Programs that run as their owner or group, whoever starts them.
    Raising,
}

/// Looks at the files of an image for some or all [`Scanner`]s.
#[derive(Clone, Copy, Debug)]
pub struct Examiner {
    packages: bool,
    secrets: bool,
    raising: bool,
}

impl Default for Examiner {
    /// Looks for what a scan of an image tells.
    fn default() -> Self {
        Self::new(&[Scanner::Vulnerabilities, Scanner::Secrets])
    }
}

impl Examiner {
    /// Looks for what `scanners` need.
    #[must_use]
    pub fn new(scanners: &[Scanner]) -> Self {
        Self {
            packages: scanners.contains(&Scanner::Vulnerabilities),
            secrets: scanners.contains(&Scanner::Secrets),
            raising: scanners.contains(&Scanner::Raising),
        }
    }

    /// Changes whenever another program, or an examiner for other scanners, would remember something else of the
    /// same files: what was kept of layers under one version is worth nothing under another.
    #[must_use]
    pub fn version(&self) -> String {
        let packages = if self.packages { "p" } else { "" };
        let secrets = if self.secrets { "s" } else { "" };
        let raising = if self.raising { "r" } else { "" };
        format!(
            "{}{packages}{secrets}{raising}",
            env!("SEAREEVE_EXAMINER_VERSION")
        )
    }

    /// Lists what an image holds, from the contents that this examiner selected. `java` names the Java archives
    /// that do not name themselves.
    #[must_use]
    pub fn examine(&self, contents: Contents, java: Option<&JavaIndex>) -> Examined {
        let Contents {
            mut image,
            config,
            tree,
            mut problems,
        } = contents;
        let secrets = self
            .secrets
            .then(|| find_secrets(&tree, config.as_bytes(), &mut problems));
        let raising = self.raising.then(|| find_raising(&tree));
        for layer in &mut image.layers {
            keep_no_secrets(&mut layer.created_by);
        }
        let inventory = if self.packages {
            ecosystems::inventory_with(image, &tree, problems, java)
        } else {
            ecosystems::inventory_without_packages(image, &tree, problems)
        };
        Examined {
            inventory,
            secrets,
            raising,
        }
    }
}

/// What an image holds.
#[derive(Clone, Debug)]
pub struct Examined {
    /// Its packages, and what could not be read.
    pub inventory: Inventory,
    /// Its secrets, sorted by place; `None` when nobody looked for them.
    pub secrets: Option<Vec<SecretFinding>>,
    /// Its files with setuid or setgid, sorted by path; `None` when nobody looked for them.
    pub raising: Option<Vec<RaisingFile>>,
}

/// A file that runs as its owner or group, whoever starts it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RaisingFile {
    /// Where it is.
    pub path: ImagePath,
    /// The twelve permission bits.
    pub mode: u32,
    /// The owner's number.
    pub uid: u64,
    /// The group's number.
    pub gid: u64,
}

/// Bits that make a program run as its owner or its group.
const RAISING: u32 = 0o6000;
/// Files with them that are told of one image.
const MOST_RAISING: usize = 10_000;

/// Those that no higher layer took away: one that did, or that took the bits away, made it a file of its own.
fn find_raising(tree: &FileTree) -> Vec<RaisingFile> {
    let notes = tree.notes().iter().filter(|note| !note.is_hidden);
    let files = notes.filter_map(|note| {
        let (mode, uid, gid) = Remembered::read(&note.content)?.raising?;
        Some(RaisingFile {
            path: note.path.clone(),
            mode,
            uid,
            gid,
        })
    });
    let mut files: Vec<RaisingFile> = files.take(MOST_RAISING).collect();
    files.sort_unstable();
    files
}

/// Secrets told one by one for one image. More help nobody.
const MOST_SECRETS: usize = 10_000;

fn find_secrets(tree: &FileTree, config: &[u8], problems: &mut Vec<Problem>) -> Vec<SecretFinding> {
    let detector = secrets::detector();
    let mut found = Vec::new();
    let mut untold = 0_usize;
    let mut add = |secrets: Secrets| {
        let room = MOST_SECRETS.saturating_sub(found.len());
        let more = usize::try_from(secrets.more).unwrap_or(usize::MAX);
        untold = untold
            .saturating_add(secrets.findings.len().saturating_sub(room))
            .saturating_add(more);
        found.extend(secrets.findings.into_iter().take(room));
    };
    for note in tree.notes() {
        let extract = Remembered::read(&note.content).and_then(|remembered| remembered.secrets);
        let place = SecretPlace::File {
            path: note.path.clone(),
            layer: note.layer,
            is_hidden: note.is_hidden,
        };
        if let Some(secrets) = extract.and_then(|extract| detector.decode(&place, &extract)) {
            add(secrets);
        }
    }
    if !config.is_empty() {
        match detector.configuration(config) {
            Ok(secrets) => add(secrets),
            Err(error) => problems.push(Problem::new(
                ProblemCode::FileUnreadable,
                "configuration",
                error.to_string(),
            )),
        }
    }
    if untold > 0 {
        let message = format!("{untold} more secrets are not listed");
        problems.push(Problem::new(ProblemCode::LimitReached, "secrets", message));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// A build step that holds a secret is not passed on: what is said of an image is stored, shown and exported.
fn keep_no_secrets(created_by: &mut String) {
    let place = SecretPlace::Configuration {
        field: "created_by".to_owned(),
    };
    let found = secrets::detector().scan_text(&place, created_by.as_bytes());
    if !found.findings.is_empty() {
        "(left out, because it holds a secret)".clone_into(created_by);
    }
}

impl Selector for Examiner {
    fn keeps(&self, path: &ImagePath) -> bool {
        // Without packages too: which distribution it is helps whoever reads the result.
        ecosystems::wanted(path) && (self.packages || ecosystems::is_release(path))
    }

    fn keeps_history(&self, path: &ImagePath) -> bool {
        self.packages && ecosystems::wants_history(path)
    }

    fn passes_over(&self, path: &ImagePath, start: &[u8]) -> bool {
        let is_of_package = || ownership::is_list(path) || !ecosystems::passes_over(path, start);
        // Secrets can be in any text.
        // The bits are not in the beginning.
        !(self.secrets || self.raising || self.packages && is_of_package())
    }

    fn inspector(&self, path: &ImagePath, file: FileFacts) -> Option<Box<dyn Inspector + '_>> {
        let raising = (self.raising && file.access.mode & RAISING != 0).then_some((
            file.access.mode,
            file.access.uid,
            file.access.gid,
        ));
        if self.packages && ownership::is_list(path) {
            return Some(Box::new(ListInspector::default()));
        }
        let mut looking: Vec<Looking<'_>> = Vec::new();
        if self.packages {
            let formats = ecosystems::inspectors(path, file);
            looking
                .extend(formats.map(|(format, inspector)| Looking::new(Some(format), inspector)));
        }
        if self.secrets {
            let inspector = secrets::detector().inspector(path, file);
            looking.extend(inspector.map(|inspector| Looking::new(None, inspector)));
        }
        (!looking.is_empty() || raising.is_some())
            .then(|| Box::new(Several { looking, raising }) as Box<dyn Inspector>)
    }
}

/// What was remembered of one file: by each format, its extract.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// Position of the format in the list of ecosystems, and what its inspector kept.
    pub(crate) extracts: Vec<(u8, Vec<u8>)>,
    /// Of a list of a package's files: a hash of each path.
    pub(crate) owned: Vec<u64>,
    /// What the secrets detector kept.
    pub(crate) secrets: Option<Vec<u8>>,
    /// Of a file with setuid or setgid: mode, owner, group.
    pub(crate) raising: Option<(u32, u64, u64)>,
}

impl Remembered {
    /// Reads what [`Examiner`]'s inspectors wrote. `None` for anything else.
    pub(crate) fn read(note: &[u8]) -> Option<Self> {
        postcard::from_bytes(note).ok()
    }
}

/// Several inspectors that look at the same file.
struct Several<'a> {
    looking: Vec<Looking<'a>>,
    raising: Option<(u32, u64, u64)>,
}

struct Looking<'a> {
    /// Position of the format in the list of ecosystems; `None` for secrets.
    format: Option<u8>,
    inspector: Box<dyn Inspector + 'a>,
    ended: bool,
    /// Bytes that this one does not want, while others do.
    skips: u64,
}

impl<'a> Looking<'a> {
    fn new(format: Option<u8>, inspector: Box<dyn Inspector + 'a>) -> Self {
        Self {
            format,
            inspector,
            ended: false,
            skips: 0,
        }
    }
}

impl Inspector for Several<'_> {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        let mut all_ended = true;
        for one in self.looking.iter_mut().filter(|one| !one.ended) {
            let skipped = usize::try_from(one.skips).map_or(bytes.len(), |s| s.min(bytes.len()));
            one.skips = one.skips.saturating_sub(skipped as u64);
            if let Some(rest) = bytes.get(skipped..).filter(|rest| !rest.is_empty()) {
                one.ended = one.inspector.take(rest).is_break();
                one.skips = if one.ended { 0 } else { one.inspector.skips() };
            }
            all_ended = all_ended && one.ended;
        }
        if all_ended {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn skips(&mut self) -> u64 {
        let open = || self.looking.iter().filter(|one| !one.ended);
        let least = open().map(|one| one.skips).min().unwrap_or(0);
        for one in self.looking.iter_mut().filter(|one| !one.ended) {
            one.skips = one.skips.saturating_sub(least);
        }
        least
    }

    fn finish(self: Box<Self>, is_whole: bool) -> Option<Vec<u8>> {
        let mut remembered = Remembered {
            raising: self.raising,
            ..Remembered::default()
        };
        for one in self.looking {
            let extract = one.inspector.finish(is_whole);
            match one.format {
                Some(format) => remembered
                    .extracts
                    .extend(extract.map(|extract| (format, extract))),
                None => remembered.secrets = extract,
            }
        }
        if remembered.extracts.is_empty()
            && remembered.secrets.is_none()
            && remembered.raising.is_none()
        {
            return None;
        }
        postcard::to_stdvec(&remembered).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wants the first bytes, then every `step`th piece of one byte.
    struct Picky {
        step: u64,
        seen: Vec<u8>,
    }

    impl Inspector for Picky {
        fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
            self.seen.push(bytes[0]);
            if self.seen.len() == 4 {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        }

        fn skips(&mut self) -> u64 {
            self.step
        }

        fn finish(self: Box<Self>, _: bool) -> Option<Vec<u8>> {
            Some(self.seen)
        }
    }

    #[test]
    fn each_inspector_skips_for_itself_and_all_for_none_but_what_nobody_wants() {
        let looking = [1, 3].map(|step| {
            let picky = Picky {
                step: step.into(),
                seen: Vec::new(),
            };
            Looking::new(Some(step), Box::new(picky))
        });
        let mut several = Box::new(Several {
            looking: looking.into(),
            raising: None,
        });
        let content: Vec<u8> = (0..100).collect();
        let mut at = 0;
        let mut given = 0;
        while several.take(&content[at..=at]).is_continue() {
            given += 1;
            at += 1 + usize::try_from(several.skips()).unwrap();
        }
        let remembered = Remembered::read(&several.finish(true).unwrap()).unwrap();
        assert_eq!(
            remembered.extracts,
            [(1, vec![0, 2, 4, 6]), (3, vec![0, 4, 8, 12])]
        );
        assert!(given < 12, "{given} pieces for 13 bytes");
    }
}
