//! The same gene, written otherwise.
use super::view::View;
use automl_genome::{Constant, Gene, Named, Node, Op};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// Disguises put one on another, at most.
const LAYERS: usize = 6;
/// Disguises that write a part of a gene twice are for genes up to this size.
const DOUBLED: usize = 200;
/// A factor of the whole loss is 10 to a power between minus this and this.
const DECADES: f64 = 3.0;

/// A gene that trains equally: between one and six disguises, anywhere in it or around it. Where one would break the gene, as a
/// branch of 0 · x under a root does, whose slope is infinite, another is taken: a thief looks too.
pub fn disguised(gene: &Gene, rng: &mut ChaCha8Rng) -> Gene {
    let works = View::of(gene).is_some();
    let mut layers = rng.random_range(1..=LAYERS);
    let mut gene = gene.clone();
    while layers > 0 {
        let other = if rng.random_bool(0.3) { wrapped(&gene, rng) } else { rewritten(&gene, rng) };
        if !works || View::of(&other).is_some() {
            gene = other;
            layers -= 1;
        }
    }
    gene
}

/// The gene with each of its numbers, those with names too, larger or smaller by this share of itself. `None` where there is none
/// but zero.
pub fn jittered(gene: &Gene, share: f64, rng: &mut ChaCha8Rng) -> Option<Gene> {
    let jitter = |node: &Node| match value(*node).filter(|value| *value != 0.0) {
        Some(value) => {
            number(value * (1.0 + share * if rng.random() { 1.0 } else { -1.0 })).map(|number| (number, true))
        }
        None => Some((*node, false)),
    };
    let nodes: Vec<(Node, bool)> = gene.nodes().iter().map(jitter).collect::<Option<_>>()?;
    nodes
        .iter()
        .any(|(_, moved)| *moved)
        .then(|| Gene::from_prefix(nodes.into_iter().map(|(node, _)| node).collect()))?
}

/// A disguise of the whole loss, which an optimizer does not see.
fn wrapped(gene: &Gene, rng: &mut ChaCha8Rng) -> Gene {
    let whole = gene.nodes().to_vec();
    let factor = 10_f64.powf(DECADES * (2.0 * rng.random::<f64>() - 1.0));
    let any = 200.0 * rng.random::<f64>() - 100.0;
    let nodes = match rng.random_range(0..5) {
        0 => pair(Op::SafeMul, vec![known(factor)], whole),
        1 => pair(Op::SafeDiv, whole, vec![known(factor)]),
        2 => pair(Op::SafeAdd, whole, vec![known(any)]),
        3 => pair(Op::SafeSub, whole, vec![known(any)]),
        _ => [vec![Node::Op(Op::Mean)], whole].concat(),
    };
    built(nodes)
}

/// A disguise of a random part, which computes what the part does.
fn rewritten(gene: &Gene, rng: &mut ChaCha8Rng) -> Gene {
    let place = rng.random_range(0..gene.nodes().len());
    let range = gene.subtree(place);
    let part = gene.nodes()[range].to_vec();
    let (head, copies) = (part[0], gene.nodes().len() <= DOUBLED);
    let (left, right) = arguments(gene, place);
    let zero = if rng.random() { Node::Named(Named::Zero) } else { known(0.0) };
    let one = if rng.random() { Node::Named(Named::One) } else { known(1.0) };
    // Of what the part reads, and one number: else softmax and row sums around it would compute something else, and roots of
    // targets would be asked for a gradient.
    let leaves: Vec<Node> = part.iter().copied().filter(|node| matches!(node, Node::Variable(_))).collect();
    let leaf = if leaves.is_empty() { one } else { leaves[rng.random_range(0..leaves.len())] };
    let function = [Op::Sin, Op::Cos, Op::Tanh, Op::Sigmoid][rng.random_range(0..4)];
    let bounded = [Node::Op(Op::Mean), Node::Op(function), leaf];
    let nodes = match (rng.random_range(0..12), head) {
        (0..3, Node::Op(op @ (Op::SafeAdd | Op::SafeMul | Op::Max | Op::Min | Op::Hypot))) => pair(op, right, left),
        (0, Node::Op(Op::SafeSub)) => pair(Op::SafeAdd, left, pair(Op::SafeSub, vec![zero], right)),
        (1, Node::Op(Op::SafeSub)) => pair(Op::SafeSub, vec![zero], pair(Op::SafeSub, right, left)),
        (2, Node::Op(Op::Square)) if copies => pair(Op::SafeMul, left.clone(), left),
        (3 | 4, Node::Named(named)) => vec![known(named.value())],
        (3 | 4, Node::Constant(constant)) => {
            let some = constant.value() * rng.random::<f64>();
            pair(Op::SafeAdd, vec![known(some)], vec![known(constant.value() - some)])
        }
        (5, _) => pair(Op::SafeMul, part, vec![one]),
        (6, _) => pair(Op::SafeAdd, vec![zero], part),
        (7, _) => pair(Op::SafeSub, vec![zero], pair(Op::SafeSub, vec![zero], part)),
        (8, _) if copies => pair(if rng.random() { Op::Max } else { Op::Min }, part.clone(), part),
        (9, _) if copies => pair(Op::Min, part.clone(), pair(Op::SafeAdd, part, vec![one])),
        (10, _) if copies => pair(Op::Max, pair(Op::SafeSub, part.clone(), vec![one]), part),
        (8..11, _) => pair(Op::SafeAdd, part, pair(Op::SafeMul, vec![zero], bounded.to_vec())),
        _ => {
            let nothing = pair(Op::SafeSub, bounded.to_vec(), bounded.to_vec());
            pair(Op::SafeAdd, part, pair(Op::SafeMul, vec![known(1e-6)], nothing))
        }
    };
    gene.with_subtree(place, &nodes)
}

/// The arguments of a node; empty where there is none.
fn arguments(gene: &Gene, place: usize) -> (Vec<Node>, Vec<Node>) {
    let part = |start: usize| gene.nodes()[gene.subtree(start)].to_vec();
    let left = if gene.nodes()[place].arity() > 0 { part(place + 1) } else { Vec::new() };
    let right = if gene.nodes()[place].arity() > 1 { part(place + 1 + left.len()) } else { Vec::new() };
    (left, right)
}

fn pair(op: Op, left: Vec<Node>, right: Vec<Node>) -> Vec<Node> {
    [vec![Node::Op(op)], left, right].concat()
}

fn built(nodes: Vec<Node>) -> Gene {
    Gene::from_prefix(nodes).expect("whole trees under a node that takes so many are a tree")
}

fn value(node: Node) -> Option<f64> {
    match node {
        Node::Named(named) => Some(named.value()),
        Node::Constant(constant) => Some(constant.value()),
        _ => None,
    }
}

fn number(value: f64) -> Option<Node> {
    Constant::new(value).map(Node::Constant)
}

fn known(value: f64) -> Node {
    number(value).expect("made of finite numbers of usual size")
}
