//! A table in memory that never grows beyond its bound: what was changed longest ago goes first.

use std::collections::{BTreeMap, HashMap};

/// At most `bound` values under text keys.
#[derive(Debug, Clone)]
pub(crate) struct Bounded<V> {
    bound: usize,
    values: HashMap<String, (u64, V)>,
    /// Keys by when they were last changed.
    order: BTreeMap<u64, String>,
    next: u64,
}

impl<V> Bounded<V> {
    pub(crate) fn new(bound: usize) -> Self {
        Self { bound, values: HashMap::new(), order: BTreeMap::new(), next: 0 }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.values.get(key).map(|(_, value)| value)
    }

    /// Puts the value under the key, as the newest.
    pub(crate) fn put(&mut self, key: &str, value: V) {
        self.remove(key);
        while self.values.len() >= self.bound {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            self.values.remove(&oldest);
        }
        self.order.insert(self.next, key.to_owned());
        self.values.insert(key.to_owned(), (self.next, value));
        self.next += 1;
    }

    pub(crate) fn remove(&mut self, key: &str) {
        if let Some((stamp, _)) = self.values.remove(key) {
            self.order.remove(&stamp);
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        assert_eq!(self.values.len(), self.order.len());
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against the obvious implementation: a list in order.
        #[test]
        fn the_newest_stay(steps in prop::collection::vec((0..9_u8, any::<bool>()), 0..60)) {
            let mut table = Bounded::new(4);
            let mut model: Vec<(String, usize)> = Vec::new();
            for (number, (key, puts)) in steps.into_iter().enumerate() {
                let key = key.to_string();
                model.retain(|(held, _)| *held != key);
                if puts {
                    table.put(&key, number);
                    model.push((key, number));
                    let surplus = model.len().saturating_sub(4);
                    model.drain(..surplus);
                } else {
                    table.remove(&key);
                }
                prop_assert_eq!(table.len(), model.len());
                for (key, number) in &model {
                    prop_assert_eq!(table.get(key), Some(number));
                }
            }
        }
    }
}
