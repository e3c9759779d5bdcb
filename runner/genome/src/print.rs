//! Gene to text, in the original's spelling; serde sees a gene as that text.
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::gene::{Constant, Gene, Node};

/// From here on every double is an integer, and digits would only be noise.
const LONG: f64 = 1e15;
/// Below this the original prints with an exponent.
const SHORT: f64 = 1e-4;

/// `safe_add(x, tensor(0.3790))`: reading it back gives the same gene.
impl fmt::Display for Gene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut open: Vec<usize> = Vec::new(); // arguments still to print, per open bracket
        for node in self.nodes() {
            match node {
                Node::Op(op) => f.write_str(op.name())?,
                Node::Variable(variable) => f.write_str(variable.name())?,
                Node::Named(named) => f.write_str(named.name())?,
                Node::Constant(constant) => constant.fmt(f)?,
            }
            if node.arity() > 0 {
                f.write_str("(")?;
                open.push(node.arity());
                continue;
            }
            while let Some(missing) = open.last_mut() {
                *missing -= 1;
                if *missing > 0 {
                    f.write_str(", ")?;
                    break;
                }
                f.write_str(")")?;
                open.pop();
            }
        }
        Ok(())
    }
}

/// `tensor(0.3790)`, `tensor(1.)`, `tensor(5.0123e-05)` as the original prints numbers when such a text is exact, and
/// the shortest exact one otherwise.
impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value();
        let exact = |text: &String| text.parse() == Ok(value);
        let text = match value.abs() {
            size if size < LONG && value.fract() == 0.0 => format!("{value:.0}."),
            size if (SHORT..LONG).contains(&size) => {
                Some(format!("{value:.4}")).filter(exact).unwrap_or_else(|| value.to_string())
            }
            _ => {
                let text = Some(format!("{value:.4e}")).filter(exact).unwrap_or_else(|| format!("{value:e}"));
                two_digit_exponent(&text)
            }
        };
        write!(f, "tensor({text})")
    }
}

/// Python's `1e-05` and `1e+20` for Rust's `1e-5` and `1e20`.
fn two_digit_exponent(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

impl Serialize for Gene {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Within [`Limits::default`](crate::Limits::default).
impl<'de> Deserialize<'de> for Gene {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Gene, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
