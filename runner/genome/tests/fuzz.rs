//! Fuzzing: no input of a stranger makes reading, checking or running a gene panic, or answer out of shape.
//!
//! Random inputs under `cargo test`, new ones at each run (a failure prints the seed that repeats it), coverage-guided ones
//! under `cargo bolero test`. A million and more under `make test-full`.
mod common;

use automl_genome::original::{self, WouldRun, original_would_run};
use automl_genome::{Batch, Class, Gene, Limits, Op, Program, Real, Signature, Vocabulary, Workspace, parse};
use common::fuzz::{inputs, report};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs the property on that many inputs, and says on how many it ran.
macro_rules! fuzz {
    ($inputs:expr, $type:ty, $property:expr) => {{
        let (asked, ran) = ($inputs, AtomicUsize::new(0));
        bolero::check!().with_iterations(asked).with_type::<$type>().for_each(|input: &$type| {
            ran.fetch_add(1, Ordering::Relaxed);
            $property(input);
        });
        report(ran.into_inner());
    }};
}

#[test]
fn no_bytes_make_the_reader_panic() {
    fuzz!(inputs(5000, 250_000), Vec<u8>, |bytes: &Vec<u8>| {
        let text = String::from_utf8_lossy(bytes);
        match parse(&text, &Limits::default()) {
            Ok(gene) => assert_eq!(gene.to_string().parse::<Gene>().as_ref(), Ok(&gene)),
            Err(error) => assert!(error.offset <= text.len() && error.to_string().len() < 600),
        }
    });
}

/// The same, of texts that look like genes: most random bytes fail at the first token.
#[test]
fn no_heap_of_tokens_makes_the_reader_panic() {
    let words: Vec<&str> = Op::all()
        .map(Op::name)
        .chain(["x", "y", "one", "tensor(", "0.5", "1e", ")", ",", "device='c'", "-", "ä"])
        .collect();
    fuzz!(inputs(5000, 250_000), Vec<u8>, |picks: &Vec<u8>| {
        let text: String = picks.iter().flat_map(|&pick| [words[usize::from(pick) % words.len()], " "]).collect();
        if let Ok(gene) = parse(&text, &Limits::default()) {
            assert_eq!(gene.to_string().parse::<Gene>().as_ref(), Ok(&gene));
        }
    });
}

#[test]
fn no_bytes_make_the_originals_reader_panic() {
    fuzz!(inputs(5000, 200_000), Vec<u8>, |bytes: &Vec<u8>| {
        let text = String::from_utf8_lossy(bytes);
        let _ = original::read(&text, &Limits::default());
        let _ = original_would_run(&text);
        // Past the JSON, where arbitrary bytes rarely get.
        let file = serde_json::json!({ "expression": text, "hotkey": text }).to_string();
        if let Ok(file) = original::read(&file, &Limits::default()) {
            let again = original::read(&original::write(&file.gene, None), &Limits::default());
            assert_eq!(again.map(|again| again.gene).ok(), Some(file.gene));
        }
    });
}

#[test]
fn no_heap_of_words_makes_the_originals_reader_panic() {
    let words =
        ["safe_add", "x", "rand_const", "0.5", "(", ")", ",", " ", "foo", "mod", "tensor(0.5)", "1e400", "=", "_"];
    fuzz!(inputs(5000, 200_000), Vec<u8>, |choices: &Vec<u8>| {
        let text: Vec<&str> = choices.iter().map(|choice| words[*choice as usize % words.len()]).collect();
        let text = text.join(" ");
        if let Ok(WouldRun::Same) = original_would_run(&text) {
            assert!(parse(&text, &Limits::default()).is_ok(), "{text}");
        }
    });
}

/// Numbers that networks produce when a gene goes wrong.
const ODD: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -1e-8,
    1e-8,
    88.9,
    -103.9,
    1e30,
    -1e30,
    f64::MIN_POSITIVE,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// Text to gene, to verdict and signature, to values and gradients in both precisions on a small batch of odd numbers.
#[test]
fn no_gene_on_no_batch_makes_check_and_evaluation_panic_or_answer_out_of_shape() {
    fuzz!(inputs(1500, 200_000), (Vec<u32>, Vec<u8>, u8), |(choices, values, shape): &(Vec<u32>, Vec<u8>, u8)| {
        let vocabulary = Vocabulary::Extended;
        let written = common::gene(choices, vocabulary, 2 + usize::from(shape % 7)).to_string();
        let gene = parse(&written, &Limits::default()).unwrap_or_else(|error| panic!("{written}: {error}"));
        let signature = Signature::of(&gene);
        assert_eq!(signature.key(), Signature::of(&gene).key(), "{written}");
        let itself = signature.distance(&signature);
        assert!(itself.abs() < f64::MIN_POSITIVE, "{written}: {itself}");
        let (rows, classes) = (1 + usize::from(shape / 7 % 5), 1 + usize::from(shape / 35 % 7));
        evaluate::<f64>(&gene, values, rows, classes, |value| value);
        evaluate::<f32>(&gene, values, rows, classes, |value| value as f32);
    });
}

fn evaluate<T: Real>(gene: &Gene, values: &[u8], rows: usize, classes: usize, number: impl Fn(f64) -> T) {
    let mut values = values.iter().chain(std::iter::repeat(&2)).map(|&pick| number(ODD[usize::from(pick) % ODD.len()]));
    let mut numbers = || values.by_ref().take(rows * classes).collect::<Vec<T>>();
    let (outputs, targets) = (numbers(), numbers());
    let batch = Batch::new(&outputs, &targets, rows, classes).unwrap_or_else(|error| panic!("{error}"));
    let (program, mut workspace) = (Program::new(gene), Workspace::default());
    let answer = program.evaluate(batch, &mut workspace);
    if let Some(gradient) = answer.gradient {
        assert_eq!(gradient.len(), rows * classes, "{gene}");
    }
    let (finite, gradient) = (answer.value.is_finite(), answer.gradient);
    let expected = match gradient {
        _ if !finite => Class::NonfiniteValue,
        None => Class::NoGrad,
        Some(gradient) if gradient.iter().all(|element| element.is_finite()) => Class::Finite,
        Some(_) => Class::NonfiniteGradient,
    };
    assert_eq!(answer.class, expected, "{gene}");
}
