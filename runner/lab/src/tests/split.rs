use std::collections::HashSet;

use super::{digits, synthetic};
use crate::Stage;
use crate::data::{self, Examples};

fn rows(examples: &Examples, features: usize) -> impl Iterator<Item = Vec<u32>> {
    examples
        .all()
        .chunks_exact(features)
        .map(|row| row.iter().map(|value| value.to_bits()).collect())
        .collect::<Vec<_>>()
        .into_iter()
}

#[test]
fn parts_are_disjoint_and_complete() {
    let data = data::open(&synthetic(1000).dataset).unwrap();
    let parts: Vec<&Examples> =
        [&data.train].into_iter().chain(Stage::ALL.map(|stage| data.validation(stage))).collect();
    assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [500, 150, 150, 200]);
    let distinct: HashSet<Vec<u32>> = parts.iter().flat_map(|part| rows(part, data.features)).collect();
    assert_eq!(distinct.len(), 1000);
}

#[test]
fn digits_are_complete_and_standardised() {
    let data = data::open(&digits(&[], 0.0).dataset).unwrap();
    let sizes = data.sizes();
    assert_eq!([sizes.train, sizes.search, sizes.select, sizes.final_], [898, 269, 269, 361]);
    assert_eq!((data.features, data.classes), (64, 10));
    let values = data.train.all().into_iter().map(f64::from);
    let count = data.train.x.len() as f64;
    let (sum, squares) = values.fold((0.0, 0.0), |(sum, squares), value| (sum + value, squares + value * value));
    assert!((sum / count).abs() < 1e-5 && (squares / count - 1.0).abs() < 1e-5);
    for part in [&data.train].into_iter().chain(Stage::ALL.map(|stage| data.validation(stage))) {
        assert_eq!(part.y.iter().collect::<HashSet<_>>().len(), 10, "every part has every class");
    }
}

#[test]
fn a_limit_takes_the_head_of_the_same_order() {
    let mut evaluation = digits(&[], 0.0);
    let whole = data::open(&evaluation.dataset).unwrap();
    evaluation.dataset.limit = Some(200);
    let limited = data::open(&evaluation.dataset).unwrap();
    assert_eq!(limited.sizes().train + limited.sizes().search + limited.sizes().select + limited.sizes().final_, 200);
    assert_eq!(limited.train.y, whole.train.y[..100]);
}
