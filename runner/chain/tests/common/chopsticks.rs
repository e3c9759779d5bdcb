//! A chain of its own for a test: a network's real runtime, executed by chopsticks, on loopback and in memory alone.
//!
//! It has no consensus, no peers and no time of its own: a block is made when a transaction comes or a test says so.
use super::skip::skip;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Names the folder whose `node_modules` has it.
const PROGRAM: &str = "AUTOML_CHOPSTICKS";
/// Names the file with the chain's runtime and genesis.
const SPEC: &str = "AUTOML_CHAIN_SPEC";
/// How long anything may take before a test gives up: far more than it needs, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);
/// Lines of its log that an error shows.
const TAIL: usize = 40;

/// The chain, as long as the value lives.
pub(crate) struct Chopsticks {
    process: Child,
    /// Where it is for who is in its network.
    inside: SocketAddr,
    address: SocketAddr,
    log: Arc<Log>,
}

impl Chopsticks {
    /// One that makes a block for each transaction. None where it or its runtime is not here, which is said.
    pub(crate) fn start() -> Option<Chopsticks> {
        Chopsticks::within(Command::new("node"), "127.0.0.1", |address| address)
    }

    /// The same in another network: node's command there, the address that it listens at, and the way to it from here.
    pub(crate) fn within(node: Command, host: &str, way: impl FnOnce(SocketAddr) -> SocketAddr) -> Option<Chopsticks> {
        let program = given(
            PROGRAM,
            "no chopsticks: npm ci --ignore-scripts --omit=optional in a copy of runner/chain/tests/chopsticks, and \
             name that folder in AUTOML_CHOPSTICKS; cargo xtask test does both",
        )?;
        let spec = given(
            SPEC,
            "no runtime of a chain: name a raw chain spec of subtensor in AUTOML_CHAIN_SPEC; docs/chain.md says where \
             to get one",
        )?;
        Some(launch(node, &program, &spec, host, way))
    }

    /// Where it listens, for clients of a chain.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The same for clients in its network.
    pub(crate) fn inside(&self) -> String {
        format!("ws://{}", self.inside)
    }

    /// What it answers to a call; panics at an error.
    #[track_caller]
    pub(crate) fn rpc(&self, method: &str, params: &Value) -> Value {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut answer =
            post(self.address, &call.to_string()).unwrap_or_else(|error| panic!("{method}: {error}; {}", self.log));
        assert!(answer.get("error").is_none(), "{method} of {params}: {answer}; {}", self.log);
        answer["result"].take()
    }

    /// The number of the newest block.
    #[track_caller]
    pub(crate) fn head(&self) -> u64 {
        let header = self.rpc("chain_getHeader", &json!([]));
        let number = header["number"].as_str().and_then(|number| number.strip_prefix("0x"));
        let number = number.and_then(|number| u64::from_str_radix(number, 16).ok());
        number.unwrap_or_else(|| panic!("no number in {header}"))
    }

    /// Makes so many blocks; the number of the last.
    #[track_caller]
    pub(crate) fn new_blocks(&self, count: u64) -> u64 {
        let before = self.head();
        self.rpc("dev_newBlock", &json!([{"count": count}]));
        // A block that the runtime would not have is no error to it.
        let after = self.head();
        assert!(after >= before + count, "block {after} after {before} + {count}; {}", self.log);
        after
    }

    /// Changes the newest block's state: `{"Pallet": {"Value": value, "Map": [[[key, …], value], …]}}`.
    ///
    /// Numbers over 2^53 are strings; bytes begin with 0x and are taken as the encoding. Null removes, and the
    /// runtime's default is what is read then.
    #[track_caller]
    pub(crate) fn set_storage(&self, mut state: Value) {
        let pallets = state.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut);
        for item in pallets.filter_map(Value::as_object_mut).flat_map(serde_json::Map::values_mut) {
            if is_map(item) {
                let entries = item.as_array_mut().into_iter().flatten();
                entries.filter_map(|entry| entry.get_mut(1)).for_each(said_so);
            } else {
                said_so(item);
            }
        }
        self.rpc("dev_setStorage", &json!([state]));
    }
}

