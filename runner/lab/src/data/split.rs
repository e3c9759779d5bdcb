//! From a source to the four parts a lab uses: a fixed shuffle, a fixed split, a common scale.
use super::{DataError, Examples, MAX_CLASSES, Scaling, Shape, Source};
use crate::Stage;
use crate::about::Sizes;
use crate::seeds::Stream;

/// Percent of the examples that are trained on; 15 more search, 15 more select, and the rest are final.
/// Where a set has its own test examples, those are final, and the rest of the others is trained on.
const TRAIN: usize = 50;
const JUDGE: usize = 15;
/// Fewer examples make scores of a few percent's grain.
const MIN_EXAMPLES: usize = 100;

/// A task: what to train on and, for each stage, what to judge on.
#[derive(Debug)]
pub(crate) struct Dataset {
    /// The data set's name.
    pub name: String,
    /// Where it comes from and its terms.
    pub notice: String,
    /// Numbers per example.
    pub features: usize,
    /// Where the examples are pictures.
    pub shape: Option<Shape>,
    /// Classes.
    pub classes: usize,
    /// Trained on, in every stage.
    pub train: Examples,
    search: Examples,
    select: Examples,
    final_: Examples,
}

impl Dataset {
    /// The examples a stage is judged on.
    pub(crate) fn validation(&self, stage: Stage) -> &Examples {
        match stage {
            Stage::Search => &self.search,
            Stage::Select => &self.select,
            Stage::Final => &self.final_,
        }
    }

    /// The classes that every part has examples of.
    pub(crate) fn usable_classes(&self) -> Vec<u16> {
        let has = |part: &Examples, class: u16| part.y.contains(&class);
        let parts = [&self.train, &self.search, &self.select, &self.final_];
        (0..self.classes as u16).filter(|class| parts.iter().all(|part| has(part, *class))).collect()
    }

    /// How many examples each part has.
    pub(crate) fn sizes(&self) -> Sizes {
        Sizes {
            train: self.train.len(),
            search: self.search.len(),
            select: self.select.len(),
            final_: self.final_.len(),
        }
    }
}

/// Shuffles, limits (after the shuffle; a set's own test part is limited alike), splits and scales.
pub(super) fn split(source: Source, limit: Option<u32>) -> Result<Dataset, DataError> {
    let Source { name, notice, features, shape, scaling, examples, test } = source;
    let task = |problem: String| DataError::Task { name: name.clone(), problem };
    let classes = classes(&examples, test.as_ref()).map_err(task)?;
    let order = order(&name, "examples", examples.len(), limit);
    if order.len() < MIN_EXAMPLES {
        return Err(task(format!("has {} examples; at least {MIN_EXAMPLES} are needed", order.len())));
    }
    let part = |percent: usize| order.len() * percent / 100;
    let train = if test.is_some() { order.len() - 2 * part(JUDGE) } else { part(TRAIN) };
    let search = train + part(JUDGE);
    let select = search + part(JUDGE);
    let mut final_ = examples.gather(features, &order[select..]);
    if let Some(test) = &test {
        if test.len() < MIN_EXAMPLES / 5 {
            return Err(task(format!("has {} test examples; at least {} are needed", test.len(), MIN_EXAMPLES / 5)));
        }
        final_ = test.gather(features, &self::order(&name, "test", test.len(), limit));
    }
    let mut dataset = Dataset {
        train: examples.gather(features, &order[..train]),
        search: examples.gather(features, &order[train..search]),
        select: examples.gather(features, &order[search..select]),
        final_,
        name,
        notice,
        features,
        shape,
        classes,
    };
    let scale = scale(&dataset.train, features, scaling);
    for part in [&mut dataset.train, &mut dataset.search, &mut dataset.select, &mut dataset.final_] {
        part.x.scale(&scale);
    }
    Ok(dataset)
}

/// How many classes there are: the largest number + 1.
fn classes(examples: &Examples, test: Option<&Examples>) -> Result<usize, String> {
    let largest = examples.y.iter().max().map_or(0, |&class| usize::from(class));
    if largest >= MAX_CLASSES {
        return Err(format!("has class {largest}; classes are numbers from 0 to {}", MAX_CLASSES - 1));
    }
    if examples.y.iter().all(|class| Some(class) == examples.y.first()) {
        return Err("has fewer than two classes; there is nothing to tell apart".to_owned());
    }
    if let Some(class) = test.and_then(|test| test.y.iter().find(|&&class| usize::from(class) > largest)) {
        return Err(format!("has class {class} among its test examples that no training example has"));
    }
    Ok(largest + 1)
}

/// The fixed order of a file's examples, cut to the limit.
fn order(name: &str, part: &str, count: usize, limit: Option<u32>) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    Stream::data(&format!("shuffle/{name}/{part}")).shuffle(&mut order);
    order.truncate(limit.map_or(count, |limit| limit as usize));
    order
}

/// What to subtract from each feature and what to multiply it with. A feature that never varies becomes 0.
fn scale(train: &Examples, features: usize, scaling: Scaling) -> Vec<(f32, f32)> {
    let of = |sum: f64, squares: f64, count: f64| {
        let mean = sum / count;
        let deviation = (squares / count - mean * mean).max(0.0).sqrt();
        // Relative to the mean, or rounding would pass for variation.
        let factor = if deviation > 1e-7 * mean.abs().max(1e-30) { 1.0 / deviation } else { 0.0 };
        (mean as f32, factor as f32)
    };
    let mut sums = vec![(0.0_f64, 0.0_f64); features];
    let mut row = vec![0.0; features];
    for index in 0..train.len() {
        train.write(index, &mut row);
        for (&value, (sum, squares)) in row.iter().zip(&mut sums) {
            *sum += f64::from(value);
            *squares += f64::from(value) * f64::from(value);
        }
    }
    let rows = train.len() as f64;
    match scaling {
        Scaling::PerFeature => sums.iter().map(|&(sum, squares)| of(sum, squares, rows)).collect(),
        Scaling::Global => {
            let (sum, squares) = sums.iter().fold((0.0, 0.0), |total, one| (total.0 + one.0, total.1 + one.1));
            vec![of(sum, squares, rows * features as f64); features]
        }
    }
}
