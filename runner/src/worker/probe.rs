//! What a test asks a confined child to try: the child does it as any code in its process could, and tells what came of it.
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Probe {
    /// Read a file.
    Read(PathBuf),
    /// Create a file.
    Write(PathBuf),
    /// Ask for a network connection.
    Connect(String),
    /// Start a program.
    Execute(PathBuf),
    /// Start a thread.
    Thread,
    /// Take and touch this many bytes.
    Allocate(usize),
    /// Never answer.
    Hang,
    /// Name the environment's variables.
    Environment,
}

impl Probe {
    /// Tries it.
    pub(super) fn attempt(self) -> String {
        let said = |done: std::io::Result<String>| done.unwrap_or_else(|error| format!("refused: {error}"));
        match self {
            Probe::Read(path) => said(std::fs::read_to_string(path)),
            Probe::Write(path) => said(std::fs::write(path, "x").map(|()| "written".to_owned())),
            Probe::Connect(address) => said(std::net::TcpStream::connect(address).map(|_| "connected".to_owned())),
            Probe::Execute(path) => said(std::process::Command::new(path).status().map(|status| status.to_string())),
            Probe::Thread => said(std::thread::Builder::new().spawn(|| ()).map(|_| "started".to_owned())),
            Probe::Allocate(bytes) => format!("{} bytes", std::hint::black_box(vec![1_u8; bytes]).len()),
            Probe::Hang => loop {
                std::thread::park();
            },
            Probe::Environment => {
                let mut names: Vec<_> =
                    std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
                names.sort();
                names.join(" ")
            }
        }
    }
}
