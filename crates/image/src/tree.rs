//! The wanted files of an image as they look with all layers laid over each other.

use std::collections::{BTreeMap, BinaryHeap, btree_map};

use seareeve_model::ImagePath;

use crate::layer::cost;
use crate::{LayerFiles, Selector};

/// How many links may lead to each other before we call it a loop; Linux allows as many.
const LINK_HOPS: usize = 40;

/// The wanted files of an image, sorted by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileTree {
    files: BTreeMap<ImagePath, File>,
    /// Symbolic links at wanted paths with their targets as written.
    links: BTreeMap<ImagePath, Vec<u8>>,
    /// What lower layers had at paths whose history was asked for, lowest first.
    history: BTreeMap<ImagePath, Vec<File>>,
    /// What inspectors remembered, in the order of the layers.
    notes: Vec<Note>,
}

/// What an inspector remembered of one file in one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The file.
    pub path: ImagePath,
    /// Index of the layer, from 0 at the bottom.
    pub layer: u32,
    /// In the inspector's own form.
    pub content: Vec<u8>,
    /// Whether a higher layer replaced or removed the file. It is still in the image for whoever unpacks it.
    pub is_hidden: bool,
}

/// One file of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Index of the layer that it is from, from 0 at the bottom.
    pub layer: u32,
    /// The whole content.
    pub content: Vec<u8>,
}

impl FileTree {
    /// Lays a layer over all that were applied before.
    ///
    /// Whiteouts and opaque directories work on lower layers only, wherever they stand in the archive.
    /// A file, link or device hides a lower directory with all that is in it; a directory hides a lower
    /// file but joins a lower directory.
    ///
    /// Where the selector says so, a file that the layer rewrites is kept for [`FileTree::history`].
    pub fn apply(&mut self, layer: u32, upper: LayerFiles, selector: &dyn Selector) {
        for note in self.notes.iter_mut().filter(|note| !note.is_hidden) {
            note.is_hidden = upper.hides(&note.path);
        }
        let is_rewritten = |path: &ImagePath| upper.files.contains_key(path);
        let is_gone = |path: &ImagePath, _: &mut File| upper.hides(path) || is_rewritten(path);
        for (path, file) in self.files.extract_if(.., is_gone) {
            if is_rewritten(&path) && selector.keeps_history(&path) {
                self.history.entry(path).or_default().push(file);
            } else {
                self.history.remove(&path);
            }
        }
        self.links.retain(|path, _| !upper.hides(path));
        self.links.extend(upper.links);
        self.files.extend(
            upper
                .files
                .into_iter()
                .map(|(path, content)| (path, File { layer, content })),
        );
        let note = |(path, content)| Note {
            path,
            layer,
            content,
            is_hidden: false,
        };
        self.notes.extend(upper.notes.into_iter().map(note));
    }

