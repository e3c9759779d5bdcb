//! The archive: the best gene of each size that no smaller gene equals.
use std::cmp::Ordering;

use automl_genome::Gene;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One scored gene.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The canonical form of what was bred.
    pub gene: Gene,
    /// Its score.
    pub fitness: f64,
    /// Nodes of the canonical form.
    pub nodes: u32,
    /// The generation it was first seen in, by the counting of the island that bred it.
    pub generation: u32,
    /// The island that bred it, where that was another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub island: Option<u32>,
    /// SHA-256 of the text, hex.
    pub sha256: String,
    /// The gene that was trained, when the score was reused from another gene of the same behaviour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scored_as: Option<Gene>,
}

/// A Pareto front of fitness (more is better) against nodes (fewer are better).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Archive {
    /// Nodes and fitness both grow along it.
    entries: Vec<Entry>,
}

impl Entry {
    /// An entry, with what follows from the gene.
    pub(crate) fn new(gene: Gene, fitness: f64, generation: u32, scored_as: Option<Gene>) -> Entry {
        let nodes = nodes(&gene);
        let sha256 = hex(&Sha256::digest(gene.to_string()));
        Entry { gene, fitness, nodes, generation, island: None, sha256, scored_as }
    }

    /// What decides between entries of equal fitness and size: the smaller text, then the earlier generation.
    fn precedence(&self) -> (String, u32, Option<u32>, Option<String>) {
        (self.gene.to_string(), self.generation, self.island, self.scored_as.as_ref().map(Gene::to_string))
    }
}

impl Archive {
    /// The front, the smallest and worst gene first.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Takes the entry in when it belongs to the front, and drops what it beats. The order of offers does not matter.
    pub(crate) fn offer(&mut self, entry: Entry) {
        let place = self.entries.partition_point(|held| held.nodes <= entry.nodes);
        let mut first = place;
        if let Some(held) = place.checked_sub(1).map(|last| &self.entries[last]) {
            let same_size = held.nodes == entry.nodes;
            match held.fitness.total_cmp(&entry.fitness) {
                Ordering::Greater => return,
                Ordering::Equal if !same_size || held.precedence() <= entry.precedence() => return,
                _ => {}
            }
            first -= usize::from(same_size);
        }
        let beaten = self.entries[place..].iter().take_while(|held| held.fitness <= entry.fitness).count();
        self.entries.splice(first..place + beaten, [entry]);
    }

    /// Whether an offer could change anything: saves the making of an entry.
    pub(crate) fn welcomes(&self, gene: &Gene, fitness: f64) -> bool {
        let place = self.entries.partition_point(|held| held.nodes <= nodes(gene));
        place.checked_sub(1).is_none_or(|last| self.entries[last].fitness <= fitness)
    }
}

fn nodes(gene: &Gene) -> u32 {
    u32::try_from(gene.nodes().len()).expect("genes are bounded to some thousand nodes")
}

/// The digits of a hash.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use automl_genome::{Limits, parse};
    use proptest::prelude::*;

    use super::*;

    /// A gene of this size, and one of several of that size.
    fn gene(nodes: usize, variant: usize) -> Gene {
        let leaf = ["x", "y", "one"][variant % 3];
        parse(&format!("{}{leaf}", "sin ".repeat(nodes)), &Limits::default()).unwrap()
    }

    fn front(entries: &[Entry]) -> Archive {
        let mut archive = Archive::default();
        for entry in entries {
            let before = archive.clone();
            archive.offer(entry.clone());
            assert!(archive == before || before.welcomes(&entry.gene, entry.fitness));
        }
        archive
    }

    proptest! {
        #[test]
        fn it_is_a_pareto_front_whatever_the_order(
            drawn in prop::collection::vec((0..6_usize, 0..3_usize, 0..5_u8, 0..3_u32), 0..40),
            shuffle in any::<u64>(),
        ) {
            let entry = |(nodes, variant, fitness, generation)| {
                let scored_as = (variant == 1).then(|| gene(nodes + 1, 0));
                Entry::new(gene(nodes, variant), f64::from(fitness), generation, scored_as)
            };
            let entries: Vec<Entry> = drawn.into_iter().map(entry).collect();
            let archive = front(&entries);
            let mut shuffled = entries.clone();
            shuffled.sort_by_key(|entry| Sha256::digest(format!("{shuffle}{entry:?}")).to_vec());
            prop_assert_eq!(&front(&shuffled), &archive);
            for pair in archive.entries().windows(2) {
                prop_assert!(pair[0].nodes < pair[1].nodes && pair[0].fitness < pair[1].fitness);
            }
            for entry in &entries {
                let beats = |held: &Entry| held.nodes <= entry.nodes && held.fitness >= entry.fitness;
                prop_assert!(archive.entries().iter().any(beats), "{entry:?} is lost");
            }
        }
    }

    #[test]
    fn of_equals_the_smaller_text_stays() {
        let [x, y] = [gene(1, 0), gene(1, 1)].map(|gene| Entry::new(gene, 0.5, 7, None));
        for order in [[&x, &y], [&y, &x]] {
            assert_eq!(front(&order.map(Clone::clone)).entries(), std::slice::from_ref(&x));
        }
        let earlier = Entry { generation: 2, ..x.clone() };
        assert_eq!(front(&[x, earlier.clone()]).entries(), [earlier]);
    }
}
