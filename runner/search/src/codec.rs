//! Genes as a few bytes, for checkpoints: a node is one byte, a number nine.
//!
//! Text would do, but a checkpoint holds every behaviour a search has seen, and its text is four times as long.
use automl_genome::{Constant, Gene, Named, Node, Op, Variable};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

// First byte of a node. Functions come first, in `Op::all`'s order; a change of that order is a new checkpoint VERSION.
const VARIABLE: u8 = 0x80;
const NAMED: u8 = 0x90;
const CONSTANT: u8 = 0xff;

/// The bytes of a gene.
pub(crate) fn encode(gene: &Gene) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(gene.nodes().len());
    for node in gene.nodes() {
        match node {
            Node::Op(op) => bytes.push(*op as u8),
            Node::Variable(variable) => bytes.push(VARIABLE + *variable as u8),
            Node::Named(named) => bytes.push(NAMED + *named as u8),
            Node::Constant(constant) => {
                bytes.push(CONSTANT);
                bytes.extend(constant.value().to_le_bytes());
            }
        }
    }
    bytes
}

/// The gene of these bytes, or `None` when they are not exactly one gene's.
pub(crate) fn decode(bytes: &[u8]) -> Option<Gene> {
    let mut nodes = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        nodes.push(match *first {
            CONSTANT => {
                let (number, tail) = rest.split_first_chunk::<8>()?;
                rest = tail;
                Node::Constant(Constant::new(f64::from_le_bytes(*number))?)
            }
            byte if byte >= NAMED => Node::Named(*Named::ALL.get(usize::from(byte - NAMED))?),
            byte if byte >= VARIABLE => {
                Node::Variable(*[Variable::Outputs, Variable::Targets].get(usize::from(byte - VARIABLE))?)
            }
            byte => Node::Op(Op::all().nth(usize::from(byte))?),
        });
    }
    Gene::from_prefix(nodes)
}

/// For `#[serde(with)]`.
pub(crate) fn serialize<S: Serializer>(gene: &Gene, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(&encode(gene))
}

/// For `#[serde(with)]`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Gene, D::Error> {
    let bytes = <&[u8]>::deserialize(deserializer)?;
    decode(bytes).ok_or_else(|| D::Error::custom("not a gene"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_comes_back() {
        let leaf = Node::Variable(Variable::Targets);
        for op in Op::all() {
            let gene = Gene::from_prefix([vec![Node::Op(op)], vec![leaf; op.arity()]].concat()).unwrap();
            assert_eq!(decode(&encode(&gene)), Some(gene));
        }
        let leaves = Named::ALL.map(Node::Named).into_iter();
        let leaves = leaves.chain([Node::Variable(Variable::Outputs), leaf]);
        for leaf in leaves.chain([-0.3, 1e300, 5e-324].map(|value| Node::Constant(Constant::new(value).unwrap()))) {
            let gene = Gene::from_prefix(vec![leaf]).unwrap();
            assert_eq!(decode(&encode(&gene)), Some(gene));
        }
    }

    #[test]
    fn what_is_no_gene_is_refused() {
        for first in 0..=255_u8 {
            let lone_leaf = decode(&[first]).is_some();
            assert_eq!(lone_leaf, matches!(first, 0x80..=0x81 | 0x90..=0x94), "{first:#x}");
        }
        assert!(decode(&[]).is_none());
        assert!(decode(&[0x80, 0x80]).is_none());
        assert!(decode(&[CONSTANT, 0, 0, 0]).is_none());
        assert!(decode(&[&[CONSTANT][..], &f64::NAN.to_le_bytes()].concat()).is_none());
    }
}
