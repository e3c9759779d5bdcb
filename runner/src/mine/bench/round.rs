//! What a round costs: 256 genes that nobody has seen, scored by the default rule, beside the original's on the same machine; and
//! the next round, in which nothing is new. Measured on the process that people run, by its own metrics.
use super::figure::Figure;
use super::{in_scratch, myself};
use crate::failure::Failure;
use crate::ledger::block_on;
use crate::mine::original;
use crate::worker::peak_memory;
use automl_chain::twin::{Genesis, Twin};
use automl_chain::{Call, Chain as _};
use automl_genome::{Gene, Limits, original as file, parse};
use automl_keys::Hotkey;
use automl_lab::{Lab, Stage};
use automl_ledger::{Database, Entry, Kind, Ledger, Name};
use automl_publish::{Commitment, Locator};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Hotkeys that are bound to a gene.
const GENES: u16 = 256;
/// Genes that the original's rule is timed on.
const ORIGINALS: usize = 32;
const NETUID: u16 = 1;
const TEMPO: u64 = 20;
/// What the validator is told.
const FILE: &str = "apiVersion: automl.hivetrain.ai/v1alpha1
kind: Validator
metadata: {name: bench}
spec:
  netuid: 1
  evaluation:
    dataset: {source: digits}
    tasks: {learningRate: {low: 0.001, high: 0.01}, labelNoise: {low: 0, high: 0.2}}
  rounds: {closing: 2}
  payout: {remainder: REMAINDER}
";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(20);

pub(super) fn measure() -> Result<Vec<Figure>, Failure> {
    in_scratch("round", |folder| {
        let genes = genes()?;
        let hotkey = folder.join("validator");
        let address = automl_keys::make(&hotkey).map_err(Failure::internal)?;
        // What nobody earns is its own, so that it has weights to set whatever comes of the genes.
        let text = FILE.replace("REMAINDER", &address.to_string());
        std::fs::write(folder.join("validator.yaml"), text).map_err(Failure::internal)?;
        block_on(subnet(folder, &genes))?;
        let began = Instant::now();
        let running = Running::start(folder)?;
        let told = running.until("the first weights are set", |status| fresh(status).is_some())?;
        let cold = began.elapsed().as_secs_f64();
        let first = running.cost()?;
        let memory = running.memory()?;
        block_on(advance(folder, TEMPO))?;
        let before = fresh(&told);
        running.until("the next weights are set", |status| fresh(status).is_some_and(|now| Some(now) != before))?;
        let second = running.cost()?;
        drop(running);
        let theirs = originals(&genes)?;
        let figure = |name: &str, value, unit| Figure::new("round", name, value, unit);
        let all = f64::from(GENES);
        Ok(vec![
            figure("256 new genes: trainings", first.trainings, "trainings"),
            figure("256 new genes: time of trainings, all added up", first.seconds, "s"),
            figure(
                "256 genes by the original's rule on the same data: time of trainings (32 timed)",
                theirs * all,
                "s",
            ),
            figure("256 new genes: the original's rule over ours", theirs * all / first.seconds, "×"),
            figure("the next round, nothing new: trainings", second.trainings - first.trainings, "trainings")
                .at_most(32.0),
            figure("the next round, nothing new: time of trainings", second.seconds - first.seconds, "s"),
            figure("256 new genes, share of the round's time: reading", 100.0 * first.read / first.all, "%"),
            figure(
                "256 new genes, share of the round's time: telling copies and training",
                100.0 * first.score / first.all,
                "%",
            ),
            figure("from cold start to first weights, 256 genes", cold, "s"),
            figure("most resident memory: validator", memory.0, "MB"),
            figure("most resident memory: scorer and the processes that train", memory.1, "MB"),
        ])
    })
}

/// Losses that differ, none of them very bad.
fn genes() -> Result<Vec<Gene>, Failure> {
    let gene = |number: u16| {
        let n = f64::from(number);
        let (scale, smooth, brier) = (0.5 + 0.02 * n, 0.002 * f64::from(number % 16), 0.1 * f64::from(number % 11));
        let text = format!(
            "safe_add(safe_mul(tensor({brier:.4}), row_sum(square(safe_sub(softmax(x), y)))), safe_sub(zero, row_sum(safe_mul(safe_add(y, tensor({smooth:.4})), log_softmax(safe_mul(x, tensor({scale:.4})))))))"
        );
        parse(&text, &Limits::default()).map_err(Failure::internal)
    };
    (0..GENES).map(gene).collect()
}

/// A subnet in a file, in which all are bound.
async fn subnet(folder: &Path, genes: &[Gene]) -> Result<(), Failure> {
    let path = folder.join("ledger.db").display().to_string();
    let database = Database::open(&path).await?;
    let owner = key(1000)?;
    let genesis = Genesis {
        block_milliseconds: 0,
        tempo: TEMPO,
        neurons: 1024,
        commitments_every: 0,
        weights_every: 0,
        ..Genesis::new(owner.address())
    };
    Twin::create(&database, NETUID, &genesis).await?;
    let ledger: Arc<dyn Ledger> = Arc::new(database.clone());
    let chain = Twin::keeping(Arc::clone(&ledger), NETUID).await?;
    let validator = automl_keys::open(&folder.join("validator"), None, automl_keys::Place::here())?;
    chain.submit(&owner, Call::Admit { hotkey: validator.address(), stake: 1_000_000_000_000 }).await?;
    for (number, gene) in (0..).zip(genes) {
        let hotkey = key(number)?;
        chain.submit(&owner, Call::Admit { hotkey: hotkey.address(), stake: 0 }).await?;
        let place: Locator = "ledger:genes".parse().map_err(Failure::internal)?;
        let commitment = Commitment::new(place, &gene.to_string());
        let name = Name::new(Kind::Gene, "genes", commitment.hash()).map_err(Failure::internal)?;
        let body = file::write(gene, Some(&hotkey.address().to_string())).into_bytes();
        ledger.append(vec![Entry { name, body }]).await?;
        chain.submit(&hotkey, Call::Commit { text: commitment.to_string() }).await?;
    }
    chain.advance(TEMPO + 1).await?;
    database.close().await;
    Ok(())
}

