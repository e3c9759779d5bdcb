//! The usual losses of classification as genes: what a search has to beat, and where it may start.
//!
//! All are of the extended vocabulary. They are written with `log_softmax`, so none of them loses digits where a
//! probability is tiny; where a formula divides by a probability, `safe_div` adds its 1e-8.
use crate::gene::{Gene, Limits};
use crate::parse::parse;

/// A published loss. In the formulas p = softmax(x), t = y, P = the probability of the true class, C = classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownLoss {
    /// Its name in commands and files.
    pub key: &'static str,
    /// Its name in tables.
    pub title: &'static str,
    /// The loss of one example; a batch's is the mean.
    pub formula: &'static str,
    /// Who published it where.
    pub source: &'static str,
    /// The gene.
    pub text: &'static str,
}

const KNOWN: [KnownLoss; 8] = [
    KnownLoss {
        key: "cross-entropy",
        title: "Cross-entropy",
        formula: "-log P",
        source: "the textbook loss; torch.nn.functional.cross_entropy",
        text: "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))",
    },
    KnownLoss {
        key: "label-smoothing",
        title: "Cross-entropy, label smoothing 0.1",
        formula: "-sum q log p, q = 0.9 t + 0.1/C",
        source: "Szegedy et al. 2016, arXiv:1512.00567",
        text: "safe_sub(zero, safe_add(safe_mul(tensor(0.9000), row_sum(safe_mul(y, log_softmax(x)))), \
               safe_mul(tensor(0.1000), row_mean(log_softmax(x)))))",
    },
    KnownLoss {
        key: "focal",
        title: "Focal, gamma 2",
        formula: "-(1 - P)^2 log P",
        source: "Lin et al. 2017, arXiv:1708.02002",
        text: "safe_sub(zero, safe_mul(square(safe_sub(one, row_sum(safe_mul(y, softmax(x))))), \
               row_sum(safe_mul(y, log_softmax(x)))))",
    },
    KnownLoss {
        key: "poly1",
        title: "Poly-1, epsilon 1",
        formula: "-log P + (1 - P)",
        source: "Leng et al. 2022, arXiv:2204.12511",
        text: "safe_sub(safe_sub(one, row_sum(safe_mul(y, softmax(x)))), row_sum(safe_mul(y, log_softmax(x))))",
    },
    KnownLoss {
        key: "mse",
        title: "Mean squared error on softmax (Brier)",
        formula: "sum (p - t)^2",
        source: "Brier 1950",
        text: "row_sum(square(safe_sub(softmax(x), y)))",
    },
    KnownLoss {
        key: "baikal",
        title: "Baikal",
        formula: "-1/C sum (log p - t/p)",
        source: "Gonzalez & Miikkulainen 2019, arXiv:1905.11528",
        text: "safe_sub(safe_div(y, softmax(x)), log_softmax(x))",
    },
    KnownLoss {
        key: "baikal-cma",
        title: "Baikal, coefficients by CMA-ES",
        formula: "-1/C sum (2.7279 * 0.9863 log(1.5352 p) - 1.1135 * 1.3716 / 0.8411 t/p)",
        source: "Gonzalez & Miikkulainen 2019, arXiv:1905.11528",
        // log(1.5352 p) is log p + 0.4287: the softmax's own logarithm keeps its digits for tiny p.
        text: "safe_sub(safe_mul(tensor(1.8158085839971465), safe_div(y, softmax(x))), \
               safe_mul(tensor(2.69052777), safe_add(log_softmax(x), tensor(0.42866066571135303))))",
    },
    KnownLoss {
        key: "ngl",
        title: "Next generation loss",
        formula: "1/C sum (exp(2.4092 - p (1 + t)) - cos(cos(sin p)))",
        source: "Akhmedova & Körber 2024, arXiv:2404.12948",
        text: "safe_sub(safe_exp(safe_sub(tensor(2.4092), safe_mul(softmax(x), safe_add(one, y)))), \
               cos(cos(sin(softmax(x)))))",
    },
];

/// The losses, cross-entropy first.
pub fn known_losses() -> &'static [KnownLoss] {
    &KNOWN
}

impl KnownLoss {
    /// The loss of this key.
    pub fn find(key: &str) -> Option<&'static KnownLoss> {
        KNOWN.iter().find(|loss| loss.key == key)
    }

    /// The loss as a gene.
    #[allow(clippy::missing_panics_doc)] // an invariant
    pub fn gene(&self) -> Gene {
        parse(self.text, &Limits::default()).expect("the table's texts are tested to parse")
    }
}
