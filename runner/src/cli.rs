//! The command line. Help texts here are the reference: `docs/reference/cli.md` is generated from them.
use automl_contract::pod;
mod chain;
mod submit;
mod validate;

pub(crate) use chain::{ChainCommand, CreateOptions, PaidBy, SignedBy, Subnet};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::num::NonZeroU32;
use std::path::PathBuf;
pub(crate) use submit::SubmitOptions;
pub(crate) use validate::{ScorerOptions, SubnetOptions, ValidateOptions};

/// Discover machine-learning components: evolve loss functions, score them, look at them.
#[derive(Debug, Parser)]
#[command(
    name = "runner",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 done · 64 usage · 70 bug or host · 75 checkpointed · 76 unreachable · 78 bad input"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Search as a MinerRun file says, then compare the winner with the usual losses
    Run(RunOptions),
    /// Continue a run that was stopped or killed, or extend a finished one
    Resume(ResumeOptions),
    /// What a pod of a MinerRun runs: begin or go on, then hand over what was found
    #[command(hide = true)]
    Island(IslandOptions),
    /// Train with given genes and compare each with cross-entropy on paired seeds
    Score(ScoreOptions),
    /// Compute recorded scores again, from nothing, and compare them to the bit
    Verify(VerifyOptions),
    /// Look at, check, evaluate and convert genes
    #[command(subcommand)]
    Gene(GeneCommand),
    /// Show what each generation of a run in a ledger did
    History(HistoryOptions),
    /// Show what a run in a ledger has found, over all its islands
    Best(BestOptions),
    /// Show all that a ledger knows of a run, and where a gene comes from
    Inspect(InspectOptions),
    /// Say how many islands a run in a ledger shall have from its next epoch on
    #[command(hide = true)]
    Scale(ScaleOptions),
    /// Publish the best gene of runs in a ledger, as a hotkey
    Submit(SubmitOptions),
    /// Score what miners of a subnet publish, and set weights
    Validate(ValidateOptions),
    /// Play a whole subnet on this machine, and say who earned what and why
    Subnet(SubnetOptions),
    /// What trains for `runner validate`, without a key and without a network
    #[command(hide = true)]
    Scorer(ScorerOptions),
    /// Look at a ledger, check it, copy it out, serve it
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Measure this machine: training speed, gene handling, memory
    #[command(hide = true)]
    Bench(BenchOptions),
    /// The inside of `runner score`: trains what it is asked for on its standard input, locked in
    #[command(hide = true)]
    Worker,
    /// Print a reference page as Markdown: `docs/reference` is made of these
    #[command(hide = true)]
    Reference {
        /// The page
        page: ReferencePage,
    },
    /// Take part in a subnet, of a chain or in a ledger: register, commit, set weights
    #[command(subcommand)]
    Chain(ChainCommand),
    /// Print a completion script for a shell
    #[command(hide = true)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// How a search runs, but not what it computes: results do not depend on these.
