//! What every evaluation has to satisfy, whatever the gene: calculus and symmetry.
mod common;

use automl_genome::{Batch, BatchError, Class, Gene, Op, Program, Vocabulary, Workspace};
use common::{genes, runner};
use proptest::prelude::*;

const ROWS: usize = 6;
const CLASSES: usize = 4;

fn read(text: &str) -> Program {
    Program::new(&text.parse().unwrap())
}

/// Value and gradient in double precision.
fn evaluate(program: &Program, x: &[f64], y: &[f64]) -> (f64, Option<Vec<f64>>, Class) {
    let mut workspace = Workspace::default();
    let evaluation = program.evaluate(Batch::new(x, y, x.len() / CLASSES, CLASSES).unwrap(), &mut workspace);
    (evaluation.value, evaluation.gradient.map(<[f64]>::to_vec), evaluation.class)
}

fn logits() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(-3.0..3.0, ROWS * CLASSES)
}

fn targets() -> Vec<f64> {
    (0..ROWS * CLASSES).map(|index| f64::from(u8::from(index % CLASSES == (index / CLASSES * 7) % CLASSES))).collect()
}

fn near(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * a.abs().max(b.abs()).max(1e-6)
}

/// Differentiable everywhere, and so gentle that differences of 1e-5 measure the slope.
fn is_smooth(op: Op) -> bool {
    use Op::{
        Arctan, Cos, LogSoftmax, Mean, RowMean, RowSum, SafeAdd, SafeMul, SafeSub, Sigmoid, Sin, Softmax, Square, Tanh,
    };
    [SafeAdd, SafeSub, SafeMul, Sin, Cos, Sigmoid, Tanh, Mean, Arctan, Square, Softmax, LogSoftmax, RowSum, RowMean]
        .contains(&op)
}

fn ops(gene: &Gene) -> impl Iterator<Item = Op> {
    gene.nodes().iter().filter_map(|node| if let automl_genome::Node::Op(op) = node { Some(*op) } else { None })
}

#[test]
fn gradients_are_slopes() {
    let smooth =
        genes(Vocabulary::Extended, 4).prop_filter("smooth", |gene| gene.nodes().len() > 2 && ops(gene).all(is_smooth));
    runner(300)
        .run(&(smooth, logits(), 0..ROWS * CLASSES), |(gene, x, index)| {
            let (program, y) = (Program::new(&gene), targets());
            let (value, Some(gradient), Class::Finite) = evaluate(&program, &x, &y) else { return Ok(()) };
            prop_assume!(value.abs() < 1e3 && gradient.iter().all(|slope| slope.abs() < 1e3));
            let shifted = |by: f64| {
                let mut x = x.clone();
                x[index] += by;
                evaluate(&program, &x, &y).0
            };
            let slope = |step: f64| (shifted(step) - shifted(-step)) / (2.0 * step);
            // Two step widths tell a wrong gradient from a function too curved for differences.
            let (wide, narrow) = (slope(2e-4), slope(1e-4));
            let curved = (wide - narrow).abs();
            prop_assert!(
                (gradient[index] - narrow).abs() <= 1e-6 * (1.0 + value.abs()) + 4.0 * curved,
                "{gene}: gradient {} and slope {narrow}",
                gradient[index]
            );
            Ok(())
        })
        .unwrap();
}

