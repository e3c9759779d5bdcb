//! After the search: choose the winner on fresh seeds, compare it on data no search step saw, write the results.
//!
//! The best of many noisy scores looks better than it is. So the finalists are trained again with seeds and validation
//! examples of their own, one is chosen, and only that one meets the usual losses on the final set.
use crate::failure::{Failure, program};
use crate::mine::compare::{Comparison, Row, Scored, pair};
use crate::mine::display::Display;
use crate::mine::folder::{self, RunFolder};
use crate::mine::plan::Plan;
use crate::mine::records::Writer;
use crate::mine::service::Shared;
use crate::mine::session::stopped;
use crate::mine::trials::{Entrant, Place, TrialsError, train_all};
use crate::mine::{picture, table};
use crate::output;
use automl_contract::progress::{Best, Confirmed, Phase};
use automl_genome::{Format, Gene, export, known_losses};
use automl_lab::{Lab, Stage};
use automl_score::Interval;
use automl_search::{Engine, Entry, Report};
use serde::Serialize;

/// Genes of the archive that are trained again to choose the winner.
pub(crate) const FINALISTS: usize = 8;
/// What the comparison is; said with every table.
pub(crate) const LABEL: &str = "fixed learning rate, untuned";

/// A finished search and where its results go.
pub(crate) struct Finale<'a> {
    pub plan: &'a Plan,
    pub lab: &'a Lab,
    pub engine: &'a Engine,
    pub folder: &'a RunFolder,
    pub workers: usize,
    pub json: bool,
}

/// `comparison.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Results {
    /// `None` where no candidate could be trained.
    winner: Option<Winner>,
    /// The finalists on the seeds that chose among them.
    finalists: Vec<Scored>,
    comparison: Option<Comparison>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Winner {
    expression: String,
    sha256: String,
    nodes: usize,
    /// Mean accuracy in the search, which chose it among many: too high an estimate.
    search_fitness: f64,
    generation: u32,
}

impl Finale<'_> {
    /// Plays all of it, and says who won. Stopped in between, a resume begins it again; the search is safe.
    pub(crate) fn play(
        &self,
        shared: &Shared,
        display: &Display,
        history: &[Report],
        records: &mut Writer,
    ) -> Result<Option<Gene>, Failure> {
        let finalists = finalists(self.engine.archive());
        if finalists.is_empty() {
            return self.nothing_found(history).map(|()| None);
        }
        let mut train = |entrants: &[Entrant], stage, seeds, what| {
            let told = display.stage(what, entrants.len() * seeds as usize);
            let trials =
                train_all(Place::InProcess(self.lab), entrants, stage, 0..seeds, self.workers, &shared.stop, &told);
            let trials = trials.map_err(|error| match error {
                TrialsError::Interrupted => stopped(self.folder),
                TrialsError::Broken(failure) => failure,
            })?;
            records.append(self.lab, &trials.records)?;
            Ok(trials.scored)
        };

        shared.progress().phase = Phase::Selecting;
        let entrants: Vec<Entrant> = finalists
            .iter()
            .enumerate()
            .map(|(index, entry)| Entrant::new(format!("finalist {}", index + 1), entry.gene.clone()))
            .collect();
        let selected = train(&entrants, Stage::Select, self.plan.evaluation.select_seeds, "choosing the winner")?;
        let winner = finalists[winner_of(&selected)];

        shared.progress().phase = Phase::Comparing;
        let comparison =
            compare_with_known(&winner.gene, self.lab, self.plan.evaluation.final_seeds, |entrants, seeds| {
                train(entrants, Stage::Final, seeds, "comparing with the usual losses")
            })?;
        confirm(shared, winner, comparison.rows.first());
        let table = table::render(&comparison, "winner − loss, points");
        let results = Results {
            winner: Some(Winner {
                expression: winner.gene.to_string(),
                sha256: winner.sha256.clone(),
                nodes: winner.gene.nodes().len(),
                search_fitness: winner.fitness,
                generation: winner.generation,
            }),
            finalists: selected,
            comparison: Some(comparison),
        };
        self.write(&results, &winner.gene, history)?;
        if self.json {
            output::json(&results)?;
            return Ok(Some(winner.gene.clone()));
        }
        let root = self.folder.root().display();
        output::line(format!("\nwinner: {}\n\n{table}\n", winner.gene))?;
        output::line(format!("look at {root}/evolution.svg and {root}/loss.svg; the gene is in {root}/best_gene.txt"))?;
        Ok(Some(winner.gene.clone()))
    }

    fn write(&self, results: &Results, winner: &Gene, history: &[Report]) -> Result<(), Failure> {
        self.folder.write_lines(folder::ARCHIVE, self.engine.archive())?;
        self.folder.write_json(folder::COMPARISON, results)?;
        self.folder.write("best_gene.txt", format!("{winner}\n").as_bytes())?;
        match export(winner, Format::Original) {
            Ok(json) => self.folder.write("best_gene.json", json.as_bytes())?,
            Err(error) => eprintln!("note: no best_gene.json: {error}"),
        }
        let evolution = picture::evolution(history).map_err(Failure::internal)?;
        self.folder.write("evolution.svg", evolution.as_bytes())?;
        let loss = picture::loss(winner, self.lab.about().classes).map_err(Failure::internal)?;
        self.folder.write("loss.svg", loss.as_bytes())
    }

    fn nothing_found(&self, history: &[Report]) -> Result<(), Failure> {
        let trained: u64 = history.iter().map(|report| report.trained).sum();
        let results = Results { winner: None, finalists: Vec::new(), comparison: None };
        self.folder.write_lines(folder::ARCHIVE, self.engine.archive())?;
        self.folder.write_json(folder::COMPARISON, &results)?;
        if self.json {
            return output::json(&results);
        }
        output::line(format!(
            "nothing found: of {} candidates {trained} could be trained and none learnt; give a larger budget (`{} resume {} --evaluations N`) or another seed",
            self.engine.evaluations(),
            program(),
            self.folder.root().display()
        ))
    }
}

