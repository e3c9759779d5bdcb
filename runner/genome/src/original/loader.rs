//! What the original's loader makes of a text. It never refuses missing or surplus tokens: the last complete subtree is
//! what runs, so a text that looks like a gene may train as another one.
//!
//! This models that loader without running anything: Python's `eval`, to which it hands every word it does not know,
//! is followed for numbers and names and nothing else.
use crate::gene::{Constant, Gene, Limits, Node};
use crate::op::{Named, Op, Variable, Vocabulary};
use crate::parse::parse;

/// What the original would run for a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WouldRun {
    /// The gene that the text says.
    Same,
    /// Another gene, in this crate's spelling.
    Other(String),
    /// Nothing: loading or the first call fails, for this reason.
    Fails(String),
}

/// A word that the original would hand to Python as an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the original would evaluate `{token}` as Python; what comes of it is not known here")]
pub struct Unmodelled {
    /// The word, shortened.
    pub token: String,
}

/// Parentheses that Python 3.11 nests at most.
const PYTHON_NESTING: usize = 200;
/// The original's loader never sees a longer text: the file that holds it is at most this long.
const MAX_TEXT: usize = super::MAX_FILE_BYTES;

/// A token as the loader sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leaf<'a> {
    /// One of the primitives.
    Known(Node),
    /// A Python number.
    Number(f64),
    /// A name that means nothing to the primitives: fails when called, if it is called.
    Name(&'a str),
    /// The generator of constants, which takes all that follows as arguments and never completes.
    Generator,
}

/// Models the original's validator on this text.
pub fn original_would_run(text: &str) -> Result<WouldRun, Unmodelled> {
    if text.len() > MAX_TEXT {
        return Ok(WouldRun::Fails(format!("the text has {} bytes, its limit is {MAX_TEXT}", text.len())));
    }
    let mut leaves = Vec::new();
    for token in text.split([' ', '\t', '\n', '\r', '\x0c', '\x0b', '(', ')', ',']).filter(|token| !token.is_empty()) {
        match classify(token) {
            Token::Leaf(leaf) => leaves.push(leaf),
            Token::SyntaxError => {
                return Ok(WouldRun::Fails(format!("`{}` is a syntax error in Python", short(token))));
            }
            Token::Unmodelled => return Err(Unmodelled { token: short(token) }),
        }
    }
    let Some(range) = last_complete(&leaves) else {
        return Ok(WouldRun::Fails("no complete expression is left, and empty text is a syntax error".into()));
    };
    Ok(match tree(&leaves[range]) {
        Err(reason) => WouldRun::Fails(reason),
        Ok(gene) => {
            let ours = parse(text, &Limits { bytes: MAX_TEXT, nodes: MAX_TEXT, depth: PYTHON_NESTING });
            if ours.is_ok_and(|ours| ours == gene) { WouldRun::Same } else { WouldRun::Other(gene.to_string()) }
        }
    })
}

enum Token<'a> {
    Leaf(Leaf<'a>),
    SyntaxError,
    Unmodelled,
}

fn classify(token: &str) -> Token<'_> {
    if let Some(node) = known(token) {
        return Token::Leaf(Leaf::Known(node));
    }
    if token.strip_prefix("rand_const_").is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'8']))
        || token == "rand_const"
    {
        return Token::Leaf(Leaf::Generator);
    }
    if let Some(number) = python_number(token) {
        return Token::Leaf(Leaf::Number(number));
    }
    let name = token.trim_start_matches(['+', '-', '~']);
    if name.is_empty() || (token.contains('=') && !token.contains("==")) {
        return Token::SyntaxError;
    }
    let is_name = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && part.bytes().next().is_some_and(|first| !first.is_ascii_digit())
    };
    if !name.split('.').all(is_name) {
        return Token::Unmodelled;
    }
    if PYTHON_KEYWORDS.contains(&name) || (name == token && PYTHON_BUILTINS.contains(&name)) {
        return Token::SyntaxError;
    }
    if ["True", "False", "None", "Ellipsis", "NotImplemented"].contains(&name) {
        return Token::Unmodelled;
    }
    Token::Leaf(Leaf::Name(token))
}

fn known(token: &str) -> Option<Node> {
    let op = Op::from_name(token).filter(|op| op.vocabulary() <= Vocabulary::Validator).map(Node::Op);
    let variable = || [Variable::Outputs, Variable::Targets].into_iter().find(|v| v.name() == token);
    let named = || Named::ALL.into_iter().find(|named| named.name() == token);
    op.or_else(|| variable().map(Node::Variable)).or_else(|| named().map(Node::Named))
}

