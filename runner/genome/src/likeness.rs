//! How alike two losses would train a network: what tells a copy of a gene from a gene.
//!
//! Adam does not see a positive factor of the loss, and no optimizer sees what is added to it. So a gene's gradients on all
//! batches are brought to one scale, by one factor, and compared batch by batch: by ‖a − b‖ / (‖a‖ + ‖b‖), which counts
//! each stage of a training alike. A factor for each batch would make one of genes that differ in how gradients grow.
//!
//! - Five batches count almost everything: a fresh network's logits (scale 0.1), one's in training (1, with two sets of
//!   targets) and twice 90 rows from near 0 to 2.5, with every class as the true one: a gene such as y · min(x, c) looks at true
//!   classes only, and c shows where one is near it. At scale 10 an example's logits have a deviation of 14. With cross-entropy
//!   and the standard training on digits, 1 example in 10,000 has one above 5; after ten times as many batches 4 in 10, and
//!   4 in 1,000 have one above 10. So that batch adds [`LARGE`] at most, which is less than a near copy's distance: who
//!   changes a gene only where training hardly ever is has a near copy, which is paid only for being better, and who
//!   changes it there for a reason has no copy, and can be better.
//! - Gradients are compared in f64, where a rewriting differs by 1e-13, and in f32, in which networks are trained; the
//!   smaller distance counts. Numbers such as sin(1e9 + x) are another function in f64 and none in f32.
//! - The fixed batches are known to all, so a gene can be made that does something else on exactly these logits and nowhere
//!   near them. A [`Ground`] is made of a seed that nobody knew when genes were committed, and has no such places.
//! - The distance is a metric: each term is one (Klamkin and Meir 1981: ‖a − b‖ / (‖a‖ + ‖b‖) in Euclidean space), and so
//!   is their sum. The smaller of two is none, so a search for neighbours bounds each by itself.
use std::cell::RefCell;

use sha2::{Digest, Sha256};

use crate::eval::{Class, Program, Real, Workspace};
use crate::gene::{Gene, Node};
use crate::op::Variable;
use crate::probe::{DOUBLE, Probes, RETARGETED, SINGLE, SPREAD, shaken};
use crate::signature::{RETAINED_NODES, largest};

/// What all that a gene does at logits of scale 10 can add to a distance: less than the 0.05 of a near copy, more than the
/// 0.001 of a copy.
const LARGE: f64 = 0.04;
/// What each of the other batches adds at most.
const MILD: f64 = (1.0 - LARGE) / 5.0;
/// Gradients of a batch below this share of the largest batch's are noise.
const NOISE: f64 = 1e-6;
/// A batch with gradients so much larger than the others' is as large as that: squares stay finite in f32.
const HUGE: f64 = 1e15;
/// How far a seed moves a logit, as a share of itself: far enough that what hides around so many places is seen by training.
const SHAKE: f64 = 0.2;

/// The batches in the order in which they are compared, the quick ones first, large logits last; each with its
/// place among the probes, and whether it is answered for other targets.
const BATCHES: [(usize, bool); 6] =
    [(RETARGETED, false), (RETARGETED, true), (0, false), (SPREAD, false), (SPREAD, true), (2, false)];
/// The last of [`BATCHES`]: logits at scale 10.
const LAST: usize = BATCHES.len() - 1;
/// What each adds at most.
const WEIGHTS: [f64; BATCHES.len()] = [MILD, MILD, MILD, MILD, MILD, LARGE];
/// Numbers are summed in so many lanes.
const LANES: usize = 8;
/// Where each batch's numbers end: the elements of a gradient (30, and 900 of the spread batch), one for [`NOISE`], and zeros up to whole lanes.
const ENDS: [usize; BATCHES.len()] = [32, 64, 96, 1000, 1904, 1936];
/// What f32 and f64 make of a gene is one and the same up to here: a hundredth of a copy's distance.
const SAME: f64 = 1e-5;
/// By how much a bound may be off, being rounded to f32.
const SLACK: f64 = 1e-5;

