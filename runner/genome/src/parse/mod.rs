//! Text to gene, in every spelling the original's files contain.
//!
//! White space, parentheses and commas separate tokens and mean nothing else: prefix order and arity decide, as in the
//! original. Unlike there, what is left over, missing or unknown is an error and not silently another function, and a
//! printed constant (`tensor(0.3790)`) is the number it shows. One pass, no recursion: a stranger's text costs no more
//! than its length.
mod error;
mod token;

pub use error::{ParseError, ParseErrorKind};

use crate::gene::{Constant, Gene, Limits, Node};
use crate::op::{Named, Op, Variable};
use token::tokens;

/// Reads one gene. `limits` bound the text before it is looked at and the tree while it grows.
pub fn parse(text: &str, limits: &Limits) -> Result<Gene, ParseError> {
    if text.len() > limits.bytes {
        let kind = ParseErrorKind::TooLong { bytes: text.len(), limit: limits.bytes };
        return Err(ParseError::at_end(text, kind));
    }
    let mut tree = Tree { nodes: Vec::new(), open: Vec::new(), limits: *limits };
    let mut tokens = tokens(text).peekable();
    while let Some(token) = tokens.next() {
        let fail = |kind| ParseError::at(text, token, kind);
        let node = if matches!(token.text, "tensor" | "torch.tensor") {
            let Some(number) = tokens.next() else {
                return Err(ParseError::at_end(text, ParseErrorKind::NoNumber));
            };
            let node = number_node(number.text).map_err(|_| ParseError::at(text, number, ParseErrorKind::NoNumber))?;
            while tokens.next_if(|next| is_tensor_option(next.text)).is_some() {}
            node.map_err(|kind| ParseError::at(text, number, kind))?
        } else {
            node(token.text).map_err(fail)?
        };
        tree.push(node).map_err(fail)?;
    }
    if let Some(&(op, missing)) = tree.open.last() {
        return Err(ParseError::at_end(text, ParseErrorKind::Missing { op, missing }));
    }
    // No function waits for an argument and nothing was left over: only an empty list is no tree.
    Gene::from_prefix(tree.nodes).ok_or_else(|| ParseError::at_end(text, ParseErrorKind::Empty))
}

impl std::str::FromStr for Gene {
    type Err = ParseError;

    /// Reads one gene within [`Limits::default`].
    fn from_str(text: &str) -> Result<Gene, ParseError> {
        parse(text, &Limits::default())
    }
}

/// The tree so far.
struct Tree {
    nodes: Vec<Node>,
    /// Functions around the next node, and how many arguments each still needs.
    open: Vec<(Op, usize)>,
    limits: Limits,
}

impl Tree {
    fn push(&mut self, node: Node) -> Result<(), ParseErrorKind> {
        if !self.nodes.is_empty() && self.open.is_empty() {
            return Err(ParseErrorKind::Surplus);
        }
        if self.nodes.len() >= self.limits.nodes {
            return Err(ParseErrorKind::TooManyNodes { limit: self.limits.nodes });
        }
        if self.open.len() > self.limits.depth {
            return Err(ParseErrorKind::TooDeep { limit: self.limits.depth });
        }
        self.nodes.push(node);
        if let Node::Op(op) = node {
            self.open.push((op, op.arity()));
            return Ok(());
        }
        while let Some((_, missing)) = self.open.last_mut() {
            *missing -= 1;
            if *missing > 0 {
                break;
            }
            self.open.pop();
        }
        Ok(())
    }
}

fn node(token: &str) -> Result<Node, ParseErrorKind> {
    if let Some(op) = Op::from_name(token) {
        return Ok(Node::Op(op));
    }
    if let Some(variable) = [Variable::Outputs, Variable::Targets].into_iter().find(|known| known.name() == token) {
        return Ok(Node::Variable(variable));
    }
    if let Some(named) = Named::ALL.into_iter().find(|known| known.name() == token) {
        return Ok(Node::Named(named));
    }
    match number_node(token) {
        Ok(number) => number,
        Err(NotANumber) if token.strip_prefix("rand_const").is_some_and(is_generator_suffix) => {
            Err(ParseErrorKind::Generator)
        }
        Err(NotANumber) => Err(ParseErrorKind::Unknown { suggestion: error::suggestion(token) }),
    }
}

/// The token is not meant as a number.
struct NotANumber;

/// The constant a token spells: a plain decimal. Python's other spellings (`1_000`, `0x10`) are refused.
fn number_node(token: &str) -> Result<Result<Node, ParseErrorKind>, NotANumber> {
    let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
    if ["nan", "inf", "infinity"].iter().any(|name| unsigned.eq_ignore_ascii_case(name)) {
        return Ok(Err(ParseErrorKind::NotFinite));
    }
    if !unsigned.starts_with(|first: char| first == '.' || first.is_ascii_digit()) {
        return Err(NotANumber);
    }
    // The check above keeps out the words that Rust would read as numbers.
    Ok(match token.parse::<f64>().map(Constant::new) {
        Ok(Some(constant)) => Ok(Node::Constant(constant)),
        Ok(None) => Err(ParseErrorKind::NotFinite),
        Err(_) => Err(ParseErrorKind::BadNumber),
    })
}

/// `_3` of `rand_const_3`.
fn is_generator_suffix(suffix: &str) -> bool {
    suffix.is_empty() || suffix.strip_prefix('_').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What a printed tensor may say after its number, as in `tensor(0.3790, device='cuda:0')`.
fn is_tensor_option(token: &str) -> bool {
    token.split_once('=').is_some_and(|(name, _)| matches!(name, "device" | "dtype" | "requires_grad" | "grad_fn"))
}