    /// What inspectors remembered of files, layer by layer from the bottom and sorted by path within each.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// All files, sorted by path. Links are not files: [`FileTree::get`] follows them.
    pub fn iter(&self) -> btree_map::Iter<'_, ImagePath, File> {
        self.files.iter()
    }

    /// The file that a process inside the image would open as `path`, as far as links were wanted.
    /// Links that lead in circles or to unwanted files give `None`.
    #[must_use]
    pub fn get(&self, path: &ImagePath) -> Option<&File> {
        self.resolve(path).map(|(_, file)| file)
    }

    /// As [`FileTree::get`], with the path at which the file really stands.
    #[must_use]
    pub fn resolve(&self, path: &ImagePath) -> Option<(&ImagePath, &File)> {
        let mut path = path.clone();
        for _ in 0..=LINK_HOPS {
            if let Some(found) = self.files.get_key_value(&path) {
                return Some(found);
            }
            path = self.follow(&path)?;
        }
        None
    }

    /// What lower layers had at exactly this path before higher ones rewrote it, lowest first and without
    /// the file that is there now. Begins anew when a layer removes the file. Empty unless
    /// [`Selector::keeps_history`] asks for the path.
    #[must_use]
    pub fn history(&self, path: &ImagePath) -> &[File] {
        self.history.get(path).map_or(&[], Vec::as_slice)
    }

    /// Number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are no files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Replaces the first link on the way to `path` by its target.
    fn follow(&self, path: &ImagePath) -> Option<ImagePath> {
        if self.links.is_empty() {
            return None;
        }
        let bytes = path.as_bytes();
        let slashes = bytes.iter().enumerate().filter(|(_, b)| **b == b'/');
        let ends = slashes.map(|(end, _)| end).chain([bytes.len()]);
        for end in ends {
            let (start, rest) = bytes.split_at_checked(end)?;
            let link = ImagePath::parse(start)?;
            if let Some(target) = self.links.get(&link) {
                let rest = rest.strip_prefix(b"/").unwrap_or(rest);
                return inside(link.parent()?, target)?.join(rest);
            }
        }
        None
    }

    /// Forgets the lowest versions of the files with most of them until all history takes at most `most` bytes, so
    /// that old versions never push out what is there now. Whether anything was forgotten.
    pub(crate) fn trim_history(&mut self, most: u64) -> bool {
        let mut bytes = self.history_costs().fold(0, u64::saturating_add);
        if bytes <= most {
            return false;
        }
        let mut files: Vec<_> = self.history.iter_mut().map(|file| (file, 0)).collect();
        // Versions left, and of which file.
        let mut fullest: BinaryHeap<(usize, usize)> = files
            .iter()
            .enumerate()
            .map(|(at, ((_, versions), _))| (versions.len(), at))
            .collect();
        while bytes > most
            && let Some((left, at)) = fullest.pop()
            && let Some(((path, versions), forgotten)) = files.get_mut(at)
            && let Some(version) = versions.get(*forgotten)
        {
            bytes = bytes.saturating_sub(cost(path.as_bytes(), version.content.len() as u64));
            *forgotten += 1;
            fullest.push((left.saturating_sub(1), at));
        }
        for ((_, versions), forgotten) in files {
            versions.drain(..forgotten);
        }
        self.history.retain(|_, versions| !versions.is_empty());
        true
    }

    fn history_costs(&self) -> impl Iterator<Item = u64> {
        self.history.iter().flat_map(|(path, files)| {
            files
                .iter()
                .map(|file| cost(path.as_bytes(), file.content.len() as u64))
        })
    }

    /// Bytes that this takes of [`crate::Limits::kept_bytes`].
    pub(crate) fn kept_bytes(&self) -> u64 {
        let files = self
            .files
            .iter()
            .map(|(path, file)| cost(path.as_bytes(), file.content.len() as u64));
        let links = self
            .links
            .iter()
            .map(|(path, target)| cost(path.as_bytes(), target.len() as u64));
        files
            .chain(links)
            .chain(self.history_costs())
            .chain(
                self.notes
                    .iter()
                    .map(|note| cost(note.path.as_bytes(), note.content.len() as u64)),
            )
            .fold(0, u64::saturating_add)
    }
}

/// Where a link in `folder` leads. As for a process inside, there is nothing above the root but the root.
fn inside(folder: ImagePath, target: &[u8]) -> Option<ImagePath> {
    // Longer ones are none to Linux.
    if target.len() > 4096 {
        return None;
    }
    let start = if target.starts_with(b"/") {
        ImagePath::root()
    } else {
        folder
    };
    target
        .split(|b| *b == b'/')
        .try_fold(start, |path, part| match part {
            b".." => Some(path.parent().unwrap_or(path)),
            part => path.join(part),
        })
}

impl<'a> IntoIterator for &'a FileTree {
    type Item = (&'a ImagePath, &'a File);
    type IntoIter = btree_map::Iter<'a, ImagePath, File>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    struct Everything;

    impl Selector for Everything {
        fn keeps(&self, _: &ImagePath) -> bool {
            true
        }

        fn keeps_history(&self, _: &ImagePath) -> bool {
            true
        }
    }

    #[test]
    fn old_versions_give_way_lowest_first_and_the_present_one_stays() {
        let layer = |content: &[u8]| {
            let mut builder = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, "db", content).unwrap();
            let tar = builder.into_inner().unwrap();
            LayerFiles::read(tar.as_slice(), &Limits::default(), &Everything, "layer")
        };
        let mut tree = FileTree::default();
        for number in 0..4_u8 {
            tree.apply(number.into(), layer(&[number; 1000]), &Everything);
        }
        let path = ImagePath::parse(b"db").unwrap();
        let layers = |tree: &FileTree| {
            tree.history(&path)
                .iter()
                .map(|file| file.layer)
                .collect::<Vec<_>>()
        };
        assert_eq!(layers(&tree), [0, 1, 2]);
        assert!(!tree.trim_history(u64::MAX));
        assert!(tree.trim_history(2_500));
        assert_eq!(layers(&tree), [1, 2]);
        assert!(tree.trim_history(0));
        assert_eq!(layers(&tree), [0_u32; 0]);
        assert_eq!(tree.get(&path).unwrap().layer, 3);
    }
}
