//! The command line. Every option can be given as a variable too, which is what a Deployment does.
use std::{net::SocketAddr, path::PathBuf};

use automl_contract::pod;
use clap::{Parser, ValueEnum};

use crate::{hardware::Profiles, ledger::LedgerUrl};

/// Runs `MinerRuns` and `Validators` as pods.
#[derive(Clone, Debug, Parser)]
#[command(name = "operator", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 asked to stop · 64 usage · 70 bug or failing host · 76 unreachable API server")]
pub struct Settings {
    /// Namespaces to serve, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", env = "AUTOML_NAMESPACES", value_delimiter = ',')]
    pub namespaces: Vec<String>,
    /// The image of runs that name none
    #[arg(long, value_name = "IMAGE", env = "AUTOML_RUNNER_IMAGE", default_value = concat!("automl-runner:", env!("CARGO_PKG_VERSION")))]
    pub runner_image: String,
    /// The image of what signs, submitters and validators: it trains nothing
    #[arg(long, value_name = "IMAGE", env = "AUTOML_SUBMITTER_IMAGE", default_value = concat!("automl-runner:", env!("CARGO_PKG_VERSION"), "-slim"))]
    pub submitter_image: String,
    /// File with the hardware that `spec.profile` can name [default: none]
    #[arg(long, value_name = "FILE", env = "AUTOML_PROFILES", default_value = "", hide_default_value = true, value_parser = profiles)]
    pub profiles: Profiles,
    /// The ledger that pods keep their searches in, as http://HOST:PORT [default: none, what is found lives in `ConfigMaps`]
    #[arg(long, value_name = "URL", env = "AUTOML_LEDGER_URL")]
    pub ledger_url: Option<LedgerUrl>,
    /// File with the token that the operator shows to the ledger
    #[arg(long, value_name = "FILE", env = pod::LEDGER_TOKEN_FILE, default_value_os_t = own_token())]
    pub ledger_token_file: PathBuf,
    /// Serve /metrics, /healthz, /readyz and /debug/state.json here
    #[arg(long, value_name = "ADDRESS", env = "AUTOML_LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// Runs that are reconciled at the same time
    #[arg(long, value_name = "N", env = "AUTOML_CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// Namespace of the lease that decides which of several operators acts [default: no lease, for one operator alone]
    #[arg(long, value_name = "NAMESPACE", env = "AUTOML_LEASE_NAMESPACE")]
    pub lease_namespace: Option<String>,
    /// Seconds until another operator may take the lease of one that is gone
    #[arg(long, value_name = "SECONDS", env = "AUTOML_LEASE_SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(5..=3600))]
    pub lease_seconds: u64,
    /// How logs are written; what is logged is set by `RUST_LOG`
    #[arg(long, value_enum, env = "AUTOML_LOG_FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// No file, no profiles.
fn profiles(path: &str) -> Result<Profiles, String> {
    if path.is_empty() { Ok(Profiles::default()) } else { Profiles::read(path) }
}

fn own_token() -> PathBuf {
    [pod::LEDGER_TOKEN_FOLDER, pod::LEDGER_TOKEN].iter().collect()
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}