/// The batches on which genes are compared. Likenesses on different grounds say nothing about each other.
pub struct Ground {
    double: Probes<f64>,
    single: Probes<f32>,
}

/// A gene's gradients, ready to be compared. About 8 kB.
#[derive(Clone, Debug)]
pub struct Likeness {
    /// The digest of the canonical form.
    form: [u8; 32],
    double: Trace,
    /// `None` where it is as good as [`Likeness::double`], or not finite on the batches that count.
    single: Option<Trace>,
}

/// Gradients in one precision, at one scale.
#[derive(Clone, Debug)]
struct Trace {
    classes: [Class; BATCHES.len()],
    /// Norms of the batches.
    norms: [f32; BATCHES.len()],
    /// Up to [`ENDS`]; zeros where a class has no finite gradient.
    numbers: Box<[f32]>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

type Buffers = (Workspace<f64>, Workspace<f32>);

impl Ground {
    /// The ground that this seed makes: the fixed batches with each logit moved by up to a fifth of itself.
    pub fn of(seed: [u8; 32]) -> Ground {
        let logits = shaken(seed, SHAKE);
        Ground { double: Probes::of(&logits), single: Probes::of(&logits) }
    }
}

impl Likeness {
    /// On the fixed batches.
    pub fn of(gene: &Gene) -> Likeness {
        Likeness::with(&DOUBLE, &SINGLE, gene)
    }

    /// On the batches of a seed.
    pub fn on(ground: &Ground, gene: &Gene) -> Likeness {
        Likeness::with(&ground.double, &ground.single, gene)
    }

    /// How differently two genes would train, from 0 to 1; symmetric, and 0 for equal canonical forms. Infinite where one
    /// has a gradient on a batch that counts and the other none, or not a finite one. Genes without any are alike.
    pub fn distance(&self, other: &Likeness) -> f64 {
        self.within(other, f64::INFINITY).unwrap_or(f64::INFINITY)
    }

    /// The distance where it is below the radius, to the bit; `None` where it is not, mostly found out sooner.
    pub fn within(&self, other: &Likeness, radius: f64) -> Option<f64> {
        if self.form == other.form {
            return Some(0.0).filter(|distance| *distance < radius);
        }
        let double = self.double.within(&other.double, radius);
        if self.single.is_none() && other.single.is_none() {
            return double;
        }
        let [one, two] = [self, other].map(|likeness| likeness.single.as_ref().unwrap_or(&likeness.double));
        one.within(two, double.unwrap_or(radius)).or(double)
    }

    fn with(double: &Probes<f64>, single: &Probes<f32>, gene: &Gene) -> Likeness {
        let form = gene.canonical();
        let program = Program::new(gene);
        let reads_targets = gene.nodes().contains(&Node::Variable(Variable::Targets));
        let traces = |(wide, narrow): &mut Buffers| {
            let double = Trace::of(&program, double, reads_targets, wide);
            let single = Trace::of(&program, single, reads_targets, narrow);
            let finite = single.classes[..LAST].iter().all(|class| *class == Class::Finite);
            let another = finite && single.within(&double, SAME).is_none();
            (double, another.then_some(single))
        };
        let (double, single) = if gene.nodes().len() > RETAINED_NODES {
            traces(&mut Buffers::default())
        } else {
            BUFFERS.with_borrow_mut(traces)
        };
        Likeness { form: Sha256::digest(form.to_string()).into(), double, single }
    }
}

impl Trace {
    fn of<T: Real>(program: &Program, probes: &Probes<T>, reads_targets: bool, workspace: &mut Workspace<T>) -> Trace {
        let mut classes = [Class::NoGrad; BATCHES.len()];
        let mut gradients: [Vec<f64>; BATCHES.len()] = Default::default();
        for (at, (place, other)) in BATCHES.into_iter().enumerate() {
            if other && place == RETARGETED && !reads_targets {
                (classes[at], gradients[at]) = (classes[at - 1], gradients[at - 1].clone());
                continue;
            }
            let answer = program.evaluate(probes.0[place][usize::from(other)].batch(), workspace);
            classes[at] = answer.class;
            if let (Class::Finite, Some(gradient)) = (answer.class, answer.gradient) {
                gradients[at] = gradient.iter().map(|element| element.wide()).collect();
            }
        }
        Trace::at_one_scale(classes, gradients)
    }

