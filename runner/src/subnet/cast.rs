//! Who takes part, and with which gene.

/// A miner.
pub(super) struct Miner {
    pub name: &'static str,
    /// What is to be known of it.
    pub is: &'static str,
    pub gene: &'static str,
}

/// In the order in which they commit.
pub(super) const MINERS: [Miner; 4] = [
    Miner {
        name: "ada",
        is: "found a loss that is better than cross-entropy",
        gene: "safe_sub(zero, row_sum(safe_mul(y, log_softmax(safe_mul(x, tensor(3.0000))))))",
    },
    Miner {
        name: "bert",
        is: "copies ada's, disguised: turned around, doubled, with nothing added",
        gene: "safe_add(zero, safe_mul(tensor(2.0000), safe_sub(zero, row_sum(safe_mul(log_softmax(safe_mul(tensor(3.0000), x)), safe_mul(y, one))))))",
    },
    Miner {
        name: "carl",
        is: "is hostile: a gene that no network survives",
        gene: "safe_add(row_sum(safe_mul(y, x)), safe_exp(safe_exp(safe_exp(safe_exp(safe_sub(x, y))))))",
    },
    Miner {
        name: "dora",
        is: "brings cross-entropy, which everybody has",
        gene: "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))",
    },
];

/// Validators, and their stake in billionths of a token.
pub(super) const VALIDATORS: [(&str, u64); 2] = [("vera", 2_000_000_000_000), ("wim", 1_000_000_000_000)];

/// Admits them; takes no part.
pub(super) const OWNER: &str = "owner";

/// What validators are told: the digits, learned for a short time, at different rates and with some wrong labels.
pub(super) const FILE: &str = "\
apiVersion: automl.hivetrain.ai/v1alpha1
kind: Validator
metadata: {name: subnet}
spec:
  netuid: 1
  evaluation:
    dataset: {source: digits}
    training: {steps: 40}
    tasks:
      learningRate: {low: 0.002, high: 0.004}
      labelNoise: {low: 0, high: 0.1}
  rounds: {closing: 2}
";