/// Those of an archive that are trained again, the fittest first.
pub(crate) fn finalists(archive: &[Entry]) -> Vec<&Entry> {
    let mut finalists: Vec<_> = archive.iter().filter(|entry| entry.fitness > 0.0).collect();
    finalists.sort_by(|one, other| other.fitness.total_cmp(&one.fitness));
    finalists.truncate(FINALISTS);
    finalists
}

/// The best of the finalists. On a tie the one that the search found better, which comes first, stays.
pub(crate) fn winner_of(selected: &[Scored]) -> usize {
    let mean = |index: usize| selected[index].accuracy.mean;
    (0..selected.len()).reduce(|best, next| if mean(next) > mean(best) { next } else { best }).unwrap_or(0)
}

/// From here on the best gene is the winner, with its score on fresh ground.
fn confirm(shared: &Shared, winner: &Entry, row: Option<&Row>) {
    let mut best =
        Best::new(winner.fitness, &winner.gene.to_string(), winner.sha256.clone(), u64::from(winner.generation));
    best.confirmed = row.map(|row| {
        let Interval { mean, low, high } = row.scored.accuracy;
        Confirmed { score: mean, low, high }
    });
    shared.progress().best = Some(best);
}

/// The winner beside each known loss on paired final seeds; each row's pair is winner − loss.
fn compare_with_known(
    winner: &Gene,
    lab: &Lab,
    seeds: u32,
    train: impl FnOnce(&[Entrant], u32) -> Result<Vec<Scored>, Failure>,
) -> Result<Comparison, Failure> {
    let known = known_losses().iter().map(|known| Entrant::new(known.key, known.gene()));
    let entrants: Vec<Entrant> = std::iter::once(Entrant::new("winner", winner.clone())).chain(known).collect();
    let scored = train(&entrants, seeds)?;
    let others = scored.len() - 1;
    let row = |scored_one: &Scored, index: usize| Row {
        pair: (index > 0).then(|| pair(&scored[0], scored_one, others)).flatten(),
        scored: scored_one.clone(),
    };
    let rows = scored.iter().enumerate().map(|(index, one)| row(one, index)).collect();
    Ok(comparison(lab, seeds, rows))
}

/// A comparison on the final set.
pub(crate) fn comparison(lab: &Lab, seeds: u32, rows: Vec<Row>) -> Comparison {
    let (dataset, examples) = lab.about().judged(Stage::Final);
    Comparison { label: LABEL.to_owned(), dataset, examples, seeds, rows }
}
