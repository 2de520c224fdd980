//! What a reader of images looks for: files to keep, and inspectors for those that only pass by.

use std::ops::ControlFlow;

use seareeve_image::{FileFacts, Inspector, Selector};
use seareeve_model::ImagePath;
use serde::{Deserialize, Serialize};

use crate::ecosystems;
use crate::ecosystems::ownership::{self, ListInspector};

/// Looks for all that the scanner understands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Examiner;

impl Examiner {
    /// Changes whenever another program would remember something else of the same files: what was kept of layers
    /// under one version is worth nothing under another.
    #[must_use]
    pub fn version(&self) -> &'static str {
        env!("SEAREEVE_EXAMINER_VERSION")
    }
}

impl Selector for Examiner {
    fn keeps(&self, path: &ImagePath) -> bool {
        ecosystems::wanted(path)
    }

    fn keeps_history(&self, path: &ImagePath) -> bool {
        ecosystems::wants_history(path)
    }

    fn passes_over(&self, path: &ImagePath, start: &[u8]) -> bool {
        !ownership::is_list(path) && ecosystems::passes_over(path, start)
    }

    fn inspector(&self, path: &ImagePath, file: FileFacts) -> Option<Box<dyn Inspector + '_>> {
        if ownership::is_list(path) {
            return Some(Box::new(ListInspector::default()));
        }
        let looking: Vec<Looking<'_>> = ecosystems::inspectors(path, file)
            .map(|(format, inspector)| Looking {
                format,
                inspector,
                ended: false,
                skips: 0,
            })
            .collect();
        (!looking.is_empty()).then(|| Box::new(Several { looking }) as Box<dyn Inspector>)
    }
}

/// What was remembered of one file: by each format, its extract.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// Position of the format in the list of ecosystems, and what its inspector kept.
    pub(crate) extracts: Vec<(u8, Vec<u8>)>,
    /// Of a list of a package's files: a hash of each path.
    pub(crate) owned: Vec<u64>,
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
}

struct Looking<'a> {
    format: u8,
    inspector: Box<dyn Inspector + 'a>,
    ended: bool,
    /// Bytes that this one does not want, while others do.
    skips: u64,
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
        let mut remembered = Remembered::default();
        for one in self.looking {
            if let Some(extract) = one.inspector.finish(is_whole) {
                remembered.extracts.push((one.format, extract));
            }
        }
        if remembered.extracts.is_empty() {
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
        let looking = [1, 3].map(|step| Looking {
            format: step,
            inspector: Box::new(Picky {
                step: step.into(),
                seen: Vec::new(),
            }),
            ended: false,
            skips: 0,
        });
        let mut several = Box::new(Several {
            looking: looking.into(),
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
