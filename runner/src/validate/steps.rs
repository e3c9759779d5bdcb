//! One look at the chain: sync, read, score, weights. Each can be broken off anywhere and is gone on with by the next look.
use super::pages::{OF_BASELINE, OF_MINER, READ, SCORE, SYNC, WEIGHTS};
use super::read::Read;
use super::weights::Told as Weighed;
use super::{Trouble, Validating, shown};
use crate::failure::Failure;
use crate::output;
use crate::scorer::message::Trained;
use automl_chain::{ChainError, Commitment, Metagraph, Refused, seen::Seen};
use automl_contract::validating::{ConditionKind, RoundProgress};
use automl_ledger::Digest;
use automl_score::allocate::Told;
use automl_validate::{Answer, Bound, Fate, Grid, Judged, Question, Training, first_seed, judge, sort};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Blocks of a day, of twelve seconds each.
const DAY: u64 = 7_200;
/// Trainings that are asked for at once: what is lost when this process ends.
const AT_ONCE: usize = 256;
/// The part of a round for which hosts that do not answer are waited for: one of so many.
const WAITING: u64 = 4;
/// Why a training failed that may have been this machine's fault.
const OURS: [&str; 3] = ["timeout", "stalled", "killed"];
/// How long a scorer that has just been started may take to be there.
const STARTING: Duration = Duration::from_mins(10);

impl Validating {
    /// Looks, and does what there is to do. Whatever fails is said, and tried again at the next look.
    pub(super) async fn turn(&mut self) {
        if let Err(trouble) = self.look().await {
            if let Trouble::Chain(error) = &trouble {
                self.pages.disconnected(error);
            }
            self.pages.doing(format!("trying again: {trouble}"));
        }
    }

    async fn look(&mut self) -> Result<(), Trouble> {
        let metagraph = self.sync().await?;
        let scorer = self.is_scorer_ready().await;
        let closed = self.closed(&metagraph);
        let Some(own) = metagraph.neuron(self.hotkey.address()) else {
            self.not_permitted("NotRegistered", &Refused::NotRegistered(self.hotkey.address()));
            return Ok(());
        };
        let alone = self.fence.look(own, &metagraph.rules, closed, &self.book, &self.pages).await?;
        self.reveal().await?;
        // Scored without a permit too: then all is ready when it comes.
        let Some(closed) = closed else {
            self.pages.doing("waiting for the first round to close".to_owned());
            return Ok(());
        };
        let (_, set) = self.book.weights(closed).await?;
        if let Some(set) = set {
            self.fresh(true, "Set", self.told(closed, set));
            self.pages.change(|progress| progress.weights_block = Some(set.block));
            self.pages.doing(format!("waiting for the next round; the one that block {closed} closed is done"));
            self.permitted(own.permit);
            return Ok(());
        }
        self.permitted(own.permit);
        scorer?;
        let Some(judged) = self.judged_at(&metagraph, closed).await? else { return Ok(()) };
        if !own.permit || !alone {
            self.fresh(false, "Held", "weights are not set: see Permitted and HotkeyInUse".to_owned());
            return Ok(());
        }
        let began = Instant::now();
        let told = self.set_weights(&judged).await;
        self.pages.took(WEIGHTS, began.elapsed());
        match told? {
            Weighed::Done(set) => {
                self.fresh(true, "Set", self.told(closed, set));
                self.pages.doing(format!("waiting for the next round; the one that block {closed} closed is done"));
            }
            Weighed::Nobody => {
                self.fresh(
                    false,
                    "NobodyEarns",
                    format!("nobody earns anything in the round that block {closed} closed"),
                );
                self.pages.doing("waiting for the next round: nobody earns anything in this one".to_owned());
            }
            Weighed::Later(words) => {
                self.fresh(false, "NotTaken", words.clone());
                self.pages.doing(format!("trying again: {words}"));
            }
        }
        Ok(())
    }

