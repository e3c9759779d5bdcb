//! This program again, as a process that is told nothing: what trains strangers' genes has no key or token in its environment.
use std::io;
use std::process::Command;

/// Where libraries are, which GPU is meant, and what it computes by: the same for parent and child.
const ENVIRONMENT: [&str; 5] = [
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "CUBLAS_WORKSPACE_CONFIG",
];

/// It, with no more of this process's environment than it takes to compute the same.
pub(crate) fn apart() -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env_clear();
    for name in ENVIRONMENT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    Ok(command)
}