async fn advance(folder: &Path, blocks: u64) -> Result<(), Failure> {
    let database = Database::open(&folder.join("ledger.db").display().to_string()).await?;
    let chain = Twin::keeping(Arc::new(database.clone()), NETUID).await?;
    chain.advance(blocks).await?;
    database.close().await;
    Ok(())
}

fn key(number: u16) -> Result<Hotkey, Failure> {
    let mut seed = [7; 32];
    seed[..2].copy_from_slice(&number.to_le_bytes());
    Hotkey::of_seed(&seed).ok_or_else(|| Failure::internal("no key of this seed"))
}

/// Seconds that a gene takes by the original's rule.
fn originals(genes: &[Gene]) -> Result<f64, Failure> {
    let lab = Lab::open(&original::evaluation(), 42).map_err(Failure::bad_input)?.judging_all();
    let mut worker = lab.worker();
    let began = Instant::now();
    for gene in genes.iter().step_by(genes.len() / ORIGINALS).take(ORIGINALS) {
        worker.train(gene, Stage::Final, 0, &AtomicBool::new(false)).map_err(Failure::internal)?;
    }
    Ok(began.elapsed().as_secs_f64() / ORIGINALS as f64)
}

/// The block of the weights of the last round, once they are set.
fn fresh(status: &serde_json::Value) -> Option<u64> {
    let condition = status["conditions"].as_array()?.iter().find(|one| one["kind"] == "WeightsFresh")?;
    condition["holds"].as_bool().filter(|holds| *holds)?;
    status["round"]["closed"].as_u64()
}

/// What metrics say so far.
struct Cost {
    trainings: f64,
    seconds: f64,
    read: f64,
    score: f64,
    all: f64,
}

/// A validator, ended when it is dropped.
struct Running {
    process: Child,
    pages: String,
}

impl Running {
    fn start(folder: &Path) -> Result<Running, Failure> {
        let mut command = Command::new(myself()?);
        command.args([
            "validate",
            "--every",
            "0.1",
            "--port",
            "0",
            "--file",
            "validator.yaml",
            "--hotkey",
            "validator",
        ]);
        command.args(["--ledger", "ledger.db", "--records", "records.db"]).current_dir(folder);
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(Failure::internal)?;
        let errors = process.stderr.take().ok_or_else(|| Failure::internal("a process without streams"))?;
        let mut lines = BufReader::new(errors).lines().map_while(Result::ok);
        let pages =
            lines.find_map(|line| Some(line.strip_prefix("serving http://")?.trim_end_matches("/metrics").to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        let mut running = Running { process, pages: String::new() };
        running.pages = pages.ok_or_else(|| Failure::internal("the validator did not start"))?;
        Ok(running)
    }

    fn get(&self, page: &str) -> Result<String, Failure> {
        let got = || {
            let mut stream = TcpStream::connect(&self.pages)?;
            write!(stream, "GET {page} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.pages)?;
            let mut text = String::new();
            stream.read_to_string(&mut text)?;
            Ok::<_, std::io::Error>(text.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
        };
        got().map_err(Failure::internal)
    }

    fn until(&self, what: &str, holds: impl Fn(&serde_json::Value) -> bool) -> Result<serde_json::Value, Failure> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let status = serde_json::from_str(&self.get("/status")?).map_err(Failure::internal)?;
            if holds(&status) {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(Failure::internal(format!("waited in vain until {what}: {}", self.get("/status")?)))
    }

    fn cost(&self) -> Result<Cost, Failure> {
        let metrics = self.get("/metrics")?;
        let sum = |name: &str| {
            let lines = metrics.lines().filter(|line| line.starts_with(name));
            lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>()
        };
        Ok(Cost {
            trainings: sum("automl_validator_trainings_total"),
            seconds: sum("automl_validator_training_seconds_total"),
            read: sum("automl_validator_seconds_total{step=\"read\"}"),
            score: sum("automl_validator_seconds_total{step=\"score\"}"),
            all: sum("automl_validator_seconds_total"),
        })
    }

    /// Most resident memory so far, in MB: of the validator, and of all that it has started.
    fn memory(&self) -> Result<(f64, f64), Failure> {
        let mut below = 0.0;
        let mut processes = children(self.process.id());
        while let Some(process) = processes.pop() {
            below += megabytes(process)?;
            processes.extend(children(process));
        }
        Ok((megabytes(self.process.id())?, below))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn children(process: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let of = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
    tasks.map(of).flat_map(|text| text.split(' ').filter_map(|one| one.parse().ok()).collect::<Vec<u32>>()).collect()
}

fn megabytes(process: u32) -> Result<f64, Failure> {
    Ok(peak_memory(process)? as f64 / 1e6)
}
