//! `testbed`: what tests need of Kubernetes, from the command line.
use automl_testbed::{Binaries, ProjectImage, TestbedError, devices, helm, monitoring, standing};
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// The exit code where this machine cannot do it: not 1, because tests may then be left out. It is sysexits' "unavailable".
const UNABLE: u8 = 69;

/// A real Kubernetes for tests.
#[derive(Parser)]
#[command(after_help = "Exit codes: 0 done · 1 failed · 69 this machine lacks something, which is named")]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// Finds the Kubernetes programs, Helm, a device plugin and the Prometheus Operator's definitions, or builds and fetches them
    /// once for this machine; prints their paths
    Build,
    /// Finds Helm, or builds it once for this machine, and prints its path
    Helm,
    /// Builds an image of this project and writes it as an OCI archive
    Image {
        /// Which one
        image: ProjectImage,
        /// The archive's file; left out, the archive stays in the cache
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Starts a cluster that stays until `down`, and prints how to use it
    Up {
        /// With a node, so that pods run (needs root)
        #[arg(long)]
        node: bool,
        /// Builds and loads the images, installs the operator and applies a sample
        #[arg(long, requires = "node")]
        install: bool,
    },
    /// Ends the cluster that `up` started
    Down,
    /// Starts a cluster, prints its kubeconfig's path and stays; it is cleared away when this process ends, however
    Serve {
        /// With a node, so that pods run (needs root)
        #[arg(long)]
        node: bool,
        /// Image archives to put on the node
        #[arg(long, value_name = "FILE", requires = "node")]
        load: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().job) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            if matches!(error, TestbedError::Unable(_)) { ExitCode::from(UNABLE) } else { ExitCode::FAILURE }
        }
    }
}

/// Does the job and says what came of it.
fn run(job: Job) -> Result<String, TestbedError> {
    match job {
        Job::Build => {
            let server = Binaries::find(true)?.path("kube-apiserver")?;
            // After it, and not beside it: most of what they are made of is the same.
            let others = [helm::find()?, devices::plugin()?, monitoring::definitions()?];
            let others = others.iter().map(|path| format!("\n{}", path.display()));
            Ok(server.display().to_string() + &others.collect::<String>())
        }
        Job::Helm => Ok(helm::find()?.display().to_string()),
        Job::Image { image, output: Some(output) } => {
            image.write(&output)?;
            Ok(output.display().to_string())
        }
        Job::Image { image, output: None } => Ok(image.archive()?.display().to_string()),
        Job::Up { node, install } => standing::up(node, install),
        Job::Down => standing::down(),
        Job::Serve { node, load } => standing::serve(node, &load),
    }
}
