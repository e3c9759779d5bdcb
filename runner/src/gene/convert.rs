//! `runner gene import` and `export`: the original's JSON in, other people's formats out.
use super::source;
use crate::cli::FormatArgument;
use crate::failure::Failure;
use crate::output;
use automl_genome::original::{self, WouldRun};
use automl_genome::{Format, Limits};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Imported {
    expression: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hotkey: Option<String>,
    /// What the original would have run for this text, where that is not what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_would_run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commitment_hash: Option<String>,
}

pub(super) fn import(file: &Path, repo: Option<&str>, json: bool) -> Result<(), Failure> {
    let text = source::read_text(file)?;
    let read = original::read(&text, &Limits::default())
        .map_err(|error| Failure::bad_input(format!("{}: {error}", file.display())))?;
    let imported = Imported {
        expression: read.gene.to_string(),
        original_would_run: difference(&read.expression),
        commitment_hash: repo.map(|repo| original::commitment_hash(&read.expression, repo)),
        hotkey: read.hotkey,
    };
    if json {
        return output::json(&imported);
    }
    output::line(&imported.expression)?;
    if let Some(hotkey) = &imported.hotkey {
        eprintln!("hotkey {hotkey}");
    }
    if let Some(hash) = &imported.commitment_hash {
        eprintln!("commitment hash {hash}");
    }
    if let Some(other) = &imported.original_would_run {
        eprintln!("note: the original would not have run this text: {other}");
    }
    Ok(())
}

fn difference(expression: &str) -> Option<String> {
    match original::original_would_run(expression) {
        Ok(WouldRun::Same) => None,
        Ok(WouldRun::Other(other)) => Some(format!("it would run {other}")),
        Ok(WouldRun::Fails(why)) => Some(format!("it fails: {why}")),
        Err(unmodelled) => Some(unmodelled.to_string()),
    }
}

pub(super) fn export(gene: &str, format: FormatArgument, hotkey: Option<&str>) -> Result<(), Failure> {
    let named = source::load(gene)?;
    if hotkey.is_some() && !matches!(format, FormatArgument::Original) {
        return Err(Failure::usage("--hotkey belongs to --format original; no other format names an owner"));
    }
    let format = match format {
        FormatArgument::Original => Format::Original,
        FormatArgument::Pytorch => Format::Pytorch,
        FormatArgument::Latex => Format::Latex,
    };
    let text = automl_genome::export(&named.gene, format)
        .map_err(|error| Failure::bad_input(format!("{}: {error}", named.name)))?;
    let text = if hotkey.is_some() { original::write(&named.gene, hotkey) } else { text };
    output::line(text.trim_end())
}
