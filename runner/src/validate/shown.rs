//! Who earns what and why, as a table.
use automl_validate::{Fate, Judged, Row};
use std::fmt::Write as _;

/// Characters of an address that are shown.
const ADDRESS: usize = 10;
/// Characters of a gene that are shown.
const GENE: usize = 60;

/// The table of a round.
pub(super) fn table(judged: &Judged) -> String {
    let mut text = format!("round that block {} closed\n", judged.closed);
    let _ = match &judged.champion {
        Some(champion) => writeln!(
            text,
            "champion: {} since block {}: {}{}",
            short(&champion.hotkey),
            champion.since,
            cut(&champion.gene),
            match champion.difference {
                Some(difference) => format!(
                    "; on this round's tasks {:+.2} points against cross-entropy ({:+.2} to {:+.2}){}",
                    100.0 * difference.mean,
                    100.0 * difference.low,
                    100.0 * difference.high,
                    if champion.fallen { ": fallen" } else { "" }
                ),
                None => String::new(),
            }
        ),
        None => writeln!(text, "champion: nobody has beaten cross-entropy"),
    };
    let _ = writeln!(text, "{:>6}  {:<ADDRESS$}  {:>7}  why", "share", "hotkey", "block");
    for row in &judged.rows {
        let Row { hotkey, block, share, .. } = row;
        let _ = writeln!(text, "{:>5.1}%  {}  {block:>7}  {}", 100.0 * share, short(hotkey), why(row));
    }
    text.trim_end().to_owned()
}

/// What was found of a hotkey's gene, in words.
pub(crate) fn why(row: &Row) -> String {
    let gene = row.gene.as_deref().map(cut).unwrap_or_default();
    match &row.fate {
        Fate::Unusable { reason } => format!("unusable: {}", cut(reason)),
        Fate::Copy { of, since } => format!("a copy of what {} has since block {since}: {gene}", short(of)),
        Fate::Scored { near: Some(near), .. } => {
            format!("too near to what {} has, and not better beyond doubt: {gene}", short(near))
        }
        Fate::Scored { seeds, difference, failures, added, .. } => {
            let points = match difference {
                Some(difference) => format!(
                    "{:+.2} points against cross-entropy ({:+.2} to {:+.2})",
                    100.0 * difference.mean,
                    100.0 * difference.low,
                    100.0 * difference.high
                ),
                None => "not told apart from cross-entropy".to_owned(),
            };
            let failed = if *failures > 0 { format!(", {failures} trainings failed") } else { String::new() };
            let adds = if *added > 0.0 { ", adds to the front" } else { "" };
            format!("{points} on {seeds} tasks{failed}{adds}: {gene}")
        }
        Fate::Original { accuracies, score } => {
            let accuracies: Vec<String> = accuracies.iter().map(|one| format!("{:.2}", 100.0 * one)).collect();
            let score = score.map_or_else(|| "no score".to_owned(), |score| format!("score {score:.4}"));
            format!("{score}, {} %: {gene}", accuracies.join(" "))
        }
    }
}

fn short(hotkey: &str) -> String {
    hotkey.chars().take(ADDRESS).collect()
}

/// A stranger's text: bounded, and nothing in it moves a cursor.
fn cut(text: &str) -> String {
    let shown: String = text.escape_debug().take(GENE).collect();
    if text.len() > GENE { format!("{shown}…") } else { shown }
}
