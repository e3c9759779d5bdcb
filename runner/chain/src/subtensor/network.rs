//! Which chain is meant, and over which nodes it is reached.
use std::fmt;
use std::str::FromStr;

/// A chain and its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// As a person says it.
    pub name: String,
    /// Nodes, `ws://` or `wss://`; the first that answers is taken.
    pub nodes: Vec<String>,
    /// The hash of its first block, in hexadecimal digits; `None`: whatever the first node says, for the whole of a process.
    pub genesis: Option<String>,
}

/// Chains that have a name, by the ecosystem's SDK.
const KNOWN: [(&str, &[&str], Option<&str>); 3] = [
    (
        "finney",
        &["wss://entrypoint-finney.opentensor.ai:443", "wss://lite.chain.opentensor.ai:443"],
        Some("2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03"),
    ),
    (
        "test",
        &["wss://test.finney.opentensor.ai:443"],
        Some("8f9cf856bf558a14440e75569c9e58594757048d7b3a84b5d25f6bd978263105"),
    ),
    ("local", &["ws://127.0.0.1:9944"], None),
];
/// The most nodes.
const MOST_NODES: usize = 16;

/// Why a text names no chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this names no chain: {problem}; it is finney, test, local, or nodes such as wss://HOST:PORT with commas between, \
     each chain with its genesis where that shall be checked: test=wss://HOST:PORT"
)]
pub struct NetworkError {
    problem: &'static str,
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Network, NetworkError> {
        let wrong = |problem| NetworkError { problem };
        let known = |name: &str| KNOWN.iter().find(|known| known.0 == name);
        if let Some((name, nodes, genesis)) = known(text) {
            let nodes = nodes.iter().map(|&node| node.to_owned()).collect();
            return Ok(Network { name: (*name).to_owned(), nodes, genesis: genesis.map(str::to_owned) });
        }
        // A chain that is known by name, over nodes of one's own.
        // A node's own address may have the sign, too.
        let (genesis, nodes) = match text.split_once('=').filter(|_| !text.starts_with("ws")) {
            None => (None, text),
            Some((chain, nodes)) => {
                let digits = chain.strip_prefix("0x").unwrap_or(chain);
                let genesis = match known(chain) {
                    Some((_, _, Some(genesis))) => (*genesis).to_owned(),
                    _ if digits.len() == 64 && hex::decode(digits).is_ok() => digits.to_lowercase(),
                    _ => return Err(wrong("what is before = is neither finney, test nor the hash of a first block")),
                };
                (Some(genesis), nodes)
            }
        };
        let nodes: Vec<String> = nodes.split(',').map(|node| node.trim().to_owned()).collect();
        if nodes.len() > MOST_NODES {
            return Err(wrong("more than 16 nodes"));
        }
        let is_node = |node: &String| {
            let rest = node.strip_prefix("ws://").or_else(|| node.strip_prefix("wss://"));
            rest.is_some_and(|rest| {
                !rest.is_empty() && !rest.starts_with(['/', ':']) && rest.chars().all(|c| c.is_ascii_graphic())
            })
        };
        if nodes.iter().all(is_node) {
            Ok(Network { name: text.to_owned(), nodes, genesis })
        } else {
            Err(wrong("a node's address begins with ws:// or wss://"))
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if KNOWN.iter().any(|known| known.0 == self.name) {
            return f.write_str(&self.name);
        }
        f.write_str(&self.nodes.iter().map(|node| shown(node)).collect::<Vec<_>>().join(", "))
    }
}

/// A node's address, without what may be a key to it.
pub(crate) fn shown(node: &str) -> String {
    let (scheme, rest) = node.split_once("://").unwrap_or(("", node));
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{}", place.rsplit('@').next().unwrap_or_default())
}
