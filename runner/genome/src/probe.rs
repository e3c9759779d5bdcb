//! The fixed batches on which every gene is tried out.
//!
//! Written as a table rather than drawn, so that a signature never changes with a generator's version. Magnitudes lie in
//! 0.21..2.3: away from 0, where the primitives' 1e-8 would give a gene such as x/x a gradient that training never sees.
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::eval::{Batch, Real};

/// Classes of every batch.
const CLASSES: usize = 10;
/// Examples of a batch at one scale.
const ROWS: usize = 3;

/// Logits and targets as one matrix each, rows × classes.
pub(crate) struct Probe<T> {
    outputs: Vec<T>,
    targets: Vec<T>,
}

/// Three batches of logits, to be scaled.
pub(crate) type Logits = [[f64; ROWS * CLASSES]; 3];

/// The logits of the fixed batches.
#[rustfmt::skip]
const LOGITS: Logits = [
    [
        -0.92965, -0.88610, -1.63091, 0.53259, -1.52763, -1.99862, 1.40832, 0.27368, -0.41005, 0.89248,
        0.77090, 2.22030, -1.59203, -1.56785, -1.38715, 0.49345, -0.89172, 2.21672, 1.65841, 1.80591,
        2.22916, -1.34339, -0.23434, -1.99431, 0.34151, 1.66152, -1.12366, 1.97200, 0.61321, 0.83246,
    ],
    [
        0.54106, 0.92383, -0.42487, 1.24256, 1.57047, -1.56189, -0.71950, 1.30681, -1.60754, 0.96248,
        -1.49334, -0.57394, 1.79255, 0.37979, 2.21870, -1.16261, -1.81069, 2.10543, -1.75637, 1.48861,
        1.27889, 1.46395, 2.24365, -0.22753, -0.88303, 1.15129, -2.20039, 2.06010, 0.66849, -2.05252,
    ],
    [
        -0.75598, -0.77474, -1.80197, -1.47385, 2.29356, -0.30627, 0.29488, -0.39753, -1.27044, -1.27567,
        2.16630, -1.19104, 0.86325, -0.84131, -1.94108, 0.68729, -0.41311, 0.41190, 1.82053, -2.11380,
        -0.95617, 0.38176, -1.62723, -2.16964, -0.41172, 0.38685, -0.71156, 1.18656, 1.68417, 1.37006,
    ],
];

/// The scale of the logits per draw: a fresh network, one in training, one that is sure of itself.
const SCALES: [f64; 3] = [0.1, 1.0, 10.0];
/// How many of [`SCALES`], from the first, are what training starts from: not finite there is not finite at all.
pub(crate) const MILD: usize = 2;

/// The true class of each row, and another one for each. Their logits have both signs at the two larger scales, so that
/// a gene that looks only at true classes sees wrong and right, hesitant and sure ones.
const TARGETS: [[usize; ROWS]; 2] = [[4, 2, 3], [2, 0, 9]];

/// The scales of the rows of the mixed batch, in turn: where relu, max and min of x, y and 1 change sides.
const MIXED_SCALES: [f64; ROWS] = [0.4, 1.0, 2.5];

/// The rows of the spread batch are one to so many parts of those of the mixed one.
const SPREAD_STEP: f64 = 10.0;

impl<T: Real> Probe<T> {
    /// The batch of a scale, with the rows' targets or with the `other` ones.
    fn scaled(logits: &Logits, scale: usize, other: bool) -> Probe<T> {
        let logits = logits[scale].iter().map(|logit| logit * SCALES[scale]);
        Probe::new(&logits.collect::<Vec<f64>>(), &TARGETS[usize::from(other)])
    }

    /// All rows at small and middling scales: three times as many, for the finer distinctions.
    fn mixed(logits: &Logits, other: bool) -> Probe<T> {
        // 4r + 3 is odd, so no row keeps its class.
        let class = |row: usize| if other { (7 * row + 4) % CLASSES } else { (3 * row + 1) % CLASSES };
        let classes: Vec<usize> = (0..logits.len() * ROWS).map(class).collect();
        Probe::new(&mixed_logits(logits).concat(), &classes)
    }

