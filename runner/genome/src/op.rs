//! The primitives: names, arities and which vocabulary has which.
//!
//! What each computes, to the edge cases, is in `eval`; the names and sets are the original's.

/// A function of one or two tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // The names say it, and `eval` has the formulas.
pub enum Op {
    SafeAdd,
    SafeSub,
    SafeMul,
    SafeDiv,
    SafeLog,
    SafeSqrt,
    SafeExp,
    Sin,
    Cos,
    Tan,
    Sigmoid,
    Relu,
    Tanh,
    Mean,
    Std,
    Arcsin,
    Arccos,
    Arctan,
    LeakyRelu,
    Abs,
    Reciprocal,
    Square,
    Cube,
    Sign,
    Floor,
    Ceil,
    Round,
    Max,
    Min,
    Mod,
    Hypot,
    Softmax,
    LogSoftmax,
    RowSum,
    RowMax,
    RowMean,
}

/// An input of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Variable {
    /// `x`: the network's outputs (logits), rows × classes.
    Outputs,
    /// `y`: one-hot targets of the same shape.
    Targets,
}

/// A constant with a name in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // The names say it; values in `Named::value`.
pub enum Named {
    One,
    Zero,
    Half,
    /// The original's 3.14159, not π.
    Pi,
    /// The original's 2.71828, not e.
    E,
}

/// A set of primitives that a gene may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Vocabulary {
    /// What the original's miners evolve.
    Miner,
    /// All that the original's validators accept; contains the miner's set.
    Validator,
    /// The validator's set and row-wise primitives, which the original's validators refuse.
    Extended,
}

/// (function, its name in the text, arity, the smallest vocabulary that has it)
const OPS: [(Op, &str, usize, Vocabulary); 36] = {
    use Vocabulary::{Extended, Miner, Validator};
    [
        (Op::SafeAdd, "safe_add", 2, Miner),
        (Op::SafeSub, "safe_sub", 2, Miner),
        (Op::SafeMul, "safe_mul", 2, Miner),
        (Op::SafeDiv, "safe_div", 2, Miner),
        (Op::SafeLog, "safe_log", 1, Miner),
        (Op::SafeSqrt, "safe_sqrt", 1, Miner),
        (Op::SafeExp, "safe_exp", 1, Miner),
        (Op::Sin, "sin", 1, Miner),
        (Op::Cos, "cos", 1, Miner),
        (Op::Tan, "tan", 1, Miner),
        (Op::Sigmoid, "sigmoid", 1, Miner),
        (Op::Relu, "relu", 1, Miner),
        (Op::Tanh, "tanh", 1, Miner),
        (Op::Mean, "mean", 1, Miner),
        (Op::Std, "std", 1, Miner),
        (Op::Arcsin, "arcsin", 1, Validator),
        (Op::Arccos, "arccos", 1, Validator),
        (Op::Arctan, "arctan", 1, Validator),
        (Op::LeakyRelu, "leaky_relu", 1, Validator),
        (Op::Abs, "abs", 1, Validator),
        (Op::Reciprocal, "reciprocal", 1, Validator),
        (Op::Square, "square", 1, Validator),
        (Op::Cube, "cube", 1, Validator),
        (Op::Sign, "sign", 1, Validator),
        (Op::Floor, "floor", 1, Validator),
        (Op::Ceil, "ceil", 1, Validator),
        (Op::Round, "round", 1, Validator),
        (Op::Max, "max", 2, Validator),
        (Op::Min, "min", 2, Validator),
        (Op::Mod, "mod", 2, Validator),
        (Op::Hypot, "hypot", 2, Validator),
        (Op::Softmax, "softmax", 1, Extended),
        (Op::LogSoftmax, "log_softmax", 1, Extended),
        (Op::RowSum, "row_sum", 1, Extended),
        (Op::RowMax, "row_max", 1, Extended),
        (Op::RowMean, "row_mean", 1, Extended),
    ]
};

impl Op {
    /// Every function, in a fixed order that the search's random draws depend on.
    pub fn all() -> impl Iterator<Item = Op> {
        OPS.iter().map(|row| row.0)
    }

    /// The function of this name.
    pub fn from_name(name: &str) -> Option<Op> {
        OPS.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The name in the text.
    pub fn name(self) -> &'static str {
        OPS[self as usize].1
    }

    /// How many arguments it takes.
    pub fn arity(self) -> usize {
        OPS[self as usize].2
    }

    /// The smallest vocabulary that has it.
    pub fn vocabulary(self) -> Vocabulary {
        OPS[self as usize].3
    }
}

impl Variable {
    /// The name in the text.
    pub fn name(self) -> &'static str {
        match self {
            Variable::Outputs => "x",
            Variable::Targets => "y",
        }
    }
}

impl Named {
    /// Every named constant.
    pub const ALL: [Named; 5] = [Named::One, Named::Zero, Named::Half, Named::Pi, Named::E];

    /// The name in the text.
    pub fn name(self) -> &'static str {
        match self {
            Named::One => "one",
            Named::Zero => "zero",
            Named::Half => "half",
            Named::Pi => "pi",
            Named::E => "e",
        }
    }

    /// The number it stands for; pi and e are the original's truncated decimals.
    #[allow(clippy::approx_constant)]
    pub fn value(self) -> f64 {
        match self {
            Named::One => 1.0,
            Named::Zero => 0.0,
            Named::Half => 0.5,
            Named::Pi => 3.14159,
            Named::E => 2.71828,
        }
    }

    /// The smallest vocabulary that has it.
    pub fn vocabulary(self) -> Vocabulary {
        match self {
            Named::Pi | Named::E => Vocabulary::Validator,
            _ => Vocabulary::Miner,
        }
    }
}

impl Vocabulary {
    /// The functions of the set, in [`Op::all`]'s order.
    pub fn ops(self) -> impl Iterator<Item = Op> {
        Op::all().filter(move |op| op.vocabulary() <= self)
    }

    /// The named constants of the set.
    pub fn named(self) -> impl Iterator<Item = Named> {
        Named::ALL.into_iter().filter(move |named| named.vocabulary() <= self)
    }
}

impl std::fmt::Display for Vocabulary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Vocabulary::Miner => "miner",
            Vocabulary::Validator => "validator",
            Vocabulary::Extended => "extended",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, op) in Op::all().enumerate() {
            assert_eq!(op as usize, index, "{op:?}");
            assert_eq!(Op::from_name(op.name()), Some(op));
        }
    }

    #[test]
    fn vocabularies_nest() {
        assert_eq!(Vocabulary::Miner.ops().count(), 15);
        assert_eq!(Vocabulary::Validator.ops().count(), 31);
        assert_eq!(Vocabulary::Extended.ops().count(), 36);
        assert_eq!(Vocabulary::Miner.named().count(), 3);
    }
}
