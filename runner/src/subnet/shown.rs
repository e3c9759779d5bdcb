//! Who earned what, and why.
use super::cast::{MINERS, VALIDATORS};
use super::stage::Stage;
use crate::validate::why;
use automl_chain::{Metagraph, Neuron};
use automl_validate::Judged;
use std::fmt::Write as _;

/// The tables.
pub(super) fn table(stage: &Stage, metagraph: &Metagraph, judged: &Judged) -> String {
    let neuron = |name: &str| metagraph.neuron(*stage.names().get(name)?);
    let mut text = format!("{:<6}  {:>9}  {:>10}  why\n", "miner", "incentive", "emission");
    for miner in &MINERS {
        let Some(Neuron { incentive, emission, hotkey, .. }) = neuron(miner.name) else { continue };
        let row = judged.rows.iter().find(|row| row.hotkey == hotkey.to_string());
        let _ = writeln!(
            text,
            "{:<6}  {:>8.1}%  {:>10.3}  {}\n{:<31}{}",
            miner.name,
            100.0 * part(*incentive),
            *emission as f64 / 1e9,
            miner.is,
            "",
            row.map_or_else(String::new, why)
        );
    }
    let _ = write!(text, "\n{:<9}  {:>9}  {:>10}  {:>6}", "validator", "dividends", "emission", "trust");
    for (name, _) in VALIDATORS {
        let Some(neuron) = neuron(name) else { continue };
        let _ = write!(
            text,
            "\n{name:<9}  {:>8.1}%  {:>10.3}  {:>6.3}",
            100.0 * part(neuron.dividends),
            neuron.emission as f64 / 1e9,
            part(neuron.validator_trust)
        );
    }
    text
}

fn part(share: u16) -> f64 {
    f64::from(share) / f64::from(u16::MAX)
}
