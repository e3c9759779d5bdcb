//! The original's rule, for who wants it.
use crate::judge::{Answer, Question, Training, rows};
use crate::known::{Known, accuracy};
use crate::outcome::{Fate, Judged};
use crate::sort::Contender;
use automl_score::allocate::Told;
use automl_score::original;
use std::collections::BTreeMap;

/// The original's rule: one training for each set, always the same.
pub(crate) fn by_the_original(
    question: &Question<'_>,
    known: &Known<'_>,
    mut fates: BTreeMap<usize, Fate>,
    contenders: &[Contender],
) -> Answer {
    let mut trained = Vec::new();
    for contender in contenders {
        let told: Vec<Option<Told>> = (0..question.sets).map(|set| known.told(&contender.text, set)).collect();
        trained.push(told);
    }
    let missing: Vec<Training> = known.missing.borrow().iter().cloned().collect();
    if !missing.is_empty() {
        return Answer::Needs(missing, Vec::new());
    }
    let mut scores = Vec::new();
    for (contender, told) in contenders.iter().zip(&trained) {
        // What raises an error there has score 0, whatever it scored elsewhere.
        let raised = told.iter().flatten().any(|told| *told == Told::Failed);
        let accuracies: Vec<f64> = told.iter().flatten().map(|told| accuracy(*told)).collect();
        let score = if raised { 0.0 } else { original::score(&accuracies) };
        scores.push(score);
        fates.insert(contender.at, Fate::Original { accuracies, score: Some(score).filter(|score| score.is_finite()) });
    }
    let shares: BTreeMap<usize, f64> =
        contenders.iter().map(|contender| contender.at).zip(original::weights(&scores)).collect();
    let rows = rows(question, &mut fates, &|at| shares.get(at).copied().unwrap_or(0.0));
    Answer::Judged(Box::new(Judged { closed: question.closed, champion: None, rows }))
}
