//! What must not leave a process that has opened a key.
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// From here on nobody looks into this process: no core file is written when it crashes, and no other process of the same user
/// reads its memory. To be called before a key is opened.
///
/// # Errors
/// The kernel refuses, which it has no reason to.
pub fn seal() -> std::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}
