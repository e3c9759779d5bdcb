//! `runner gene check`: is it a gene, and could it train anything?
use super::source;
use crate::failure::Failure;
use crate::output;
use automl_genome::{Signature, Vocabulary};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    name: String,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vocabulary: Option<String>,
    /// Why training with it cannot learn, where that shows without training.
    #[serde(skip_serializing_if = "Option::is_none")]
    dead: Option<String>,
}

pub(super) fn run(genes: &[String], vocabulary: Vocabulary, json: bool) -> Result<(), Failure> {
    let mut bad = 0;
    for argument in genes {
        let checked = check(argument, vocabulary);
        bad += usize::from(!checked.ok);
        if json {
            output::json(&checked)?;
        } else {
            output::line(describe(&checked))?;
        }
    }
    if bad > 0 {
        return Err(Failure::bad_input(format!("{bad} of {} cannot be used", genes.len())));
    }
    Ok(())
}

fn check(argument: &str, vocabulary: Vocabulary) -> Checked {
    let refused = |error: String| Checked {
        name: argument.chars().take(120).collect(),
        ok: false,
        error: Some(error),
        nodes: None,
        depth: None,
        vocabulary: None,
        dead: None,
    };
    let named = match source::load(argument) {
        Ok(named) => named,
        Err(failure) => return refused(failure.message),
    };
    let needed = named.gene.vocabulary();
    if needed > vocabulary {
        return refused(format!("{}: needs the vocabulary {needed}, and only {vocabulary} is allowed", named.name));
    }
    Checked {
        name: named.name,
        ok: true,
        error: None,
        nodes: Some(named.gene.nodes().len()),
        depth: Some(named.gene.depth()),
        vocabulary: Some(needed.to_string()),
        dead: Signature::of(&named.gene).dead().map(|dead| dead.to_string()),
    }
}

fn describe(checked: &Checked) -> String {
    if let Some(error) = &checked.error {
        return format!("bad   {error}");
    }
    let (nodes, depth) = (checked.nodes.unwrap_or_default(), checked.depth.unwrap_or_default());
    let vocabulary = checked.vocabulary.as_deref().unwrap_or_default();
    match &checked.dead {
        Some(dead) => format!("dead  {}: {nodes} nodes, depth {depth}, {vocabulary}; {dead}", checked.name),
        None => format!("ok    {}: {nodes} nodes, depth {depth}, {vocabulary}", checked.name),
    }
}
