//! What a gene does, as opposed to how it is written: its gradients on fixed batches.
//!
//! Two losses with equal gradients train a network equally, whatever their text, so a search trains a behaviour once
//! ([`BehaviourKey`]), and one whose gradients cannot teach anything not at all ([`Dead`]).
use std::cell::RefCell;

use crate::dead::{Dead, verdict};
use crate::eval::{Class, Program, Workspace};
use crate::gene::{Gene, Node};
use crate::key::BehaviourKey;
use crate::op::Variable;
use crate::probe::{DOUBLE, MIXED, Probe, RETARGETED};

/// A gene's values and gradients in f64 on fixed batches of 10 classes: 3 examples each at logit scales 0.1, 1 and 10,
/// the same at scale 1 with other targets, and 9 examples at the scales 0.4, 1 and 2.5 in turn.
#[derive(Clone, Debug)]
pub struct Signature {
    probes: Vec<Response>,
    dead: Option<Dead>,
}

/// What a gene answers to one batch.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) class: Class,
    pub(crate) value: f64,
    pub(crate) gradient: Option<Vec<f64>>,
}

thread_local! {
    // A search asks for thousands of signatures a second; their buffers are made once per thread.
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

type Buffers = (Workspace<f64>, Workspace<f32>);

/// Of larger genes the buffers are given back: a stranger's gene may have thousands of nodes.
pub(crate) const RETAINED_NODES: usize = 500;

impl Signature {
    /// Runs the gene on the probes.
    pub fn of(gene: &Gene) -> Signature {
        if gene.nodes().len() > RETAINED_NODES {
            return Signature::with_buffers(gene, &mut Buffers::default());
        }
        BUFFERS.with_borrow_mut(|buffers| Signature::with_buffers(gene, buffers))
    }

    fn with_buffers(gene: &Gene, (double, single): &mut Buffers) -> Signature {
        let program = Program::new(gene);
        let mut probes: Vec<Response> =
            DOUBLE.0[..=MIXED].iter().map(|[same, _]| Response::of(&program, same, double)).collect();
        let reads_targets = gene.nodes().contains(&Node::Variable(Variable::Targets));
        let retargeted = if reads_targets {
            Response::of(&program, &DOUBLE.0[RETARGETED][1], double)
        } else {
            probes[RETARGETED].clone()
        };
        probes.push(retargeted);
        let dead = verdict(&program, &probes, reads_targets, double, single);
        Signature { probes, dead }
    }

    /// How differently two genes would train: the mean over the probes of ‖g − h‖ / (‖g‖ + ‖h‖), with g and h the two
    /// gradients. 0 for equal gradients, 1/3 for g and 2g, at most 1; symmetric. Infinite when a class differs on any
    /// probe. Probes without finite gradients count 0 when both genes have none, except that losses without any
    /// gradient are compared by value, |a − b| / (|a| + |b|).
    pub fn distance(&self, other: &Signature) -> f64 {
        let mut sum = 0.0;
        for (one, two) in self.probes.iter().zip(&other.probes) {
            if one.class != two.class {
                return f64::INFINITY;
            }
            sum += match (one.class, &one.gradient, &two.gradient) {
                (Class::Finite, Some(g), Some(h)) => relative_difference(g, h),
                (Class::NoGrad, ..) => relative_difference(&[one.value], &[two.value]),
                _ => 0.0,
            };
        }
        sum / self.probes.len() as f64
    }

    /// The key under which a cache finds what trains equally.
    pub fn key(&self) -> BehaviourKey {
        BehaviourKey::of(&self.probes)
    }

    /// Why training cannot learn from it, or `None` when it is worth training.
    pub fn dead(&self) -> Option<Dead> {
        self.dead
    }
}

impl Response {
    pub(crate) fn of(program: &Program, probe: &Probe<f64>, workspace: &mut Workspace<f64>) -> Response {
        let answer = program.evaluate(probe.batch(), workspace);
        let gradient = answer.gradient.map(<[f64]>::to_vec);
        Response { class: answer.class, value: answer.value, gradient }
    }
}

/// The largest finite magnitude.
pub(crate) fn largest(gradient: &[f64]) -> f64 {
    gradient.iter().map(|g| g.abs()).filter(|g| g.is_finite()).fold(0.0, f64::max)
}

/// ‖a − b‖ / (‖a‖ + ‖b‖), without overflow of the squares.
fn relative_difference(a: &[f64], b: &[f64]) -> f64 {
    let scale = largest(a).max(largest(b));
    if scale == 0.0 {
        return 0.0;
    }
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let difference = norm(&mut a.iter().zip(b).map(|(a, b)| a / scale - b / scale));
    difference / (norm(&mut a.iter().map(|a| a / scale)) + norm(&mut b.iter().map(|b| b / scale)))
}
