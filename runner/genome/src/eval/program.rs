//! A gene compiled: its functions in the order they run, with shapes and dependence on the outputs decided.
use crate::gene::{Gene, Node};
use crate::op::{Op, Variable};

/// A gene, ready to be evaluated on any batch.
#[derive(Clone, Debug)]
pub struct Program {
    /// In post-order, left argument first: autograd's gradients arrive in the reverse of that order.
    pub(super) steps: Vec<Step>,
    pub(super) constants: Vec<f64>,
    pub(super) root: Operand,
}

/// One function applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) op: Op,
    pub(super) left: Operand,
    /// The same as `left` for a function of one argument.
    pub(super) right: Operand,
    pub(super) shape: Shape,
    /// Whether the outputs are below it.
    pub(super) differentiable: bool,
}

/// Where an argument comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Outputs,
    Targets,
    Constant(usize),
    Step(usize),
}

/// The shapes that values of a gene can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// One number without dimensions.
    Scalar,
    /// rows × 1.
    Column,
    /// rows × classes.
    Full,
}

impl Shape {
    pub(super) fn elements(self, rows: usize, classes: usize) -> usize {
        match self {
            Shape::Scalar => 1,
            Shape::Column => rows,
            Shape::Full => rows * classes,
        }
    }
}

impl Program {
    /// Compiles a gene. Linear in its size.
    pub fn new(gene: &Gene) -> Program {
        let mut program = Program { steps: Vec::new(), constants: Vec::new(), root: Operand::Targets };
        let mut open: Vec<(Op, Option<Operand>)> = Vec::new(); // functions whose arguments are being read
        for &node in gene.nodes() {
            let mut done = match node {
                Node::Op(op) => {
                    open.push((op, None));
                    continue;
                }
                Node::Variable(Variable::Outputs) => Operand::Outputs,
                Node::Variable(Variable::Targets) => Operand::Targets,
                Node::Named(named) => program.constant(named.value()),
                Node::Constant(constant) => program.constant(constant.value()),
            };
            while let Some((op, first)) = open.pop() {
                if op.arity() == 2 && first.is_none() {
                    open.push((op, Some(done)));
                    break;
                }
                done = program.step(op, first.unwrap_or(done), done);
            }
            program.root = done;
        }
        program
    }

    /// Element operations of one value and gradient: what a budget counts. Saturates.
    pub fn work(&self, rows: usize, classes: usize) -> u64 {
        let elements = |shape| match shape {
            Shape::Scalar => 1,
            Shape::Column => rows as u64,
            Shape::Full => (rows as u64).saturating_mul(classes as u64),
        };
        let cost = |step: &Step| {
            let widest = step.shape.max(self.shape(step.left)).max(self.shape(step.right));
            let gradients = [step.left, step.right].into_iter().take(step.op.arity());
            elements(widest).saturating_mul(1 + gradients.filter(|&side| self.differentiable(side)).count() as u64)
        };
        self.steps.iter().map(cost).fold(elements(self.shape(self.root)), u64::saturating_add)
    }

    pub(super) fn shape(&self, operand: Operand) -> Shape {
        match operand {
            Operand::Outputs | Operand::Targets => Shape::Full,
            Operand::Constant(_) => Shape::Scalar,
            Operand::Step(index) => self.steps[index].shape,
        }
    }

    pub(super) fn differentiable(&self, operand: Operand) -> bool {
        match operand {
            Operand::Outputs => true,
            Operand::Targets | Operand::Constant(_) => false,
            Operand::Step(index) => self.steps[index].differentiable,
        }
    }

    fn constant(&mut self, value: f64) -> Operand {
        self.constants.push(value);
        Operand::Constant(self.constants.len() - 1)
    }

    fn step(&mut self, op: Op, left: Operand, right: Operand) -> Operand {
        let widest = self.shape(left).max(self.shape(right));
        let shape = match op {
            Op::Mean | Op::Std => Shape::Scalar,
            Op::RowSum | Op::RowMax | Op::RowMean => widest.min(Shape::Column),
            _ => widest,
        };
        let differentiable = self.differentiable(left) || self.differentiable(right);
        self.steps.push(Step { op, left, right, shape, differentiable });
        Operand::Step(self.steps.len() - 1)
    }
}
