//! `runner subnet`: a whole subnet on this machine, to see how it works: miners, one of them a thief and one hostile, and two
//! validators, with a ledger in place of the chain.
//!
//! ```text
//! cast     who takes part, and with which gene       stage   the processes       shown   who earned what, and why
//! ```
//! Everything is real but the money: keys sign, the ledger checks, validators are processes of their own with their own records.
mod cast;
mod shown;
mod stage;

use crate::cli::SubnetOptions;
use crate::failure::Failure;
use crate::ledger::block_on;
use crate::output;
use automl_chain::Metagraph;
use stage::Stage;
use std::time::{Duration, Instant};

/// How long it may take until validators have scored, and an epoch has paid.
const PATIENCE: Duration = Duration::from_mins(10);
/// From one look to the next.
const GLANCE: Duration = Duration::from_millis(200);

/// Plays it, and says what came of it.
pub(crate) fn subnet(options: &SubnetOptions) -> Result<(), Failure> {
    block_on(async {
        let stage = Stage::build(options).await?;
        let began = Instant::now();
        let metagraph = paid(&stage, began).await?;
        let judged = stage.judged().await?;
        let agree = stage.agree(&metagraph);
        if options.json {
            let told = serde_json::json!({
                "metagraph": metagraph, "judged": judged, "cast": stage.names(), "agree": agree,
            });
            return output::json(&told);
        }
        output::line(shown::table(&stage, &metagraph, &judged))?;
        output::line(format!(
            "\nThe validators have set {} weights. All of it is in {}: `runner ledger export {}`.",
            if agree { "the same" } else { "different" },
            stage.folder().display(),
            stage.folder().join("ledger.db").display(),
        ))
    })
}

/// Waits until both validators have set weights and an epoch has ended after that.
async fn paid(stage: &Stage, began: Instant) -> Result<Metagraph, Failure> {
    loop {
        let metagraph = stage.metagraph().await?;
        let tempo = metagraph.rules.tempo.max(1);
        let set: Vec<u64> = metagraph
            .neurons
            .iter()
            .filter(|neuron| !neuron.weights.is_empty())
            .map(|neuron| neuron.updated / tempo)
            .collect();
        let earned = metagraph.neurons.iter().any(|neuron| neuron.incentive > 0);
        let epoch = metagraph.block.number / tempo;
        if set.len() == cast::VALIDATORS.len() && earned && set.iter().all(|since| *since < epoch) {
            return Ok(metagraph);
        }
        stage.is_alive()?;
        if began.elapsed() > PATIENCE {
            return Err(Failure::internal(format!(
                "after {} s no epoch has paid; what validators said is in {}",
                PATIENCE.as_secs(),
                stage.folder().display()
            )));
        }
        tokio::time::sleep(GLANCE).await;
    }
}
