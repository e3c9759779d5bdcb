//! Genes that go from island to island, and generations that are taken over instead of searched.
mod common;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use automl_contract::spec::{Migration, MigrationMode, Search, SearchPreset};
use automl_genome::{Gene, Signature};
use automl_search::{Birth, CheckpointError, Engine, Packet, Report, epochs, generations, genes};
use common::{CONTEXT, Towards, clock, finish, new, settings};

const PRESETS: [SearchPreset; 2] = [SearchPreset::Regularized, SearchPreset::Original];
const MIGRATION: Migration = Migration { every: 2, migrants: 4, mode: MigrationMode::Synchronous };

fn migrating(preset: SearchPreset, evaluations: u64) -> Search {
    Search { migration: Some(MIGRATION), ..settings(preset, 11, evaluations) }
}

fn island(settings: &Search, island: u32) -> Engine {
    Engine::new(settings, island, CONTEXT).unwrap()
}

/// Two islands that exchange the packets of one epoch before, as bytes; each generation's report and journal.
struct Pair {
    settings: Search,
    engines: [Engine; 2],
    packets: BTreeMap<(usize, u32), Vec<u8>>,
    reports: [Vec<Report>; 2],
    journals: [Vec<Vec<u8>>; 2],
    fitness: [Towards; 2],
}

impl Pair {
    fn new(settings: Search) -> Pair {
        let engines = [island(&settings, 0), island(&settings, 1)];
        let packets = BTreeMap::new();
        Pair {
            settings,
            engines,
            packets,
            reports: Default::default(),
            journals: Default::default(),
            fitness: [Towards::target(), Towards::target()],
        }
    }

    fn step(&mut self, one: usize) {
        let engine = &mut self.engines[one];
        let epoch = engine.generation() / MIGRATION.every;
        if engine.between_generations() && engine.generation().is_multiple_of(MIGRATION.every) {
            let packet = engine.packet(MIGRATION.migrants).write().unwrap();
            assert_eq!(self.packets.entry((one, epoch)).or_insert(packet.clone()), &packet);
            if epoch >= 2 {
                let given = Packet::read(&self.packets[&(1 - one, epoch - 1)], &self.settings).unwrap();
                engine.receive(given.genes);
            }
        }
        let report = engine.step(&self.fitness[one], 2, &AtomicBool::new(false), &mut clock()).unwrap();
        self.journals[one].extend(engine.journal());
        self.reports[one].push(report);
    }

    fn go(mut self) -> Pair {
        while !self.engines.iter().all(Engine::finished) {
            (0..2).for_each(|one| self.step(one));
        }
        self
    }
}

#[test]
fn genes_arrive_live_on_and_are_known_by_where_they_were_bred() {
    for preset in PRESETS {
        let pair = Pair::new(migrating(preset, 400)).go();
        let arrived: Vec<_> = pair.reports[1].iter().flat_map(|report| &report.arrived).collect();
        assert!(!arrived.is_empty() && arrived.iter().any(|migrant| migrant.born.island == 0), "{preset:?}");
        let parents: Vec<Birth> =
            pair.journals[1].iter().flat_map(|journal| genes(journal).unwrap()).flat_map(|gene| gene.parents).collect();
        assert!(parents.iter().any(|parent| parent.island == 0), "{preset:?}: no arrival has had a child");
        // Whoever arrived had been trained where it came from, and is not trained again.
        let told = pair.fitness[1].told.lock().unwrap();
        let key = |gene: &Gene| Signature::of(&gene.canonical()).key();
        let mut before = 0;
        for report in &pair.reports[1] {
            let later: Vec<_> = told[before..].iter().map(|(gene, _)| key(&gene.parse().unwrap())).collect();
            for migrant in &report.arrived {
                assert!(!later.contains(&key(&migrant.gene)), "{preset:?}: {} was trained again", migrant.gene);
            }
            before += report.trained as usize;
        }
        assert_eq!(before, told.len());
        // A foreign gene in an archive says so.
        let foreign = pair.engines[1].archive().iter().filter(|entry| entry.island.is_some());
        for entry in foreign {
            assert_eq!(entry.island, Some(0));
            let bred = genes(&pair.journals[0][entry.generation as usize]).unwrap();
            assert!(
                bred.iter().any(
                    |gene| gene.gene.canonical() == entry.gene && gene.fitness.to_bits() == entry.fitness.to_bits()
                )
            );
        }
        let alone = {
            let mut engine = island(&migrating(preset, 400), 1);
            finish(&mut engine, &Towards::target(), 1);
            engine.checkpoint()
        };
        assert_ne!(alone, pair.engines[1].checkpoint());
    }
}

