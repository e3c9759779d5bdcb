//! Everything that is observed, at work: a subnet with its ledger, a validator and a submitter, an operator on a real API
//! server with two runs, and a Prometheus that scrapes all of it each second.
use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    thread,
};

use automl_contract::pod::PORT;
use automl_testbed::{ControlPlane, Options, tool};
use serde_json::{Value, json};

use crate::common::{Operator, Person, install, project, prometheus::Prometheus, runner, unless_unable, until};

/// Where the runs are.
pub(crate) const NAMESPACE: &str = "observed";
/// A run that searches for as long as it is looked at.
pub(crate) const LONG: &str = "long";
/// One that has searched, and compares its winner for as long as it is looked at: its numbers rest.
pub(crate) const SHORT: &str = "short";
/// Pages have the same port in all pods, and these addresses nobody else uses.
const ADDRESSES: [(&str, &str); 2] = [(LONG, "127.77.10.1"), (SHORT, "127.77.10.2")];

/// In this order: who asks ends before who answers.
pub(crate) struct World {
    pub(crate) prometheus: Prometheus,
    operator: Operator,
    plane: ControlPlane,
    _programs: Vec<Process>,
    ledger: Process,
    folder: tempfile::TempDir,
}

impl Person for World {
    fn plane(&self) -> &ControlPlane {
        &self.plane
    }
}

impl World {
    /// Starts it. None where there is no Kubernetes or no Prometheus, which is said.
    pub(crate) fn start() -> Option<Self> {
        let plane =
            unless_unable(ControlPlane::start(Options { controllers: true, scheduler: true, ..Options::default() }))?;
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        // It plays until an epoch has paid, and leaves keys, genes and standings.
        let played = run(&["subnet", "--json", "--out", &at("subnet")]);
        assert!(!played.is_empty());
        let mut programs = Vec::new();
        let mut serve = |command: &mut Command| {
            let (process, address) = Process::serving(command);
            programs.push(process);
            address
        };
        let mut command = runs(&["ledger", "serve", "--port=0", "--subnet=1"]);
        let (ledger, ledger_address) = Process::serving(command.arg(at("subnet/ledger.db")));
        let url = format!("http://{ledger_address}");
        let validator = serve(
            runs(&["validate", "--port=0", "--every=0.3", "--ledger", &url])
                .args(["--file", &at("subnet/validator.yaml"), "--hotkey", &at("subnet/vera")])
                .args(["--records", &at("subnet/vera.db"), "--workers=1"]),
        );
        let submitter = serve(
            runs(&["submit", "--watch", "--port=0", "--every=1", "--netuid=1", "--to=ledger:ada", "--ledger", &url])
                .args(["--hotkey", &at("subnet/ada"), SHORT]),
        );
        install(&plane);
        let operator = Operator::start(&plane, &[]);
        plane.namespace(NAMESPACE);
        for (name, address) in ADDRESSES {
            let file = manifest(name);
            plane.apply(NAMESPACE, &file);
            let path = folder.path().join(format!("{name}.yaml"));
            fs::write(&path, file).expect("a file");
            serve(
                runs(&["island", "--workers=1", "--ledger", &url, "--bind", address, "--port", &PORT.to_string()])
                    .args(["--file", &path.display().to_string(), "--out", &at(name)]),
            );
            be_kubelet(&plane, name, address);
        }
        let targets = [
            ("operator", operator.address),
            ("ledger", ledger_address),
            ("validator", validator),
            ("submitter", submitter),
        ];
        let program = Command::new(unless_unable(tool("prometheus"))?);
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let prometheus = Prometheus::start(program, folder.path(), &configuration(&targets), address, address);
        until("Prometheus answers", || prometheus.ask("query", &[("query", "1")]));
        Some(Self { prometheus, operator, plane, _programs: programs, ledger, folder })
    }

