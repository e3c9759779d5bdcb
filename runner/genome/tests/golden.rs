//! Values and gradients equal `PyTorch`'s: thousands of random genes, and every primitive at its edges.
//!
//! The numbers come from real `PyTorch` (`golden/generate.py`). An element must agree to 1e-9 (double) or 1e-5
//! (single precision), relative; where `PyTorch` itself does not know the digits, to four times its own disagreement:
//! between its two precisions, or between two mathematically equal runs. How many needed that is counted and bounded.
use std::fs;
use std::path::Path;

use automl_genome::{Batch, Class, Gene, Program, Real, Workspace};

/// What an element needed to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Equal,
    Close,
    BetweenPrecisions,
    WithinSpread,
    /// The spread is a sample and came out as 0 here by luck; another element of the same gradient shows it.
    WithinNeighboursSpread,
    Wrong,
}

/// Little-endian numbers, read in order.
struct Reader {
    bytes: Vec<u8>,
    at: usize,
}

impl Reader {
    fn open(name: &str) -> Reader {
        Reader { bytes: fs::read(path(name)).unwrap(), at: 0 }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        self.at += N;
        self.bytes[self.at - N..self.at].try_into().unwrap()
    }

    fn count(&mut self) -> usize {
        u32::from_le_bytes(self.take()) as usize
    }

    fn single(&mut self) -> f64 {
        f64::from(f32::from_le_bytes(self.take()))
    }

    fn double(&mut self) -> f64 {
        f64::from_le_bytes(self.take())
    }
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// One gene in one precision, as torch computed it: value first, then the gradient.
struct Expected {
    has_gradient: bool,
    numbers: Vec<f64>,
    spreads: Option<Vec<f64>>,
}

impl Expected {
    fn read(reader: &mut Reader, elements: usize, number: fn(&mut Reader) -> f64) -> Expected {
        let [flags] = reader.take();
        let has_gradient = flags & 1 != 0;
        let count = 1 + if has_gradient { elements } else { 0 };
        let numbers = (0..count).map(|_| number(reader)).collect();
        let spreads = (flags & 2 != 0).then(|| (0..count).map(|_| reader.single()).collect());
        Expected { has_gradient, numbers, spreads }
    }

