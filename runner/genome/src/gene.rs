//! A gene: one expression, held as its nodes in prefix order.
//!
//! Prefix order is the text's own order, and a subtree is a slice: variation in `search` is splicing.
use crate::op::{Named, Op, Variable, Vocabulary};

/// One node of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Node {
    /// A function; its arguments follow.
    Op(Op),
    /// `x` or `y`.
    Variable(Variable),
    /// `one`, `half`, …
    Named(Named),
    /// A number.
    Constant(Constant),
}

/// A finite number in a gene. Compared by its bits, so that genes can be map keys; −0 is stored as 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Constant(u64);

/// Bounds on a gene, checked when it is read and when it is bred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Nodes of the tree.
    pub nodes: usize,
    /// Edges from the root to the deepest leaf.
    pub depth: usize,
}

impl Default for Limits {
    /// What a stranger's gene may be at most: 20 KiB of text as in the original, and its height limit of 90.
    fn default() -> Self {
        Limits { bytes: 20 * 1024, nodes: 4000, depth: 90 }
    }
}

/// A well-formed expression: exactly one tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gene {
    nodes: Vec<Node>,
}

impl Constant {
    /// `None` unless the number is finite.
    pub fn new(value: f64) -> Option<Constant> {
        value.is_finite().then(|| Constant(if value == 0.0 { 0 } else { value.to_bits() }))
    }

    /// The number.
    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl std::fmt::Debug for Constant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.value())
    }
}

impl Node {
    /// How many subtrees follow.
    pub fn arity(self) -> usize {
        match self {
            Node::Op(op) => op.arity(),
            _ => 0,
        }
    }
}

impl Gene {
    /// The gene with these nodes in prefix order, or `None` when they are not exactly one tree.
    pub fn from_prefix(nodes: Vec<Node>) -> Option<Gene> {
        let gene = Gene { nodes };
        (!gene.nodes.is_empty() && gene.subtree_end(0) == Some(gene.nodes.len())).then_some(gene)
    }

    /// The nodes in prefix order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The range of nodes of the subtree that starts at `start`.
    ///
    /// # Panics
    /// When `start` is not a node.
    pub fn subtree(&self, start: usize) -> std::ops::Range<usize> {
        let end = self.subtree_end(start);
        start..end.expect("a gene is one whole tree, so each of its nodes starts a whole subtree")
    }

    /// A copy in which the subtree at `start` is replaced by `replacement`.
    ///
    /// # Panics
    /// When `start` is not a node, or `replacement` is not exactly one tree.
    #[must_use]
    pub fn with_subtree(&self, start: usize, replacement: &[Node]) -> Gene {
        let range = self.subtree(start);
        let mut nodes = Vec::with_capacity(self.nodes.len() - range.len() + replacement.len());
        nodes.extend_from_slice(&self.nodes[..range.start]);
        nodes.extend_from_slice(replacement);
        nodes.extend_from_slice(&self.nodes[range.end..]);
        Gene::from_prefix(nodes).expect("a whole subtree was replaced by a whole subtree")
    }

    /// Edges from the root to the deepest leaf.
    pub fn depth(&self) -> usize {
        self.depths().into_iter().max().unwrap_or(0)
    }

    /// The distance of each node from the root.
    pub fn depths(&self) -> Vec<usize> {
        let mut open: Vec<usize> = Vec::new(); // arguments still expected, per ancestor
        let mut depths = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            depths.push(open.len());
            if node.arity() > 0 {
                open.push(node.arity());
                continue;
            }
            while let Some(last) = open.last_mut() {
                *last -= 1;
                if *last > 0 {
                    break;
                }
                open.pop();
            }
        }
        depths
    }

    /// The smallest vocabulary that has every node.
    pub fn vocabulary(&self) -> Vocabulary {
        let of = |node: &Node| match node {
            Node::Op(op) => op.vocabulary(),
            Node::Named(named) => named.vocabulary(),
            Node::Variable(_) | Node::Constant(_) => Vocabulary::Miner,
        };
        self.nodes.iter().map(of).max().unwrap_or(Vocabulary::Miner)
    }

    fn subtree_end(&self, start: usize) -> Option<usize> {
        let mut missing = 1_usize;
        for (offset, node) in self.nodes.get(start..)?.iter().enumerate() {
            missing = missing - 1 + node.arity();
            if missing == 0 {
                return Some(start + offset + 1);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: Node = Node::Variable(Variable::Outputs);

    #[test]
    fn only_exactly_one_tree_is_a_gene() {
        assert!(Gene::from_prefix(vec![]).is_none());
        assert!(Gene::from_prefix(vec![Node::Op(Op::SafeAdd), X]).is_none());
        assert!(Gene::from_prefix(vec![X, X]).is_none());
        assert!(Gene::from_prefix(vec![Node::Op(Op::SafeAdd), X, X]).is_some());
    }

    #[test]
    fn depth_counts_edges() {
        let add = Node::Op(Op::SafeAdd);
        let gene = Gene::from_prefix(vec![add, add, X, Node::Op(Op::Sin), X, X]).unwrap();
        assert_eq!(gene.depths(), [0, 1, 2, 2, 3, 1]);
        assert_eq!(gene.subtree(1), 1..5);
        assert_eq!(gene.with_subtree(1, &[X]).nodes().len(), 3);
    }
}
