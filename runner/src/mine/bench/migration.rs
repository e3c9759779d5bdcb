//! What a ledger and an exchange of genes cost three islands of the digits sample, per generation.
//!
//! Islands are processes, as in pods, and the ledger one more; what they waited for it is what their metrics say.
use super::figure::Figure;
use super::{in_scratch, myself};
use crate::failure::Failure;
use automl_contract::metrics::{RUNNER_CANDIDATE_SECONDS, RUNNER_LEDGER_SECONDS};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ISLANDS: u32 = 3;
/// 60 generations of 50 candidates, in epochs of 5.
const SPEC: &str = "apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata: {name: digits}
spec:
  replicas: 3
  search: {seed: 1, budget: {evaluations: 3050}, migration: {every: 5, migrants: 5}}
  evaluation: {dataset: {source: digits}, seeds: {select: 2, final: 2}}
";
/// How often an island is asked whether it has finished.
const GLANCE: Duration = Duration::from_millis(100);

/// A process that serves pages; killed on drop.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(command: &mut Command) -> Result<Serving, Failure> {
        let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).stdin(Stdio::null()).spawn();
        let mut child = spawned.map_err(Failure::internal)?;
        let stderr = child.stderr.take().ok_or_else(|| Failure::internal("a process without standard error"))?;
        let mut lines = BufReader::new(stderr).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split("http://").nth(1)?.split('/').next()?.to_owned()));
        let address = address.ok_or_else(|| Failure::internal("a process ended before it served anything"))?;
        // Else it would wait for somebody to read.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Serving { child, address })
    }

    fn ask(&self, method: &str, page: &str) -> Result<String, Failure> {
        let mut stream = TcpStream::connect(&self.address).map_err(Failure::internal)?;
        write!(stream, "{method} {page} HTTP/1.0\r\nContent-Length: 0\r\n\r\n").map_err(Failure::internal)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(Failure::internal)?;
        Ok(answer)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn measure() -> Result<Vec<Figure>, Failure> {
    in_scratch("migration", measured)
}

fn measured(folder: &Path) -> Result<Vec<Figure>, Failure> {
    let program = myself()?;
    let (spec, file) = (folder.join("minerrun.yaml"), folder.join("ledger.db"));
    std::fs::write(&spec, SPEC).map_err(Failure::internal)?;
    let ledger = Serving::start(
        Command::new(&program).args(["ledger", "serve", "--port", "0"]).arg(&file).env_remove("AUTOML_LEDGER"),
    )?;
    let start = |island: u32| {
        let mut command = Command::new(&program);
        command.args(["island", "--json", "--port", "0", "--workers", "1", "--hand-over", "600", "--file"]).arg(&spec);
        command.args(["--ledger", &format!("http://{}", ledger.address), "--island", &island.to_string()]);
        Serving::start(command.arg("--out").arg(folder.join(island.to_string())))
    };
    let mut islands = (0..ISLANDS).map(start).collect::<Result<Vec<_>, _>>()?;
    let (mut ledger_seconds, mut requests, mut training_seconds, mut generations) = (0.0, 0.0, 0.0, 0.0);
    for island in &mut islands {
        while !island.ask("GET", "/status")?.contains("\"phase\":\"done\"") {
            if let Some(ended) = island.child.try_wait().map_err(Failure::internal)? {
                return Err(Failure::internal(format!("an island ended first, {ended}")));
            }
            std::thread::sleep(GLANCE);
        }
        let page = island.ask("GET", "/metrics")?;
        let value = |name: &str| -> f64 {
            page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or(f64::NAN)
        };
        ledger_seconds += value(&format!("{}_sum", RUNNER_LEDGER_SECONDS.name));
        requests += value(&format!("{}_count", RUNNER_LEDGER_SECONDS.name));
        training_seconds += value(&format!("{}_sum", RUNNER_CANDIDATE_SECONDS.name));
        generations += value(automl_contract::metrics::RUNNER_GENERATION.name);
        island.ask("POST", "/release")?;
    }
    let status = ledger.ask("GET", "/v1/status")?;
    let status = status.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let status: automl_ledger::Status = serde_json::from_str(status).map_err(Failure::internal)?;
    let bytes = status.bytes as f64;
    let name = |what: &str| {
        format!("{what}, per generation of 50 digits candidates; {ISLANDS} islands, an exchange every 5 generations")
    };
    Ok(vec![
        Figure::new(
            "migration",
            name("time in which islands wait for the ledger's answers"),
            1000.0 * ledger_seconds / generations,
            "ms",
        ),
        Figure::new(
            "migration",
            name("the same over the time in which they train"),
            100.0 * ledger_seconds / training_seconds,
            "%",
        ),
        Figure::new(
            "migration",
            name("requests to the ledger, those for a neighbour's genes that are not there yet included"),
            requests / generations,
            "",
        ),
        Figure::new(
            "migration",
            name("room in the ledger: history, checkpoint, score records, genes, packets"),
            bytes / 1000.0 / generations,
            "kB",
        ),
    ])
}
