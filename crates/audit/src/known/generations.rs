//! A map that forgets what was not asked for, in two generations.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

/// A map with a bound. When the younger half is full, it becomes the older one, and the older one is forgotten.
#[derive(Debug)]
pub(crate) struct Generations<K, V, S = RandomState> {
    young: HashMap<K, V, S>,
    old: HashMap<K, V, S>,
    /// Most of one generation.
    half: Bound,
    /// Bytes of the younger and of the older entries, about.
    young_bytes: usize,
    old_bytes: usize,
    /// How many bytes an entry takes, about.
    weigh: fn(&K, &V) -> usize,
}

/// How much is remembered at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

impl<K: Eq + Hash + Clone, V: Clone, S: BuildHasher + Default> Generations<K, V, S> {
    pub(crate) fn new(most: Bound, weigh: fn(&K, &V) -> usize) -> Self {
        Self {
            young: HashMap::default(),
            old: HashMap::default(),
            half: Bound {
                entries: most.entries / 2,
                bytes: most.bytes / 2,
            },
            young_bytes: 0,
            old_bytes: 0,
            weigh,
        }
    }

    /// Puts a value; whether there was one.
    pub(crate) fn insert(&mut self, key: K, value: V) -> bool {
        let was_old = self.take_old(&key).is_some();
        let (entry_bytes, was_young) = match self.young.entry(key) {
            Entry::Occupied(mut known) => {
                let bytes = (self.weigh)(known.key(), &value);
                let before = known.insert(value);
                let before = (self.weigh)(known.key(), &before);
                self.young_bytes = self.young_bytes.saturating_sub(before);
                (bytes, true)
            }
            Entry::Vacant(free) => {
                let bytes = (self.weigh)(free.key(), &value);
                free.insert(value);
                (bytes, false)
            }
        };
        self.young_bytes = self.young_bytes.saturating_add(entry_bytes);
        if self.young.len() >= self.half.entries || self.young_bytes >= self.half.bytes {
            self.old = std::mem::take(&mut self.young);
            self.old_bytes = std::mem::take(&mut self.young_bytes);
        }
        was_old || was_young
    }

    /// The value, which becomes young by being asked for.
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.take_old(key)?;
        self.insert(key.clone(), value.clone());
        Some(value)
    }

    /// The value, as it is.
    pub(crate) fn peek(&self, key: &K) -> Option<V> {
        self.young.get(key).or_else(|| self.old.get(key)).cloned()
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.young.contains_key(key) || self.old.contains_key(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.young.iter().chain(&self.old)
    }

    pub(crate) fn len(&self) -> usize {
        self.young.len().saturating_add(self.old.len())
    }

    /// Bytes of all entries, about.
    pub(crate) fn bytes(&self) -> usize {
        self.young_bytes.saturating_add(self.old_bytes)
    }

    fn take_old(&mut self, key: &K) -> Option<V> {
        if self.old.is_empty() {
            return None;
        }
        let (key, value) = self.old.remove_entry(key)?;
        let bytes = (self.weigh)(&key, &value);
        self.old_bytes = self.old_bytes.saturating_sub(bytes);
        Some(value)
    }
}

/// For keys that are digests already.
pub(crate) type Digests = BuildHasherDefault<Digest>;

/// Takes a half of a digest for its hash.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Digest(u64);

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, digest: u128) {
        self.0 = u64::try_from(digest >> 64).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: usize, bytes: usize) -> Generations<u32, char> {
        Generations::new(
            Bound { entries, bytes },
            |key, _| {
                if *key == 1_000 { 60 } else { 5 }
            },
        )
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let mut map = map(10, usize::MAX);
        map.insert(0, 'a');
        for key in 1..100 {
            map.insert(key, 'b');
            assert_eq!(map.get(&0), Some('a'));
            assert!(map.len() <= 10);
        }
        assert_eq!(map.peek(&1), None);
        assert!(map.contains(&99));
        assert!(map.insert(99, 'c'));
    }

    #[test]
    fn bytes_are_bounded_too() {
        let mut map = map(usize::MAX, 100);
        for key in 0..100 {
            map.insert(key % 70, 'a');
            assert!(map.bytes() <= 100 && map.len() <= 20, "{}", map.bytes());
        }
        // One that is larger than a half goes with the next half, and takes nothing with it for ever.
        map.insert(1_000, 'b');
        assert_eq!((map.len(), map.bytes()), (map.old.len(), map.old_bytes));
        assert_eq!(map.get(&1_000), Some('b'));
        map.insert(1, 'c');
        assert!(map.bytes() <= 160);
    }
}
