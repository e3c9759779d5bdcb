//! `runner inspect`: all that is known of a run, and where a gene comes from.
use super::of_generation;
use super::read::{Run, parsed};
use crate::cli::InspectOptions;
use crate::failure::Failure;
use crate::{ledger, output};
use automl_contract::archive::{Found, front};
use automl_contract::pod::Indexes;
use automl_ledger::Kind;
use automl_search::{Birth, Individual, genes};
use serde::Serialize;
use std::collections::BTreeMap;

/// Ancestors that are followed at most.
const ANCESTORS: usize = 1000;

/// What is said of a run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct About {
    run: String,
    name: String,
    search: serde_json::Value,
    evaluation: serde_json::Value,
    /// How many islands are wished for, where somebody has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    wish: Option<u32>,
    /// The islands of each epoch.
    epochs: Vec<Indexes>,
    islands: Vec<Searched>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gene: Option<Found>,
    /// The gene and what it was made of, the youngest first.
    lineage: Vec<Ancestor>,
    /// The winners beside the usual losses, of each island that has finished, by island and candidates considered.
    comparisons: BTreeMap<String, serde_json::Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Searched {
    island: u32,
    generations: u32,
    evaluations: u64,
    best_fitness: Option<f64>,
    /// Genes that came from other islands.
    arrived: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ancestor {
    born: Birth,
    gene: String,
    fitness: f64,
    parents: Vec<Birth>,
}

pub(crate) fn inspect(options: &InspectOptions) -> Result<(), Failure> {
    let about = ledger::block_on(async {
        let run = Run::find(&options.run).await?;
        about(&run, options.gene.as_deref()).await
    })?;
    if options.json { output::json(&about) } else { show(&about) }
}

async fn about(run: &Run, wanted: Option<&str>) -> Result<About, Failure> {
    let found = run.genes().await?;
    let gene = match wanted {
        None => front(found).pop(),
        Some(digits) => {
            let named = found.into_iter().find(|found| found.sha256.starts_with(digits));
            Some(named.ok_or_else(|| {
                Failure::bad_input(format!("no gene of {} begins with {digits}; `runner best` lists some", run.name))
            })?)
        }
    };
    let schedule = run.schedule().await?;
    let mut islands: Vec<Searched> = Vec::new();
    for line in run.history().await? {
        if islands.last().is_none_or(|last| last.island != line.island) {
            let island = line.island;
            islands.push(Searched { island, generations: 0, evaluations: 0, best_fitness: None, arrived: 0 });
        }
        if let Some(island) = islands.last_mut() {
            island.generations += u32::from(line.report.complete);
            island.evaluations = line.report.evaluations;
            island.best_fitness = line.report.best_fitness;
            island.arrived += line.report.arrived.len();
        }
    }
    let mut comparisons = BTreeMap::new();
    for record in run.records(Kind::Score).await? {
        comparisons.insert(record.name.key().to_owned(), parsed(&record)?);
    }
    let lineage = match &gene {
        Some(found) => lineage(run, found).await?,
        None => Vec::new(),
    };
    Ok(About {
        run: run.name.clone(),
        name: run.header.name.clone(),
        search: run.header.search.clone(),
        evaluation: run.header.evaluation.clone(),
        wish: schedule.wish(),
        epochs: (0..schedule.len()).filter_map(|epoch| schedule.islands(epoch).cloned()).collect(),
        islands,
        gene,
        lineage,
        comparisons,
    })
}

/// A gene and, one after the other, the first of what each was made of.
async fn lineage(run: &Run, found: &Found) -> Result<Vec<Ancestor>, Failure> {
    let (island, generation) = (found.island.unwrap_or(0), found.generation);
    let bred = bred(run, island, generation).await?;
    let mut next = bred.into_iter().find(|child| child.gene.canonical().to_string() == found.gene);
    let mut lineage = Vec::new();
    while let Some(Individual { gene, fitness, born, parents }) = next.take() {
        let parent = parents.first().copied();
        lineage.push(Ancestor { born, gene: gene.to_string(), fitness, parents });
        if let Some(Birth { island, generation, index }) = parent.filter(|_| lineage.len() < ANCESTORS) {
            next = bred_at(run, island, generation, index).await?;
        }
    }
    Ok(lineage)
}

async fn bred_at(run: &Run, island: u32, generation: u32, index: u32) -> Result<Option<Individual>, Failure> {
    Ok(bred(run, island, generation).await?.into_iter().nth(index as usize))
}

/// The genes of an island's generation; none where the budget ended inside it.
async fn bred(run: &Run, island: u32, generation: u32) -> Result<Vec<Individual>, Failure> {
    let name = of_generation(Kind::Checkpoint, &run.name, island, generation).map_err(Failure::internal)?;
    let Some(record) = run.ledger.get(&name).await? else { return Ok(Vec::new()) };
    genes(&record.body)
        .map_err(|error| Failure::bad_input(format!("record {} of the ledger, {name}: {error}", record.seq)))
}

fn show(about: &About) -> Result<(), Failure> {
    let About { run, wish, epochs, islands, gene, lineage, .. } = about;
    let wished = wish.map_or_else(String::new, |wish| format!(", {wish} islands wished for"));
    output::line(format!("{run}: {} islands have searched, {} epochs decided{wished}", islands.len(), epochs.len()))?;
    for Searched { island, generations, evaluations, best_fitness, arrived } in islands {
        let best = best_fitness.map_or_else(|| "nothing".to_owned(), |best| format!("{best:.4}"));
        output::line(format!(
            "island {island}: {generations} generations, {evaluations} candidates, best {best}, {arrived} genes from others"
        ))?;
    }
    let Some(found) = gene else { return output::line("nothing was found yet") };
    output::line(format!("\ngene {}\n{}", found.sha256, found.gene))?;
    for Ancestor { born, gene, fitness, parents } in lineage {
        let made = ["drawn", "changed", "crossed"][parents.len().min(2)];
        let Birth { island, generation, .. } = born;
        output::line(format!("  island {island}, generation {generation}: {made}, {fitness:.4}: {gene}"))?;
    }
    Ok(())
}
