//! Where a gene on the command line comes from: a known loss, a file, or the expression itself.
use crate::failure::Failure;
use automl_genome::{Gene, Limits};
use std::io::Read;
use std::path::Path;

/// A gene and the name a person knows it by.
pub(crate) struct Named {
    pub name: String,
    pub gene: Gene,
}

/// Reads a gene as people write it on a command line.
pub(crate) fn load(argument: &str) -> Result<Named, Failure> {
    if let Some(known) = automl_genome::known_losses().iter().find(|known| known.key == argument) {
        return Ok(Named { name: known.key.to_owned(), gene: known.gene() });
    }
    let path = Path::new(argument);
    if path.is_file() {
        let name = path.file_stem().map_or_else(|| argument.to_owned(), |stem| stem.to_string_lossy().into_owned());
        return Ok(Named { name, gene: from_file(path)? });
    }
    let gene = automl_genome::parse(argument, &Limits::default()).map_err(|error| {
        // A bare word that is no expression was more likely meant as a file.
        let hint =
            if argument.contains(['/', '.']) && !argument.contains('(') { " (and there is no such file)" } else { "" };
        Failure::bad_input(format!("{argument:.120}: {error}{hint}"))
    })?;
    Ok(Named { name: shortened(argument), gene })
}

/// Reads a gene file: the original's JSON, or plain text.
pub(crate) fn from_file(path: &Path) -> Result<Gene, Failure> {
    let text = read_text(path)?;
    let wrong = |error: &dyn std::fmt::Display| Failure::bad_input(format!("{}: {error}", path.display()));
    // No expression starts like JSON does.
    if text.trim_start().starts_with(['{', '"']) {
        return Ok(automl_genome::original::read(&text, &Limits::default()).map_err(|error| wrong(&error))?.gene);
    }
    // Blank lines at the head stay: errors count lines as an editor does.
    automl_genome::parse(text.trim_end(), &Limits::default()).map_err(|error| wrong(&error))
}

/// Reads a text file, or standard input for `-`; what is larger than any gene or MinerRun is refused before it fills memory.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    const MOST: u64 = 1 << 20;
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(MOST + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::unreadable(path, &error))?;
    if bytes.len() as u64 > MOST {
        return Err(Failure::bad_input(format!("{} is larger than 1 MiB: no gene or MinerRun is", path.display())));
    }
    String::from_utf8(bytes)
        .map_err(|error| Failure::bad_input(format!("{} is not UTF-8 text: {}", path.display(), error.utf8_error())))
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 40 {
        return text.to_owned();
    }
    text.chars().take(39).chain(['…']).collect()
}
