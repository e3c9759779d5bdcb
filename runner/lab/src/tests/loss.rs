//! The interpreter of `automl_genome` against libtorch's autograd, on random genes.
use automl_genome::{Batch, Class, Constant, Gene, Named, Node, Op, Program, Variable, Vocabulary, Workspace};
use tch::{Kind, Tensor};

use crate::seeds::Stream;
use crate::tensor::loss;

const ROWS: usize = 16;
const CLASSES: usize = 5;

/// A random tree of at most this depth.
fn random(stream: &mut Stream, ops: &[Op], depth: u32, nodes: &mut Vec<Node>) {
    if depth == 0 || stream.below(5) == 0 {
        nodes.push(match stream.below(8) {
            0..4 => Node::Variable(Variable::Outputs),
            4 | 5 => Node::Variable(Variable::Targets),
            6 => Node::Named(Named::ALL[stream.below(5) as usize]),
            _ => Node::Constant(Constant::new(f64::from(stream.unit())).unwrap()),
        });
        return;
    }
    let op = ops[stream.below(ops.len() as u32) as usize];
    nodes.push(Node::Op(op));
    for _ in 0..op.arity() {
        random(stream, ops, depth - 1, nodes);
    }
}

/// Value and gradient by autograd, in double precision so that only the formulas are compared.
fn autograd(gene: &Gene, outputs: &[f64], targets: &[f64]) -> (f64, Option<Vec<f64>>) {
    let shape = [ROWS as i64, CLASSES as i64];
    let outputs = Tensor::from_slice(outputs).view(shape).set_requires_grad(true);
    let targets = Tensor::from_slice(targets).view(shape);
    let value = loss(gene, &outputs, &targets).unwrap().mean(None::<Kind>);
    let gradient = value.requires_grad().then(|| {
        let gradients = Tensor::f_run_backward(&[&value], &[&outputs], false, false).unwrap();
        Vec::<f64>::try_from(&gradients[0].flatten(0, -1)).unwrap()
    });
    (value.double_value(&[]), gradient)
}

#[test]
fn random_genes_have_the_same_values_and_gradients() {
    let mut stream = Stream::data("test/loss");
    let ops: Vec<Op> = Vocabulary::Extended.ops().collect();
    let mut workspace = Workspace::default();
    let (mut finite, mut ill) = (0, 0);
    let count = if std::env::var_os("AUTOML_TEST_FULL").is_some() { 100_000 } else { 1500 };
    for _ in 0..count {
        let mut nodes = Vec::new();
        random(&mut stream, &ops, 4, &mut nodes);
        let gene = Gene::from_prefix(nodes).unwrap();
        let outputs: Vec<f64> = (0..ROWS * CLASSES).map(|_| f64::from(4.0 * stream.unit() - 2.0)).collect();
        let class: Vec<u32> = (0..ROWS).map(|_| stream.below(CLASSES as u32)).collect();
        let targets: Vec<f64> =
            (0..ROWS * CLASSES).map(|at| f64::from(u8::from(class[at / CLASSES] as usize == at % CLASSES))).collect();
        let (value, gradient) = autograd(&gene, &outputs, &targets);
        let batch = Batch { outputs: &outputs, targets: &targets, rows: ROWS, classes: CLASSES };
        let found = Program::new(&gene).evaluate(batch, &mut workspace);
        assert_eq!(found.value.is_finite(), value.is_finite(), "{gene:?}");
        if !value.is_finite() {
            continue;
        }
        assert_eq!(found.gradient.is_some(), gradient.is_some(), "{gene:?}");
        let Some(gradient) = gradient else { continue };
        let sound = gradient.iter().all(|element| element.is_finite());
        assert_eq!(found.class == Class::Finite, sound, "{gene:?}");
        if !sound {
            continue;
        }
        finite += 1;
        let largest = gradient.iter().fold(0.0_f64, |largest, element| largest.max(element.abs()));
        let worst = found.gradient.unwrap().iter().zip(&gradient);
        let worst = worst.fold(0.0_f64, |worst, (left, right)| worst.max((left - right).abs()));
        let close = (found.value - value).abs() <= 1e-9 * value.abs().max(1.0) && worst <= 1e-9 * largest.max(1e-3);
        // Differences of nearly equal numbers over 1e-8 magnify rounding: allowed, but rare.
        ill += usize::from(!close);
    }
    eprintln!("{finite} of {count} genes compared, {ill} of them ill-conditioned");
    assert!(finite * 4 > count, "{finite} of {count} genes were compared");
    assert!(ill * 100 <= finite, "{ill} of {finite} genes differ");
}
