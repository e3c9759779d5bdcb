//! What `nvidia-smi` says of the first GPU. Where there is no such program the figures that need it are left out.
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Milliseconds between two readings.
const EVERY: &str = "200";

fn ask(what: &str) -> Command {
    let mut command = Command::new("nvidia-smi");
    command.args(["--id=0", "--format=csv,noheader,nounits"]).arg(format!("--query-gpu={what}"));
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// Memory in use, in bytes.
pub(super) fn memory() -> Option<f64> {
    let output = ask("memory.used").output().ok()?;
    let mebibytes: f64 = String::from_utf8(output.stdout).ok()?.lines().next()?.trim().parse().ok()?;
    Some(mebibytes * 1024.0 * 1024.0)
}

/// Reads how busy the GPU is until it is asked.
pub(super) struct Watch(Option<Child>);

impl Watch {
    pub(super) fn start() -> Watch {
        Watch(ask("utilization.gpu").arg(format!("--loop-ms={EVERY}")).stdout(Stdio::piped()).spawn().ok())
    }

    /// The median share of time in which the GPU computed anything, in per cent.
    pub(super) fn end(mut self) -> Option<f64> {
        let mut child = self.0.take()?;
        // It never ends by itself; what it has printed is still there to be read.
        let _ = child.kill();
        let read = child.stdout.take().map(|stdout| BufReader::new(stdout).lines().map_while(Result::ok).collect());
        let _ = child.wait();
        let lines: Vec<String> = read?;
        let mut shares: Vec<f64> = lines.iter().filter_map(|line| line.trim().parse().ok()).collect();
        shares.sort_by(f64::total_cmp);
        shares.get(shares.len() / 2).copied()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Where a measurement failed.
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
