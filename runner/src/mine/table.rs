//! A comparison as text for a terminal.
use crate::mine::compare::Comparison;
use automl_score::{Interval, Verdict};
use std::collections::BTreeMap;
use std::fmt::Write;

/// One line per loss: its accuracy, the paired difference in percentage points, the verdict. `difference` heads the
/// column of differences and says what is subtracted from what.
pub(crate) fn render(comparison: &Comparison, difference: &str) -> String {
    let width = comparison.rows.iter().map(|row| row.scored.name.chars().count()).max().unwrap_or(0).max(4);
    let mut text = format!("{:<width$}  {:<15}  {difference}\n", "loss", "accuracy %");
    for row in &comparison.rows {
        let mut line = format!("{:<width$}  {:<15}", row.scored.name, percent(&row.scored.accuracy));
        if let Some(pair) = &row.pair {
            // Writing to a String cannot fail.
            let _ = write!(line, "  {:<23}  {}", points(&pair.difference), words(pair.verdict));
        }
        line += &failed(&row.scored.failures);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let _ = write!(
        text,
        "{}; {} paired seeds, {} examples of {} that no search step saw; 95 % intervals, differences hold together (Bonferroni)",
        comparison.label, comparison.seeds, comparison.examples, comparison.dataset
    );
    text
}

/// `93.12 ± 0.31`
fn percent(interval: &Interval) -> String {
    format!("{:6.2} ± {:.2}", 100.0 * interval.mean, 50.0 * (interval.high - interval.low))
}

/// `+1.20 [+0.80, +1.60]`
pub(crate) fn points(interval: &Interval) -> String {
    format!("{:+.2} [{:+.2}, {:+.2}]", 100.0 * interval.mean, 100.0 * interval.low, 100.0 * interval.high)
}

/// `  (failed: timeout 2×)`, or nothing.
pub(crate) fn failed(reasons: &BTreeMap<String, u32>) -> String {
    if reasons.is_empty() {
        return String::new();
    }
    let reasons: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} {count}×")).collect();
    format!("  (failed: {})", reasons.join(", "))
}

/// As a person says it.
pub(crate) fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::NotDistinguishable => "not distinguishable",
    }
}
