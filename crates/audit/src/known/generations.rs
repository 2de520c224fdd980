//! A map that forgets what was not asked for, in two generations.

use std::collections::HashMap;
use std::hash::Hash;

/// A map with a bound. When the younger half is full, it becomes the older one, and the older one is forgotten.
#[derive(Debug)]
pub(crate) struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// Most entries of one generation.
    half: usize,
}

impl<K: Eq + Hash + Clone, V: Clone> Generations<K, V> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half: most / 2,
        }
    }

    /// Puts a value; whether there was one.
    pub(crate) fn insert(&mut self, key: K, value: V) -> bool {
        let was_old = self.old.remove(&key).is_some();
        let was_young = self.young.insert(key, value).is_some();
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        was_old || was_young
    }

    /// The value, which becomes young by being asked for.
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let mut map = Generations::new(10);
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
}
