//! The search itself: a state, and the step from one generation to the next.
use std::sync::atomic::AtomicBool;

use automl_contract::spec::Search;
use automl_genome::{BehaviourKey, Dead, Gene, Signature};
use sha2::{Digest, Sha256};

use crate::archive::{Archive, Entry};
use crate::breed::{Bred, Breeder, Individual};
use crate::cache::{CAPACITY, Cache, Scored};
use crate::clock::Clock;
use crate::error::{CheckpointError, SearchError, StepError};
use crate::fitness::Fitness;
use crate::generation::Generation;
use crate::journal::Step;
use crate::migrate::{self, Birth, Migrant, Packet};
use crate::report::Report;
use crate::state::{Row, State, View};
use crate::{checkpoint, codec, generation, parallel, settings, train};

/// One island's search.
pub struct Engine {
    settings: Search,
    island: u32,
    /// What scores depend on besides the gene, hashed.
    context: [u8; 32],
    breeder: Breeder,
    /// Complete generations.
    generation: u32,
    /// The oldest first; empty before generation 0 is complete.
    population: Vec<Individual>,
    /// What is done of a generation that the budget cut short. It joins population and cache only as a whole, so that a
    /// larger budget continues as if the cut had never been.
    partial: Generation,
    cache: Cache,
    archive: Archive,
    /// The generation that was completed last, for who asks.
    done: Option<Generation>,
}

/// A child, and all that can be said of it without training.
struct Screened {
    gene: Gene,
    parents: Vec<Birth>,
    canonical: Gene,
    key: BehaviourKey,
    dead: Option<Dead>,
}

/// How a child gets its score.
enum Fate {
    Refused(Dead),
    /// From the cache.
    Known(Scored),
    /// From the place in the generation's own list of scores; `true` for the child that is trained for it.
    Shared(usize, bool),
}

impl Engine {
    /// A search that has not begun. `context` names everything that scores depend on besides the gene (how it is
    /// evaluated, on which class of processor): a checkpoint of another context is refused.
    pub fn new(settings: &Search, island: u32, context: &str) -> Result<Engine, SearchError> {
        let warm_start = settings::warm_start(settings)?;
        Ok(Engine {
            breeder: Breeder::new(settings, island, warm_start),
            settings: settings.clone(),
            island,
            context: Sha256::digest(context).into(),
            generation: 0,
            population: Vec::new(),
            partial: Generation::default(),
            cache: Cache::new([], CAPACITY),
            archive: Archive::default(),
            done: None,
        })
    }

    /// The search that wrote this checkpoint. The budget may have grown since; all else must be as it was.
    pub fn restore(bytes: &[u8], settings: &Search, island: u32, context: &str) -> Result<Engine, CheckpointError> {
        let state: State = checkpoint::read(bytes)?;
        settings::compatible(&state.settings, settings)?;
        let mut engine = Engine::new(settings, island, context)?;
        if state.island != island {
            return Err(CheckpointError::Island { was: state.island, is: island });
        }
        if state.context != engine.context {
            return Err(CheckpointError::Context);
        }
        state.check(settings, &engine.breeder)?;
        engine.generation = state.generation;
        engine.population = state.population;
        engine.partial = state.partial;
        engine.cache = Cache::new(state.cache, CAPACITY);
        state.archive.into_iter().for_each(|row| engine.archive.offer(row.into()));
        Ok(engine)
    }

    /// Everything the search needs to go on: versioned and checksummed bytes, the same for equal searches.
    pub fn checkpoint(&self) -> Vec<u8> {
        checkpoint::write(&View {
            settings: settings::text(&self.settings),
            island: self.island,
            context: self.context,
            generation: self.generation,
            population: &self.population,
            partial: &self.partial,
            cache: self.cache.entries(),
            archive: self.rows(),
        })
    }