#[derive(Debug, Args)]
pub(crate) struct Running {
    /// Candidates trained at once [default: the number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// Serve /metrics, /healthz, /readyz and /status on this port (0: any free one)
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Address to serve on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", requires = "port")]
    pub bind: std::net::IpAddr,
    /// Print progress and the result as JSON, one object per line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// The MinerRun file that a cluster reads too
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    /// The run's folder, made new [default: runs/NAME, or runs/NAME-2, … when that exists]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Which island to search; each has its own randomness
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    pub island: u32,
    #[command(flatten)]
    pub kept: KeptIn,
    #[command(flatten)]
    pub running: Running,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeOptions {
    /// The run's folder
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// A larger budget than before
    #[arg(long, value_name = "N")]
    pub evaluations: Option<u64>,
    #[command(flatten)]
    pub kept: KeptIn,
    #[command(flatten)]
    pub running: Running,
}

#[derive(Debug, Args)]
pub(crate) struct IslandOptions {
    /// The MinerRun file
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    /// The island's folder: one that holds a run is continued
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,
    /// Which island to search
    #[arg(long, value_name = "INDEX", env = pod::ISLAND, default_value_t = 0)]
    pub island: u32,
    /// Islands that have finished already, such as 0-2,5: they do not search again
    #[arg(long, value_name = "LIST", env = pod::FINISHED, default_value = "")]
    pub finished: String,
    /// Seconds to wait at the end until the results are fetched from the page /archive
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub hand_over: u64,
    #[command(flatten)]
    pub kept: KeptIn,
    #[command(flatten)]
    pub running: Running,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub(crate) struct ScoreOptions {
    /// Genes: a file (text or `best_gene.json`), an expression, or a known loss (see `runner gene show --known`)
    #[arg(value_name = "GENE", required = true)]
    pub genes: Vec<String>,
    /// Score as this MinerRun file's evaluation says [default: digits with the standard preset]
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Paired seeds; with --race the most of one loss [default: the file's seeds.final; with --race 96]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    pub seeds: Option<u32>,
    /// Candidates trained at once [default: the number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// Tune each loss first, with equally many trials: the learning rate, and the loss's own parameter where it has one
    #[arg(long)]
    pub tuned: bool,
    /// Trials per loss
    #[arg(long, value_name = "N", default_value_t = 16, requires = "tuned", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub trials: u16,
    /// Train on few seeds first and on more only what may be among the best: for many genes. Verdicts against cross-entropy hold
    /// whenever a loss leaves the race
    #[arg(long)]
    pub race: bool,
    /// Write a record of each training to this file: `runner verify FILE` computes them again
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
    /// Score and weigh the genes as the original's validators do, instead of comparing them: one training for each set of the
    /// final stage [default evaluation: the original's recipe with 600 batches, 101 of them judged]
    #[arg(long, conflicts_with_all = ["tuned", "seeds", "records", "race"])]
    pub original: bool,
    /// Train in this process rather than in confined ones: for genes you trust; the scores are the same
    #[arg(long)]
    pub in_process: bool,
    /// Memory that each confined process may take beyond what it needs; less where the container has less
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub worker_memory: u32,
    /// Print the comparison as one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyOptions {
    /// A run's folder, or a file that `runner score --records` wrote
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// How many scores, drawn evenly from the stages
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub records: u32,
    /// All of them
    #[arg(long, conflicts_with = "records")]
    pub all: bool,
    /// Draws other ones
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub seed: u32,
    /// Train on this path instead of the recorded one: tells how far the two are apart
    #[arg(long, value_enum)]
    pub path: Option<PathArgument>,
    /// Scores computed at once [default: the number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// Print the result as one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PathArgument {
    /// Own loops, on the processor
    Host,
    /// libtorch
    Tensor,
}

/// Which ledger.
#[derive(Debug, Args)]
pub(crate) struct LedgerPlace {
    /// A file, `postgres://…`, or the `http://…` of a served one. With a password in it, better in the variable
    #[arg(value_name = "LEDGER", env = pod::LEDGER, hide_env_values = true)]
    pub ledger: String,
    /// A file of bearer tokens, one a line, each alone or with the one run that it may write: who serves admits all of them, who
    /// asks shows the first
    #[arg(long, value_name = "FILE", env = pod::LEDGER_TOKEN_FILE, hide_env_values = true)]
    pub token_file: Option<PathBuf>,
}

/// A ledger that a search is kept in.
#[derive(Debug, Args)]
pub(crate) struct KeptIn {
    /// Keep the search in this ledger too: a file (made where there is none), `postgres://…`, or the `http://…` of a served
    /// one. It goes on from there when its folder is gone, and islands meet there
    #[arg(long, value_name = "LEDGER", env = pod::LEDGER, hide_env_values = true)]
    pub ledger: Option<String>,
    /// A file with the ledger's bearer token
    #[arg(long, value_name = "FILE", env = pod::LEDGER_TOKEN_FILE, hide_env_values = true, requires = "ledger")]
    pub token_file: Option<PathBuf>,
    /// What the run is called in the ledger [default: its name in the file]
    #[arg(long, value_name = "NAME", env = pod::LEDGER_RUN, requires = "ledger")]
    pub run_name: Option<String>,
    /// Confirm the best gene against what this submitter (`runner submit --name`) published last: from time to time, and at the
    /// end
    #[arg(long, value_name = "NAME", env = pod::SUBMITTER, requires = "ledger")]
    pub submitter: Option<String>,
}

impl KeptIn {
    /// Which ledger, where there is one.
    #[cfg(feature = "lab")]
    pub(crate) fn place(&self) -> Option<LedgerPlace> {
        let (ledger, token_file) = (self.ledger.clone()?, self.token_file.clone());
        Some(LedgerPlace { ledger, token_file })
    }
}

/// A ledger that something is looked for in.
#[derive(Debug, Args)]
pub(crate) struct InLedger {
    /// A file, `postgres://…`, or the `http://…` of a served one. With a password in it, better in the variable
    #[arg(long, value_name = "LEDGER", env = pod::LEDGER, hide_env_values = true)]
    pub ledger: String,
    /// A file with the ledger's bearer token
    #[arg(long, value_name = "FILE", env = pod::LEDGER_TOKEN_FILE, hide_env_values = true)]
    pub token_file: Option<PathBuf>,
}

/// A run in a ledger.
#[derive(Debug, Args)]
pub(crate) struct RunInLedger {
    /// What the run is called in the ledger
    #[arg(value_name = "RUN")]
    pub run: String,
    #[command(flatten)]
    pub ledger: InLedger,
}

impl InLedger {
    /// Which ledger.
    pub(crate) fn place(&self) -> LedgerPlace {
        LedgerPlace { ledger: self.ledger.clone(), token_file: self.token_file.clone() }
    }
}

#[derive(Debug, Args)]
pub(crate) struct BestOptions {
    #[command(flatten)]
    pub run: RunInLedger,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryOptions {
    #[command(flatten)]
    pub run: RunInLedger,
    /// Of this island only
    #[arg(long, value_name = "INDEX")]
    pub island: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectOptions {
    #[command(flatten)]
    pub run: RunInLedger,
    /// Where this gene comes from: the beginning of its sha256 [default: the best]
    #[arg(long, value_name = "SHA256")]
    pub gene: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ScaleOptions {
    #[command(flatten)]
    pub run: RunInLedger,
    /// How many islands: those with lower indexes stay
    #[arg(value_name = "ISLANDS", value_parser = clap::value_parser!(u32).range(0..=i64::from(automl_contract::minerrun::MAX_ISLANDS)))]
    pub islands: u32,
}

#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    #[command(flatten)]
    pub place: LedgerPlace,
    /// Port to serve on (0: any free one)
    #[arg(long, value_name = "PORT", default_value_t = 9092)]
    pub port: u16,
    /// Requests a second of each token; twice as many may come at once after a pause
    #[arg(long, value_name = "N", default_value = "200")]
    pub rate: NonZeroU32,
    /// Address to serve on; one that other machines reach takes --token-file or --kubernetes
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: std::net::IpAddr,
    /// Keep this subnet, which `runner chain create` made: check what hotkeys sign, and make its blocks; may be given again
    #[arg(long, value_name = "NETUID")]
    pub subnet: Vec<u16>,
    /// Admit service accounts of the cluster that this runs in: a pod of a MinerRun writes the run NAMESPACE.NAME, all others
    /// read
    #[arg(long)]
    pub kubernetes: bool,
    /// The audience that their tokens are for
    #[arg(long, value_name = "AUDIENCE", default_value = pod::LEDGER_AUDIENCE, requires = "kubernetes")]
    pub audience: String,
    /// The operator's service account, which may say how many islands a run shall have
    #[arg(
        long,
        value_name = "NAMESPACE/NAME",
        env = "AUTOML_LEDGER_OPERATOR",
        default_value = "automl-system/automl-operator",
        requires = "kubernetes"
    )]
    pub operator: String,
    /// Where the ledger's own account has its `token` and `ca.crt`
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/var/run/secrets/kubernetes.io/serviceaccount",
        requires = "kubernetes"
    )]
    pub service_account: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Serve a file or a PostgreSQL database over HTTP, described by /openapi.json; makes what is not there
    Serve(ServeOptions),
    /// Say what it holds
    Status {
        #[command(flatten)]
        place: LedgerPlace,
        /// Print it as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Read every record and compute every checksum again
    Verify {
        #[command(flatten)]
        place: LedgerPlace,
        /// The head that `status` or `verify` told before: also find out whether records after it were cut off
        #[arg(long, value_name = "SUM")]
        head: Option<String>,
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print records as JSON Lines, in order
    Export {
        #[command(flatten)]
        place: LedgerPlace,
        /// Of this kind only: run, packet, gene, …
        #[arg(long)]
        kind: Option<String>,
        /// Of this run or subnet only
        #[arg(long)]
        scope: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum GeneCommand {
    /// Say whether genes are well-formed, and whether they could train anything
    Check {
        /// A file, an expression or a known loss
        #[arg(value_name = "GENE", required = true)]
        genes: Vec<String>,
        /// Refuse primitives outside this vocabulary
        #[arg(long, value_enum, default_value_t = VocabularyArgument::Extended)]
        vocabulary: VocabularyArgument,
        /// Print one JSON object per gene
        #[arg(long)]
        json: bool,
    },
    /// Show a gene: formula, tree, canonical form, size, hash, behaviour
    Show {
        /// A file, an expression or a known loss
        #[arg(value_name = "GENE", required_unless_present = "known")]
        gene: Option<String>,
        /// List the known losses instead
        #[arg(long, conflicts_with = "gene")]
        known: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Compute a gene's value and gradient on a batch
    Eval(EvalOptions),
    /// Read a gene in the original's JSON and print its expression, saying where the original would have run another one
    Import {
        /// The file (`best_gene.json`); `-` reads standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The repository it was published in: also print the commitment hash
        #[arg(long, value_name = "REPO")]
        repo: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a gene for use elsewhere
    Export {
        /// A file, an expression or a known loss
        #[arg(value_name = "GENE")]
        gene: String,
        /// The format
        #[arg(long, value_enum)]
        format: FormatArgument,
        /// Owner's hotkey (ss58), written into the original's JSON
        #[arg(long, value_name = "SS58")]
        hotkey: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct EvalOptions {
    /// A file with a gene (text or `best_gene.json`)
    #[arg(value_name = "GENE_FILE", required_unless_present = "jsonl")]
    pub gene: Option<PathBuf>,
    /// Read {"id","expression"} lines from this file (`-`: standard input) and print one result per line, in order
    #[arg(long, value_name = "FILE", conflicts_with = "gene")]
    pub jsonl: Option<PathBuf>,
    /// {"outputs": [[…]], "targets": [[…]]}: rows × classes
    #[arg(long, value_name = "FILE")]
    pub batch: PathBuf,
    /// Arithmetic
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    pub precision: Precision,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Precision {
    /// 32-bit floats, as in training
    F32,
    /// 64-bit floats
    F64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum VocabularyArgument {
    /// What the original's miners evolve
    Miner,
    /// What the original's validators accept
    Validator,
    /// With row-wise primitives, which the original's validators refuse
    Extended,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReferencePage {
    /// The fields of a MinerRun
    Minerrun,
    /// The fields of a Validator
    Validator,
    /// The metrics
    Metrics,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FormatArgument {
    /// The original's `best_gene.json`
    Original,
    /// A Python function that needs PyTorch alone
    Pytorch,
    /// A formula for papers
    Latex,
}

#[derive(Debug, Args)]
pub(crate) struct BenchOptions {
    /// Print one JSON object per figure
    #[arg(long)]
    pub json: bool,
    /// Python with PyTorch for the comparison [default: python3 when it has PyTorch]
    #[arg(long, value_name = "PROGRAM", env = "AUTOML_PYTHON")]
    pub python: Option<PathBuf>,
    /// Where `reach` keeps its runs, to go on with them [default: one in the cache for this program]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Where Fashion-MNIST's files are [default: where Debian's package puts them; `gpu` leaves it out]
    #[arg(long, value_name = "DIR", env = "AUTOML_FASHION_MNIST")]
    pub fashion_mnist: Option<PathBuf>,
    /// Measure only these groups [default: gene, recipe and memory]
    #[arg(value_enum)]
    pub groups: Vec<BenchGroup>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchGroup {
    /// Parse, check and fingerprint a gene
    Gene,
    /// The original's recipe: candidates per second on one and two workers, beside PyTorch
    Recipe,
    /// Successive elimination and its verdicts on genes of known quality, with the noise of the digits task; beside it the
    /// original's rule
    Allocation,
    /// Copies in disguise that are found, other genes that are not taken for copies, and how long one takes
    Copies,
    /// What it is worth to a miner to know the tasks of the round before
    Foresight,
    /// What a validator's round of 256 genes costs, beside the original's rule
    Round,
    /// Trainings on an NVIDIA GPU beside the same on this machine's processor: equal scores, pace, memory
    Gpu,
    /// Resident memory while training
    Memory,
    /// What a ledger and an exchange of genes cost islands
    Migration,
    /// What training in confined processes costs: processor time and memory
    Worker,
    /// The noise of a score on Fashion-MNIST, and the seeds that a gain takes to be found
    Noise,
    /// Recorded scores computed again, as they were and in other ways
    Verify,
    /// Twenty searches for cross-entropy in a vocabulary without it: an hour, and only when named
    Reach,
}
