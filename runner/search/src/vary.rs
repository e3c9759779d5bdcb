//! How a child differs from its parents. Each function draws from the stream it is given and from nothing else.
use automl_genome::{Constant, Gene, Limits, Node};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::grow::{Primitives, Shape, constant, index, pick};

/// Heights of the trees that replace a subtree: DEAP's `genFull(0, 2)` in the original.
const NEW_SUBTREE_HEIGHT: usize = 2;
/// Numbers are kept to this many significant digits, so that genes stay readable and their text exact.
const DIGITS: usize = 4;
/// Numbers beyond these bounds are of no use in a loss, in f32 least of all.
const MAGNITUDES: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

/// Whether a gene is within the bounds.
pub(crate) fn fits(gene: &Gene, limits: &Limits) -> bool {
    // The longest node, a number with its wrapping and separators, prints in less than 40 bytes.
    let short = gene.nodes().len() * 40 <= limits.bytes;
    gene.nodes().len() <= limits.nodes
        && gene.depth() <= limits.depth
        && (short || gene.to_string().len() <= limits.bytes)
}

/// A copy of `receiver` in which a random subtree is replaced by a random one of `giver`.
pub(crate) fn graft(rng: &mut ChaCha8Rng, receiver: &Gene, giver: &Gene) -> Gene {
    let place = index(rng, receiver.nodes().len());
    let from = giver.subtree(index(rng, giver.nodes().len()));
    receiver.with_subtree(place, &giver.nodes()[from])
}

/// One-point crossover as DEAP's `cxOnePoint`: two subtrees change places, never the roots; lone leaves stay as they are.
pub(crate) fn swap(rng: &mut ChaCha8Rng, one: &Gene, two: &Gene) -> (Gene, Gene) {
    if one.nodes().len() < 2 || two.nodes().len() < 2 {
        return (one.clone(), two.clone());
    }
    let (first, second) = (1 + index(rng, one.nodes().len() - 1), 1 + index(rng, two.nodes().len() - 1));
    let child = one.with_subtree(first, &two.nodes()[two.subtree(second)]);
    (child, two.with_subtree(second, &one.nodes()[one.subtree(first)]))
}

/// A random subtree is replaced by a new random one; `shape` is drawn when left open.
pub(crate) fn subtree(rng: &mut ChaCha8Rng, parent: &Gene, primitives: &Primitives, shape: Option<Shape>) -> Gene {
    let place = index(rng, parent.nodes().len());
    let fresh = match shape {
        Some(shape) => primitives.tree(rng, shape, 0, NEW_SUBTREE_HEIGHT),
        None => primitives.half_and_half(rng, 0, NEW_SUBTREE_HEIGHT),
    };
    parent.with_subtree(place, &fresh)
}

/// One node is replaced by another that takes as many arguments.
pub(crate) fn point(rng: &mut ChaCha8Rng, parent: &Gene, primitives: &Primitives) -> Gene {
    let place = index(rng, parent.nodes().len());
    let node = primitives.alternative(rng, parent.nodes()[place]);
    replaced(parent, place, node)
}

/// A number is changed by up to a factor of two, one time in ten also in sign (AutoML-Zero, arXiv 2003.03384 S3); a
/// named constant becomes a number near it. A gene without either gets a point mutation.
pub(crate) fn jitter(rng: &mut ChaCha8Rng, parent: &Gene, primitives: &Primitives) -> Gene {
    let value = |node: &Node| match node {
        Node::Constant(number) => Some(number.value()),
        Node::Named(named) => Some(named.value()),
        Node::Op(_) | Node::Variable(_) => None,
    };
    let numbers: Vec<(usize, f64)> =
        parent.nodes().iter().enumerate().filter_map(|(place, node)| Some((place, value(node)?))).collect();
    if numbers.is_empty() {
        return point(rng, parent, primitives);
    }
    let (place, value) = *pick(rng, &numbers);
    replaced(parent, place, Node::Constant(near(rng, value)))
}

/// A number near `value`, or any when `value` has no neighbourhood.
fn near(rng: &mut ChaCha8Rng, value: f64) -> Constant {
    let factor = 0.5 + 1.5 * rng.random::<f64>();
    let sign = if rng.random_bool(0.1) { -1.0 } else { 1.0 };
    let moved = rounded(value * factor * sign);
    match Constant::new(moved) {
        Some(moved) if MAGNITUDES.contains(&moved.value().abs()) => moved,
        _ => constant(rng),
    }
}

/// Rounded to [`DIGITS`] significant decimal digits, to the very double those digits mean.
fn rounded(value: f64) -> f64 {
    format!("{value:.*e}", DIGITS - 1).parse().expect("a formatted number reads back")
}

fn replaced(parent: &Gene, place: usize, node: Node) -> Gene {
    let mut nodes = parent.nodes().to_vec();
    nodes[place] = node;
    Gene::from_prefix(nodes).expect("a node was replaced by one of the same arity")
}
