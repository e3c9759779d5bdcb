//! Random trees and leaves of a vocabulary.
use automl_contract::spec::{GeneLimits, VocabularyName};
use automl_genome::{Constant, Gene, Limits, Named, Node, Op, Variable, Vocabulary};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// How often a random leaf is x or y, a named constant, or else a number. Losses are about x and y, so they get more
/// than their share of the names.
const VARIABLE_SHARE: f64 = 0.6;
const NAMED_SHARE: f64 = 0.2;

/// The primitives that genes are made of, and how leaves are drawn.
pub(crate) struct Primitives {
    ops: Vec<Op>,
    named: Vec<Named>,
    /// Leaves are drawn as DEAP does, each kind equally often: x, y, each named constant, a number.
    uniform_leaves: bool,
}

/// Tree shapes: DEAP's `genFull` and `genGrow`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Every leaf at the full height.
    Full,
    /// Leaves anywhere from the least height on.
    Grow,
}

/// The genome's set of this name.
pub(crate) fn vocabulary(name: VocabularyName) -> Vocabulary {
    match name {
        VocabularyName::Miner => Vocabulary::Miner,
        VocabularyName::Validator => Vocabulary::Validator,
        VocabularyName::Extended => Vocabulary::Extended,
    }
}

/// The bounds of a search, as the genome knows them. The text must stay publishable, so its bytes are bounded too.
pub(crate) fn limits(limits: GeneLimits) -> Limits {
    Limits { nodes: limits.nodes as usize, depth: limits.depth as usize, ..Limits::default() }
}

/// One of the slice, each equally likely. Panics when it is empty.
pub(crate) fn pick<'a, T>(rng: &mut ChaCha8Rng, from: &'a [T]) -> &'a T {
    &from[index(rng, from.len())]
}

/// A number below `count`; drawn as u32 so that it is the same on every platform.
pub(crate) fn index(rng: &mut ChaCha8Rng, count: usize) -> usize {
    let count = u32::try_from(count).expect("no population and no gene has 2^32 members");
    rng.random_range(0..count) as usize
}

/// A number of U(−1, 1) with 4 decimals, so that its text is exact.
pub(crate) fn constant(rng: &mut ChaCha8Rng) -> Constant {
    let value = f64::from(rng.random_range(-9_999_i32..=9_999)) / 10_000.0;
    Constant::new(value).expect("a fraction below 1 is finite")
}

/// A random gene of the vocabulary, at most so many edges high.
#[allow(clippy::missing_panics_doc)] // an invariant
pub fn random_gene(rng: &mut ChaCha8Rng, vocabulary: Vocabulary, most: usize) -> Gene {
    let nodes = Primitives::new(vocabulary, false).half_and_half(rng, 1.min(most), most);
    Gene::from_prefix(nodes).expect("what is grown is one whole tree")
}

impl Primitives {
    pub(crate) fn new(vocabulary: Vocabulary, uniform_leaves: bool) -> Primitives {
        Primitives { ops: vocabulary.ops().collect(), named: vocabulary.named().collect(), uniform_leaves }
    }

    /// A random leaf.
    pub(crate) fn leaf(&self, rng: &mut ChaCha8Rng) -> Node {
        let variables = [Variable::Outputs, Variable::Targets];
        if self.uniform_leaves {
            let drawn = index(rng, variables.len() + self.named.len() + 1);
            let named = drawn.checked_sub(variables.len());
            return match (variables.get(drawn), named.and_then(|place| self.named.get(place))) {
                (Some(variable), _) => Node::Variable(*variable),
                (None, Some(named)) => Node::Named(*named),
                (None, None) => Node::Constant(constant(rng)),
            };
        }
        let drawn: f64 = rng.random();
        if drawn < VARIABLE_SHARE {
            Node::Variable(*pick(rng, &variables))
        } else if drawn < VARIABLE_SHARE + NAMED_SHARE {
            Node::Named(*pick(rng, &self.named))
        } else {
            Node::Constant(constant(rng))
        }
    }

    /// Another node that takes as many arguments, or the same when there is no other.
    pub(crate) fn alternative(&self, rng: &mut ChaCha8Rng, node: Node) -> Node {
        if node.arity() == 0 {
            return self.leaf(rng);
        }
        let others: Vec<Op> =
            self.ops.iter().copied().filter(|op| op.arity() == node.arity() && Node::Op(*op) != node).collect();
        if others.is_empty() { node } else { Node::Op(*pick(rng, &others)) }
    }

    /// A random tree (nodes in prefix order) of a height between `least` and `most`.
    pub(crate) fn tree(&self, rng: &mut ChaCha8Rng, shape: Shape, least: usize, most: usize) -> Vec<Node> {
        let height = least + index(rng, most - least + 1);
        // x, y, the names and a number are the leaves; their share among all primitives is DEAP's chance to end early.
        let leaves = self.named.len() + 3;
        let leaf_share = leaves as f64 / (leaves + self.ops.len()) as f64;
        let mut nodes = Vec::new();
        let mut open = vec![0_usize]; // depths of the nodes still to be drawn, the next one last
        while let Some(depth) = open.pop() {
            let ends = depth == height || (shape == Shape::Grow && depth >= least && rng.random_bool(leaf_share));
            let node = if ends { self.leaf(rng) } else { Node::Op(*pick(rng, &self.ops)) };
            open.extend(std::iter::repeat_n(depth + 1, node.arity()));
            nodes.push(node);
        }
        nodes
    }

    /// Half full, half grown, as in ramped half-and-half.
    pub(crate) fn half_and_half(&self, rng: &mut ChaCha8Rng, least: usize, most: usize) -> Vec<Node> {
        let shape = if rng.random_bool(0.5) { Shape::Full } else { Shape::Grow };
        self.tree(rng, shape, least, most)
    }
}