    /// Makes one generation, or as much of it as the budget allows, on `workers` threads. After an error the engine is
    /// as it was, and the next step repeats the generation identically.
    pub fn step(
        &mut self,
        fitness: &dyn Fitness,
        workers: usize,
        stop: &AtomicBool,
        clock: &mut Clock,
    ) -> Result<Report, StepError> {
        let first = self.partial.children.len();
        let whole = self.breeder.size(self.generation);
        let left = self.settings.budget.evaluations.saturating_sub(self.evaluations());
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(whole - first);
        if count == 0 {
            return Err(StepError::Finished);
        }
        let screen = |(): &mut (), index| Ok::<_, StepError>(Some(self.screen(first + index)));
        let screened = parallel::map(count, workers, stop, || Ok(()), screen)?.ok_or(StepError::Stopped)?;
        let fates = self.fates(&screened);
        let jobs: Vec<train::Job<'_>> = screened
            .iter()
            .zip(&fates)
            .enumerate()
            .filter(|(_, (_, fate))| matches!(fate, Fate::Shared(_, true)))
            .map(|(index, (child, _))| train::Job {
                generation: self.generation,
                index: (first + index) as u32, // settings bound a generation to u32
                gene: &child.canonical,
            })
            .collect();
        let outcomes = train::all(&jobs, fitness, workers, stop, clock)?.ok_or(StepError::Stopped)?;
        // From here on nothing can fail.
        jobs.iter().zip(&outcomes).for_each(|(job, outcome)| fitness.trained(job.gene, outcome));
        let keys = screened.iter().zip(&fates).filter(|(_, fate)| matches!(fate, Fate::Shared(_, true)));
        for ((child, _), outcome) in keys.zip(&outcomes) {
            self.partial.trained(outcome);
            self.partial.scores.push(Scored {
                key: child.key,
                fitness: outcome.fitness,
                failed: outcome.failure.is_some(),
                gene: codec::encode(&child.canonical),
            });
        }
        for (child, fate) in screened.into_iter().zip(fates) {
            self.settle(child, fate);
        }
        let complete = self.partial.children.len() == whole;
        let generation = self.generation;
        let evaluations = self.evaluations();
        self.done = complete.then(|| self.turn_over());
        let frame = generation::Frame { generation, complete, evaluations, archive: self.archive.entries() };
        Ok(self.done.as_ref().unwrap_or(&self.partial).report(&frame))
    }

    /// Whether the budget is spent.
    pub fn finished(&self) -> bool {
        self.evaluations() >= self.settings.budget.evaluations
    }

    /// Complete generations: history lines from this number on are of work that will be done again.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Candidates trained so far for the generation that is not complete: 0 but where the budget cut one short.
    pub fn trained_in_part(&self) -> u64 {
        self.partial.scores.len() as u64
    }

    /// Candidates considered so far.
    pub fn evaluations(&self) -> u64 {
        self.breeder.considered(self.generation) + self.partial.children.len() as u64
    }

    /// The fittest gene, the smallest of equals.
    pub fn best(&self) -> Option<&Entry> {
        self.archive.entries().last()
    }

    /// The genes that no other gene beats in both fitness and size, the smallest first.
    pub fn archive(&self) -> &[Entry] {
        self.archive.entries()
    }

    /// The generation that the last step completed, for a place that only grows; `None` where it was not a whole one.
    pub fn journal(&self) -> Option<Vec<u8>> {
        let done = self.done.clone()?;
        let Engine { island, context, .. } = *self;
        Some(checkpoint::write(&Step { island, generation: self.generation - 1, context, done, archive: self.rows() }))
    }

    /// Takes over the next generation as [`Engine::journal`] wrote it, without searching: what the search had begun of it
    /// is dropped. The report is the one its step gave.
    pub fn replay(&mut self, journal: &[u8]) -> Result<Report, CheckpointError> {
        let Step { island, generation, context, done, archive } = checkpoint::read(journal)?;
        if context != self.context {
            return Err(CheckpointError::Context);
        }
        if (island, generation) != (self.island, self.generation) {
            return Err(CheckpointError::OutOfOrder { island, found: generation, expected: self.generation });
        }
        if done.children.len() != self.breeder.size(generation) {
            return Err(CheckpointError::Damaged { problem: "its counts contradict each other".to_owned() });
        }
        if self.partial.arrived.is_empty() {
            self.receive(done.arrived.clone());
        }
        self.partial = done;
        self.archive = Archive::default();
        for row in archive {
            self.archive.offer(row.into());
        }
        let evaluations = self.evaluations();
        let frame = generation::Frame { generation, complete: true, evaluations, archive: self.archive.entries() };
        let report = self.partial.report(&frame);
        self.turn_over();
        Ok(report)
    }