    fn class(&self) -> Class {
        match &self.numbers[..] {
            [value, ..] if !value.is_finite() => Class::NonfiniteValue,
            _ if !self.has_gradient => Class::NoGrad,
            numbers if numbers.iter().all(|number| number.is_finite()) => Class::Finite,
            _ => Class::NonfiniteGradient,
        }
    }
}

fn numbers<T: Real>(program: &Program, batch: Batch<'_, T>, workspace: &mut Workspace<T>) -> (Vec<f64>, Class) {
    let evaluation = program.evaluate(batch, workspace);
    let gradient = evaluation.gradient.into_iter().flatten();
    (std::iter::once(&evaluation.value).chain(gradient).map(|number| number.wide()).collect(), evaluation.class)
}

#[allow(clippy::float_cmp)] // Equal numbers are the goal here.
fn verdict(found: f64, wanted: f64, tolerance: f64, precisions: f64, spread: f64, largest: f64) -> Verdict {
    if found == wanted || (found.is_nan() && wanted.is_nan()) {
        return Verdict::Equal;
    }
    let error = (found - wanted).abs();
    if found.is_finite() && error <= tolerance * wanted.abs() {
        Verdict::Close
    } else if found.is_finite() && error <= 4.0 * precisions {
        Verdict::BetweenPrecisions
    } else if error <= 4.0 * spread || spread == f64::INFINITY {
        Verdict::WithinSpread
    } else if error <= 4.0 * largest {
        Verdict::WithinNeighboursSpread
    } else {
        Verdict::Wrong
    }
}

/// The worst verdict over the elements of one evaluation.
fn compare(found: &[f64], wanted: &Expected, tolerance: f64, other: Option<&Expected>) -> (Verdict, String) {
    let mut worst = (Verdict::Equal, String::new());
    let spreads = wanted.spreads.iter().flatten().copied();
    let largest = spreads.filter(|spread| spread.is_finite()).fold(0.0, f64::max);
    assert_eq!(found.len(), wanted.numbers.len(), "one has a gradient and the other none");
    for (index, (&found, &number)) in found.iter().zip(&wanted.numbers).enumerate() {
        let precisions = other.map_or(0.0, |other| (other.numbers[index] - number).abs());
        let spread = wanted.spreads.as_ref().map_or(0.0, |spreads| spreads[index]);
        let verdict = verdict(found, number, tolerance, precisions, spread, largest);
        if verdict > worst.0 {
            worst = (verdict, format!("element {index}: {found:e}, torch {number:e}, spread {spread:e}"));
        }
    }
    worst
}

fn report(kind: &str, verdicts: &[Verdict]) {
    let count = |wanted| verdicts.iter().filter(|&&verdict| verdict == wanted).count();
    println!(
        "{kind}: {} evaluations: {} equal, {} in tolerance, {} within 4 x the precisions' difference, \
         {} within 4 x torch's own spread, \
         {} within that of a neighbour, {} wrong",
        verdicts.len(),
        count(Verdict::Equal),
        count(Verdict::Close),
        count(Verdict::BetweenPrecisions),
        count(Verdict::WithinSpread),
        count(Verdict::WithinNeighboursSpread),
        count(Verdict::Wrong),
    );
}

#[test]
fn random_genes_equal_torch() {
    let mut file = Reader::open("batches.bin");
    let batches: Vec<(usize, usize, Vec<f64>, Vec<f64>)> = (0..file.count())
        .map(|_| {
            let (rows, classes) = (file.count(), file.count());
            let mut read = || (0..rows * classes).map(|_| file.single()).collect();
            (rows, classes, read(), read())
        })
        .collect();
    let mut expected = Reader::open("expected.bin");
    let genes = fs::read_to_string(path("genes.txt")).unwrap();
    let (mut double, mut single) = (Workspace::<f64>::default(), Workspace::<f32>::default());
    let (mut all64, mut all32) = (Vec::new(), Vec::new());
    let mut wrong = Vec::new();
    for line in genes.lines() {
        let (batch, text) = line.split_once('\t').unwrap();
        let (rows, classes, x, y) = &batches[batch.parse::<usize>().unwrap()];
        let wanted64 = Expected::read(&mut expected, x.len(), Reader::double);
        let wanted32 = Expected::read(&mut expected, x.len(), Reader::single);
        let program = Program::new(&text.parse::<Gene>().unwrap());
        let (found64, class64) = numbers(&program, Batch::new(x, y, *rows, *classes).unwrap(), &mut double);
        let narrow = |numbers: &[f64]| numbers.iter().map(|&number| number as f32).collect::<Vec<f32>>();
        let (x32, y32) = (narrow(x), narrow(y));
        let (found32, class32) = numbers(&program, Batch::new(&x32, &y32, *rows, *classes).unwrap(), &mut single);
        let (verdict64, detail64) = compare(&found64, &wanted64, 1e-9, None);
        let (verdict32, detail32) = compare(&found32, &wanted32, 1e-5, Some(&wanted64));
        for (name, verdict, detail, class, wanted) in [
            ("f64", verdict64, detail64, class64, wanted64.class()),
            ("f32", verdict32, detail32, class32, wanted32.class()),
        ] {
            if verdict == Verdict::Wrong || (class != wanted && verdict < Verdict::WithinSpread) {
                wrong.push(format!("{name} {rows}x{classes} {class:?}/{wanted:?} {text}\n    {detail}"));
            }
        }
        all64.push(verdict64);
        all32.push(verdict32);
    }
    assert_eq!(expected.at, expected.bytes.len(), "genes.txt and expected.bin are of one run of generate.py");
    report("f64", &all64);
    report("f32", &all32);
    assert!(all64.len() >= 5000);
    // Allowances are for the few genes whose digits PyTorch does not know either.
    for (all, percent) in [(&all64, 1), (&all32, 2)] {
        let beyond = |limit| all.iter().filter(|&&verdict| verdict > limit).count();
        assert!(beyond(Verdict::Close) * 100 < percent * all.len());
        assert!(beyond(Verdict::WithinSpread) * 1000 < all.len());
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

#[test]
fn primitives_equal_torch_at_the_edges() {
    let mut file = Reader::open("edges.bin");
    let edges: Vec<f64> = (0..file.count()).map(|_| file.double()).collect();
    let (mut double, mut single) = (Workspace::<f64>::default(), Workspace::<f32>::default());
    let mut wrong = Vec::new();
    let mut count = 0;
    for text in fs::read_to_string(path("edges.txt")).unwrap().lines() {
        let program = Program::new(&text.parse::<Gene>().unwrap());
        let ys = if text.contains('y') && text.contains(", ") && text.contains("y)") | text.contains("(y") {
            &edges[..]
        } else {
            &[0.0]
        };
        for &x in &edges {
            for &y in ys {
                let wanted64 = [file.double(), file.double()];
                let wanted32 = [file.single(), file.single()];
                let (found64, _) = numbers(&program, Batch::new(&[x], &[y], 1, 1).unwrap(), &mut double);
                let (x32, y32) = ([x as f32], [y as f32]);
                let (found32, _) = numbers(&program, Batch::new(&x32, &y32, 1, 1).unwrap(), &mut single);
                for (found, wanted, tolerance) in [(found64, wanted64, 1e-9), (found32, wanted32, 1e-5)] {
                    count += 1;
                    let agree = |(&found, &wanted)| verdict(found, wanted, tolerance, 0.0, 0.0, 0.0) <= Verdict::Close;
                    if found.len() != 2 || !found.iter().zip(&wanted).all(agree) {
                        wrong.push(format!(
                            "{text} at x = {x:e}, y = {y:e}: {found:?}, torch {wanted:?} ({tolerance:e})"
                        ));
                    }
                }
            }
        }
    }
    assert_eq!(file.at, file.bytes.len(), "edges.txt and edges.bin are of one run of generate.py");
    println!("edges: {count} evaluations");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
}
