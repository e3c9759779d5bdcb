//! The `runner gene` commands: everything that can be said of a gene without training with it.
mod check;
mod convert;
mod eval;
mod show;
pub(crate) mod source;

use crate::cli::{GeneCommand, VocabularyArgument};
use crate::failure::Failure;
use automl_genome::Vocabulary;

pub(crate) fn dispatch(command: GeneCommand) -> Result<(), Failure> {
    match command {
        GeneCommand::Check { genes, vocabulary, json } => check::run(&genes, vocabulary.into(), json),
        GeneCommand::Show { gene: Some(gene), json, .. } => show::gene(&gene, json),
        GeneCommand::Show { json, .. } => show::known(json),
        GeneCommand::Eval(options) => eval::run(&options),
        GeneCommand::Import { file, repo, json } => convert::import(&file, repo.as_deref(), json),
        GeneCommand::Export { gene, format, hotkey } => convert::export(&gene, format, hotkey.as_deref()),
    }
}

impl From<VocabularyArgument> for Vocabulary {
    fn from(argument: VocabularyArgument) -> Vocabulary {
        match argument {
            VocabularyArgument::Miner => Vocabulary::Miner,
            VocabularyArgument::Validator => Vocabulary::Validator,
            VocabularyArgument::Extended => Vocabulary::Extended,
        }
    }
}
