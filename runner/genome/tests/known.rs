//! The known losses compute what their publications say: PyTorch's values, and the gradients in closed form.
use automl_genome::{
    Batch, Class, Gene, KnownLoss, LossFamily, Program, Vocabulary, Workspace, known_losses, loss_families,
};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    rows: usize,
    classes: usize,
    outputs: Vec<f64>,
    targets: Vec<f64>,
    losses: BTreeMap<String, Answer>,
}

#[derive(Deserialize)]
struct Answer {
    value: f64,
    gradient: Vec<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/known.json")).unwrap()
}

fn run(loss: &KnownLoss, case: &Case) -> Answer {
    evaluate(loss.key, &loss.gene(), case)
}

fn evaluate(name: &str, gene: &Gene, case: &Case) -> Answer {
    let batch = Batch::new(&case.outputs, &case.targets, case.rows, case.classes).unwrap();
    let mut workspace = Workspace::default();
    let answer = Program::new(gene).evaluate(batch, &mut workspace);
    assert_eq!(answer.class, Class::Finite, "{name}");
    Answer { value: answer.value, gradient: answer.gradient.unwrap().to_vec() }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |so_far, value| so_far.max(value.abs()))
}

#[track_caller]
fn close(what: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let scale = largest(theirs);
    for (index, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "{what}, element {index}: {a} is not {b} (largest {scale})");
    }
}

#[test]
fn every_loss_equals_pytorch() {
    let golden = golden();
    assert!(golden.cases.len() >= 6);
    for case in &golden.cases {
        assert_eq!(case.losses.len(), known_losses().len());
        for loss in known_losses() {
            let (ours, theirs) = (run(loss, case), &case.losses[loss.key]);
            close(loss.key, &[ours.value], &[theirs.value], 1e-9);
            close(loss.key, &ours.gradient, &theirs.gradient, 1e-9);
        }
    }
}

/// The gradient of one example's loss with respect to its logit j, given p, t, the true class's p and C.
type ClosedForm = fn(p: &[f64], t: &[f64], true_p: f64, j: usize) -> f64;

#[test]
fn gradients_equal_the_closed_forms() {
    let forms: [(&str, ClosedForm); 6] = [
        ("cross-entropy", |p, t, _, j| p[j] - t[j]),
        ("label-smoothing", |p, t, _, j| p[j] - (0.9 * t[j] + 0.1 / p.len() as f64)),
        ("focal", |p, t, q, j| (2.0 * q * (1.0 - q) * q.ln() - (1.0 - q).powi(2)) * (t[j] - p[j])),
        ("poly1", |p, t, q, j| (p[j] - t[j]) * (1.0 + q)),
        ("mse", |p, t, _, j| {
            let inner: f64 = p.iter().zip(t).map(|(p, t)| p * (p - t)).sum();
            2.0 * p[j] * ((p[j] - t[j]) - inner)
        }),
        // With the 1e-8 that its gene adds to p; without, the last factor is 1/q.
        ("baikal", |p, t, q, j| {
            let classes = p.len() as f64;
            (p[j] - 1.0 / classes) + (p[j] - t[j]) / classes * (q / (q + 1e-8).powi(2))
        }),
    ];
    for case in &golden().cases {
        for (key, form) in forms {
            let loss = KnownLoss::find(key).unwrap();
            let mut expected = Vec::new();
            for (x, t) in case.outputs.chunks(case.classes).zip(case.targets.chunks(case.classes)) {
                let total: f64 = x.iter().map(|x| x.exp()).sum();
                let p: Vec<f64> = x.iter().map(|x| x.exp() / total).collect();
                let true_p = p.iter().zip(t).map(|(p, t)| p * t).sum();
                expected.extend((0..case.classes).map(|j| form(&p, t, true_p, j) / case.rows as f64));
            }
            close(key, &run(loss, case).gradient, &expected, 1e-9);
        }
    }
}

#[test]
fn keys_are_distinct_and_texts_are_canonical_spelling() {
    let mut keys: Vec<_> = known_losses().iter().map(|loss| loss.key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 8);
    assert_eq!(KnownLoss::find("cross-entropy"), known_losses().first());
    assert_eq!(KnownLoss::find("nonesuch"), None);
    for loss in known_losses() {
        assert_eq!(loss.gene().to_string(), loss.text, "{}", loss.key);
        assert_eq!(loss.gene().vocabulary(), Vocabulary::Extended, "{}", loss.key);
    }
}

#[test]
fn a_family_at_the_usual_parameter_is_the_known_loss() {
    assert_eq!(loss_families().len(), 3);
    for family in loss_families() {
        let known = KnownLoss::find(family.key).unwrap();
        for case in &golden().cases {
            let (ours, theirs) = (evaluate(family.key, &family.gene(family.usual), case), run(known, case));
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.abs().max(1e-3);
            assert!(close(ours.value, theirs.value), "{}: {} for {}", family.key, ours.value, theirs.value);
            let scale = largest(&theirs.gradient);
            for (one, other) in ours.gradient.iter().zip(&theirs.gradient) {
                assert!((one - other).abs() <= 1e-6 * scale, "{}: {one} for {other}", family.key);
            }
        }
    }
}

#[test]
fn a_family_without_its_parameter_is_cross_entropy_and_moves_with_it() {
    let case = &golden().cases[3];
    let plain = run(KnownLoss::find("cross-entropy").unwrap(), case).value;
    for family in loss_families() {
        let value = |parameter: f64| evaluate(family.key, &family.gene(parameter), case).value;
        assert!((value(0.0) - plain).abs() < 1e-9 * plain, "{}", family.key);
        assert!((value(family.high) - plain).abs() > 1e-3, "{}", family.key);
        // What lies outside is brought in.
        assert_eq!(family.gene(1e9), family.gene(family.high));
        assert_eq!(family.gene(f64::NAN), family.gene(family.usual));
    }
    assert!(LossFamily::find("mse").is_none());
}
