//! A trie of texts: all that a value begins with, or ends with, are found in one walk of it.

use std::collections::BTreeMap;

/// Texts and what they are for.
#[derive(Debug)]
pub(crate) struct Prefixes {
    nodes: Vec<Node>,
    is_backward: bool,
}

#[derive(Debug, Default)]
struct Node {
    /// Sorted by byte.
    next: Box<[(u8, u32)]>,
    /// What the text that ends here is for.
    ends: Box<[u32]>,
}

impl Prefixes {
    /// A trie of texts with a number for each. `is_backward`: of ends rather than beginnings.
    pub(crate) fn new(texts: &[(Vec<u8>, u32)], is_backward: bool) -> Self {
        let mut building: Vec<(BTreeMap<u8, u32>, Vec<u32>)> = vec![Default::default()];
        for (text, number) in texts {
            let mut at = 0_usize;
            let mut step = |byte: u8, building: &mut Vec<(BTreeMap<u8, u32>, Vec<u32>)>| {
                let fresh = u32::try_from(building.len()).unwrap_or(u32::MAX);
                let Some((next, _)) = building.get_mut(at) else {
                    return;
                };
                let target = *next.entry(byte).or_insert(fresh);
                if target == fresh {
                    building.push(Default::default());
                }
                at = usize::try_from(target).unwrap_or_default();
            };
            if is_backward {
                text.iter()
                    .rev()
                    .for_each(|byte| step(*byte, &mut building));
            } else {
                text.iter().for_each(|byte| step(*byte, &mut building));
            }
            if let Some((_, ends)) = building.get_mut(at) {
                ends.push(*number);
            }
        }
        let nodes = building.into_iter().map(|(next, ends)| Node {
            next: next.into_iter().collect(),
            ends: ends.into(),
        });
        Self {
            nodes: nodes.collect(),
            is_backward,
        }
    }

    /// Calls `hit` with what each text is for that `value` begins (or ends) with.
    pub(crate) fn find(&self, value: &[u8], hit: &mut impl FnMut(u32)) {
        let mut at = self.nodes.first();
        let mut bytes = value.iter();
        while let Some(node) = at {
            node.ends.iter().for_each(|number| hit(*number));
            if node.next.is_empty() {
                return;
            }
            let byte = if self.is_backward {
                bytes.next_back()
            } else {
                bytes.next()
            };
            let Some(byte) = byte else {
                return;
            };
            let found = node.next.binary_search_by_key(byte, |(byte, _)| *byte);
            let target = found.ok().and_then(|index| node.next.get(index));
            at = target.and_then(|(_, node)| self.nodes.get(usize::try_from(*node).ok()?));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_all_that_a_value_begins_or_ends_with() {
        let texts = ["/etc", "/etc/", "/e", "", "/var"];
        let texts: Vec<(Vec<u8>, u32)> = texts
            .iter()
            .zip(0_u32..)
            .map(|(text, number)| (text.as_bytes().to_vec(), number))
            .collect();
        let found = |trie: &Prefixes, value: &str| {
            let mut found = Vec::new();
            trie.find(value.as_bytes(), &mut |number| found.push(number));
            found
        };
        let forward = Prefixes::new(&texts, false);
        assert_eq!(found(&forward, "/etc/shadow"), [3, 2, 0, 1]);
        assert_eq!(found(&forward, "etc"), [3]);
        let backward = Prefixes::new(&[(b".so".to_vec(), 7)], true);
        assert_eq!(found(&backward, "lib.so"), [7]);
        assert!(found(&backward, "lib.so.1").is_empty());
    }
}
