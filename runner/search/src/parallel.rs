//! Many threads, one result per index: who finishes first decides nothing.
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Does `work` for 0..`count` on up to `threads` threads; `setup` runs once in each. Idle threads take the next index.
///
/// `Ok(None)` when not all was done because `stop` was raised (or some work returned `None`); the first error otherwise.
pub fn map<S, T: Send, E: Send>(
    count: usize,
    threads: usize,
    stop: &AtomicBool,
    setup: impl Fn() -> Result<S, E> + Sync,
    work: impl Fn(&mut S, usize) -> Result<Option<T>, E> + Sync,
) -> Result<Option<Vec<T>>, E> {
    let next = AtomicUsize::new(0);
    let over = AtomicBool::new(false); // one failed or gave up, so the rest would be thrown away
    let run = || -> Result<Vec<(usize, T)>, E> {
        let mut state = setup().inspect_err(|_| over.store(true, Ordering::Relaxed))?;
        let mut done = Vec::new();
        while !stop.load(Ordering::Relaxed) && !over.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                break;
            }
            match work(&mut state, index).inspect_err(|_| over.store(true, Ordering::Relaxed))? {
                Some(result) => done.push((index, result)),
                None => over.store(true, Ordering::Relaxed),
            }
        }
        Ok(done)
    };
    let parts: Vec<Result<Vec<(usize, T)>, E>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.clamp(1, count.max(1))).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let mut slots: Vec<Option<T>> = (0..count).map(|_| None).collect();
    for part in parts {
        for (index, result) in part? {
            slots[index] = Some(result);
        }
    }
    Ok(slots.into_iter().collect())
}
