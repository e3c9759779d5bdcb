//! Genes between islands, at the beginning of each epoch.
//!
//! Synchronous: an island that enters epoch `k` takes in what its neighbours gave when they entered epoch `k - 1`, and waits for
//! it. A packet never changes and follows from its island's search, so an island's search follows from the spec and the
//! schedule. Asynchronous: it takes what its neighbours gave last, and waits for nobody.
use super::island_of;
use super::keep::{Keeper, Waiting};
use super::schedule::{Epoch, Schedule, epoch_key, ring};
use crate::failure::Failure;
use automl_contract::spec::{Migration, MigrationMode};
use automl_ledger::{Entry, Filter, Kind, Record};
use automl_search::{Engine, Migrant, Packet, epochs};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of the other islands.
#[derive(Default)]
pub(super) struct Exchange {
    schedule: Schedule,
    /// The last record of it that was read.
    seen: u64,
    /// The last packet of each island, and the last record that was read; where nobody waits.
    packets: BTreeMap<u32, Vec<u8>>,
    packets_seen: u64,
}

impl Keeper {
    /// Where an epoch begins: gives, waits and takes.
    pub(crate) fn exchange(&mut self, engine: &mut Engine) -> Result<(), Failure> {
        let Some(migration) = self.search.migration else { return Ok(()) };
        if !engine.between_generations() || !engine.generation().is_multiple_of(migration.every) {
            return Ok(());
        }
        let own = engine.generation() / migration.every;
        let genes = match migration.mode {
            MigrationMode::Synchronous => self.in_step(engine, migration, own)?,
            MigrationMode::Asynchronous => self.at_any_pace(engine, migration, own)?,
        };
        engine.receive(genes);
        Ok(())
    }

    fn in_step(&mut self, engine: &Engine, migration: Migration, own: u32) -> Result<Vec<Migrant>, Failure> {
        let epoch = self.enter(migration, own)?;
        if own > 0 {
            self.give(engine, migration, epoch.saturating_mul(migration.every))?;
        }
        let givers = self.exchange.schedule.givers(self.island, epoch);
        let generation = epoch.saturating_sub(1).saturating_mul(migration.every);
        let mut genes = Vec::new();
        for giver in givers {
            let name = self.name(Kind::Packet, &format!("{giver}.{generation}"))?;
            let mut waiting = Waiting::new(&self.shared);
            let record = loop {
                match self.record(&name)? {
                    Some(record) => break record,
                    None => waiting.again(&format!("for the genes of island {giver} at generation {generation}"))?,
                }
            };
            waiting.over();
            genes.extend(self.read_packet(giver, &record.body)?);
        }
        Ok(genes)
    }

    /// Which of the run's epochs this one of ours is: waits until that is decided, and has a part in it.
    fn enter(&mut self, migration: Migration, own: u32) -> Result<u32, Failure> {
        loop {
            self.read_schedule()?;
            let schedule = &self.exchange.schedule;
            if let Some(epoch) = schedule.epoch_of(self.island, own) {
                return Ok(epoch);
            }
            let wish = schedule.wish().unwrap_or(self.replicas);
            if self.island < wish {
                let epoch = Epoch { islands: schedule.next(wish, epochs(&self.search, migration)) };
                let name = self.name(Kind::Schedule, &epoch_key(schedule.len(), schedule.wishes))?;
                let body = serde_json::to_vec(&epoch).map_err(Failure::internal)?;
                // Unless another island was first.
                self.offer(&[Entry { name, body }])?;
            } else {
                self.wait_to_be_wished()?;
            }
        }
    }

    fn at_any_pace(&mut self, engine: &Engine, migration: Migration, own: u32) -> Result<Vec<Migrant>, Failure> {
        self.read_schedule()?;
        self.wait_to_be_wished()?;
        if own > 0 {
            self.give(engine, migration, engine.generation())?;
        }
        for record in self.news(Kind::Packet, self.exchange.packets_seen)? {
            self.exchange.packets_seen = record.seq;
            self.exchange.packets.extend(island_of(&record).map(|island| (island, record.body)));
        }
        let wish = self.exchange.schedule.wish().unwrap_or(self.replicas);
        let mut genes = Vec::new();
        for giver in ring(self.island, |other| other < wish) {
            if let Some(body) = self.exchange.packets.get(&giver) {
                genes.extend(self.read_packet(giver, body)?);
            }
        }
        Ok(genes)
    }

    fn give(&self, engine: &Engine, migration: Migration, generation: u32) -> Result<(), Failure> {
        let name = self.name(Kind::Packet, &format!("{}.{generation}", self.island))?;
        let entry = Entry { name, body: engine.packet(migration.migrants).write().map_err(Failure::internal)? };
        self.append(&[entry])?.map(drop).map_err(|error| {
            if error.is_conflict() {
                Failure::internal(format!(
                    "island {} of {} has given other genes at generation {generation}: another process searches it too",
                    self.island, self.run
                ))
            } else {
                error.into()
            }
        })
    }

    fn read_schedule(&mut self) -> Result<(), Failure> {
        for record in self.news(Kind::Schedule, self.exchange.seen)? {
            self.exchange.seen = record.seq;
            self.exchange.schedule.learn(record.name.key(), &record.body);
        }
        Ok(())
    }

    /// Waits until this island is among those that the run shall have.
    fn wait_to_be_wished(&mut self) -> Result<(), Failure> {
        let shared = Arc::clone(&self.shared);
        let mut waiting = Waiting::left_out(&shared);
        loop {
            let wish = self.exchange.schedule.wish().unwrap_or(self.replicas);
            if self.island < wish {
                waiting.over();
                return Ok(());
            }
            waiting.again(&format!("to be among the islands of the run, which has {wish} now"))?;
            self.read_schedule()?;
        }
    }

    /// Records of the run after this one.
    fn news(&self, kind: Kind, after: u64) -> Result<Vec<Record>, Failure> {
        let filter = Filter { kind: Some(kind), scope: Some(self.run.clone()) };
        Ok(self.ask(async || self.ledger.all(&filter, after).await)??)
    }

    fn read_packet(&self, giver: u32, body: &[u8]) -> Result<Vec<Migrant>, Failure> {
        let packet = Packet::read(body, &self.search);
        let packet = packet.map_err(|error| Failure::bad_input(format!("a packet of island {giver}: {error}")))?;
        if packet.island == giver {
            Ok(packet.genes)
        } else {
            Err(Failure::bad_input(format!("a packet of island {giver} says it is of island {}", packet.island)))
        }
    }
}
