//! A run's archive as islands hand it over and as it is kept: the Pareto front of fitness against size.
use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A gene of an archive: one line of `archive.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Its text in canonical form.
    pub gene: String,
    /// Its mean score on the search's seeds, 0 to 1.
    pub fitness: f64,
    /// Nodes of the canonical form.
    pub nodes: u32,
    /// The generation it was first seen in.
    pub generation: u32,
    /// The sha256 of its text, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// The gene that was trained, where the score is that of another gene of the same behaviour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scored_as: Option<String>,
    /// The island that found it; absent in the archive of that island itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub island: Option<u32>,
}

/// One Pareto front of genes of many; the order in which they come makes no difference.
pub fn front(genes: impl IntoIterator<Item = Found>) -> Vec<Found> {
    let mut best: BTreeMap<u32, Found> = BTreeMap::new();
    for gene in genes {
        match best.get(&gene.nodes) {
            Some(other) if !beats(&gene, other) => {}
            _ => drop(best.insert(gene.nodes, gene)),
        }
    }
    let mut front: Vec<Found> = Vec::new();
    for (_, gene) in best {
        if front.last().is_none_or(|smaller| gene.fitness > smaller.fitness) {
            front.push(gene);
        }
    }
    front
}

/// Of two genes of one size the fitter; the text and then the island decide a tie, so that order does not.
fn beats(one: &Found, other: &Found) -> bool {
    let key = |gene: &Found| (gene.sha256.clone(), gene.generation, gene.island);
    match one.fitness.total_cmp(&other.fitness) {
        Ordering::Greater => true,
        Ordering::Equal => key(one) < key(other),
        Ordering::Less => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found() -> impl Strategy<Value = Found> {
        (0..6_u32, 1..8_u32, 0..3_u32, 0..4_u32).prop_map(|(fitness, nodes, generation, island)| Found {
            gene: format!("g{fitness}{nodes}"),
            fitness: f64::from(fitness) / 8.0,
            nodes,
            generation,
            sha256: format!("{fitness}{nodes}"),
            scored_as: None,
            island: Some(island),
        })
    }

    proptest! {
        #[test]
        fn order_and_grouping_make_no_difference(genes in prop::collection::vec(found(), 0..30), cut in 0..30_usize) {
            let whole = front(genes.clone());
            let mut turned = genes.clone();
            turned.reverse();
            prop_assert_eq!(&front(turned), &whole);
            let (head, tail) = genes.split_at(cut.min(genes.len()));
            prop_assert_eq!(&front(front(head.to_vec()).into_iter().chain(tail.to_vec())), &whole);
        }

        #[test]
        fn nothing_in_it_is_outdone_and_nothing_outside_belongs(genes in prop::collection::vec(found(), 1..30)) {
            let whole = front(genes.clone());
            let outdone = |one: &Found| whole.iter().any(|other| {
                other.nodes <= one.nodes && other.fitness >= one.fitness
                    && (other.nodes < one.nodes || other.fitness > one.fitness)
            });
            prop_assert!(whole.iter().all(|one| !outdone(one)));
            let kept = |one: &Found| whole.iter().any(|other| (other.nodes, other.fitness) == (one.nodes, one.fitness));
            prop_assert!(genes.iter().all(|one| outdone(one) || kept(one)));
        }
    }
}