    /// The rows of the mixed batch, each with every class as the true one: too large to be run for every gene, it is
    /// where a gene must be dead too to be called so.
    fn wide(logits: &Logits, other: bool) -> Probe<T> {
        let rows = mixed_logits(logits);
        let repeated = rows.iter().flat_map(|row| std::iter::repeat_n(row, CLASSES));
        let classes: Vec<usize> = (0..rows.len() * CLASSES).map(|at| (at + 3 * usize::from(other)) % CLASSES).collect();
        Probe::new(&repeated.flatten().copied().collect::<Vec<f64>>(), &classes)
    }

    /// The same rows, each at several smaller scales, so that no two logits are equal and many are near 0: where genes that differ in a
    /// threshold or in a narrow place show it.
    fn spread(logits: &Logits, other: bool) -> Probe<T> {
        let rows = mixed_logits(logits);
        let (mut outputs, mut classes) = (Vec::new(), Vec::new());
        for (row, class) in (0..rows.len()).flat_map(|row| (0..CLASSES).map(move |class| (row, class))) {
            // With other targets all logits are others too.
            let factor = ((1 + (7 * class + row) % CLASSES) as f64 - if other { 0.5 } else { 0.0 }) / SPREAD_STEP;
            outputs.extend(rows[row].iter().map(|logit| logit * factor));
            classes.push((class + 3 * usize::from(other)) % CLASSES);
        }
        Probe::new(&outputs, &classes)
    }

    fn new(outputs: &[f64], classes: &[usize]) -> Probe<T> {
        let number = |value: &f64| T::from(*value).expect("both float types hold any double, if rounded");
        let mut targets = vec![T::zero(); outputs.len()];
        for (row, class) in classes.iter().enumerate() {
            targets[row * CLASSES + class] = T::one();
        }
        Probe { outputs: outputs.iter().map(number).collect(), targets }
    }

    /// As an evaluator's input.
    pub(crate) fn batch(&self) -> Batch<'_, T> {
        let rows = self.outputs.len() / CLASSES;
        Batch::new(&self.outputs, &self.targets, rows, CLASSES).expect("the tables have this shape")
    }
}

fn mixed_logits(logits: &Logits) -> Vec<Vec<f64>> {
    let rows = logits.as_flattened().chunks(CLASSES).zip(MIXED_SCALES.iter().cycle());
    rows.map(|(row, scale)| row.iter().map(|logit| logit * scale).collect()).collect()
}

/// The batches in one precision, each with its targets and with others: one per scale, the mixed, the wide and the spread one.
pub(crate) struct Probes<T>(pub(crate) [[Probe<T>; 2]; SPREAD + 1]);

/// The mixed batch; it and those before are run for every gene.
pub(crate) const MIXED: usize = SCALES.len();
/// The wide batch, run for genes that look dead.
pub(crate) const WIDE: usize = MIXED + 1;
/// The spread batch, run to tell copies.
pub(crate) const SPREAD: usize = WIDE + 1;
/// The batch whose answer to other targets is part of the signature, as its last.
pub(crate) const RETARGETED: usize = 1;

impl<T: Real> Probes<T> {
    /// The batches with these logits.
    pub(crate) fn of(logits: &Logits) -> Self {
        Probes(std::array::from_fn(|batch| {
            [false, true].map(|other| match batch {
                MIXED => Probe::mixed(logits, other),
                WIDE => Probe::wide(logits, other),
                SPREAD => Probe::spread(logits, other),
                scale => Probe::scaled(logits, scale, other),
            })
        }))
    }
}

/// The logits of the fixed batches, each moved by at most `share` of itself, as the seed has it: signs stay, and so does the
/// distance from 0.
pub(crate) fn shaken(seed: [u8; 32], share: f64) -> Logits {
    let mut logits = LOGITS;
    for (at, logit) in logits.as_flattened_mut().iter_mut().enumerate() {
        let digest = Sha256::new().chain_update(seed).chain_update((at as u64).to_le_bytes()).finalize();
        let drawn = u32::from_le_bytes(std::array::from_fn(|byte| digest[byte]));
        *logit *= 1.0 + share * (2.0 * f64::from(drawn) / f64::from(u32::MAX) - 1.0);
    }
    logits
}

/// The batches in f64, in which behaviour is compared.
pub(crate) static DOUBLE: LazyLock<Probes<f64>> = LazyLock::new(|| Probes::of(&LOGITS));
/// The batches in f32, in which networks are trained.
pub(crate) static SINGLE: LazyLock<Probes<f32>> = LazyLock::new(|| Probes::of(&LOGITS));
