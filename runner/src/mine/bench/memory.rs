//! The most memory this process has held, which after the training benches is what a worker pod needs.
use super::figure::Figure;
use crate::failure::Failure;

pub(super) fn measure() -> Result<Vec<Figure>, Failure> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(Failure::internal)?;
    let kib = |field: &str| -> Option<f64> {
        status.lines().find_map(|line| line.strip_prefix(field))?.trim().split(' ').next()?.parse().ok()
    };
    let peak = kib("VmHWM:").ok_or_else(|| Failure::internal("/proc/self/status has no VmHWM"))?;
    Ok(vec![Figure::new("memory", "peak resident memory after the benches that ran before", peak / 1024.0, "MiB")])
}
