//! Random genes for property tests, built from a list of choices so that failures shrink to small genes.
#![allow(dead_code)] // each test binary uses its own part

pub(crate) mod fuzz;

use automl_genome::{Constant, Gene, Named, Node, Op, Variable, Vocabulary};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A runner of the same cases every time, so that a failure is everyone's; with `AUTOML_TEST_FULL` it runs 20 times as
/// many, drawn afresh.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let config = |cases| Config { cases, failure_persistence: None, ..Config::default() };
    if std::env::var_os("AUTOML_TEST_FULL").is_some() {
        return TestRunner::new(config(cases.saturating_mul(20)));
    }
    TestRunner::new_with_rng(config(cases), TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Genes of the vocabulary with at most this depth.
pub(crate) fn genes(vocabulary: Vocabulary, depth: usize) -> impl Strategy<Value = Gene> {
    (proptest::collection::vec(any::<u32>(), 0..80), 2..=depth)
        .prop_map(move |(choices, depth)| gene(&choices, vocabulary, depth))
}

/// The gene that a list of choices describes; what the list does not reach becomes `x`.
pub(crate) fn gene(choices: &[u32], vocabulary: Vocabulary, depth: usize) -> Gene {
    let ops: Vec<Op> = vocabulary.ops().collect();
    let mut choices = choices.iter().copied();
    let mut nodes = Vec::new();
    let mut open = vec![depth]; // the depth still allowed, per subtree still missing
    while let Some(left) = open.pop() {
        let choice = choices.next().unwrap_or(0);
        let (kind, rest) = (choice % 8, (choice / 8) as usize);
        let node = if left > 0 && kind >= 2 { Node::Op(ops[rest % ops.len()]) } else { leaf(rest, vocabulary) };
        nodes.push(node);
        open.extend(std::iter::repeat_n(left.saturating_sub(1), node.arity()));
    }
    Gene::from_prefix(nodes).expect("each missing subtree was filled")
}

#[allow(clippy::approx_constant)] // the original's pi
fn leaf(choice: usize, vocabulary: Vocabulary) -> Node {
    let numbers = [0.379, -0.5, 1.0, -1.0, 2.0, 0.25, 1e-8, 100.0, 3.14159, 0.1];
    let named: Vec<Named> = vocabulary.named().collect();
    match choice % 8 {
        0..3 => Node::Variable(Variable::Outputs),
        3..5 => Node::Variable(Variable::Targets),
        5 => Node::Named(named[choice / 8 % named.len()]),
        6 => Node::Named([Named::Zero, Named::One][choice / 8 % 2]),
        _ => Node::Constant(Constant::new(numbers[choice / 8 % numbers.len()]).expect("finite")),
    }
}
