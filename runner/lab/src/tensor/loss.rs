//! A gene as libtorch operations: what PyTorch computes for the original's formulas, gradients included.
use automl_genome::{Gene, Node, Op, Variable};
use tch::{TchError, Tensor};

/// The loss before the mean: 0-dim, rows × 1 or rows × classes. `outputs` and `targets` are rows × classes.
pub(crate) fn loss(gene: &Gene, outputs: &Tensor, targets: &Tensor) -> Result<Tensor, TchError> {
    let options = (outputs.f_kind()?, outputs.device());
    let number = |value: f64| Tensor::f_full([0_i64; 0], value, options);
    // Functions that wait for arguments, outermost first. Left arguments are computed first, as Python does: autograd
    // adds up gradients in an order that follows from it.
    let mut open: Vec<(Op, Vec<Tensor>)> = Vec::new();
    for node in gene.nodes() {
        let mut value = match *node {
            Node::Op(op) => {
                open.push((op, Vec::with_capacity(2)));
                continue;
            }
            Node::Variable(Variable::Outputs) => outputs.shallow_clone(),
            Node::Variable(Variable::Targets) => targets.shallow_clone(),
            Node::Named(named) => number(named.value())?,
            Node::Constant(constant) => number(constant.value())?,
        };
        loop {
            let Some((op, arguments)) = open.last_mut() else { return Ok(value) };
            arguments.push(value);
            if arguments.len() < op.arity() {
                break;
            }
            value = apply(*op, arguments)?;
            open.pop();
        }
    }
    Err(TchError::Torch("the gene is not one whole tree".to_owned()))
}

fn apply(op: Op, arguments: &[Tensor]) -> Result<Tensor, TchError> {
    match arguments {
        [x] => unary(op, x),
        [x, y] => binary(op, x, y),
        _ => Err(TchError::Torch(format!("{} does not take {} arguments", op.name(), arguments.len()))),
    }
}

fn unary(op: Op, x: &Tensor) -> Result<Tensor, TchError> {
    match op {
        Op::SafeLog => x.f_abs()?.f_add_scalar(1e-8)?.f_log(),
        Op::SafeSqrt => x.f_abs()?.f_sqrt(),
        Op::SafeExp => x.f_clamp(-100.0, 100.0)?.f_exp(),
        Op::Sin => x.f_sin(),
        Op::Cos => x.f_cos(),
        Op::Tan => x.f_tan(),
        Op::Sigmoid => x.f_sigmoid(),
        Op::Relu => x.f_relu(),
        Op::Tanh => x.f_tanh(),
        Op::Mean => x.f_mean(None),
        // libtorch gives NaN too, and prints a warning each time.
        Op::Std if x.numel() < 2 => x.f_mul_scalar(f64::NAN)?.f_mean(None),
        Op::Std => x.f_std(true),
        Op::Arcsin => x.f_asin(),
        Op::Arccos => x.f_acos(),
        Op::Arctan => x.f_atan(),
        Op::LeakyRelu => x.f_leaky_relu(),
        Op::Abs => x.f_abs(),
        Op::Reciprocal => x.f_reciprocal(),
        Op::Square => x.f_square(),
        Op::Cube => x.f_pow_tensor_scalar(3),
        Op::Sign => x.f_sign(),
        Op::Floor => x.f_floor(),
        Op::Ceil => x.f_ceil(),
        Op::Round => x.f_round(),
        Op::Softmax => x.f_softmax(-1, None),
        Op::LogSoftmax => x.f_log_softmax(-1, None),
        Op::RowSum => x.f_sum_dim_intlist([-1_i64].as_slice(), true, None),
        Op::RowMax => x.f_amax([-1_i64].as_slice(), true),
        Op::RowMean => x.f_mean_dim([-1_i64].as_slice(), true, None),
        Op::SafeAdd | Op::SafeSub | Op::SafeMul | Op::SafeDiv | Op::Max | Op::Min | Op::Mod | Op::Hypot => {
            Err(TchError::Torch(format!("{} takes two arguments", op.name())))
        }
    }
}

fn binary(op: Op, x: &Tensor, y: &Tensor) -> Result<Tensor, TchError> {
    match op {
        Op::SafeAdd => x.f_add(y),
        Op::SafeSub => x.f_sub(y),
        Op::SafeMul => x.f_mul(y),
        Op::SafeDiv => x.f_div(&y.f_add_scalar(1e-8)?),
        Op::Max => x.f_maximum(y),
        Op::Min => x.f_minimum(y),
        Op::Mod => x.f_remainder_tensor(y),
        Op::Hypot => x.f_hypot(y),
        _ => Err(TchError::Torch(format!("{} takes one argument", op.name()))),
    }
}