    /// Whether the next generation has not been begun, so that genes of other islands may join before it.
    pub fn between_generations(&self) -> bool {
        self.partial.children.is_empty() && self.partial.arrived.is_empty()
    }

    /// What this island gives its neighbours: the fittest of its population.
    pub fn packet(&self, migrants: u32) -> Packet {
        let genes = migrate::emigrants(&self.population, &self.cache, migrants);
        Packet { island: self.island, generation: self.generation, genes }
    }

    /// Takes in genes of other islands, as many as are new here; says how many. Only between generations.
    pub fn receive(&mut self, arriving: Vec<Migrant>) -> usize {
        let arriving = migrate::new_ones(&self.population, arriving);
        let individuals = arriving.iter().map(|migrant| Individual {
            gene: migrant.gene.clone(),
            fitness: migrant.fitness,
            born: migrant.born,
            parents: Vec::new(),
        });
        migrate::settle(self.settings.preset, &mut self.population, individuals.collect());
        for migrant in &arriving {
            let canonical = migrant.gene.canonical();
            self.cache.insert(migrate::scored(migrant, &canonical));
            if self.archive.welcomes(&canonical, migrant.fitness) {
                let entry = Entry::new(canonical, migrant.fitness, migrant.born.generation, migrant.scored_as.clone());
                let foreign = (migrant.born.island != self.island).then_some(migrant.born.island);
                self.archive.offer(Entry { island: foreign, ..entry });
            }
        }
        let count = arriving.len();
        self.partial.arrived = arriving;
        count
    }

    fn rows(&self) -> Vec<Row> {
        self.archive.entries().iter().map(Row::from).collect()
    }

    fn screen(&self, index: usize) -> Screened {
        // Without this a small population soon holds little but copies of one behaviour. On three known targets, 12
        // seeds each, 4,000 candidates found the target 18 times with it and 8 times without.
        let promising = |gene: &Gene| {
            let signature = Signature::of(gene);
            signature.dead().is_none() && self.cache.get(&signature.key()).is_none()
        };
        let Bred { gene, parents } = self.breeder.gene(&self.population, self.generation, index, promising);
        let canonical = gene.canonical();
        let signature = Signature::of(&canonical);
        Screened { gene, parents, canonical, key: signature.key(), dead: signature.dead() }
    }

    /// Decides in the order of the children, so of several that behave alike the first is trained.
    fn fates(&self, screened: &[Screened]) -> Vec<Fate> {
        let mut own = self.partial.places();
        let mut next = self.partial.scores.len();
        let fate = |child: &Screened| {
            if let Some(scored) = self.cache.get(&child.key) {
                return Fate::Known(scored.clone());
            }
            if let Some(place) = own.get(&child.key) {
                return Fate::Shared(*place, false);
            }
            if let Some(dead) = child.dead {
                return Fate::Refused(dead);
            }
            own.insert(child.key, next);
            next += 1;
            Fate::Shared(next - 1, true)
        };
        screened.iter().map(fate).collect()
    }

    fn settle(&mut self, child: Screened, fate: Fate) {
        let Screened { gene, parents, canonical, .. } = child;
        let index = self.partial.children.len() as u32; // settings bound a generation to u32
        let born = Birth { island: self.island, generation: self.generation, index };
        let (scored, reused) = match fate {
            Fate::Refused(dead) => {
                self.partial.refused(dead);
                self.partial.children.push(Individual { gene, fitness: 0.0, born, parents });
                return;
            }
            Fate::Known(scored) => (scored, true),
            Fate::Shared(place, trained) => (self.partial.scores[place].clone(), !trained),
        };
        self.partial.scored(&scored, reused);
        self.partial.children.push(Individual { gene, fitness: scored.fitness, born, parents });
        if !scored.failed && self.archive.welcomes(&canonical, scored.fitness) {
            let scored_as = codec::decode(&scored.gene).filter(|trained| *trained != canonical);
            self.archive.offer(Entry::new(canonical, scored.fitness, self.generation, scored_as));
        }
    }

    /// Makes the finished generation part of the search; returns it.
    fn turn_over(&mut self) -> Generation {
        let done = std::mem::take(&mut self.partial);
        self.population = self.breeder.survivors(std::mem::take(&mut self.population), done.children.clone());
        for scored in &done.scores {
            self.cache.insert(scored.clone());
        }
        self.generation += 1;
        done
    }
}