#[test]
fn journals_alone_bring_an_island_to_where_it_was() {
    for preset in PRESETS {
        let pair = Pair::new(migrating(preset, 305)).go();
        for one in [0, 1] {
            let mut engine = island(&pair.settings, one as u32);
            for (journal, report) in pair.journals[one].iter().zip(&pair.reports[one]) {
                assert_eq!(engine.replay(journal).unwrap(), *report, "{preset:?}");
                let mut restored = Engine::restore(&engine.checkpoint(), &pair.settings, one as u32, CONTEXT).unwrap();
                assert_eq!(restored.checkpoint(), engine.checkpoint());
                assert!(matches!(restored.replay(journal), Err(CheckpointError::OutOfOrder { .. })));
            }
            // The budget ended inside the last generation: that one is searched again.
            let mut last = Pair {
                engines: [island(&pair.settings, 0), island(&pair.settings, 1)],
                ..Pair::new(pair.settings.clone())
            };
            last.engines[one] = engine;
            last.packets = pair.packets.clone();
            while !last.engines[one].finished() {
                last.step(one);
            }
            assert_eq!(last.engines[one].checkpoint(), pair.engines[one].checkpoint(), "{preset:?}");
            assert_eq!(last.reports[one].last(), pair.reports[one].last());
        }
    }
}

#[test]
fn a_journal_of_another_island_or_another_evaluation_or_with_a_flipped_bit_is_refused() {
    let pair = Pair::new(migrating(SearchPreset::Regularized, 60)).go();
    let journal = &pair.journals[0][0];
    let refusal = |engine: &mut Engine, journal: &[u8]| {
        let before = engine.checkpoint();
        let refusal = engine.replay(journal).unwrap_err();
        assert_eq!(engine.checkpoint(), before, "what is refused changes nothing");
        refusal
    };
    assert!(matches!(refusal(&mut island(&pair.settings, 1), journal), CheckpointError::OutOfOrder { island: 0, .. }));
    let mut elsewhere = Engine::new(&pair.settings, 0, "another").unwrap();
    assert!(matches!(refusal(&mut elsewhere, journal), CheckpointError::Context));
    for place in (0..journal.len()).step_by(7) {
        let mut damaged = journal.clone();
        damaged[place] ^= 4;
        refusal(&mut island(&pair.settings, 0), &damaged);
    }
    let larger = Search { population: 40, ..pair.settings.clone() };
    assert!(matches!(refusal(&mut island(&larger, 0), journal), CheckpointError::Damaged { .. }));
}

#[test]
fn a_packet_is_within_bounds_or_refused() {
    let settings = migrating(SearchPreset::Regularized, 60);
    let mut engine = new(&settings);
    finish(&mut engine, &Towards::target(), 1);
    let packet = engine.packet(MIGRATION.migrants);
    assert_eq!(Packet::read(&packet.write().unwrap(), &settings).unwrap(), packet);
    assert_eq!(packet.genes.len(), 4);
    assert!(packet.genes.windows(2).all(|pair| pair[0].fitness >= pair[1].fitness));
    let refused = |change: &dyn Fn(&mut Packet)| {
        let mut changed = packet.clone();
        change(&mut changed);
        Packet::read(&changed.write().unwrap(), &settings).unwrap_err().to_string()
    };
    assert!(refused(&|packet| packet.genes.push(packet.genes[0].clone())).contains("5 genes"));
    for fitness in [0.0, -1.0] {
        assert!(refused(&|packet| packet.genes[0].fitness = fitness).contains("without a score"));
    }
    let large: Gene = format!("{}x", "sin ".repeat(60)).parse().unwrap();
    assert!(refused(&|packet| packet.genes[1].gene = large.clone()).contains("bounds"));
    assert!(refused(&|packet| packet.genes[1].gene = "row_sum(x)".parse().unwrap()).contains("bounds"));
    for text in ["", "{}", "[]", r#"{"island":0,"generation":1,"genes":[{"gene":"wibble(x)"}]}"#] {
        assert!(Packet::read(text.as_bytes(), &settings).is_err(), "{text}");
    }
}

#[test]
fn a_budget_is_so_many_generations_and_epochs() {
    for (evaluations, whole, parts) in
        [(1, 1, 1), (30, 1, 1), (31, 2, 1), (50, 2, 1), (51, 3, 2), (90, 4, 2), (91, 5, 3)]
    {
        let settings = migrating(SearchPreset::Regularized, evaluations);
        assert_eq!((generations(&settings), epochs(&settings, MIGRATION)), (whole, parts), "{evaluations}");
        let mut engine = new(&settings);
        assert_eq!(finish(&mut engine, &Towards::target(), 1).len() as u64, whole);
    }
}
