//! One form for texts that compute the same, so that a + b and b + a are one gene.
//!
//! A rule is here only if value, gradient and the existence of a graph stay the same in f64 **and** f32, for every
//! input with infinities and NaN: what differs is at most the order in which gradients are summed up. So x·0 stays
//! (∞·0 is NaN, and 0 has no graph), x − x stays, and nothing is re-associated. Two liberties are taken: where the
//! loss itself is NaN its gradient may differ, and the sign of a zero may, unless `reciprocal` or `mod` could see it.
use crate::eval::{Batch, Program, Real, Workspace};
use crate::gene::{Constant, Gene, Node};
use crate::op::{Named, Op, Variable};

const ZERO: Node = Node::Named(Named::Zero);
const ONE: Node = Node::Named(Named::One);

/// What is known of a value's shape without a batch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Scalar,
    /// rows × 1
    Row,
    /// rows × classes
    Full,
}

/// A subtree in its simplest form so far.
struct Term {
    nodes: Vec<Node>,
    shape: Shape,
}

impl Gene {
    /// The simplest form that computes the same; never larger, and its own canonical form. Numbers that have a name
    /// get it, and names are folded into a number only where there was a number before: the original runs names only.
    #[must_use]
    #[allow(clippy::missing_panics_doc)] // an invariant
    pub fn canonical(&self) -> Gene {
        let mut nodes = self.nodes().to_vec();
        loop {
            // Each further pass removes a node (or a number that has a name), so there are at most as many as nodes.
            let next = pass(&nodes);
            if next == nodes {
                return Gene::from_prefix(nodes).expect("each rule replaces a whole subtree by a whole subtree");
            }
            nodes = next;
        }
    }
}

/// Applies the rules once at each node, arguments first.
fn pass(nodes: &[Node]) -> Vec<Node> {
    let zero_sign_shows = nodes.iter().any(|node| matches!(node, Node::Op(Op::Reciprocal | Op::Mod)));
    let mut terms: Vec<Term> = Vec::new(); // of the subtrees to the right, the next argument last
    for node in nodes.iter().rev() {
        let term = match node {
            Node::Op(op) => {
                let mut argument = || terms.pop().expect("a gene is a whole tree");
                let first = argument();
                if op.arity() == 1 {
                    unary(*op, first, zero_sign_shows)
                } else {
                    binary(*op, first, argument(), zero_sign_shows)
                }
            }
            Node::Variable(_) => Term { nodes: vec![*node], shape: Shape::Full },
            Node::Named(_) | Node::Constant(_) => Term { nodes: vec![named(*node)], shape: Shape::Scalar },
        };
        terms.push(term);
    }
    let root = terms.pop().expect("a gene is a whole tree").nodes;
    match root.split_first() {
        // The loss is the mean over what the gene returns anyway.
        Some((Node::Op(Op::Mean), rest)) => rest.to_vec(),
        _ => root,
    }
}

/// A number by its name, where it has one.
fn named(node: Node) -> Node {
    let Node::Constant(constant) = node else { return node };
    let same = |named: &Named| named.value().to_bits() == constant.value().to_bits();
    Named::ALL.into_iter().find(same).map_or(node, Node::Named)
}

fn unary(op: Op, mut a: Term, zero_sign_shows: bool) -> Term {
    if is_even(op) {
        strip_sign(&mut a.nodes);
    }
    let inner = match a.nodes[0] {
        Node::Op(inner) => Some(inner),
        _ => None,
    };
    let is_whole = |op: Option<Op>| matches!(op, Some(Op::Floor | Op::Ceil | Op::Round | Op::Sign));
    let does_nothing = match op {
        Op::Relu | Op::LeakyRelu => inner == Some(Op::Relu),
        Op::Abs => inner == Some(Op::Relu) && !zero_sign_shows,
        Op::Floor | Op::Ceil | Op::Round => is_whole(inner),
        Op::Sign => inner == Some(Op::Sign),
        Op::Mean => a.shape == Shape::Scalar && !zero_sign_shows,
        // Not `row_max`: where its argument is NaN, so is its gradient, even of a factor 0.
        Op::RowSum | Op::RowMean => a.shape <= Shape::Row && !zero_sign_shows,
        _ => false,
    };
    if does_nothing {
        return a;
    }
    let shape = match op {
        Op::Mean | Op::Std => Shape::Scalar,
        Op::RowSum | Op::RowMax | Op::RowMean => a.shape.min(Shape::Row),
        _ => a.shape,
    };
    a.nodes.insert(0, Node::Op(op));
    fold(Term { nodes: a.nodes, shape })
}

