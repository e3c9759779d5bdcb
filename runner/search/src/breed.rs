//! Which genes a generation is made of: one pure function of (settings, population, generation, index).
use automl_contract::spec::{Search, SearchPreset, Variation};
use automl_genome::{Gene, Limits, Signature};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::grow::{self, Primitives, Shape};
use crate::migrate::Birth;
use crate::rng::{Purpose, stream};
use crate::vary;

/// How often a change that breaks a bound, or is not wanted, is drawn anew before the parent is copied.
const ATTEMPTS: usize = 8;
/// Trees drawn for one gene of generation 0.
const DRAWS: usize = 32;
/// Heights of the trees of generation 0.
const HEIGHTS_ORIGINAL: (usize, usize) = (1, 3);
const HEIGHTS_REGULARIZED: (usize, usize) = (1, 4);

/// A living member of the population. It keeps the form it was bred in: dead code is material for later changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Individual {
    /// Itself.
    #[serde(with = "codec")]
    pub gene: Gene,
    /// Its score; 0 when it was refused or failed.
    pub fitness: f64,
    /// Where it was bred: on another island where it came from there.
    pub born: Birth,
    /// What it was made of: nothing in generation 0, else one gene, or two that were crossed. Not told of those from elsewhere.
    pub parents: Vec<Birth>,
}

/// A gene that was bred, and of what.
pub(crate) struct Bred {
    pub(crate) gene: Gene,
    pub(crate) parents: Vec<Birth>,
}

/// Makes genes by a run's settings.
pub(crate) struct Breeder {
    preset: SearchPreset,
    seed: u32,
    island: u32,
    population: usize,
    offspring: usize,
    tournament: u32,
    variation: Variation,
    limits: Limits,
    primitives: Primitives,
    warm_start: Vec<Gene>,
}

impl Breeder {
    /// `warm_start` are the settings' genes, read and checked.
    pub(crate) fn new(settings: &Search, island: u32, warm_start: Vec<Gene>) -> Breeder {
        Breeder {
            preset: settings.preset,
            seed: settings.seed,
            island,
            population: settings.population as usize,
            offspring: settings.offspring as usize,
            tournament: settings.tournament,
            variation: settings.variation,
            limits: grow::limits(settings.limits),
            primitives: Primitives::new(
                grow::vocabulary(settings.vocabulary),
                settings.preset == SearchPreset::Original,
            ),
            warm_start,
        }
    }

    /// Candidates in a generation.
    pub(crate) fn size(&self, generation: u32) -> usize {
        if generation == 0 { self.population } else { self.offspring }
    }

    /// Candidates in the first `generations` generations.
    pub(crate) fn considered(&self, generations: u32) -> u64 {
        match generations.checked_sub(1) {
            None => 0,
            Some(later) => self.population as u64 + u64::from(later) * self.offspring as u64,
        }
    }

    /// The gene at `index` of a generation whose parents are `population` (empty for generation 0). A regularized
    /// search draws again what is not `wanted`; the answer may depend on nothing but the state at its start.
    pub(crate) fn gene(
        &self,
        population: &[Individual],
        generation: u32,
        index: usize,
        wanted: impl Fn(&Gene) -> bool,
    ) -> Bred {
        if generation == 0 {
            let gene = self.warm_start.get(index).cloned().unwrap_or_else(|| self.initial(index));
            return Bred { gene, parents: Vec::new() };
        }
        match self.preset {
            SearchPreset::Regularized => self.regularized(population, generation, index, wanted),
            SearchPreset::Original => self.original(population, generation, index),
        }
    }

    /// The population after `children` of a generation were scored; the oldest come first.
    pub(crate) fn survivors(&self, mut population: Vec<Individual>, children: Vec<Individual>) -> Vec<Individual> {
        match self.preset {
            SearchPreset::Regularized => {
                population.extend(children);
                let dead = population.len().saturating_sub(self.population);
                population.drain(..dead);
                population
            }
            SearchPreset::Original => children,
        }
    }

    /// Ramped half-and-half. Few random trees can teach anything, and a population of the dead breeds the dead: except
    /// in the original's preset, a tree is drawn until it is alive.
    fn initial(&self, index: usize) -> Gene {
        let mut rng = self.stream(Purpose::Initial, 0, index);
        let original = self.preset == SearchPreset::Original;
        let (least, most) = if original { HEIGHTS_ORIGINAL } else { HEIGHTS_REGULARIZED };
        let mut most = most.min(self.limits.depth);
        let mut found: Option<Gene> = None;
        for _ in 0..DRAWS {
            let nodes = self.primitives.half_and_half(&mut rng, least.min(most), most);
            match Gene::from_prefix(nodes).filter(|gene| vary::fits(gene, &self.limits)) {
                Some(gene) if original || Signature::of(&gene).dead().is_none() => return gene,
                Some(gene) => found = found.or(Some(gene)),
                // Lower trees, until narrow bounds are met.
                None => most = most.saturating_sub(1),
            }
        }
        found.unwrap_or_else(|| self.lone_leaf(&mut rng))
    }

