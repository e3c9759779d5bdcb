//! A formula for a paper, with parentheses only where precedence asks for them.
use crate::gene::{Gene, Node};
use crate::op::Op;

/// How tightly a formula holds together; a function's call needs parentheses only under an exponent.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Bond {
    Sum,
    Product,
    Call,
    Atom,
}

struct Part(String, Bond);

impl Part {
    /// In parentheses unless it holds together at least this tightly.
    fn within(&self, bond: Bond) -> String {
        if self.1 >= bond { self.0.clone() } else { parenthesised(&self.0) }
    }
}

/// The gene as `\mathcal{L}(x, y) = …`.
pub(super) fn formula(gene: &Gene) -> String {
    let mut parts: Vec<Part> = Vec::new(); // of the subtrees to the right, the next argument last
    for node in gene.nodes().iter().rev() {
        let part = match node {
            Node::Variable(variable) => Part(variable.name().into(), Bond::Atom),
            Node::Named(named) => number(named.value()),
            Node::Constant(constant) => number(constant.value()),
            Node::Op(op) => {
                let mut argument = || parts.pop().expect("each argument was written before its function");
                let first = argument();
                if op.arity() == 2 { binary(*op, &first, &argument()) } else { unary(*op, &first) }
            }
        };
        parts.push(part);
    }
    let root = parts.pop().expect("a gene has a root");
    let mean = if gene.nodes()[0] == Node::Op(Op::Mean) { root.0 } else { called("mean", &root.0) };
    let epsilon = if mean.contains(r"\varepsilon") { r",\quad \varepsilon = 10^{-8}" } else { "" };
    format!(r"\mathcal{{L}}(x, y) = {mean}{epsilon}")
}

fn number(value: f64) -> Part {
    let text = format!("{value}");
    let text = if text.len() > 12 { scientific(value) } else { text };
    // A minus sign or a product binds like a sum's part: a - (-1).
    let bond = if value < 0.0 || text.contains("cdot") { Bond::Sum } else { Bond::Atom };
    Part(text, bond)
}

fn scientific(value: f64) -> String {
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, "0")) => digits.into(),
        Some((digits, exponent)) => format!(r"{digits} \cdot 10^{{{exponent}}}"),
        None => text,
    }
}

fn parenthesised(inner: &str) -> String {
    format!(r"\left({inner}\right)")
}

fn called(name: &str, inner: &str) -> String {
    format!(r"\operatorname{{{name}}}{}", parenthesised(inner))
}

fn magnitude(a: &Part) -> String {
    format!(r"\left|{}\right|", a.0)
}

fn binary(op: Op, a: &Part, b: &Part) -> Part {
    match op {
        Op::SafeAdd => Part(format!("{} + {}", a.0, guard_sign(b)), Bond::Sum),
        Op::SafeSub => Part(format!("{} - {}", a.0, b.within(Bond::Product)), Bond::Sum),
        Op::SafeMul => Part(format!(r"{} \cdot {}", a.within(Bond::Product), b.within(Bond::Product)), Bond::Product),
        Op::SafeDiv => Part(format!(r"\frac{{{}}}{{{} + \varepsilon}}", a.0, b.0), Bond::Product),
        Op::Max | Op::Min => {
            Part(format!(r"\{}{}", op.name(), parenthesised(&format!("{}, {}", a.0, b.0))), Bond::Call)
        }
        Op::Mod => Part(format!(r"{} \bmod {}", a.within(Bond::Atom), b.within(Bond::Atom)), Bond::Sum),
        Op::Hypot => Part(format!(r"\sqrt{{{} + {}}}", power(a, 2), power(b, 2)), Bond::Atom),
        _ => Part(called(op.name(), &format!("{}, {}", a.0, b.0)), Bond::Atom),
    }
}

/// The right side of a plus: only a leading minus needs parentheses.
fn guard_sign(part: &Part) -> String {
    if part.0.starts_with('-') { parenthesised(&part.0) } else { part.0.clone() }
}

/// A second exponent on the same base is an error in LaTeX, so what has one is put in parentheses.
fn power(base: &Part, exponent: u32) -> String {
    let base = if base.0.contains('^') { parenthesised(&base.0) } else { base.within(Bond::Atom) };
    format!("{base}^{exponent}")
}

fn unary(op: Op, a: &Part) -> Part {
    let inner = &a.0;
    let text = match op {
        Op::SafeLog => format!(r"\log\left({} + \varepsilon\right)", magnitude(a)),
        Op::SafeSqrt => format!(r"\sqrt{{{}}}", magnitude(a)),
        Op::SafeExp => format!(r"\exp{}", parenthesised(inner)),
        Op::Sin | Op::Cos | Op::Tan | Op::Tanh | Op::Arcsin | Op::Arccos | Op::Arctan => {
            format!(r"\{}{}", op.name(), parenthesised(inner))
        }
        Op::Sigmoid => format!(r"\sigma{}", parenthesised(inner)),
        Op::Abs => magnitude(a),
        Op::Reciprocal => format!(r"\frac{{1}}{{{inner}}}"),
        Op::Square => power(a, 2),
        Op::Cube => power(a, 3),
        Op::Floor => format!(r"\left\lfloor {inner} \right\rfloor"),
        Op::Ceil => format!(r"\left\lceil {inner} \right\rceil"),
        Op::RowSum => format!(r"\sum_{{c}} {}", parenthesised(inner)),
        Op::RowMax => format!(r"\max_{{c}} {}", parenthesised(inner)),
        Op::RowMean => format!(r"\operatorname{{mean}}_{{c}} {}", parenthesised(inner)),
        Op::Relu => called("ReLU", inner),
        Op::LeakyRelu => called("LeakyReLU", inner),
        Op::LogSoftmax => format!(r"\log\operatorname{{softmax}}{}", parenthesised(inner)),
        _ => called(op.name(), inner),
    };
    let bond = match op {
        Op::Reciprocal | Op::RowSum | Op::RowMax | Op::RowMean => Bond::Product,
        Op::Abs | Op::SafeSqrt | Op::Floor | Op::Ceil | Op::Square | Op::Cube => Bond::Atom,
        _ => Bond::Call,
    };
    Part(text, bond)
}