#[test]
fn classes_have_no_order() {
    // Elsewhere rounding differs and is blown up, which says nothing here; the goldens have those genes.
    let smooth = genes(Vocabulary::Extended, 5).prop_filter("smooth", |gene| ops(gene).all(is_smooth));
    runner(300)
        .run(&(smooth, logits()), |(gene, x)| {
            let (program, y) = (Program::new(&gene), targets());
            let turn = |numbers: &[f64]| -> Vec<f64> {
                numbers.chunks_exact(CLASSES).flat_map(|row| [row[1], row[2], row[3], row[0]]).collect()
            };
            let (value, gradient, class) = evaluate(&program, &x, &y);
            let (turned_value, turned_gradient, _) = evaluate(&program, &turn(&x), &turn(&y));
            prop_assume!(class == Class::Finite);
            prop_assert!(near(value, turned_value, 1e-6), "{gene}: {value} and {turned_value}");
            for (a, b) in turn(&gradient.unwrap()).iter().zip(turned_gradient.unwrap()) {
                prop_assert!((a - b).abs() <= 1e-6 * (1.0 + a.abs()), "{gene}: {a} and {b}");
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_batch_twice_has_the_same_mean_and_half_the_gradient() {
    let smooth = genes(Vocabulary::Extended, 4).prop_filter("smooth", |gene| ops(gene).all(is_smooth));
    runner(300)
        .run(&(smooth, logits()), |(gene, x)| {
            let (program, y) = (Program::new(&gene), targets());
            let (value, gradient, class) = evaluate(&program, &x, &y);
            let (twice, halves, _) = evaluate(&program, &x.repeat(2), &y.repeat(2));
            prop_assume!(class == Class::Finite);
            prop_assert!(near(value, twice, 1e-9), "{gene}: {value} and {twice}");
            for (a, b) in gradient.unwrap().iter().zip(halves.unwrap()) {
                prop_assert!((a / 2.0 - b).abs() <= 1e-9 * (1.0 + a.abs()), "{gene}: {a} and {b}");
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_used_workspace_changes_nothing() {
    let shared = std::cell::RefCell::new(Workspace::<f64>::default());
    runner(300)
        .run(&(genes(Vocabulary::Extended, 6), logits()), |(gene, x)| {
            let (program, y) = (Program::new(&gene), targets());
            let (value, gradient, class) = evaluate(&program, &x, &y);
            let rows = 1 + gene.nodes().len() % ROWS;
            let narrow = Batch::new(&x[..rows * CLASSES], &y[..rows * CLASSES], rows, CLASSES).unwrap();
            let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
            let mut used = shared.borrow_mut();
            program.evaluate(narrow, &mut used);
            let again = program.evaluate(Batch::new(&x, &y, ROWS, CLASSES).unwrap(), &mut used);
            prop_assert_eq!((again.value.to_bits(), again.class), (value.to_bits(), class));
            prop_assert_eq!(again.gradient.map(bits), gradient.as_deref().map(bits));
            Ok(())
        })
        .unwrap();
}

#[test]
fn printing_and_reading_give_the_same_gene() {
    runner(2000)
        .run(&(genes(Vocabulary::Extended, 8), any::<f64>()), |(gene, number)| {
            prop_assert_eq!(&gene.to_string().parse::<Gene>().unwrap(), &gene);
            let Some(constant) = automl_genome::Constant::new(number) else { return Ok(()) };
            let gene = gene.with_subtree(0, &[automl_genome::Node::Constant(constant)]);
            prop_assert_eq!(gene.to_string().parse::<Gene>().unwrap(), gene);
            Ok(())
        })
        .unwrap();
}

#[test]
fn classes_of_results_have_their_precedence() {
    let (x, y) = (vec![0.5; ROWS * CLASSES], targets());
    for (text, class) in [
        ("square(safe_sub(x, y))", Class::Finite),
        ("sign(x)", Class::Finite),
        ("reciprocal(zero)", Class::NonfiniteValue),
        ("safe_mul(x, reciprocal(zero))", Class::NonfiniteValue),
        ("y", Class::NoGrad),
        ("std(y)", Class::NoGrad),
        ("safe_sqrt(safe_sub(x, x))", Class::NonfiniteGradient),
    ] {
        assert_eq!(evaluate(&read(text), &x, &y).2, class, "{text}");
    }
    assert_eq!(evaluate(&read("sign(x)"), &x, &y).1, Some(vec![0.0; ROWS * CLASSES]));
    assert_eq!(evaluate(&read("reciprocal(zero)"), &x, &y).1, None);
}

#[test]
fn work_grows_with_the_gene_and_the_batch() {
    let small = read("square(safe_sub(x, y))");
    let large = read("square(safe_sub(sin(x), y))");
    assert!(small.work(8, 10) < large.work(8, 10));
    assert!(small.work(8, 10) < small.work(16, 10));
    assert_eq!(large.work(usize::MAX, usize::MAX), u64::MAX);
    assert!(read("sin(sin(one))").work(64, 10) < 10);
}

#[test]
fn a_batch_is_checked() {
    assert_eq!(Batch::<f64>::new(&[], &[], 0, 3).unwrap_err(), BatchError::Empty { rows: 0, classes: 3 });
    let error = Batch::new(&[1.0; 6], &[1.0; 5], 2, 3).unwrap_err();
    assert_eq!(error.to_string(), "targets has 5 numbers, but 2 rows of 3 classes need 6");
    assert!(Batch::new(&[1.0; 6], &[1.0; 6], usize::MAX, 3).is_err());
}