    /// The smallest gene there is: within any bounds.
    fn lone_leaf(&self, rng: &mut ChaCha8Rng) -> Gene {
        Gene::from_prefix(vec![self.primitives.leaf(rng)]).expect("a leaf is a tree")
    }

    /// Real et al. 2019: one parent by tournament, one kind of change.
    fn regularized(
        &self,
        population: &[Individual],
        generation: u32,
        index: usize,
        wanted: impl Fn(&Gene) -> bool,
    ) -> Bred {
        let mut rng = self.stream(Purpose::Vary, generation, index);
        let rng = &mut rng;
        let parent = self.tournament(rng, population);
        let Variation { crossover, subtree, point, constant } = self.variation;
        let kind: f64 = rng.random();
        for _ in 0..ATTEMPTS {
            let mut parents = vec![parent.born];
            let parent = &parent.gene;
            let child = if kind < crossover {
                let giver = self.tournament(rng, population);
                parents.push(giver.born);
                vary::graft(rng, parent, &giver.gene)
            } else if kind < crossover + subtree {
                vary::subtree(rng, parent, &self.primitives, None)
            } else if kind < crossover + subtree + point {
                vary::point(rng, parent, &self.primitives)
            } else if kind < crossover + subtree + point + constant {
                vary::jitter(rng, parent, &self.primitives)
            } else {
                break;
            };
            if child != *parent && vary::fits(&child, &self.limits) && wanted(&child) {
                return Bred { gene: child, parents };
            }
        }
        Bred { gene: parent.gene.clone(), parents: vec![parent.born] }
    }

    /// DEAP's `eaSimple` with `varAnd`: neighbours cross with some probability, then each child mutates with another;
    /// what breaks a bound is replaced by its parent (`staticLimit`). Point mutation and jitter, off by default, follow
    /// the same way.
    fn original(&self, population: &[Individual], generation: u32, index: usize) -> Bred {
        let select = |index: usize| self.tournament(&mut self.stream(Purpose::Select, generation, index), population);
        let Individual { gene: parent, born, .. } = select(index);
        let mut parents = vec![*born];
        let neighbour = index ^ 1;
        let mut child = parent.clone();
        if neighbour < self.offspring {
            // Both neighbours draw the same crossing and each keeps its half of it.
            let mut rng = self.stream(Purpose::Cross, generation, index / 2);
            if rng.random_bool(self.variation.crossover) {
                let other = select(neighbour);
                parents.push(other.born);
                let (even, odd) = if index < neighbour { (parent, &other.gene) } else { (&other.gene, parent) };
                let (first, second) = vary::swap(&mut rng, even, odd);
                child = self.within(if index < neighbour { first } else { second }, parent);
            }
        }
        let mut rng = self.stream(Purpose::Vary, generation, index);
        if rng.random_bool(self.variation.subtree) {
            child = self.within(vary::subtree(&mut rng, &child, &self.primitives, Some(Shape::Full)), &child);
        }
        if rng.random_bool(self.variation.point) {
            child = self.within(vary::point(&mut rng, &child, &self.primitives), &child);
        }
        if rng.random_bool(self.variation.constant) {
            child = self.within(vary::jitter(&mut rng, &child, &self.primitives), &child);
        }
        Bred { gene: child, parents }
    }

    fn within(&self, child: Gene, otherwise: &Gene) -> Gene {
        if vary::fits(&child, &self.limits) { child } else { otherwise.clone() }
    }

    /// The fittest of `tournament` random members; of equals the one drawn first.
    fn tournament<'p>(&self, rng: &mut ChaCha8Rng, population: &'p [Individual]) -> &'p Individual {
        let mut best = grow::pick(rng, population);
        for _ in 1..self.tournament {
            let rival = grow::pick(rng, population);
            if rival.fitness > best.fitness {
                best = rival;
            }
        }
        best
    }

    fn stream(&self, purpose: Purpose, generation: u32, index: usize) -> ChaCha8Rng {
        let index = u32::try_from(index).expect("generations have at most 2^32 members");
        stream(self.seed, purpose, generation, self.island, index)
    }
}
