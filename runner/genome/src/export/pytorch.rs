//! Python source, one assignment per function: readable, and no nesting that Python could refuse.
use std::fmt::Write;

use crate::gene::{Gene, Node};
use crate::op::{Op, Variable};

/// A module with `loss(outputs, targets)`, whose operations are the ones that golden values are computed with.
pub(super) fn module(gene: &Gene) -> String {
    let mut lines = String::new();
    let mut values: Vec<String> = Vec::new(); // of the subtrees to the right, the next argument last
    let mut count = 0;
    for node in gene.nodes().iter().rev() {
        let value = match node {
            Node::Variable(Variable::Outputs) => "x".into(),
            Node::Variable(Variable::Targets) => "y".into(),
            Node::Named(named) => constant(named.value()),
            Node::Constant(number) => constant(number.value()),
            Node::Op(op) => {
                let mut argument = || values.pop().expect("each argument was written before its function");
                let a = argument();
                let b = if op.arity() == 2 { argument() } else { String::new() };
                count += 1;
                let _ = writeln!(lines, "    v{count} = {}", call(*op, &a, &b)); // a String takes everything
                format!("v{count}")
            }
        };
        values.push(value);
    }
    let result = values.pop().expect("a gene has a root");
    format!(
        "\"\"\"A loss function: {gene}\"\"\"\nimport torch\n\n\n\
         def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:\n    \
         \"\"\"outputs: logits [examples, classes]; targets: one-hot of the same shape and dtype.\"\"\"\n    \
         x, y = outputs, targets\n\n    \
         def const(number):\n        \
         return torch.tensor(number, dtype=x.dtype, device=x.device)\n\n\
         {lines}    return {result}.mean()\n"
    )
}

fn constant(number: f64) -> String {
    format!("const({number:?})")
}

fn call(op: Op, a: &str, b: &str) -> String {
    match op {
        Op::SafeAdd => format!("{a} + {b}"),
        Op::SafeSub => format!("{a} - {b}"),
        Op::SafeMul => format!("{a} * {b}"),
        Op::SafeDiv => format!("{a} / ({b} + 1e-8)"),
        Op::SafeLog => format!("torch.log(torch.abs({a}) + 1e-8)"),
        Op::SafeSqrt => format!("torch.sqrt(torch.abs({a}))"),
        Op::SafeExp => format!("torch.exp(torch.clamp({a}, -100, 100))"),
        Op::Sin
        | Op::Cos
        | Op::Tan
        | Op::Sigmoid
        | Op::Relu
        | Op::Tanh
        | Op::Mean
        | Op::Std
        | Op::Arcsin
        | Op::Arccos
        | Op::Arctan
        | Op::Abs
        | Op::Reciprocal
        | Op::Square
        | Op::Sign
        | Op::Floor
        | Op::Ceil
        | Op::Round => format!("torch.{}({a})", op.name()),
        Op::LeakyRelu => format!("torch.nn.functional.leaky_relu({a}, 0.01)"),
        Op::Cube => format!("torch.pow({a}, 3)"),
        Op::Max => format!("torch.maximum({a}, {b})"),
        Op::Min => format!("torch.minimum({a}, {b})"),
        Op::Mod => format!("torch.remainder({a}, {b})"),
        Op::Hypot => format!("torch.hypot({a}, {b})"),
        Op::Softmax => format!("torch.softmax({a}, -1)"),
        Op::LogSoftmax => format!("torch.log_softmax({a}, -1)"),
        Op::RowSum => format!("torch.sum({a}, -1, keepdim=True)"),
        Op::RowMax => format!("torch.amax({a}, -1, keepdim=True)"),
        Op::RowMean => format!("torch.mean({a}, -1, keepdim=True)"),
    }
}
