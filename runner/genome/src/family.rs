//! Known losses with their parameter left open: what a fair comparison has to tune, as it tunes the learning rate.
use crate::gene::{Gene, Limits};
use crate::parse::parse;

/// A published loss with one parameter. In the formulas P = the probability of the true class, p = softmax(x), t = y, C = classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossFamily {
    /// The key of the known loss that it is at its [`LossFamily::usual`] parameter.
    pub key: &'static str,
    /// The loss of one example; a batch's is the mean.
    pub formula: &'static str,
    /// The parameter's name.
    pub parameter: &'static str,
    /// The least value that is tried.
    pub low: f64,
    /// The largest value that is tried.
    pub high: f64,
    /// The value of the known loss.
    pub usual: f64,
    /// The gene, with `{v}` for the parameter and `{1-v}` for what it leaves to 1.
    text: &'static str,
}

const FAMILIES: [LossFamily; 3] = [
    LossFamily {
        key: "label-smoothing",
        formula: "-sum q log p, q = (1 - epsilon) t + epsilon/C",
        parameter: "epsilon",
        low: 0.0,
        high: 0.3,
        usual: 0.1,
        text: "safe_sub(zero, safe_add(safe_mul({1-v}, row_sum(safe_mul(y, log_softmax(x)))), \
               safe_mul({v}, row_mean(log_softmax(x)))))",
    },
    LossFamily {
        key: "focal",
        formula: "-(1 - P)^gamma log P",
        parameter: "gamma",
        low: 0.0,
        high: 5.0,
        usual: 2.0,
        // A power of what lies between 0 and 1; `safe_log` adds 1e-8, which keeps it finite where P is 1.
        text: "safe_sub(zero, safe_mul(safe_exp(safe_mul({v}, safe_log(safe_sub(one, row_sum(safe_mul(y, softmax(x))))))), \
               row_sum(safe_mul(y, log_softmax(x)))))",
    },
    LossFamily {
        key: "poly1",
        formula: "-log P + epsilon (1 - P)",
        parameter: "epsilon",
        low: -1.0,
        high: 6.0,
        usual: 1.0,
        text: "safe_sub(safe_mul({v}, safe_sub(one, row_sum(safe_mul(y, softmax(x))))), \
               row_sum(safe_mul(y, log_softmax(x))))",
    },
];

/// The families; the known losses that are not here have no parameter of their own.
pub fn loss_families() -> &'static [LossFamily] {
    &FAMILIES
}

impl LossFamily {
    /// The family of a known loss.
    pub fn find(key: &str) -> Option<&'static LossFamily> {
        FAMILIES.iter().find(|family| family.key == key)
    }

    /// The loss with this parameter, which is kept to four decimals and within the family's range.
    #[allow(clippy::missing_panics_doc)] // an invariant
    pub fn gene(&self, value: f64) -> Gene {
        let value = if value.is_nan() { self.usual } else { value.clamp(self.low, self.high) };
        let number = |value: f64| format!("tensor({value:.4})");
        let text = self.text.replace("{1-v}", &number(1.0 - value)).replace("{v}", &number(value));
        parse(&text, &Limits::default()).expect("the table's texts are tested to parse")
    }
}