    async fn sync(&mut self) -> Result<Metagraph, Trouble> {
        let began = Instant::now();
        if !self.book.knows_chain() {
            self.book.is_of(self.chain.genesis().await?).await?;
        }
        let metagraph = self.chain.metagraph().await?;
        self.pages.took(SYNC, began.elapsed());
        let block = metagraph.block.number;
        self.pages.change(|progress| progress.block = block);
        self.pages.condition(ConditionKind::ChainConnected, true, "Connected", "the chain answers".to_owned());
        self.pages.earns(&Ok(metagraph.standing(self.hotkey.address())));
        Ok(metagraph)
    }

    async fn is_scorer_ready(&mut self) -> Result<(), Trouble> {
        let ready = self.scorer.is_ready().await;
        let (reason, message) = match &ready {
            Ok(()) => ("Ready", "the scorer answers".to_owned()),
            Err(words) => ("Unreachable", words.clone()),
        };
        self.pages.condition(ConditionKind::ScorerReady, ready.is_ok(), reason, message);
        ready.map_err(Trouble::Scorer)
    }

    /// Waits for a scorer that has just been started.
    pub(super) async fn wait_for_scorer(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            match self.is_scorer_ready().await {
                Ok(()) => return Ok(()),
                Err(trouble) if began.elapsed() > STARTING => return Err(trouble.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    fn not_permitted(&self, reason: &str, refused: &Refused) {
        self.pages.condition(ConditionKind::Permitted, false, reason, refused.to_string());
        self.pages.doing(format!("waiting: {refused}"));
    }

    fn permitted(&self, permit: bool) {
        if permit {
            let message = "the hotkey may set weights".to_owned();
            self.pages.condition(ConditionKind::Permitted, true, "Permitted", message);
        } else {
            self.not_permitted("NoPermit", &Refused::NoPermit(self.hotkey.address()));
        }
    }

    fn fresh(&self, holds: bool, reason: &str, message: String) {
        self.pages.condition(ConditionKind::WeightsFresh, holds, reason, message);
    }

    fn grid(&self, metagraph: &Metagraph) -> Option<Grid> {
        let rules = &metagraph.rules;
        Grid::new(rules.epoch_blocks, rules.next_epoch, &self.spec.rounds)
    }

    fn closed(&self, metagraph: &Metagraph) -> Option<u64> {
        self.grid(metagraph)?.closed(metagraph.block.number)
    }

    /// What the round that closed last comes to, `None` before the first; and why its weights are not to be set now.
    pub(super) async fn judged(&mut self) -> Result<(Option<Judged>, Option<String>), Trouble> {
        let metagraph = self.sync().await?;
        let Some(closed) = self.closed(&metagraph) else { return Ok((None, None)) };
        let judged = self.judged_at(&metagraph, closed).await?;
        if let (_, Some(set)) = self.book.weights(closed).await? {
            return Ok((judged, Some(format!("the weights of this round are set already, in block {}", set.block))));
        }
        let Some(own) = metagraph.neuron(self.hotkey.address()) else { return Ok((judged, None)) };
        let alone = self.fence.look(own, &metagraph.rules, Some(closed), &self.book, &self.pages).await?;
        let held = || format!("somebody else has set weights with this hotkey, in block {}", own.updated);
        Ok((judged, (!alone).then(held)))
    }

    async fn judged_at(&mut self, metagraph: &Metagraph, closed: u64) -> Result<Option<Judged>, Trouble> {
        if let Some(judged) = self.book.round(closed).await? {
            return Ok(Some(judged));
        }
        let Some(grid) = self.grid(metagraph) else { return Ok(None) };
        self.pages.doing(format!("reading what hotkeys were bound to at block {closed}"));
        let began = Instant::now();
        let Some((history, current)) = self.history(closed).await? else {
            self.pages.doing(format!("waiting for the next round: no node remembers block {closed}"));
            return Ok(None);
        };
        let Read { bound, failed, silent } = self.reader.read(&self.book, &history, &current).await?;
        self.pages.took(READ, began.elapsed());
        // What is judged is final, and others may have read what did not answer here: it is asked again while there is time.
        let waits = closed.saturating_add(grid.every() / WAITING);
        if silent > 0 && metagraph.block.number < waits && !self.once {
            self.pages.doing(format!("waiting for the hosts of {silent} genes to answer, until block {waits}"));
            return Ok(None);
        }
        self.pages.fetch_failures(failed);
        let genes = current.iter().filter(|at| bound[**at].gene.is_ok()).count();
        self.pages.change(|progress| {
            progress.round = Some(RoundProgress {
                closed,
                commitments: current.len() as u32,
                genes: genes as u32,
                ..RoundProgress::default()
            });
        });
        let began = Instant::now();
        let judged = self.score(grid, closed, &bound, &current).await;
        self.pages.took(SCORE, began.elapsed());
        let judged = judged?;
        self.book.judged(&judged).await?;
        self.tell(&judged);
        Ok(Some(judged))
    }

    /// All that hotkeys were ever bound to until a round closed, as far as it is known, and which of it they were bound to then.
    async fn history(&self, closed: u64) -> Result<Option<(Vec<Commitment>, BTreeSet<usize>)>, Trouble> {
        let Some(now) = self.chain.commitments_at(closed).await? else { return Ok(None) };
        let seen = async || Seen::of(&*self.chain, &**self.book.ledger(), self.spec.netuid).await;
        // What chain and nodes remember of who was first is kept, because they will not for long.
        let own = seen().await?.kept_by(self.book.name());
        own.rebuild().await?;
        let (own, others) = (own.all().await?, seen().await?.all().await?);
        let all = own.into_iter().chain(others).map(|sight| sight.commitment).chain(now.iter().cloned());
        let all: BTreeMap<(u64, String), Commitment> = all
            .filter(|commitment| commitment.block <= closed)
            .map(|commitment| ((commitment.block, commitment.hotkey.to_string()), commitment))
            .collect();
        let history: Vec<Commitment> = all.into_values().collect();
        let current = (0..history.len()).filter(|at| now.contains(&history[*at])).collect();
        Ok(Some((history, current)))
    }

    async fn score(
        &mut self,
        grid: Grid,
        closed: u64,
        bound: &[Bound],
        current: &BTreeSet<usize>,
    ) -> Result<Judged, Trouble> {
        let mut seeds = BTreeMap::from([(closed, self.first_seed(closed).await?)]);
        let spec = self.spec.clone();
        let sets = self.way.sets();
        let first = seeds.clone();
        let question = Question {
            closed,
            history: bound,
            current,
            grid,
            seeds: &first,
            sets,
            day: DAY,
            scoring: &spec.scoring,
            copies: &spec.copies,
            payout: &spec.payout,
        };
        let sorted = sort(&question);
        loop {
            let question = Question { seeds: &seeds, ..question };
            let answer = judge(&question, &sorted, &|gene, seed| self.book.told(gene, seed));
            let (trainings, rounds) = match answer {
                Answer::Judged(judged) => return Ok(*judged),
                Answer::Needs(trainings, rounds) => (owned(&trainings), rounds),
            };
            for closed in rounds {
                seeds.insert(closed, self.first_seed(closed).await?);
            }
            self.pages.doing(format!("scoring the round that block {closed} closed"));
            for part in trainings.chunks(AT_ONCE) {
                self.train(part).await?;
            }
        }
    }

    /// The first seed of a round, which nobody knew before it was closed.
    async fn first_seed(&self, closed: u64) -> Result<u32, Trouble> {
        let most = self.spec.scoring.cap.max(self.spec.scoring.screen).max(self.spec.scoring.recheck);
        let seed = |unforeseen: Digest| first_seed(unforeseen.bytes(), self.spec.netuid, most);
        if let Some(known) = self.book.unforeseen(closed).await? {
            return Ok(seed(known));
        }
        let number = Grid::seeded_by(closed);
        let unforeseen = self.chain.unforeseen(number).await?.ok_or_else(|| ChainError::Unreachable {
            network: "the chain".to_owned(),
            problem: format!("block {number}, or the round of drand after it, is not there yet"),
        })?;
        self.book.keep_unforeseen(closed, unforeseen).await?;
        Ok(seed(unforeseen))
    }

    async fn train(&mut self, part: &[(String, u32)]) -> Result<(), Trouble> {
        let mut scored = self.scorer.train(part.to_vec()).await.map_err(Trouble::Scorer)?;
        self.again(part, &mut scored.trained).await?;
        let baseline = automl_validate::judge::baseline().to_string();
        let mut told = Vec::with_capacity(part.len());
        for ((gene, seed), trained) in part.iter().zip(&scored.trained) {
            self.pages.trained(if *gene == baseline { OF_BASELINE } else { OF_MINER }, trained.seconds);
            // Where whatever was left is judged, a failure is what raises an error in the original, and not a bad network.
            let outcome = trained.failure.as_ref().map_or(Told::Accuracy(trained.accuracy), |_| Told::Failed);
            told.push((gene.clone(), *seed, outcome));
        }
        self.book.keep(&scored.processor, &told).await?;
        self.pages.change(|progress| {
            if let Some(round) = &mut progress.round {
                round.trainings += part.len() as u64;
            }
        });
        Ok(())
    }

    /// Trains alone what a busy machine may have failed at. Of a gene that fails again the rest is believed.
    async fn again(&self, part: &[(String, u32)], trained: &mut [Trained]) -> Result<(), Trouble> {
        let mut hopeless = BTreeSet::new();
        for ((gene, seed), trained) in part.iter().zip(trained) {
            let ours = trained.failure.as_deref().is_some_and(|failure| OURS.contains(&failure));
            if !ours || hopeless.contains(gene) {
                continue;
            }
            let alone = self.scorer.train(vec![(gene.clone(), *seed)]).await.map_err(Trouble::Scorer)?;
            match alone.trained.into_iter().next() {
                Some(alone) if alone.failure.is_none() => *trained = alone,
                _ => {
                    hopeless.insert(gene);
                }
            }
        }
        Ok(())
    }

    /// Says what a round came to, once.
    fn tell(&mut self, judged: &Judged) {
        let count =
            |which: &dyn Fn(&Fate, f64) -> bool| judged.rows.iter().filter(|row| which(&row.fate, row.share)).count();
        let paid = count(&|_, share| share > 0.0);
        let copies = count(&|fate, _| matches!(fate, Fate::Copy { .. }));
        let unusable = count(&|fate, _| matches!(fate, Fate::Unusable { .. }));
        self.pages.genes("paid", paid);
        self.pages.genes("copy", copies);
        self.pages.genes("unusable", unusable);
        self.pages.genes("unpaid", judged.rows.len().saturating_sub(paid + copies + unusable));
        self.pages.change(|progress| {
            if let Some(round) = &mut progress.round {
                round.copies = copies as u32;
                round.paid = Some(paid as u32);
            }
        });
        // A closed pipe ends no validator.
        let _ = self.show(judged);
    }

    /// Prints what a round came to, unless it was printed before.
    pub(super) fn show(&mut self, judged: &Judged) -> Result<(), Failure> {
        if self.printed.replace(judged.closed) == Some(judged.closed) {
            return Ok(());
        }
        if self.json { output::json(judged) } else { output::line(shown::table(judged)) }
    }
}

fn owned(trainings: &[Training]) -> Vec<(String, u32)> {
    trainings.iter().map(|training| (training.gene.to_string(), training.seed)).collect()
}
