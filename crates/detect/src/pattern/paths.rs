//! `pmatch`: a trie of paths by component. `/var` is a beginning of `/var/log` and not of `/variable`; components may
//! be shell patterns.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::glob::{Glob, GlobError};

/// Paths and what they are for.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    next: HashMap<Box<[u8]>, u32, RandomState>,
    patterns: Vec<(Glob, u32)>,
    ends: Vec<u32>,
}

/// Components of a path at most; what is deeper is not looked at.
const MOST_COMPONENTS: usize = 256;

impl Paths {
    /// Adds a path with what it is for. Empty components do not count: `//a/` is `/a`.
    ///
    /// # Errors
    /// When a component is too long a pattern.
    pub(crate) fn add(&mut self, path: &[u8], number: u32) -> Result<(), GlobError> {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at = 0_usize;
        for component in components(path).take(MOST_COMPONENTS) {
            let fresh = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
            let Some(node) = self.nodes.get_mut(at) else {
                return Ok(());
            };
            let is_pattern = component
                .iter()
                .any(|byte| matches!(byte, b'*' | b'?' | b'['));
            let target = if is_pattern {
                node.patterns.push((Glob::new(component, false)?, fresh));
                fresh
            } else {
                *node.next.entry(component.into()).or_insert(fresh)
            };
            if target == fresh {
                self.nodes.push(Node::default());
            }
            at = usize::try_from(target).unwrap_or_default();
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.ends.push(number);
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Calls `hit` with what each path is for that is a beginning of `value`.
    pub(crate) fn find(&self, value: &[u8], hit: &mut dyn FnMut(u32)) {
        if let Some(root) = self.nodes.first() {
            self.walk(root, value, hit, 0);
        }
    }

    fn walk(&self, node: &Node, rest: &[u8], hit: &mut dyn FnMut(u32), depth: usize) {
        node.ends.iter().for_each(|number| hit(*number));
        let start = rest.iter().position(|byte| *byte != b'/');
        let Some(rest) = start.and_then(|start| rest.get(start..)) else {
            return;
        };
        if depth >= MOST_COMPONENTS || (node.next.is_empty() && node.patterns.is_empty()) {
            return;
        }
        let end = memchr::memchr(b'/', rest).unwrap_or(rest.len());
        let (component, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        let named = node.next.get(component).copied();
        let matching = node
            .patterns
            .iter()
            .filter(|(glob, _)| glob.matches(component));
        for target in named.into_iter().chain(matching.map(|(_, target)| *target)) {
            let target = usize::try_from(target).ok();
            if let Some(node) = target.and_then(|target| self.nodes.get(target)) {
                self.walk(node, behind, hit, depth.saturating_add(1));
            }
        }
    }
}

fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|component| !component.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_with_its_folders() {
        let cases: &[(&str, &str, bool)] = &[
            ("/opt/dir", "/opt/dir/sub/file", true),
            ("/opt/dir", "/opt/dir", true),
            ("/opt/di", "/opt/dir", false),
            ("/opt/dir/", "//opt//dir/x", true),
            ("/opt/*", "/opt/dir/sub", true),
            ("/opt/*", "/opt", false),
            ("/opt/*/sub", "/opt/dir/sub/file", true),
            ("/opt/di?/sub", "/opt/dir/sub", true),
            ("/opt/di[!r]/sub", "/opt/dir/sub", false),
            ("/", "/anything", true),
            ("/var/run", "/var", false),
        ];
        for (path, value, expected) in cases {
            let mut paths = Paths::default();
            paths.add(path.as_bytes(), 1).unwrap();
            let mut found = false;
            paths.find(value.as_bytes(), &mut |_| found = true);
            assert_eq!(found, *expected, "{path} {value}");
        }
    }
}
