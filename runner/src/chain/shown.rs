//! A subnet in tables, or in JSON: what a person or a script looks at.
use super::open;
use crate::cli::Subnet;
use crate::failure::Failure;
use crate::ledger::place;
use crate::output;
use automl_chain::seen::Seen;
use automl_chain::{Commitment, Rules, Standing};
use automl_keys::Address;
use serde::Serialize;

/// Shows where hotkeys stand; where none is named, what holds in the subnet.
pub(super) async fn status(subnet: &Subnet, addresses: &[Address]) -> Result<(), Failure> {
    let metagraph = open(subnet).await?.chain().metagraph().await?;
    if addresses.is_empty() {
        let (block, neurons) = (metagraph.block, metagraph.neurons.len());
        return if subnet.json {
            output::json(&serde_json::json!({"block": block, "neurons": neurons, "rules": metagraph.rules}))
        } else {
            output::line(rules(block.number, neurons, &metagraph.rules))
        };
    }
    for address in addresses {
        let standing = metagraph.standing(*address).ok_or(automl_chain::Refused::NotRegistered(*address));
        let standing = standing.map_err(automl_chain::ChainError::from)?;
        if subnet.json { output::json(&standing)? } else { output::line(text(&standing))? }
    }
    Ok(())
}

fn rules(block: u64, neurons: usize, rules: &Rules) -> String {
    let epoch = rules.next_epoch.map_or("never".to_owned(), |next| format!("block {next}"));
    let weights = match rules.reveal_after {
        None => "set openly".to_owned(),
        Some(epochs) => format!("revealed {epochs} epochs after they are committed to"),
    };
    let price = rules.price.map_or("unknown".to_owned(), |price| format!("{:.9}", tokens(price)));
    format!(
        "block         {block}\nnext epoch    {epoch}, every {} blocks\nneurons       {neurons} of {}\nweights       {weights}, every {} blocks, version {}\nregistration  {}, {price}\nimmunity      {} blocks",
        rules.tempo,
        rules.places,
        rules.weights_every,
        rules.version,
        if rules.open { "open" } else { "closed" },
        rules.immunity,
    )
}

fn text(standing: &Standing) -> String {
    let Standing { hotkey, uid, block, place, neurons, places, .. } = standing;
    let risk = match standing.goes_after {
        None => format!("immune until block {}", standing.immune_until),
        Some(1) => "the next newcomer takes its place".to_owned(),
        Some(after) => format!("gives way to the {after}. newcomer from now on"),
    };
    format!(
        "{hotkey}\n  uid           {uid}, at block {block}\n  incentive     {:.4}, place {place} of {neurons}\n  emission      {:.9} an epoch\n  rank          {:.4}\n  trust         {:.4}\n  dividends     {:.4}\n  stake         {:.9}\n  permit        {}\n  place         {risk} ({neurons} of {places} are taken)",
        part(standing.incentive),
        tokens(standing.emission),
        part(standing.rank),
        part(if standing.permit { standing.validator_trust } else { standing.trust }),
        part(standing.dividends),
        tokens(standing.stake),
        if standing.permit { "yes" } else { "no" },
    )
}

pub(super) async fn metagraph(subnet: &Subnet) -> Result<(), Failure> {
    let metagraph = open(subnet).await?.chain().metagraph().await?;
    if subnet.json {
        return output::json(&metagraph);
    }
    output::line(format!("block {} {}", metagraph.block.number, metagraph.block.hash))?;
    output::line("uid    incentive  dividends  trust   emission         stake            permit  updated   hotkey")?;
    for neuron in &metagraph.neurons {
        output::line(format!(
            "{:<5}  {:<9.4}  {:<9.4}  {:<6.3}  {:<15.9}  {:<15.9}  {:<6}  {:<8}  {}",
            neuron.uid,
            part(neuron.incentive),
            part(neuron.dividends),
            part(if neuron.permit { neuron.validator_trust } else { neuron.trust }),
            tokens(neuron.emission),
            tokens(neuron.stake),
            if neuron.permit { "yes" } else { "no" },
            neuron.updated,
            neuron.hotkey
        ))?;
    }
    Ok(())
}

/// Shows what hotkeys are bound to; all that was ever seen where that is asked for, with what is new, or with all that was ever bound.
pub(super) async fn commitments(subnet: &Subnet, with_seen: bool, rebuild: bool) -> Result<(), Failure> {
    let opened = open(subnet).await?;
    let (chain, place) = (opened.chain(), subnet.place().filter(|_| with_seen));
    let Some(place) = place else {
        for commitment in chain.commitments().await? {
            tell(subnet, &commitment, &commitment, None)?;
        }
        return Ok(());
    };
    let ledger = place::open(&place).await?;
    let seen = Seen::of(chain, &*ledger, subnet.netuid).await?;
    if !rebuild {
        seen.keep().await?;
    } else if !seen.rebuild().await? {
        eprintln!("note: the nodes do not remember all that was bound: name an archive node among them with --network");
    }
    for sight in seen.all().await? {
        tell(subnet, &sight, &sight.commitment, Some(sight.seen))?;
    }
    Ok(())
}

fn tell(subnet: &Subnet, json: &impl Serialize, shown: &Commitment, seen: Option<u64>) -> Result<(), Failure> {
    if subnet.json {
        return output::json(json);
    }
    let Commitment { hotkey, text, block } = shown;
    let seen = seen.map(|seen| format!("  seen {seen:<8}")).unwrap_or_default();
    // A stranger's text: nothing in it may move a terminal's cursor.
    output::line(format!("{block:<8}{seen}  {hotkey}  {}", text.escape_debug()))
}

/// A share, as a part of 1.
pub(super) fn part(share: u16) -> f64 {
    f64::from(share) / 65535.0
}

/// Billionths, as tokens.
pub(super) fn tokens(billionths: u64) -> f64 {
    billionths as f64 / 1e9
}
