//! A made-up data set of MNIST's shape: one random picture per class under noise. Easy to learn, the same in every run.
use super::{Examples, Scaling, Source, Values};
use crate::seeds::Stream;

const FEATURES: usize = 784;
const CLASSES: usize = 10;
const EXAMPLES: u32 = 12_000;
/// How visible a class's picture is beside noise of width 1.
const CONTRAST: f32 = 0.25;

/// Makes the examples: `limit` of them, if given.
pub(super) fn load(limit: Option<u32>) -> Source {
    let mut stream = Stream::data("synthetic");
    let pictures: Vec<f32> = (0..CLASSES * FEATURES).map(|_| CONTRAST * stream.unit()).collect();
    let count = limit.unwrap_or(EXAMPLES) as usize;
    let (mut x, mut y) = (Vec::with_capacity(count * FEATURES), Vec::with_capacity(count));
    for index in 0..count {
        let class = index % CLASSES;
        let picture = &pictures[class * FEATURES..(class + 1) * FEATURES];
        x.extend(picture.iter().map(|pixel| pixel + stream.unit()));
        y.push(class as u16);
    }
    Source {
        name: "synthetic".to_owned(),
        notice: String::new(),
        features: FEATURES,
        shape: None,
        scaling: Scaling::Global,
        examples: Examples { x: Values::Numbers(x), y },
        test: None,
    }
}
