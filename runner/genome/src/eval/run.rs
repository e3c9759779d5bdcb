//! Running a program: forward through its steps, backward in autograd's order.
use super::elementwise::{self, Pair, Side};
use super::program::{Operand, Program, Shape, Step};
use super::{Batch, Class, Evaluation, Real, reduce, rows};
use crate::op::Op;

/// Buffers that evaluations reuse: after the first evaluation of a size, none allocates.
#[derive(Clone, Debug, Default)]
pub struct Workspace<T> {
    /// Where each step's numbers start in `values` and `gradients`.
    starts: Vec<usize>,
    constants: Vec<T>,
    values: Vec<T>,
    gradients: Vec<T>,
    /// d loss / d outputs.
    gradient: Vec<T>,
    left: Vec<T>,
    right: Vec<T>,
    delta: Vec<T>,
}

/// Read-only surroundings of a step.
struct Scope<'a, T> {
    program: &'a Program,
    batch: Batch<'a, T>,
    starts: &'a [usize],
    constants: &'a [T],
}

impl Program {
    /// The loss of a batch and its gradient.
    pub fn evaluate<'w, T: Real>(&self, batch: Batch<'_, T>, workspace: &'w mut Workspace<T>) -> Evaluation<'w, T> {
        workspace.prepare(self, batch);
        let Workspace { starts, constants, values, gradients, gradient, left, right, delta } = workspace;
        let scope = Scope { program: self, batch, starts, constants };
        for index in 0..self.steps.len() {
            scope.forward(index, values, [left, right]);
        }
        let output = scope.view(self.root, values);
        let shape = self.shape(self.root);
        let value = if shape == Shape::Scalar { output[0] } else { reduce::mean(output) };
        if !self.differentiable(self.root) {
            return Evaluation { value, gradient: None, class: Class::of(value, None) };
        }
        let count = scope.elements(shape);
        let mut backward = Backward { scope: &scope, gradients, gradient, reached: false };
        delta[..count].fill(T::one() / T::of(count as f64));
        backward.deliver(self.root, shape, delta);
        for index in (0..self.steps.len()).rev() {
            if self.steps[index].differentiable {
                backward.step(index, values, [left, right], delta);
            }
        }
        Evaluation { value, gradient: Some(gradient), class: Class::of(value, Some(gradient)) }
    }
}

impl<T: Real> Workspace<T> {
    fn prepare(&mut self, program: &Program, batch: Batch<'_, T>) {
        let full = batch.rows * batch.classes;
        let mut end = 0;
        self.starts.clear();
        for step in &program.steps {
            self.starts.push(end);
            end += step.shape.elements(batch.rows, batch.classes);
        }
        self.constants.clear();
        self.constants.extend(program.constants.iter().map(|&value| T::of(value)));
        self.gradient.resize(full, T::zero());
        for (buffer, needed) in [
            (&mut self.values, end),
            (&mut self.gradients, end),
            (&mut self.left, full),
            (&mut self.right, full),
            (&mut self.delta, full),
        ] {
            if buffer.len() < needed {
                buffer.resize(needed, T::zero());
            }
        }
    }
}