    /// What a run's own page says.
    pub(crate) fn status(run: &str) -> Value {
        let (_, address) = ADDRESSES.into_iter().find(|(name, _)| *name == run).expect("one of the two");
        let agent = ureq::Agent::config_builder().proxy(None).build().new_agent();
        let mut answer = agent.get(format!("http://{address}:{PORT}/status")).call().expect("it runs");
        serde_json::from_str(&answer.body_mut().read_to_string().expect("a page")).expect("JSON")
    }

    /// What the ledger has of a run: each generation.
    pub(crate) fn history(&self, name: &str) -> Vec<Value> {
        let ledger = self.folder.path().join("subnet/ledger.db").display().to_string();
        let said = run(&["history", "--json", "--ledger", &ledger, name]);
        said.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }

    /// In an instant, and for good.
    pub(crate) fn end_operator_and_ledger(&mut self) {
        self.operator.kill();
        self.ledger.end();
    }
}

/// The sample, with a budget that nobody sees the end of, or one whose end comes at once and whose comparison does not.
fn manifest(name: &str) -> String {
    let text = fs::read_to_string(project().join("manifests/samples/minerrun-digits.yaml")).expect("the sample");
    let text = text.replace("name: digits", &format!("name: {name}"));
    match name {
        LONG => text.replace("evaluations: 20000", "evaluations: 200000"),
        _ => format!("{}    seeds: {{final: 10000}}\n", text.replace("evaluations: 20000", "evaluations: 300")),
    }
}

/// In the kubelet's place: the run's pod is at this address, and ready.
fn be_kubelet(plane: &ControlPlane, run: &str, address: &str) {
    let pod = until("the run has a pod", || {
        let pods = plane.pods(NAMESPACE);
        let names = pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str());
        names.filter(|name| name.starts_with(&format!("{run}-"))).map(ToOwned::to_owned).next()
    });
    let running = json!({ "name": "runner", "image": "x", "imageID": "", "ready": true, "restartCount": 0,
        "state": { "running": { "startedAt": "2026-01-01T00:00:00Z" } } });
    let status = json!({
        "phase": "Running", "podIP": address, "podIPs": [{ "ip": address }],
        "conditions": [{ "type": "Ready", "status": "True" }], "containerStatuses": [running],
    });
    plane.be_kubelet(NAMESPACE, &pod, &status);
}

/// The labels that docs/observing.md asks for.
fn configuration(targets: &[(&str, SocketAddr)]) -> String {
    let runs = ADDRESSES.map(|(run, address)| {
        json!({ "targets": [format!("{address}:{PORT}")], "labels": { "instance": format!("{run}-0"), "namespace": NAMESPACE, "run": run, "island": "0" } })
    });
    let mut jobs = vec![json!({ "job_name": "runner", "static_configs": runs })];
    jobs.extend(targets.iter().map(|(name, address)| {
        json!({ "job_name": name, "honor_labels": true, "static_configs": [{ "targets": [address.to_string()], "labels": { "instance": name } }] })
    }));
    let rules = project().join("charts/automl-operator/alerts.yaml");
    let seconds = json!({ "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s" });
    // JSON is YAML.
    json!({ "global": seconds, "rule_files": [rules], "scrape_configs": jobs }).to_string()
}

fn runs(arguments: &[&str]) -> Command {
    let mut command = Command::new(runner());
    command.args(arguments).stdin(Stdio::null()).env_remove("FAILPOINTS");
    command
}

/// What a command of the runner prints.
fn run(arguments: &[&str]) -> String {
    let output = runs(arguments).output().expect("the runner starts");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// A program at work, killed when it is dropped.
struct Process(Child);

impl Process {
    /// Starts it and waits until it says where its pages are.
    fn serving(command: &mut Command) -> (Self, SocketAddr) {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the runner starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let process = Self(child);
        let address = |line: &str| line.split("http://").nth(1)?.split('/').next()?.parse().ok();
        let found = lines.by_ref().inspect(|line| eprintln!("{line}")).find_map(|line| address(&line));
        // Whatever else it says is read, so that it never waits for a reader, and shown where a test fails.
        thread::spawn(move || lines.for_each(|line| eprintln!("{line}")));
        (process, found.unwrap_or_else(|| panic!("{command:?} does not say where its pages are")))
    }

    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