impl Drop for Chopsticks {
    fn drop(&mut self) {
        // It may have ended by itself. It has threads and no processes of its own.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The newest lines that it wrote.
#[derive(Default)]
struct Log(Mutex<VecDeque<String>>);

impl Log {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == TAIL {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

impl fmt::Display for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write!(formatter, "its log ends with\n{}", lines.make_contiguous().join("\n"))
    }
}

fn given(variable: &str, otherwise: &str) -> Option<OsString> {
    let value = std::env::var_os(variable).filter(|value| !value.is_empty());
    if value.is_none() {
        skip(otherwise);
    }
    value
}

fn launch(
    mut node: Command,
    program: &OsString,
    spec: &OsString,
    host: &str,
    way: impl FnOnce(SocketAddr) -> SocketAddr,
) -> Chopsticks {
    let program = Path::new(program).join("node_modules/@acala-network/chopsticks/chopsticks.cjs");
    // Nothing of the person's: its settings are variables with common names, such as PORT.
    node.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    node.arg("--require")
        .arg(ends())
        .arg(program)
        .args(["--host", host, "--port", "0", "--build-block-mode", "Instant", "--chain-spec"])
        .arg(spec);
    let spawned = node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut process = spawned.unwrap_or_else(|error| panic!("cannot start node, which chopsticks needs: {error}"));
    let log = Arc::<Log>::default();
    let (send, receive) = channel();
    follow(process.stdout.take().unwrap(), Arc::clone(&log), Some(send));
    // Much is said there about versions of libraries; a crash is, too.
    let errors = follow(process.stderr.take().unwrap(), Arc::clone(&log), None);
    match receive.recv_timeout(PATIENCE) {
        Ok(address) => {
            let started = Chopsticks { process, inside: address, address: way(address), log };
            started.rpc("system_health", &json!([]));
            started
        }
        Err(reason) => {
            let _ = process.kill();
            let status = process.wait().unwrap();
            errors.join().unwrap();
            let what = if reason == RecvTimeoutError::Timeout { "does not listen" } else { "ended" };
            panic!("chopsticks {what} ({status}); {log}");
        }
    }
}

/// What makes it end with the test; this file is taken into tests of several crates.
fn ends() -> PathBuf {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let file = above.map(|folder| folder.join("runner/chain/tests/chopsticks/ends.cjs")).find(|file| file.is_file());
    file.expect("the repository is whole")
}

/// Keeps what it writes, and sends the address when it says that it listens.
fn follow(
    stream: impl Read + Send + 'static,
    log: Arc<Log>,
    mut listening: Option<Sender<SocketAddr>>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let address =
                line.split_once("listening on http://").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
            log.push(line);
            if let Some(address) = address
                && let Some(listening) = listening.take()
            {
                // Nobody waits for it any more where the test has given up.
                let _ = listening.send(address);
            }
        }
    })
}

/// The answer to a call, over a connection of its own.
fn post(address: SocketAddr, call: &str) -> std::io::Result<Value> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = call.len();
    write!(stream, "POST / HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{call}")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).map_err(|error| std::io::Error::other(format!("{error} in {text}")))
}

/// Whether this is the form of a map: entries, each with a list of keys and a value.
fn is_map(item: &Value) -> bool {
    let is_entry = |entry: &Value| entry.as_array().is_some_and(|entry| entry.len() == 2 && entry[0].is_array());
    item.as_array().is_some_and(|entries| entries.iter().all(is_entry))
}

/// Zero and false would be taken for nothing, and then be the runtime's default: these mean what they say.
fn said_so(value: &mut Value) {
    match value {
        Value::Bool(false) => *value = json!("0x00"),
        Value::Number(number) if number.as_u64() == Some(0) => *value = json!("0"),
        _ => {}
    }
}
