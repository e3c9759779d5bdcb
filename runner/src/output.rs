//! Printing that survives a closed pipe (`runner … | head`).
use crate::failure::Failure;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Prints a line to standard output. A reader that went away is a quiet end, not an error.
pub(crate) fn line(text: impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            Err(Failure { code: automl_contract::exit::DONE, message: String::new() })
        }
        Err(error) => Err(Failure::internal(format!("cannot print: {error}"))),
    }
}

/// Prints a value as one line of JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    line(serde_json::to_string(value).map_err(Failure::internal)?)
}

/// Writes a file that its owner alone may read, where there is none yet.
pub(crate) fn new_file(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(|error| Failure::bad_input(format!("cannot write {}: {error}", path.display())))
}