impl<T: Real> Scope<'_, T> {
    fn elements(&self, shape: Shape) -> usize {
        shape.elements(self.batch.rows, self.batch.classes)
    }

    /// The length of a row.
    fn width(&self, shape: Shape) -> usize {
        if shape == Shape::Full { self.batch.classes } else { 1 }
    }

    /// The numbers of an operand, from the values of earlier steps.
    fn view<'v>(&'v self, operand: Operand, values: &'v [T]) -> &'v [T] {
        match operand {
            Operand::Outputs => self.batch.outputs,
            Operand::Targets => self.batch.targets,
            Operand::Constant(index) => &self.constants[index..=index],
            Operand::Step(index) => &values[self.starts[index]..][..self.elements(self.program.steps[index].shape)],
        }
    }

    /// The numbers of an operand as they look in a wider shape.
    fn broadcast<'v>(&'v self, operand: Operand, shape: Shape, values: &'v [T], buffer: &'v mut [T]) -> &'v [T] {
        let narrow = self.view(operand, values);
        let from = self.program.shape(operand);
        if from == shape {
            return narrow;
        }
        let buffer = &mut buffer[..self.elements(shape)];
        if from == Shape::Scalar {
            buffer.fill(narrow[0]);
        } else {
            for (row, &value) in buffer.chunks_exact_mut(self.batch.classes).zip(narrow) {
                row.fill(value);
            }
        }
        buffer
    }

    fn forward(&self, index: usize, values: &mut [T], buffers: [&mut Vec<T>; 2]) {
        let Step { op, left, right, shape, .. } = self.program.steps[index];
        let (earlier, later) = values.split_at_mut(self.starts[index]);
        let out = &mut later[..self.elements(shape)];
        if op.arity() == 2 {
            let [a, b] = buffers;
            let a = self.broadcast(left, shape, earlier, a);
            let b = self.broadcast(right, shape, earlier, b);
            elementwise::binary(op, a, b, out);
            return;
        }
        let x = self.view(left, earlier);
        let from = self.program.shape(left);
        match op {
            Op::Mean if from == Shape::Scalar => out.copy_from_slice(x),
            Op::Mean => out[0] = reduce::mean(x),
            Op::Std => out[0] = reduce::deviation(x),
            _ if is_rowwise(op) => rows::rowwise(op, self.width(from), x, out),
            _ => elementwise::unary(op, x, out),
        }
    }
}

/// The way back: gradients of steps, and of the outputs as far as they have arrived.
struct Backward<'a, T> {
    scope: &'a Scope<'a, T>,
    gradients: &'a mut [T],
    gradient: &'a mut [T],
    /// Whether the outputs have got a first gradient.
    reached: bool,
}

impl<T: Real> Backward<'_, T> {
    fn step(&mut self, index: usize, values: &[T], buffers: [&mut Vec<T>; 2], delta: &mut [T]) {
        let scope = self.scope;
        let Step { op, left, right, shape, .. } = scope.program.steps[index];
        let start = scope.starts[index];
        let elements = scope.elements(shape);
        let result = &values[start..][..elements];
        if op.arity() == 2 {
            let [a, b] = buffers;
            let a = scope.broadcast(left, shape, values, a);
            let b = scope.broadcast(right, shape, values, b);
            for (side, operand) in [(Side::Left, left), (Side::Right, right)] {
                if scope.program.differentiable(operand) {
                    let gradient = &self.gradients[start..][..elements];
                    elementwise::binary_gradient(op, side, Pair { a, b, result, gradient }, &mut delta[..elements]);
                    self.deliver(operand, shape, delta);
                }
            }
            return;
        }
        let x = scope.view(left, values);
        let from = scope.program.shape(left);
        let out = &mut delta[..x.len()];
        let gradient = &self.gradients[start..][..elements];
        match op {
            Op::Mean => out.fill(gradient[0] / T::of(x.len() as f64)),
            Op::Std => reduce::deviation_gradient(x, result[0], gradient[0], out),
            _ if is_rowwise(op) => rows::rowwise_gradient(op, scope.width(from), x, result, gradient, out),
            _ => elementwise::unary_gradient(op, x, result, gradient, out),
        }
        self.deliver(left, from, delta);
    }

    /// Hands a gradient of the shape `from` to an operand, summed where the operand was broadcast.
    fn deliver(&mut self, operand: Operand, from: Shape, delta: &[T]) {
        let scope = self.scope;
        let delta = &delta[..scope.elements(from)];
        let index = match operand {
            Operand::Step(index) => index,
            Operand::Outputs if self.reached => {
                for (total, &delta) in self.gradient.iter_mut().zip(delta) {
                    *total = *total + delta;
                }
                return;
            }
            Operand::Outputs => {
                self.gradient.copy_from_slice(delta);
                self.reached = true;
                return;
            }
            Operand::Targets | Operand::Constant(_) => return,
        };
        let to = scope.program.steps[index].shape;
        let target = &mut self.gradients[scope.starts[index]..][..scope.elements(to)];
        if to == from {
            target.copy_from_slice(delta);
        } else if to == Shape::Scalar {
            target[0] = T::sum(delta);
        } else {
            for (target, row) in target.iter_mut().zip(delta.chunks_exact(scope.batch.classes)) {
                *target = T::sum(row);
            }
        }
    }
}

fn is_rowwise(op: Op) -> bool {
    matches!(op, Op::Softmax | Op::LogSoftmax | Op::RowSum | Op::RowMax | Op::RowMean)
}