/// A decimal Python number, with underscores between digits; infinite where Python's float is.
fn python_number(token: &str) -> Option<f64> {
    let digits = token.trim_start_matches(['+', '-']);
    let bytes = digits.as_bytes();
    let decimal = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'_' | b'+' | b'-');
    if !bytes.iter().all(decimal) || !bytes.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let digit = |index: Option<usize>| index.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    let lonely = |at: usize| !digit(at.checked_sub(1)) || !digit(Some(at + 1));
    if bytes.iter().enumerate().any(|(at, byte)| *byte == b'_' && lonely(at)) {
        return None;
    }
    let whole = digits.len() > 1 && digits.starts_with('0') && bytes.iter().all(|b| b.is_ascii_digit() || *b == b'_');
    if whole && bytes.iter().any(|byte| matches!(byte, b'1'..=b'9')) {
        return None; // `007` is no Python
    }
    let magnitude: f64 = digits.replace('_', "").parse().ok()?;
    let minus = token[..token.len() - digits.len()].bytes().filter(|byte| *byte == b'-').count();
    Some(if minus % 2 == 1 { -magnitude } else { magnitude })
}

/// The range of the subtree that completes last, with all that it completes in turn: DEAP's way of printing a tree.
fn last_complete(leaves: &[Leaf<'_>]) -> Option<std::ops::Range<usize>> {
    let mut open: Vec<(usize, usize)> = Vec::new(); // (where it starts, arguments still missing)
    let mut last = None;
    for (index, leaf) in leaves.iter().enumerate() {
        let arity = match leaf {
            Leaf::Known(node) => node.arity(),
            Leaf::Number(_) | Leaf::Name(_) => 0,
            Leaf::Generator => usize::MAX,
        };
        open.push((index, arity));
        while let Some((start, 0)) = open.last().copied() {
            open.pop();
            last = Some(start..index + 1);
            if let Some(parent) = open.last_mut() {
                parent.1 -= 1;
            }
        }
    }
    last
}

/// What a subtree evaluates to in Python.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Tensor,
    Number,
}

/// The gene of a complete subtree, or why Python fails on it.
fn tree(leaves: &[Leaf<'_>]) -> Result<Gene, String> {
    let nodes = leaves.iter().map(node).collect::<Result<Vec<Node>, String>>()?;
    let mut kinds: Vec<Kind> = Vec::new();
    for (leaf, node) in leaves.iter().zip(&nodes).rev() {
        let mut arguments = [Kind::Tensor; 2];
        for argument in arguments.iter_mut().take(node.arity()) {
            *argument = kinds.pop().expect("the subtree is complete");
        }
        kinds.push(match (leaf, node) {
            (Leaf::Number(_), _) => Kind::Number,
            (_, Node::Op(op)) => applied(*op, &arguments[..op.arity()])?,
            _ => Kind::Tensor,
        });
    }
    if kinds.first() == Some(&Kind::Number) {
        return Err("the loss is a Python number, not a tensor".into());
    }
    let gene = Gene::from_prefix(nodes).expect("the subtree is complete");
    if gene.depth() > PYTHON_NESTING {
        return Err(format!("it nests {} deep, and Python nests {PYTHON_NESTING} parentheses", gene.depth()));
    }
    Ok(gene)
}

fn node(leaf: &Leaf<'_>) -> Result<Node, String> {
    match leaf {
        Leaf::Known(node) => Ok(*node),
        Leaf::Number(number) => {
            Constant::new(*number).map(Node::Constant).ok_or_else(|| "a number overflows, and `inf` is no name".into())
        }
        Leaf::Name(name) => Err(format!("`{}` is not a name that Python finds when the gene is called", short(name))),
        Leaf::Generator => unreachable!("a generator never completes, so it is in no complete subtree"),
    }
}

/// What a primitive makes of Python numbers among its arguments.
fn applied(op: Op, arguments: &[Kind]) -> Result<Kind, String> {
    let numbers = arguments.iter().filter(|kind| **kind == Kind::Number).count();
    match op {
        Op::SafeAdd | Op::SafeSub | Op::SafeMul => Ok(Kind::Tensor),
        Op::SafeDiv => Ok(if numbers == 2 { Kind::Number } else { Kind::Tensor }),
        Op::Mod if numbers <= 1 => Ok(Kind::Tensor),
        _ if numbers == 0 => Ok(Kind::Tensor),
        _ => Err(format!("`{}` refuses a Python number", op.name())),
    }
}

fn short(token: &str) -> String {
    if token.chars().count() <= 40 { token.into() } else { token.chars().take(40).chain(['…']).collect() }
}

const PYTHON_KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with", "yield",
];

/// Functions that every Python module sees and that are no primitives: their printed form does not compile.
const PYTHON_BUILTINS: &[&str] = &[
    "aiter",
    "all",
    "anext",
    "any",
    "ascii",
    "bin",
    "bool",
    "breakpoint",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "classmethod",
    "compile",
    "complex",
    "delattr",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "eval",
    "exec",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "help",
    "hex",
    "id",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "locals",
    "map",
    "memoryview",
    "next",
    "object",
    "oct",
    "open",
    "ord",
    "pow",
    "print",
    "property",
    "range",
    "repr",
    "reversed",
    "set",
    "setattr",
    "slice",
    "sorted",
    "staticmethod",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
];
