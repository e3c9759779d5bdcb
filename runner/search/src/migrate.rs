//! Genes that islands give each other, and where a gene comes from.
use automl_contract::spec::{Migration, Search, SearchPreset};
use automl_genome::{Gene, Signature, parse};
use serde::{Deserialize, Serialize};

use crate::breed::Individual;
use crate::cache::{Cache, Scored};
use crate::error::PacketError;
use crate::{codec, grow};

/// Where and when a gene was bred: no two genes of a run have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Birth {
    /// The island.
    pub island: u32,
    /// Its own generation, from 0.
    pub generation: u32,
    /// The place in that generation.
    pub index: u32,
}

/// A gene on its way from one island to others, with its score: islands of a run score alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Migrant {
    /// As it was bred.
    pub gene: Gene,
    /// Its score, above 0.
    pub fitness: f64,
    /// Where it was bred.
    pub born: Birth,
    /// The gene that was trained, where the score is that of another gene of the same behaviour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scored_as: Option<Gene>,
}

/// What an island gives its neighbours at the start of an epoch. It never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Packet {
    /// Who gives.
    pub island: u32,
    /// Its generation.
    pub generation: u32,
    /// The fittest of its population, the fittest first.
    pub genes: Vec<Migrant>,
}

impl Packet {
    /// As it is sent.
    pub fn write(&self) -> Result<Vec<u8>, PacketError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Reads what another process sent: within the settings' bounds, or not at all.
    pub fn read(bytes: &[u8], settings: &Search) -> Result<Packet, PacketError> {
        let packet: Packet = serde_json::from_slice(bytes)?;
        let most = settings.migration.map_or(0, |migration| migration.migrants);
        if packet.genes.len() > most as usize {
            return Err(PacketError::TooMany { genes: packet.genes.len(), most });
        }
        let (limits, allowed) = (grow::limits(settings.limits), grow::vocabulary(settings.vocabulary));
        for migrant in &packet.genes {
            let text = migrant.gene.to_string();
            // Reading a gene knows the widest bounds only.
            let could_be_bred = parse(&text, &limits).is_ok() && migrant.gene.vocabulary() <= allowed;
            let is_scored = migrant.fitness > 0.0 && migrant.fitness.is_finite();
            if !could_be_bred || !is_scored {
                return Err(PacketError::Gene { gene: text, fitness: migrant.fitness });
            }
        }
        Ok(packet)
    }
}

/// The fittest of a population, each behaviour once; of equals the younger.
pub(crate) fn emigrants(population: &[Individual], cache: &Cache, count: u32) -> Vec<Migrant> {
    let mut alive: Vec<&Individual> = population.iter().rev().filter(|individual| individual.fitness > 0.0).collect();
    alive.sort_by(|one, other| other.fitness.total_cmp(&one.fitness));
    let mut met = std::collections::HashSet::new();
    let give = |individual: &Individual| {
        let canonical = individual.gene.canonical();
        let key = Signature::of(&canonical).key();
        let trained = cache.get(&key).and_then(|scored| codec::decode(&scored.gene));
        met.insert(key).then(|| Migrant {
            gene: individual.gene.clone(),
            fitness: individual.fitness,
            born: individual.born,
            scored_as: trained.filter(|trained| *trained != canonical),
        })
    };
    alive.into_iter().filter_map(give).take(count as usize).collect()
}

/// Those that the population does not hold already, each once.
pub(crate) fn new_ones(population: &[Individual], arriving: Vec<Migrant>) -> Vec<Migrant> {
    let mut taken: Vec<Migrant> = Vec::new();
    for migrant in arriving {
        let known = population.iter().any(|individual| individual.gene == migrant.gene)
            || taken.iter().any(|other| other.gene == migrant.gene);
        if !known {
            taken.push(migrant);
        }
    }
    taken.truncate(population.len());
    taken
}

/// The population with arrivals in it, as large as before: in a regularized search they are the youngest and the oldest
/// leave, else the least fit leave.
pub(crate) fn settle(preset: SearchPreset, population: &mut Vec<Individual>, arriving: Vec<Individual>) {
    match preset {
        SearchPreset::Regularized => {
            population.drain(..arriving.len());
            population.extend(arriving);
        }
        SearchPreset::Original => {
            let mut weakest: Vec<usize> = (0..population.len()).collect();
            weakest.sort_by(|one, other| population[*one].fitness.total_cmp(&population[*other].fitness));
            for (place, individual) in weakest.into_iter().zip(arriving) {
                population[place] = individual;
            }
        }
    }
}

/// What an arrival's score says of its behaviour, so that it is not trained here again.
pub(crate) fn scored(migrant: &Migrant, canonical: &Gene) -> Scored {
    Scored {
        key: Signature::of(canonical).key(),
        fitness: migrant.fitness,
        failed: false,
        gene: codec::encode(migrant.scored_as.as_ref().unwrap_or(canonical)),
    }
}

/// Generations until the budget is spent, the last one perhaps in part.
pub fn generations(settings: &Search) -> u64 {
    let first = u64::from(settings.population);
    let later = settings.budget.evaluations.saturating_sub(first).div_ceil(u64::from(settings.offspring).max(1));
    1 + later
}

/// Epochs until the budget is spent, the last one perhaps in part: each is so many generations between two exchanges.
pub fn epochs(settings: &Search, migration: Migration) -> u64 {
    generations(settings).div_ceil(u64::from(migration.every).max(1))
}
