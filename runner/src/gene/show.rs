//! `runner gene show`: a gene as a person wants to see it.
use super::source;
use crate::failure::Failure;
use crate::output;
use automl_genome::{Format, Gene, Node, Signature, export, original};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    name: String,
    expression: String,
    canonical: String,
    latex: String,
    nodes: usize,
    depth: usize,
    vocabulary: String,
    sha256: String,
    behaviour: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead: Option<String>,
}

pub(super) fn gene(argument: &str, json: bool) -> Result<(), Failure> {
    let named = source::load(argument)?;
    let signature = Signature::of(&named.gene);
    let shown = Shown {
        expression: named.gene.to_string(),
        canonical: named.gene.canonical().to_string(),
        latex: export(&named.gene, Format::Latex).map_err(Failure::internal)?,
        nodes: named.gene.nodes().len(),
        depth: named.gene.depth(),
        vocabulary: named.gene.vocabulary().to_string(),
        sha256: original::commitment_hash(&named.gene.to_string(), ""),
        behaviour: signature.key().to_string(),
        dead: signature.dead().map(|dead| dead.to_string()),
        name: named.name,
    };
    if json {
        return output::json(&shown);
    }
    output::line(&shown.expression)?;
    output::line("")?;
    output::line(tree(&named.gene))?;
    let mut facts = vec![
        ("formula", shown.latex.trim().to_owned()),
        ("canonical", shown.canonical),
        ("size", format!("{} nodes, depth {}", shown.nodes, shown.depth)),
        ("vocabulary", shown.vocabulary),
        ("sha256", shown.sha256),
        ("behaviour", shown.behaviour),
    ];
    facts.extend(shown.dead.map(|dead| ("dead", dead)));
    for (name, value) in facts {
        output::line(format!("{name:<11}{value}"))?;
    }
    Ok(())
}

pub(super) fn known(json: bool) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Known<'a> {
        key: &'a str,
        title: &'a str,
        formula: &'a str,
        source: &'a str,
        expression: String,
    }
    for loss in automl_genome::known_losses() {
        let known = Known {
            key: loss.key,
            title: loss.title,
            formula: loss.formula,
            source: loss.source,
            expression: loss.gene().to_string(),
        };
        if json {
            output::json(&known)?;
        } else {
            output::line(format!("{:<17}{}: {}", known.key, known.title, known.formula))?;
            output::line(format!("{:<17}{}", "", known.expression))?;
        }
    }
    Ok(())
}

/// The tree, one node a line, indented by depth.
fn tree(gene: &Gene) -> String {
    let mut text = String::new();
    for (node, depth) in gene.nodes().iter().zip(gene.depths()) {
        let label = match node {
            Node::Op(op) => op.name().to_owned(),
            Node::Variable(variable) => variable.name().to_owned(),
            Node::Named(named) => named.name().to_owned(),
            Node::Constant(constant) => constant.value().to_string(),
        };
        text.push_str(&"  ".repeat(depth));
        text.push_str(&label);
        text.push('\n');
    }
    text
}
