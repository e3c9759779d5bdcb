//! What the search costs beside training: processor time per candidate for breeding, canonical form, signature, cache
//! and archive, and the size and time of checkpoints. `cargo run --release -p automl-search --example overhead`
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use automl_contract::spec::{Budget, SearchPreset, SearchSpec, VocabularyName};
use automl_genome::Gene;
use automl_search::{Clock, Engine, Fitness, FitnessError, Interrupted, Outcome, Worker};

/// Scores at no cost: a number that prefers genes of about 30 nodes, so that the genes measured are not small.
struct Free(AtomicU64);

impl Fitness for Free {
    fn worker(&self) -> Result<Box<dyn Worker + '_>, FitnessError> {
        Ok(Box::new(self))
    }
}

impl Worker for &Free {
    fn evaluate(&mut self, gene: &Gene, _: &AtomicBool) -> Result<Outcome, Interrupted> {
        self.0.fetch_add(gene.nodes().len() as u64, Ordering::Relaxed);
        let fitness = 1.0 / (1.0 + (gene.nodes().len() as f64 - 30.0).abs());
        Ok(Outcome { fitness, failure: None, cost: 1 })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (preset, vocabulary) in [
        (SearchPreset::Regularized, VocabularyName::Validator),
        (SearchPreset::Regularized, VocabularyName::Extended),
        (SearchPreset::Original, VocabularyName::Miner),
    ] {
        let budget = Budget { evaluations: 30_000 };
        let settings = SearchSpec { preset, vocabulary, budget, ..SearchSpec::default() }.resolved();
        let mut engine = Engine::new(&settings, 0, "overhead")?;
        let (fitness, stop, mut clock) =
            (Free(AtomicU64::new(0)), AtomicBool::new(false), Clock::new([], Box::new(|_| Ok(()))));
        let (mut trained, mut cached, mut refused) = (0, 0, std::collections::BTreeMap::<String, u64>::new());
        let begun = Instant::now();
        while !engine.finished() {
            let report = engine.step(&fitness, 1, &stop, &mut clock)?;
            (trained, cached) = (trained + report.trained, cached + report.cached);
            for (reason, count) in report.refused {
                *refused.entry(reason).or_default() += count;
            }
        }
        let spent = begun.elapsed();
        let begun = Instant::now();
        let bytes = engine.checkpoint();
        let written = begun.elapsed();
        let begun = Instant::now();
        Engine::restore(&bytes, &settings, 0, "overhead")?;
        println!(
            "{preset:?} {vocabulary:?}: {:.1} us per candidate (of {}: {trained} trained, mean {:.1} nodes; {cached} cached; refused {refused:?}); \
             checkpoint {} bytes, {:.1} bytes per trained, written in {:.2} ms, restored in {:.2} ms",
            spent.as_secs_f64() * 1e6 / engine.evaluations() as f64,
            engine.evaluations(),
            fitness.0.load(Ordering::Relaxed) as f64 / f64::from(u32::try_from(trained)?),
            bytes.len(),
            bytes.len() as f64 / f64::from(u32::try_from(trained)?),
            written.as_secs_f64() * 1e3,
            begun.elapsed().as_secs_f64() * 1e3,
        );
    }
    Ok(())
}
