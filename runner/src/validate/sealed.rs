//! Weights that a chain is told by their hash first: kept before it knows of them, revealed when their time has come.
use super::book::{Sealed, Set, Unsealed};
use super::pages::{FAILED, REFUSED, REVEALED};
use super::weights::Told;
use super::{Trouble, Validating};
use automl_chain::subtensor::reveal::Epochs;
use automl_chain::{ChainError, Metagraph, Unrevealed, Weight};

/// Epochs for which it is tried to reveal weights: the chain takes them in one.
const TRIED: u64 = 2;

impl Validating {
    /// Commits to the weights of a round.
    pub(super) async fn commit_weights(
        &mut self,
        closed: u64,
        weights: Vec<Weight>,
        metagraph: &Metagraph,
    ) -> Result<Told, Trouble> {
        let rules = &metagraph.rules;
        let Some(next) = rules.next_epoch else {
            return Ok(Told::Later("weights cannot be revealed: the subnet has no epochs".to_owned()));
        };
        let epochs = Epochs { block: metagraph.block.number, next, every: rules.epoch_blocks };
        let from = epochs.opening(rules.reveal_after.unwrap_or(1));
        let kept = Unrevealed::new(weights, rules.version)?;
        let until = from.saturating_add(rules.epoch_blocks.saturating_mul(TRIED));
        let kept = self.book.seal(closed, Sealed { kept, from, until }).await?;
        let included = self.chain.commit_weights(&self.hotkey, &kept).await?;
        self.is_set(closed, Set { block: included.block }).await
    }

    /// Reveals what can be revealed now, and gives up what cannot be any more; tells how many were revealed.
    pub(super) async fn reveal(&mut self) -> Result<usize, Trouble> {
        if self.book.sealed().is_empty() {
            return Ok(0);
        }
        let mut revealed = 0;
        let next = self.chain.head().await?.number.saturating_add(1);
        let due: Vec<(u64, Sealed)> = self.book.sealed().iter().map(|(closed, one)| (*closed, one.clone())).collect();
        for (closed, sealed) in due.into_iter().filter(|(_, sealed)| sealed.from <= next) {
            // Kept before the chain was told, and then it was not.
            if self.book.weights(closed).await?.1.is_none() {
                continue;
            }
            let block = match self.chain.reveal_weights(&self.hotkey, &sealed.kept).await {
                Ok(included) => {
                    self.pages.weights(REVEALED);
                    self.fence.set(included.block);
                    revealed += 1;
                    Ok(included.block)
                }
                Err(ChainError::Refused(refused)) => {
                    self.pages.weights(REFUSED);
                    let words = format!(
                        "the weights of the round that block {closed} closed are not revealed: {refused} (kept in the \
                         ledger; tried up to block {})",
                        sealed.until
                    );
                    self.pages.doing(words);
                    if next <= sealed.until {
                        continue;
                    }
                    Err(refused.to_string())
                }
                Err(error) => {
                    self.pages.weights(FAILED);
                    return Err(error.into());
                }
            };
            self.book.unsealed(closed, &Unsealed { block }).await?;
        }
        Ok(revealed)
    }

    /// What is said of a round's weights that are on the chain.
    pub(super) fn told(&self, closed: u64, set: Set) -> String {
        let block = set.block;
        match self.book.sealed().get(&closed) {
            None => format!("the weights of the round that block {closed} closed are in block {block}"),
            Some(sealed) => format!(
                "the weights of the round that block {closed} closed are committed to in block {block}; they are \
                 revealed from block {} on",
                sealed.from
            ),
        }
    }
}
