//! Miners whose genes lie in a ledger, and validators that score them.
use super::subnet::Place;
use super::{runner, said, succeed};
use automl_genome::{Limits, original, parse};
use automl_keys::{Hotkey, Place as Lies};
use automl_ledger::{Database, Entry, Kind, Ledger as _, Name};
use automl_publish::Commitment;
use serde_json::Value;
use std::process::{Command, Output};

/// Better than cross-entropy where it is learned for a short time.
pub(crate) const BETTER: &str = "safe_sub(zero, row_sum(safe_mul(y, log_softmax(safe_mul(x, tensor(3.0000))))))";
/// The same, in other words.
pub(crate) const DISGUISED: &str = "safe_add(zero, safe_mul(tensor(2.0000), safe_sub(zero, row_sum(safe_mul(log_softmax(safe_mul(tensor(3.0000), x)), safe_mul(y, one))))))";
/// Overflows.
pub(crate) const HOSTILE: &str =
    "safe_add(row_sum(safe_mul(y, x)), safe_exp(safe_exp(safe_exp(safe_exp(safe_sub(x, y))))))";
/// Cross-entropy: better than itself it is not.
pub(crate) const USUAL: &str = "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))";
pub(crate) const BRIER: &str = "row_sum(square(safe_sub(softmax(x), y)))";

/// What validators of the tests' subnets are told.
pub(crate) fn file(more: &str) -> String {
    format!(
        "apiVersion: automl.hivetrain.ai/v1alpha1
kind: Validator
metadata: {{name: tried}}
spec:
  netuid: 7
  evaluation:
    dataset: {{source: digits}}
    training: {{steps: 40}}
    tasks: {{labelNoise: {{low: 0, high: 0.1}}}}
  rounds: {{closing: 2}}
{more}"
    )
}

/// What a hotkey commits to, and the file that it leaves.
pub(crate) fn published(place: &str, text: &str, hotkey: &str) -> (Commitment, String) {
    let gene = parse(text, &Limits::default()).unwrap();
    let commitment = Commitment::new(place.parse().unwrap(), &gene.to_string());
    (commitment, original::write(&gene, Some(hotkey)))
}

impl Place {
    /// A new hotkey in a file of this name, which the subnet admits; its address.
    pub(crate) fn admitted(&self, name: &str, stake: &str) -> String {
        let address = automl_keys::make(&self.file(name)).unwrap().to_string();
        succeed(&mut self.chain(&self.ledger(), &["admit", "--hotkey", "owner", &address, "--stake", stake]));
        address
    }

    /// Opens a hotkey that is there.
    pub(crate) fn hotkey(&self, name: &str) -> Hotkey {
        automl_keys::open(&self.file(name), None, Lies::Host).unwrap()
    }

    /// Has a hotkey publish a gene in the subnet's ledger; the block.
    pub(crate) fn publish(&self, name: &str, text: &str) -> u64 {
        let address = self.hotkey(name).address().to_string();
        let (commitment, file) = published(&format!("ledger:{name}"), text, &address);
        let entry = Entry { name: Name::new(Kind::Gene, name, commitment.hash()).unwrap(), body: file.into() };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let ledger = Database::open(&self.ledger()).await.unwrap();
            ledger.append(vec![entry]).await.unwrap();
            ledger.close().await;
        });
        let bound = self.json(&self.ledger(), &["commit", "--hotkey", name, &commitment.to_string()]);
        bound["block"].as_u64().unwrap()
    }

    /// Makes blocks.
    pub(crate) fn advance(&self, blocks: u64) {
        succeed(&mut self.chain(&self.ledger(), &["advance", &blocks.to_string()]));
    }

    /// `runner validate` as this hotkey, with records of its own.
    pub(crate) fn validate(&self, hotkey: &str, more: &[&str]) -> Command {
        let mut command = runner();
        command.args(["validate", "--file", "validator.yaml", "--hotkey", hotkey, "--ledger", &self.ledger()]);
        command.args(["--records", &format!("{hotkey}.db"), "--json"]).args(more).current_dir(self.0.path());
        command
    }

    /// Scores the last round once and sets its weights; what it came to.
    #[track_caller]
    pub(crate) fn round(&self, hotkey: &str) -> Value {
        let ran = succeed(&mut self.validate(hotkey, &["--once"]));
        judged(&ran)
    }
}

/// The round that was printed.
#[track_caller]
pub(crate) fn judged(ran: &Output) -> Value {
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(ran)))
}

/// What was found of a hotkey's gene.
#[track_caller]
pub(crate) fn row<'a>(judged: &'a Value, hotkey: &str) -> &'a Value {
    let rows = judged["rows"].as_array().unwrap_or_else(|| panic!("no rows in {judged}"));
    rows.iter().find(|row| row["hotkey"] == hotkey).unwrap_or_else(|| panic!("no {hotkey} in {judged}"))
}

/// Its share.
#[track_caller]
pub(crate) fn share(judged: &Value, hotkey: &str) -> f64 {
    row(judged, hotkey)["share"].as_f64().unwrap()
}
