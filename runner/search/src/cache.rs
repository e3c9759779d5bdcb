//! Scores by behaviour, so that what was trained once is never trained again.
use std::collections::{HashMap, VecDeque};

use automl_genome::BehaviourKey;
use serde::{Deserialize, Serialize};

/// Behaviours remembered; beyond that the oldest are forgotten (and, met again, trained again).
pub(crate) const CAPACITY: usize = 1_000_000;

/// What training a behaviour gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scored {
    pub(crate) key: BehaviourKey,
    /// 0 when it failed.
    pub(crate) fitness: f64,
    pub(crate) failed: bool,
    /// The gene that was trained, by [`crate::codec`].
    pub(crate) gene: Vec<u8>,
}

/// A bounded memory of scores, first in first out.
pub(crate) struct Cache {
    entries: VecDeque<Scored>,
    /// Key → number of the entry, counted from the first ever.
    places: HashMap<BehaviourKey, u64>,
    forgotten: u64,
    capacity: usize,
}

impl Cache {
    /// A memory of the last `capacity` of `entries`, the oldest first.
    pub(crate) fn new(entries: impl IntoIterator<Item = Scored>, capacity: usize) -> Cache {
        let mut cache = Cache { entries: VecDeque::new(), places: HashMap::new(), forgotten: 0, capacity };
        for scored in entries {
            cache.insert(scored);
        }
        cache
    }

    /// Remembers a score. A behaviour that is already known keeps its first score and place.
    pub(crate) fn insert(&mut self, scored: Scored) {
        if self.places.contains_key(&scored.key) {
            return;
        }
        self.places.insert(scored.key, self.forgotten + self.entries.len() as u64);
        self.entries.push_back(scored);
        if self.entries.len() > self.capacity
            && let Some(oldest) = self.entries.pop_front()
        {
            self.places.remove(&oldest.key);
            self.forgotten += 1;
        }
    }

    /// The score of a behaviour.
    pub(crate) fn get(&self, key: &BehaviourKey) -> Option<&Scored> {
        self.entries.get(usize::try_from(self.places.get(key)? - self.forgotten).ok()?)
    }

    /// All that is remembered, the oldest first.
    pub(crate) fn entries(&self) -> &VecDeque<Scored> {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(number: u8) -> Scored {
        let key = format!("{number:032x}").parse().unwrap();
        Scored { key, fitness: f64::from(number), failed: false, gene: vec![number] }
    }

    #[test]
    fn the_oldest_is_forgotten_and_what_comes_back_is_the_same_memory() {
        let mut cache = Cache::new((0..5).map(scored), 3);
        let known =
            |cache: &Cache| (0..8).filter(|number| cache.get(&scored(*number).key).is_some()).collect::<Vec<_>>();
        assert_eq!(known(&cache), [2, 3, 4]);
        cache.insert(Scored { fitness: 99.0, ..scored(2) });
        assert_eq!(cache.get(&scored(2).key), Some(&scored(2)), "the first score counts");
        let mut copy = Cache::new(cache.entries().iter().cloned(), 3);
        for number in [5, 0, 6] {
            cache.insert(scored(number));
            copy.insert(scored(number));
            assert_eq!(known(&cache), known(&copy));
            assert_eq!(cache.get(&scored(number).key), Some(&scored(number)));
        }
        assert_eq!(cache.entries(), copy.entries());
    }
}
