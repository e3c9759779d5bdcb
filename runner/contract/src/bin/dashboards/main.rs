//! Prints a dashboard for Grafana, or the names of all: `charts/automl-operator/dashboards` is made of these.
//!
//! Their queries take names from the contract, so that none can ask for a metric that does not exist.
//!
//! ```text
//! grafana  what a dashboard is to Grafana      query  queries made of the contract's metrics      panels  of one metric
//! fleet    all runs at a glance      run  one of them       operator   ledger   validator   earnings  of hotkeys
//! ```
mod earnings;
mod fleet;
mod grafana;
mod ledger;
mod operator;
mod panels;
mod query;
mod run;
mod validator;

use grafana::Dashboard;
use std::process::ExitCode;

type Make = fn() -> Dashboard;

/// Each by its name.
const ALL: [(&str, Make); 6] = [
    ("fleet", fleet::dashboard),
    ("run", run::dashboard),
    ("operator", operator::dashboard),
    ("ledger", ledger::dashboard),
    ("validator", validator::dashboard),
    ("earnings", earnings::dashboard),
];

fn main() -> ExitCode {
    let Some(wanted) = std::env::args().nth(1) else {
        for (name, _) in ALL {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    };
    let Some((_, make)) = ALL.iter().find(|(name, _)| *name == wanted) else {
        eprintln!("no dashboard is called {wanted}; without an argument all are listed");
        return ExitCode::from(64);
    };
    match serde_json::to_string_pretty(&make()) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{wanted} cannot be written as JSON: {error}");
            ExitCode::from(70)
        }
    }
}
