//! A map that forgets what was not touched for longest.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Values by name, as many as it was told to keep.
#[derive(Debug)]
pub(super) struct Bounded<V> {
    values: HashMap<String, (u64, V), RandomState>,
    /// Names by when they were touched.
    order: BTreeMap<u64, String>,
    next: u64,
}

impl<V> Default for Bounded<V> {
    fn default() -> Self {
        Self {
            values: HashMap::default(),
            order: BTreeMap::new(),
            // Zero is what a fresh value has.
            next: 1,
        }
    }
}

impl<V: Default> Bounded<V> {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn get(&self, name: &str) -> Option<&V> {
        self.values.get(name).map(|(_, value)| value)
    }

    /// The value of a name, which is now the last one touched.
    pub(super) fn touch(&mut self, name: &str) -> &mut V {
        let now = self.next;
        self.next = now.saturating_add(1);
        let (touched, value) = self.values.entry(name.to_owned()).or_default();
        self.order.remove(touched);
        *touched = now;
        self.order.insert(now, name.to_owned());
        value
    }

    /// Takes out what was not touched for longest.
    pub(super) fn pop_oldest(&mut self) -> Option<(String, V)> {
        let (_, name) = self.order.pop_first()?;
        let (_, value) = self.values.remove(&name)?;
        Some((name, value))
    }

    /// Everything, what was not touched for longest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        let order = self.order.values();
        order.filter_map(|name| Some((name.as_str(), self.get(name)?)))
    }
}

impl<V: Serialize + Default> Serialize for Bounded<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values: Vec<(&str, &V)> = self.iter().collect();
        values.serialize(serializer)
    }
}

impl<'de, V: Deserialize<'de> + Default> Deserialize<'de> for Bounded<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::<(String, V)>::deserialize(deserializer)?;
        let mut bounded = Self::default();
        for (name, value) in values {
            *bounded.touch(&name) = value;
        }
        Ok(bounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_what_was_not_touched_for_longest() {
        let mut bounded = Bounded::<u32>::default();
        for name in ["a", "b", "c", "a"] {
            *bounded.touch(name) += 1;
        }
        assert_eq!(bounded.pop_oldest(), Some(("b".to_owned(), 1)));
        assert_eq!(bounded.iter().collect::<Vec<_>>(), [("c", &1), ("a", &2)]);
        assert_eq!(
            (bounded.pop_oldest(), bounded.len()),
            (Some(("c".to_owned(), 1)), 1)
        );
    }
}
