//! A gene in the notations of others.
mod latex;
mod pytorch;

use crate::gene::{Gene, Node};
use crate::op::Vocabulary;
use crate::original;

/// A notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A Python module with one function `loss(outputs, targets)` that needs torch only.
    Pytorch,
    /// A formula for a paper.
    Latex,
    /// The original's `best_gene.json`, without a hotkey.
    Original,
}

/// Why a gene has no form in a notation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// It uses what the original's validators refuse.
    #[error("the original does not know {}: only genes of its own vocabularies can be published there",
        primitives.join(", "))]
    NotInOriginal {
        /// The names, each once, in the order of their first use.
        primitives: Vec<&'static str>,
    },
}

impl Format {
    /// Every notation.
    pub const ALL: [Format; 3] = [Format::Pytorch, Format::Latex, Format::Original];

    /// Its name in commands.
    pub fn name(self) -> &'static str {
        match self {
            Format::Pytorch => "pytorch",
            Format::Latex => "latex",
            Format::Original => "original",
        }
    }
}

/// Writes the gene in a notation.
pub fn export(gene: &Gene, format: Format) -> Result<String, ExportError> {
    match format {
        Format::Pytorch => Ok(pytorch::module(gene)),
        Format::Latex => Ok(latex::formula(gene)),
        Format::Original => {
            let mut primitives = Vec::new();
            for node in gene.nodes() {
                if let Node::Op(op) = node
                    && op.vocabulary() > Vocabulary::Validator
                    && !primitives.contains(&op.name())
                {
                    primitives.push(op.name());
                }
            }
            if primitives.is_empty() {
                Ok(original::write(gene, None))
            } else {
                Err(ExportError::NotInOriginal { primitives })
            }
        }
    }
}