    /// Brings the gradients to one scale: the geometric mean of the norms of the batches that count becomes 1.
    fn at_one_scale(classes: [Class; BATCHES.len()], mut gradients: [Vec<f64>; BATCHES.len()]) -> Trace {
        let counted =
            if gradients[..LAST].iter().any(|gradient| largest(gradient) > 0.0) { 0..LAST } else { 0..LAST + 1 };
        // First to numbers of which squares are finite, and sums of them.
        let peak = gradients[counted.clone()].iter().map(|gradient| largest(gradient)).fold(0.0, f64::max);
        let mut numbers = vec![0.0; ENDS[LAST]].into_boxed_slice();
        let mut norms = [0.0; BATCHES.len()];
        if peak > 0.0 {
            gradients.iter_mut().flatten().for_each(|element| *element = (*element / peak).clamp(-HUGE, HUGE));
            let lengths = gradients.each_ref().map(|gradient| norm(gradient));
            let noise = NOISE * lengths[counted.clone()].iter().copied().fold(0.0, f64::max);
            let finite = counted.filter(|at| classes[*at] == Class::Finite);
            let logarithms: Vec<f64> = finite.map(|at| lengths[at].hypot(noise).ln()).collect();
            let scale = (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp();
            for (at, gradient) in gradients.iter().enumerate().filter(|(at, _)| classes[*at] == Class::Finite) {
                let factor = scale.recip() * (HUGE * scale / lengths[at]).min(1.0);
                let begin = if at == 0 { 0 } else { ENDS[at - 1] };
                for (number, element) in numbers[begin..].iter_mut().zip(gradient.iter().chain([&noise])) {
                    *number = (element * factor) as f32;
                }
                norms[at] = difference(&numbers[begin..ENDS[at]], &[0.0; ENDS[LAST]][..ENDS[at] - begin]);
            }
        }
        Trace { classes, norms, numbers }
    }

    /// The distance where it is below the radius.
    fn within(&self, other: &Trace, radius: f64) -> Option<f64> {
        if self.classes[..LAST] != other.classes[..LAST] {
            return None;
        }
        let differs = self.classes[LAST] != other.classes[LAST];
        let share = |at: usize, difference: f32| {
            let both = self.norms[at] + other.norms[at];
            let share = if both > 0.0 { f64::from(difference / both) } else { 0.0 };
            WEIGHTS[at] * if at == LAST && differs { 1.0 } else { share }
        };
        // ‖a − b‖ is at least |‖a‖ − ‖b‖|.
        let least: f64 = (0..=LAST).map(|at| share(at, (self.norms[at] - other.norms[at]).abs())).sum();
        if least > radius + SLACK {
            return None;
        }
        let (mut distance, mut begin) = (0.0, 0);
        for (at, end) in ENDS.into_iter().enumerate() {
            distance += share(at, difference(&self.numbers[begin..end], &other.numbers[begin..end]));
            if distance >= radius {
                return None;
            }
            begin = end;
        }
        Some(distance.min(1.0))
    }
}

/// ‖values‖, of values whose squares are finite.
fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// ‖one − two‖ of whole lanes.
fn difference(one: &[f32], two: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    for (one, two) in one.chunks_exact(LANES).zip(two.chunks_exact(LANES)) {
        for (lane, (one, two)) in lanes.iter_mut().zip(one.iter().zip(two)) {
            *lane += (one - two) * (one - two);
        }
    }
    lanes.iter().sum::<f32>().sqrt()
}
