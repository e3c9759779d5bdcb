//! `runner submit`.
use super::InLedger;
use super::chain::SignedBy;
use automl_contract::pod;
use clap::Args;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What is published, as whom, where and how.
#[derive(Debug, Args)]
pub(crate) struct SubmitOptions {
    /// The runs whose best gene is meant, as they are called in the ledger; one that ends in * stands for all that begin so
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<String>,
    #[command(flatten)]
    pub ledger: InLedger,
    /// The chain: `finney`, `test`, `local`, or its nodes such as `wss://HOST:PORT`, with commas between [default: the subnet
    /// that the ledger keeps]
    #[arg(long, value_name = "NETWORK", env = pod::NETWORK, hide_env_values = true)]
    pub network: Option<String>,
    /// The subnet
    #[arg(long, value_name = "NETUID")]
    pub netuid: u16,
    #[command(flatten)]
    pub by: SignedBy,
    /// Where the gene goes, in at most 63 bytes: `OWNER/NAME` of the Hugging Face Hub (`HF_TOKEN`, `HF_ENDPOINT`),
    /// `s3://BUCKET/PREFIX` (`AWS_ACCESS_KEY_ID` and so on), `https://HOST/PATH` that takes PUT (`PUBLISH_TOKEN`),
    /// `file:///FOLDER`, `ledger:NAME`
    #[arg(long, value_name = "PLACE")]
    pub to: String,
    /// The submitter's name in the ledger, for runs that confirm their genes themselves [default: HOTKEY.NETUID]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Put the file there before the hotkey is bound to it: who watches the place could then bind it earlier
    #[arg(long)]
    pub file_first: bool,
    /// Seconds from one publication to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    pub cooldown: u64,
    /// How often a publication is tried before it is given up
    #[arg(long, value_name = "TIMES", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub attempts: u32,
    /// Seconds after a failure, twice as many after each further one, 300 at most
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub retry: u64,
    /// Stay, and publish whatever the runs confirm from now on
    #[arg(long)]
    pub watch: bool,
    /// With --watch: seconds from one look at the ledger to the next
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(1..))]
    pub every: u64,
    /// With --watch: serve /metrics, /healthz and /readyz on this port; 0 takes any free one
    #[arg(long, value_name = "PORT", requires = "watch")]
    pub port: Option<u16>,
    /// The address to serve on
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub bind: IpAddr,
    /// Without --watch: trainings at once, where a gene has to be confirmed here [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: Option<u16>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl SubmitOptions {
    /// Where pages are served.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.port.map(|port| (self.bind, port).into())
    }
}
