//! Developer commands: what a build, a test run or a release of this workspace needs beyond cargo itself.
//!
//! Anything longer than a few lines of Makefile lives here, so that it is checked and tested like the product.
//!
//! ```text
//! libtorch  find or fetch it          test     everything there is to test, once       full  large counts, in slices
//! deny      the dependency checker    generate files made from code and figures        step  one external command, timed
//! debian   packages unpacked into the cache          postgres  PostgreSQL for the tests
//! fashion_mnist  a real data set for the tests     kubernetes  its programs, built beside everything else
//! python  the real clients that tests are held to    once  folders of the cache, made once
//! npm  a chain with a real runtime, and Grafana's types, for the tests          charts  Helm's charts, and manifests/, which is rendered from one
//! ```
mod charts;
mod debian;
mod deny;
mod fashion_mnist;
mod figures;
mod full;
mod generate;
mod kubernetes;
mod libtorch;
mod npm;
mod once;
mod place;
mod postgres;
mod python;
mod step;
mod tally;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Developer commands of this workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find libtorch, or fetch it into the cache, and say where it is
    Libtorch {
        /// Print its folder and nothing else, for `export LIBTORCH="$(cargo xtask libtorch --print)"`
        #[arg(long)]
        print: bool,
    },
    /// Format, lints, dependencies, documentation, generated files and every test, with small counts
    Test,
    /// Measure this machine and write docs/figures
    Bench {
        /// Measure how long continuous integration takes instead, with an empty cache and again with a full one
        #[arg(long)]
        ci: bool,
        /// Measure the operator instead, on a Kubernetes that is started for it
        #[arg(long, conflicts_with = "ci")]
        operator: bool,
        /// Measure the ledger instead, on SQLite and PostgreSQL
        #[arg(long, conflicts_with_all = ["ci", "operator"])]
        ledger: bool,
        /// Groups of `runner bench` to measure, `reach` (an hour), `noise` and `verify` among them [default: the quick ones]; or of
        /// the operator's bench [default: all]
        #[arg(conflicts_with_all = ["ci", "ledger"])]
        groups: Vec<String>,
    },
    /// Every test with large counts, in slices; what has passed at this commit is not repeated
    Figures,
    /// Write the generated files anew
    Generate {
        /// Write nothing; fail where a file is not what it would be
        #[arg(long)]
        check: bool,
    },
    /// Check licences, sources, bans and, where the database can be reached, advisories
    Deny,
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Libtorch { print } => {
            let found = libtorch::locate()?;
            if print {
                println!("{}", found.folder.display());
            } else {
                println!("libtorch {}, {}: {}", libtorch::VERSION, found.origin, found.folder.display());
            }
            Ok(())
        }
        Command::Test => test::all(),
        Command::Bench { ci, operator, ledger, groups } => {
            if ci {
                figures::measure_ci()?;
            } else if operator {
                figures::measure_operator(&groups)?;
            } else if ledger {
                figures::measure_ledger()?;
            } else {
                figures::measure(&groups)?;
            }
            generate::all(false)
        }
        Command::Figures => fashion_mnist::provide().and_then(|()| full::all()),
        Command::Generate { check } => generate::all(check),
        Command::Deny => deny::check(),
    }
}
