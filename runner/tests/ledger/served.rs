//! A ledger that a process serves, and that comes back at the same address when it was killed.
use crate::common::runner;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// Killed on drop.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    ledger: String,
    options: &'static [&'static str],
}

impl Server {
    /// Serves a file or a database at any free port, with these options.
    pub(crate) fn start(ledger: &str, options: &'static [&'static str]) -> Server {
        let (child, url) = serve(ledger, "0", options);
        Server { child, url, ledger: ledger.to_owned(), options }
    }

    /// Kills it, whatever it is doing, and starts it again.
    pub(crate) fn kill_and_start(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let port = self.url.rsplit(':').next().unwrap().to_owned();
        (self.child, self.url) = serve(&self.ledger, &port, self.options);
    }
}

fn serve(ledger: &str, port: &str, options: &[&str]) -> (Child, String) {
    let mut command = runner();
    command.args(["ledger", "serve", "--port", port]).args(options).env("AUTOML_LEDGER", ledger);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("serving ").unwrap_or_else(|| panic!("{line}"));
    (child, url.trim_end_matches("/openapi.json").to_owned())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
