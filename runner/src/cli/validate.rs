//! `runner validate` and `runner scorer`.
use super::InLedger;
use super::chain::SignedBy;
use clap::Args;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// What is validated, as whom.
#[derive(Debug, Args)]
pub(crate) struct ValidateOptions {
    /// The Validator file that a cluster reads too
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub by: SignedBy,
    #[command(flatten)]
    pub ledger: InLedger,
    /// Another ledger for what was read, scored and set: a file, made where there is none, or `http://…` [default: the same]
    #[arg(long, value_name = "LEDGER")]
    pub records: Option<String>,
    /// What these records are called in their ledger [default: validator.HOTKEY.NETUID]
    #[arg(long, value_name = "NAME")]
    pub records_name: Option<String>,
    /// The socket of a `runner scorer` that trains [default: one is started here]
    #[arg(long, value_name = "SOCKET")]
    pub scorer: Option<PathBuf>,
    /// Trainings at once of a scorer that is started here [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: Option<u16>,
    /// Score the round that closed last, set its weights, say who earned what and why, and end
    #[arg(long)]
    pub once: bool,
    /// With --once: set no weights
    #[arg(long, requires = "once")]
    pub dry_run: bool,
    /// Seconds from one look at the chain to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 12.0, value_parser = seconds)]
    pub every: f64,
    /// Serve /metrics, /status, /healthz and /readyz on this port; 0 takes any free one
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// The address to serve on
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub bind: IpAddr,
    /// Print each round as a line of JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

impl ValidateOptions {
    /// Where pages are served.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.port.map(|port| (self.bind, port).into())
    }
}

/// What trains for a validator: it has no key, and no network.
#[derive(Debug, Args)]
pub(crate) struct ScorerOptions {
    /// The Validator file
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    /// The socket to listen on, made anew
    #[arg(long, value_name = "SOCKET")]
    pub socket: PathBuf,
    /// Trainings at once [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: Option<u16>,
    /// Memory that each training may take beyond what it needs, in MiB
    #[arg(long, value_name = "MIB", default_value = "1024", value_parser = clap::value_parser!(u32).range(16..))]
    pub worker_memory: u32,
    /// End with the process that started it
    #[arg(long, hide = true)]
    pub with_parent: bool,
}

/// A whole subnet on this machine.
#[derive(Debug, Args)]
pub(crate) struct SubnetOptions {
    /// A new folder for its keys, ledgers and logs
    #[arg(short, long, value_name = "DIR", default_value = "subnet")]
    pub out: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let parsed = text.parse::<f64>().ok().filter(|seconds| (0.05..=86_400.0).contains(seconds));
    parsed.ok_or_else(|| "from 0.05 to 86400 seconds".to_owned())
}