fn binary(op: Op, mut a: Term, mut b: Term, zero_sign_shows: bool) -> Term {
    if op == Op::Hypot {
        strip_sign(&mut a.nodes);
        strip_sign(&mut b.nodes);
    }
    match op {
        Op::SafeMul if a.nodes == [ONE] => return b,
        Op::SafeMul if b.nodes == [ONE] => return a,
        Op::SafeSub if b.nodes == [ZERO] => return a,
        Op::Max | Op::Min if a.nodes == b.nodes => return a,
        _ => {}
    }
    let mut op = op;
    if !zero_sign_shows {
        match op {
            Op::SafeAdd if a.nodes == [ZERO] => return b,
            Op::SafeAdd if b.nodes == [ZERO] => return a,
            Op::SafeAdd if strip_minus(&mut b.nodes) => op = Op::SafeSub,
            Op::SafeAdd if strip_minus(&mut a.nodes) => {
                op = Op::SafeSub;
                std::mem::swap(&mut a, &mut b);
            }
            Op::SafeSub if a.nodes == [ZERO] && b.nodes[0] == Node::Op(Op::SafeSub) => {
                let left = argument_len(&b.nodes[1..]);
                b.nodes.remove(0);
                b.nodes.rotate_left(left); // −(p − q) = q − p
                b.nodes.insert(0, Node::Op(Op::SafeSub));
                return b;
            }
            Op::SafeSub if strip_minus(&mut b.nodes) => op = Op::SafeAdd,
            Op::SafeMul if is_minus(&a.nodes) && is_minus(&b.nodes) => {
                strip_minus(&mut a.nodes);
                strip_minus(&mut b.nodes);
            }
            Op::SafeMul if is_minus_one(&a.nodes) => {
                op = Op::SafeSub;
                a.nodes = vec![ZERO];
            }
            Op::SafeMul if is_minus_one(&b.nodes) => {
                op = Op::SafeSub;
                b.nodes = a.nodes;
                a.nodes = vec![ZERO];
            }
            _ => {}
        }
    }
    // Of −0 and 0, `max` and `min` may return whichever comes first.
    let commutes = match op {
        Op::SafeAdd | Op::SafeMul | Op::Hypot => true,
        Op::Max | Op::Min => !zero_sign_shows,
        _ => false,
    };
    if commutes && b.nodes < a.nodes {
        std::mem::swap(&mut a.nodes, &mut b.nodes);
    }
    let mut nodes = Vec::with_capacity(1 + a.nodes.len() + b.nodes.len());
    nodes.push(Node::Op(op));
    nodes.append(&mut a.nodes);
    nodes.append(&mut b.nodes);
    fold(Term { nodes, shape: a.shape.max(b.shape) })
}

/// Functions of which f(−a) = f(|a|) = f(a), in value and gradient.
fn is_even(op: Op) -> bool {
    matches!(op, Op::Abs | Op::Square | Op::Cos | Op::SafeLog | Op::SafeSqrt)
}

/// Removes outer `abs` and minus signs.
fn strip_sign(nodes: &mut Vec<Node>) {
    loop {
        if nodes[0] == Node::Op(Op::Abs) {
            nodes.remove(0);
        } else if !strip_minus(nodes) {
            return;
        }
    }
}

/// Whether it is 0 − a.
fn is_minus(nodes: &[Node]) -> bool {
    nodes.starts_with(&[Node::Op(Op::SafeSub), ZERO])
}

/// Turns 0 − a into a; false when it is not of that form.
fn strip_minus(nodes: &mut Vec<Node>) -> bool {
    let minus = is_minus(nodes);
    if minus {
        nodes.drain(..2);
    }
    minus
}

#[allow(clippy::float_cmp)] // the number −1, exactly
fn is_minus_one(nodes: &[Node]) -> bool {
    matches!(nodes, [Node::Constant(number)] if number.value() == -1.0)
}

/// The length of the first subtree.
fn argument_len(nodes: &[Node]) -> usize {
    let mut missing = 1;
    for (index, node) in nodes.iter().enumerate() {
        missing = missing - 1 + node.arity();
        if missing == 0 {
            return index + 1;
        }
    }
    nodes.len()
}

/// A subtree of numbers only becomes its number, where f32 arithmetic comes to exactly the same one. (log(1 + 1e-8)
/// does not: 1e-8 in f64, 0 in f32.)
fn fold(term: Term) -> Term {
    let reads = |node: &Node| matches!(node, Node::Variable(Variable::Outputs | Variable::Targets));
    if term.nodes.iter().any(reads) {
        return term;
    }
    let Some(gene) = Gene::from_prefix(term.nodes.clone()) else { return term };
    let program = Program::new(&gene);
    let (double, single) = (constant_value::<f64>(&program), constant_value::<f32>(&program));
    let same = (double as f32).to_bits() == single.to_bits() && !(double == 0.0 && double.is_sign_negative());
    let Some(constant) = Constant::new(double).filter(|_| same) else { return term };
    let folded = named(Node::Constant(constant));
    let had_number = term.nodes.iter().any(|node| matches!(node, Node::Constant(_)));
    let allowed = had_number || matches!(folded, Node::Named(name) if name.vocabulary() <= gene.vocabulary());
    if allowed { Term { nodes: vec![folded], shape: Shape::Scalar } } else { term }
}

/// The value of a program that reads no input.
fn constant_value<T: Real>(program: &Program) -> T {
    let unread = [T::zero()];
    let batch = Batch::new(&unread, &unread, 1, 1).expect("one example of one class is a batch");
    program.evaluate(batch, &mut Workspace::default()).value
}
