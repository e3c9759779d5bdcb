//! Why a text is not a gene: what was found, where, and what to write instead.
use std::fmt;

use super::token::Token;
use crate::op::{Named, Op, Variable};

/// Characters of an offending token that an error repeats.
const SHOWN: usize = 40;
/// Longer tokens are nobody's typo.
const LONGEST_TYPO: usize = 24;
/// How alike (0 to 1) a name must be to be suggested.
const ALIKE: f64 = 0.5;

/// Why a text is not a gene. Its size does not depend on the text's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Byte in the text where the offending token starts; the text's length when it ended too early or is too long.
    pub offset: usize,
    /// Line of that byte, from 1.
    pub line: usize,
    /// Character in that line, from 1.
    pub column: usize,
    /// The offending token, shortened when long; empty at the end of the text.
    pub token: String,
    /// What is wrong.
    pub kind: ParseErrorKind,
}

/// What can be wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// There is no token at all.
    Empty,
    /// The text is longer than the limit.
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The most that is read.
        limit: usize,
    },
    /// The tree has more nodes than the limit.
    TooManyNodes {
        /// The most that is read.
        limit: usize,
    },
    /// The tree is deeper than the limit.
    TooDeep {
        /// The most that is read.
        limit: usize,
    },
    /// The text ends inside a function.
    Missing {
        /// The innermost unfinished function.
        op: Op,
        /// Arguments it still needs.
        missing: usize,
    },
    /// The expression was already complete.
    Surplus,
    /// Not a function, input, constant or number.
    Unknown {
        /// What was probably meant.
        suggestion: Option<&'static str>,
    },
    /// `rand_const` draws a number when a gene is made; in a text it has no value.
    Generator,
    /// NaN, infinite, or beyond the largest double.
    NotFinite,
    /// Begins like a number and is none, or not a plain decimal one.
    BadNumber,
    /// `tensor` without a number after it.
    NoNumber,
}

impl std::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 1 {
            write!(f, "line {}, ", self.line)?;
        }
        write!(f, "column {}: ", self.column)?;
        let token = self.token.escape_debug();
        match &self.kind {
            ParseErrorKind::Empty => f.write_str("there is no expression; the simplest one is `x`"),
            ParseErrorKind::TooLong { bytes, limit } => write!(f, "{bytes} bytes of text, at most {limit} are read"),
            ParseErrorKind::TooManyNodes { limit } => write!(f, "at `{token}` the gene exceeds {limit} nodes"),
            ParseErrorKind::TooDeep { limit } => write!(f, "`{token}` is nested deeper than {limit} levels"),
            ParseErrorKind::Missing { op, missing } => write!(
                f,
                "the text ends where `{}` still needs {missing} of its {} argument{}",
                op.name(),
                op.arity(),
                if op.arity() == 1 { "" } else { "s" }
            ),
            ParseErrorKind::Surplus => write!(f, "the expression is complete before `{token}`; remove what follows"),
            ParseErrorKind::Unknown { suggestion: Some(name) } => {
                write!(f, "unknown name `{token}`; did you mean `{name}`?")
            }
            ParseErrorKind::Unknown { suggestion: None } if self.token.starts_with('-') => {
                write!(f, "unknown name `{token}`; a difference is written `safe_sub(zero, …)`")
            }
            ParseErrorKind::Unknown { suggestion: None } => {
                write!(f, "unknown name `{token}`; a gene is made of functions, `x`, `y` and numbers")
            }
            ParseErrorKind::Generator => {
                write!(f, "`{token}` draws a new number for each gene and has no value in a text; write a number")
            }
            ParseErrorKind::NotFinite => write!(f, "`{token}` is not a finite number; write one below 1.8e308"),
            ParseErrorKind::BadNumber => {
                write!(f, "`{token}` is not a number; write a plain decimal such as -0.5 or 1e-3")
            }
            ParseErrorKind::NoNumber if self.token.is_empty() => {
                f.write_str("the text ends where `tensor` needs its number, as in `tensor(0.3790)`")
            }
            ParseErrorKind::NoNumber => {
                write!(f, "`tensor` needs a number where `{token}` stands, as in `tensor(0.3790)`")
            }
        }
    }
}

impl ParseError {
    pub(super) fn at(text: &str, token: Token<'_>, kind: ParseErrorKind) -> ParseError {
        let mut shown: String = token.text.chars().take(SHOWN).collect();
        if shown.len() < token.text.len() {
            shown.push('…');
        }
        ParseError::new(text, token.offset, shown, kind)
    }

    pub(super) fn at_end(text: &str, kind: ParseErrorKind) -> ParseError {
        ParseError::new(text, text.len(), String::new(), kind)
    }

    fn new(text: &str, offset: usize, token: String, kind: ParseErrorKind) -> ParseError {
        // The length of a text that is too long is a stranger's choice: do not count through it.
        let before = if matches!(kind, ParseErrorKind::TooLong { .. }) { "" } else { &text[..offset] };
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        ParseError { offset, line, column, token, kind }
    }
}

/// The name that was probably meant: a `safe_` function without its prefix, or the most similar name.
pub(super) fn suggestion(token: &str) -> Option<&'static str> {
    if token.len() > LONGEST_TYPO || token.starts_with('-') {
        return None;
    }
    let token = token.to_ascii_lowercase();
    let alias = match token.as_str() {
        "logits" | "outputs" | "output" | "pred" => Some("x"),
        "targets" | "target" | "labels" | "label" => Some("y"),
        "pow2" => Some("square"),
        "neg" => Some("safe_sub"),
        _ => Op::from_name(&format!("safe_{token}")).map(Op::name),
    };
    let names = Op::all().map(Op::name).chain(Named::ALL.map(Named::name));
    let names = names.chain([Variable::Outputs.name(), Variable::Targets.name()]);
    let alike = |name: &'static str| (strsim::normalized_damerau_levenshtein(&token, name), name);
    let closest = || names.map(alike).filter(|found| found.0 >= ALIKE).min_by(|a, b| b.0.total_cmp(&a.0));
    alias.or_else(|| closest().map(|found| found.1))
}
