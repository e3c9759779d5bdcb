//! How much memory each child may take beyond what it needs, so that its own limit is reached before the container's, which
//! would end whatever process is the largest.
use std::fs;

/// What a child needs before a gene does anything: libraries, buffers and a data set, roughly.
const NEEDED: u64 = 512 << 20;
/// Less than this makes honest genes fail.
const LEAST: u64 = 64 << 20;

/// The bytes that each of `workers` children may take: what was asked for, or less where the container has less.
pub(crate) fn allowance(asked: u64, workers: usize) -> u64 {
    fit(asked, workers as u64, container_limit())
}

fn fit(asked: u64, workers: u64, container: Option<u64>) -> u64 {
    let Some(container) = container else { return asked };
    // The parent has the data too.
    let share = container.saturating_sub(NEEDED) / workers.max(1);
    asked.min(share.saturating_sub(NEEDED).max(LEAST))
}

/// The memory limit of this container in bytes, by cgroup v2 or v1; `None` where there is none.
fn container_limit() -> Option<u64> {
    let files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    files.iter().find_map(|file| limit(&fs::read_to_string(file).ok()?))
}

/// A limit as the kernel writes it: `max`, or a number that version 1 makes huge where there is none.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < 1 << 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn the_container_bounds_what_all_children_may_take() {
        assert_eq!(fit(GIB, 8, None), GIB);
        assert_eq!(fit(GIB, 2, Some(16 * GIB)), GIB);
        // (4.5 − 0.5) / 4 − 0.5
        assert_eq!(fit(GIB, 4, Some(9 * GIB / 2)), GIB / 2);
        assert_eq!(fit(GIB, 64, Some(2 * GIB)), LEAST);
        assert_eq!(fit(GIB, 1, Some(0)), LEAST);
        assert_eq!(fit(16 << 20, 1, Some(0)), 16 << 20);
    }

    #[test]
    fn limits_are_read_as_both_versions_write_them() {
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit("9223372036854771712\n"), None);
        assert_eq!(limit("536870912\n"), Some(512 << 20));
        assert_eq!(limit("nonsense"), None);
    }
}
