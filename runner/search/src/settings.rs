//! Settings: whether a search can begin with them, and whether it can go on with them.
use automl_contract::spec::{Search, SearchPreset};
use automl_genome::{Gene, parse};
use serde_json::Value;

use crate::error::{CheckpointError, SearchError};
use crate::grow;

/// Checks the settings and reads their genes.
pub(crate) fn warm_start(settings: &Search) -> Result<Vec<Gene>, SearchError> {
    let setting = |field, problem: &str| Err(SearchError::Setting { field, problem: problem.to_owned() });
    if settings.budget.evaluations == 0 {
        return setting("budget.evaluations", "0 candidates cannot be searched; give at least 1");
    }
    if settings.population < 2 {
        return setting("population", "evolution needs at least 2");
    }
    if settings.offspring == 0 {
        return setting("offspring", "a generation without children never ends; give at least 1");
    }
    if settings.budget.evaluations / u64::from(settings.offspring) >= u64::from(u32::MAX) {
        return setting(
            "offspring",
            "the budget would need more than 2^32 generations; give more children per generation",
        );
    }
    if settings.tournament == 0 {
        return setting("tournament", "give at least 1");
    }
    let variation = settings.variation;
    let kinds = [
        ("variation.crossover", variation.crossover),
        ("variation.subtree", variation.subtree),
        ("variation.point", variation.point),
        ("variation.constant", variation.constant),
    ];
    if let Some((field, value)) = kinds.iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
        return setting(field, &format!("{value} is not a probability; give a number from 0 to 1"));
    }
    let sum: f64 = kinds.iter().map(|(_, value)| value).sum();
    if settings.preset == SearchPreset::Regularized && sum > 1.0 + 1e-9 {
        return setting(
            "variation",
            &format!("a child is changed in one way, so the probabilities add to 1 at most, not {sum}"),
        );
    }
    let default = automl_genome::Limits::default();
    if !(1..=default.nodes).contains(&(settings.limits.nodes as usize)) {
        return setting("limits.nodes", &format!("give a number from 1 to {}", default.nodes));
    }
    if settings.limits.depth as usize > default.depth {
        return setting("limits.depth", &format!("give a number from 0 to {}", default.depth));
    }
    if let Some(migration) = settings.migration {
        if migration.every == 0 {
            return setting("migration.every", "an epoch has at least 1 generation");
        }
        if !(1..=settings.population).contains(&migration.migrants) {
            let problem = format!("give a number from 1 to the population of {}", settings.population);
            return setting("migration.migrants", &problem);
        }
    }
    if settings.warm_start.len() > settings.population as usize {
        return setting("warmStart", &format!("more genes than the population of {}", settings.population));
    }
    settings.warm_start.iter().enumerate().map(|(index, text)| gene(settings, index, text)).collect()
}

fn gene(settings: &Search, index: usize, text: &str) -> Result<Gene, SearchError> {
    let gene = parse(text, &grow::limits(settings.limits))
        .map_err(|error| SearchError::WarmStart { index, problem: error.to_string() })?;
    let (needed, allowed) = (gene.vocabulary(), grow::vocabulary(settings.vocabulary));
    if needed > allowed {
        let problem = format!("it needs the vocabulary `{needed:?}`, the search has `{allowed:?}`").to_lowercase();
        return Err(SearchError::WarmStart { index, problem });
    }
    Ok(gene)
}

/// The settings as a checkpoint keeps them.
pub(crate) fn text(settings: &Search) -> String {
    serde_json::to_string(settings).expect("settings are plain finite data")
}

/// Whether a run that began with the settings `was` can go on with `is`.
pub(crate) fn compatible(was: &str, is: &Search) -> Result<(), CheckpointError> {
    let damaged = |error: serde_json::Error| CheckpointError::Damaged { problem: format!("its settings: {error}") };
    let was: Value = serde_json::from_str(was).map_err(damaged)?;
    // Through text as well, so that both numbers were read by the same reader.
    let is: Value = serde_json::from_str(&text(is)).map_err(damaged)?;
    compare("", &was, &is)
}

fn compare(field: &str, was: &Value, is: &Value) -> Result<(), CheckpointError> {
    if let (Value::Object(old), Value::Object(new)) = (was, is) {
        for name in old.keys().chain(new.keys()) {
            let path = if field.is_empty() { camel(name) } else { format!("{field}.{}", camel(name)) };
            compare(&path, old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null))?;
        }
        return Ok(());
    }
    let grown = field == "budget.evaluations" && is.as_u64() >= was.as_u64() && was.is_u64();
    if was == is || grown {
        return Ok(());
    }
    Err(CheckpointError::Setting { field: field.to_owned(), was: was.to_string(), is: is.to_string() })
}

/// The name as a spec spells it.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (head, tail) = part.split_at(part.chars().next().map_or(0, char::len_utf8));
        text + &head.to_uppercase() + tail
    })
}
