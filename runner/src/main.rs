//! `runner`: every job of a pod or a person. It reads its arguments, does one command and exits with a code that
//! means something (`automl_contract::exit`).
//!
//! ```text
//! cli      the arguments           gene/   one gene: check, show, eval, import, export
//! failure  errors and exit codes   mine/   run and resume: search, select, compare, write the run folder
//! ledger/  a ledger looked at, checked, copied out and served      runs/  runs in it: kept, shown, scaled
//! chain    a subnet that is in a ledger                            submit/  genes published as a hotkey
//! worker/  strangers' genes trained in confined processes          http  how pages are served
//! validate/  a subnet's genes scored and weighed                   scorer/  what trains for it       frame  messages
//! subnet/  a whole subnet on this machine                          apart  this program again, told nothing
//! score    genes against the usual losses  bench  figures of this machine
//! ```
mod apart;
mod chain;
mod cli;
mod failure;
mod frame;
mod gene;
mod http;
mod ledger;
#[cfg(feature = "lab")]
mod mine;
mod output;
mod runs;
mod scorer;
mod submit;
mod subnet;
mod validate;
#[cfg(feature = "lab")]
mod worker;

use automl_contract::{reference, schema};
use clap::Parser;
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    // In builds for tests only: FAILPOINTS in the environment pauses a checkpoint write between two of its steps.
    let _scenario = fail::has_failpoints().then(fail::FailScenario::setup);
    let arguments = match cli::Cli::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let asked_for_help = !error.use_stderr();
            // Nothing sensible is left to do when even the help cannot be printed.
            let _ = error.print();
            return ExitCode::from(if asked_for_help {
                automl_contract::exit::DONE
            } else {
                automl_contract::exit::USAGE
            });
        }
    };
    match dispatch(arguments) {
        Ok(()) => ExitCode::from(automl_contract::exit::DONE),
        Err(failure) => {
            if !failure.message.is_empty() {
                eprintln!("runner: {}", failure.message);
            }
            ExitCode::from(failure.code)
        }
    }
}

fn dispatch(arguments: cli::Cli) -> Result<(), Failure> {
    match arguments.command {
        cli::Command::Gene(command) => gene::dispatch(command),
        cli::Command::Ledger(command) => ledger::dispatch(command),
        cli::Command::Chain(command) => chain::dispatch(command),
        cli::Command::History(options) => runs::history(&options),
        cli::Command::Best(options) => runs::best(&options),
        cli::Command::Inspect(options) => runs::inspect(&options),
        cli::Command::Scale(options) => runs::scale(&options),
        cli::Command::Submit(options) => submit::submit(&options),
        cli::Command::Subnet(options) => subnet::subnet(&options),
        cli::Command::Validate(options) => validate::validate(&options),
        cli::Command::Reference { page } => output::line(match page {
            cli::ReferencePage::Minerrun => {
                format!("# Fields of a MinerRun\n\n{}", reference::markdown(&schema::schema()).trim_end())
            }
            cli::ReferencePage::Validator => {
                format!("# Fields of a Validator\n\n{}", reference::markdown(&schema::validator()).trim_end())
            }
            cli::ReferencePage::Metrics => format!("# Metrics\n\n{}", automl_contract::metrics::markdown().trim_end()),
        }),
        cli::Command::Completions { shell } => {
            let mut command = <cli::Cli as clap::CommandFactory>::command();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "runner", &mut script);
            output::line(String::from_utf8_lossy(&script).trim_end())
        }
        #[cfg(feature = "lab")]
        cli::Command::Run(options) => mine::run(options),
        #[cfg(feature = "lab")]
        cli::Command::Resume(options) => mine::resume(options),
        #[cfg(feature = "lab")]
        cli::Command::Island(options) => mine::island(options),
        #[cfg(feature = "lab")]
        cli::Command::Score(options) => mine::score(&options),
        #[cfg(feature = "lab")]
        cli::Command::Verify(options) => mine::verify(&options),
        #[cfg(feature = "lab")]
        cli::Command::Scorer(options) => scorer::serve(&options),
        #[cfg(feature = "lab")]
        cli::Command::Worker => worker::serve(),
        #[cfg(feature = "lab")]
        cli::Command::Bench(options) => mine::bench(&options),
        #[cfg(not(feature = "lab"))]
        _ => Err(Failure::usage("this runner was built without the lab and cannot train; use the full runner")),
    }
}
