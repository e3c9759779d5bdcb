//! Runs that exchange genes: the ledger knows how many islands they shall have before one of them begins.
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{
    common::{Operator, Person, condition, runner, until},
    server::{run, shared, start},
};

const MIGRATION: &str = "budget: {evaluations: 100}, migration: {every: 5}";
const TOKEN: &str = "a-token-of-these-tests";

fn migrating(islands: u32) -> String {
    run("search", islands, "").replace("budget: {evaluations: 100}", MIGRATION)
}

/// A ledger in a folder, at an address that it has also before it is served.
struct Ledger {
    folder: tempfile::TempDir,
    address: SocketAddr,
    process: Option<Child>,
}

impl Ledger {
    fn place() -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("token"), format!("{TOKEN}\n")).expect("a file");
        Self { folder, address: free.local_addr().expect("an address"), process: None }
    }

    fn token(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    fn serve(&mut self) {
        let mut command = Command::new(runner());
        command.args(["ledger", "serve", "--port", &self.address.port().to_string(), "--token-file"]);
        command.arg(self.token()).arg(self.folder.path().join("ledger.db")).stderr(Stdio::null());
        self.process = Some(command.spawn().expect("the ledger starts"));
    }

    /// The run's name there and how many islands were asked for, in order.
    fn wishes(&self) -> Vec<(String, u32)> {
        let mut command = Command::new(runner());
        command.args(["ledger", "export", "--kind", "schedule"]).arg(self.folder.path().join("ledger.db"));
        let output = command.output().expect("the runner starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).expect("text");
        let wish = |line: &str| {
            let record: Value = serde_json::from_str(line).expect("JSON");
            let text = |name: &str| record[name].as_str().expect("text").to_owned();
            (text("scope"), text("text").parse().expect("a number"))
        };
        lines.lines().map(wish).collect()
    }

    fn operator(&self, plane: &impl Person) -> Operator {
        let (url, token) = (format!("http://{}", self.address), self.token());
        let token = token.to_str().expect("text");
        Operator::start(plane.plane(), &["--ledger-url", &url, "--ledger-token-file", token])
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Waits until the run's Job has so many islands, of which so many at the same time.
fn islands(plane: &impl Person, completions: u32, parallelism: u32) -> Value {
    until(&format!("the Job has {parallelism} of {completions} islands"), || {
        let job = plane.jobs("meet").pop()?;
        let has = |field: &str, count: u32| job["spec"][field] == count;
        (has("completions", completions) && has("parallelism", parallelism)).then_some(job)
    })
}

#[test]
fn the_ledger_knows_how_many_islands_there_shall_be_before_one_begins() {
    let Some(plane) = start() else { return };
    let mut ledger = Ledger::place();
    let mut operator = ledger.operator(&plane);
    plane.namespace("meet");
    plane.apply("meet", &migrating(3));
    let said = plane.reason("meet", "search", "LedgerUnavailable");
    assert!(said.contains(&ledger.address.to_string()) && said.contains("cannot be reached"), "{said}");
    assert_eq!(plane.jobs("meet"), [Value::Null; 0]);

    ledger.serve();
    let job = islands(&plane, 3, 3);
    let name = until("the status has its name in the ledger", || {
        let run = plane.run("meet", "search")?;
        Some(run["status"]["ledger"]["run"].as_str()?.to_owned())
    });
    assert!(name.starts_with("meet.search."), "{name}");
    assert_eq!(ledger.wishes(), [(name.clone(), 3)]);
    let pod = &job["spec"]["template"]["spec"];
    let variable = |name: &str| {
        let variables = pod["containers"][0]["env"].as_array().expect("variables");
        variables.iter().find(|one| one["name"] == name).map(|one| one["value"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(variable("AUTOML_LEDGER"), Some(format!("http://{}", ledger.address)));
    assert_eq!(variable("AUTOML_RUN").as_ref(), Some(&name));
    assert_eq!(pod["automountServiceAccountToken"], false);
    let volumes = pod["volumes"].as_array().expect("volumes");
    let tokens: Vec<&Value> =
        volumes.iter().filter_map(|one| one["projected"]["sources"].as_array()).flatten().collect();
    assert_eq!(tokens.len(), 1, "{volumes:#?}");
    assert_eq!(tokens[0]["serviceAccountToken"]["audience"], "automl-ledger");
    let policy = plane.list("apis/networking.k8s.io/v1", "meet", "networkpolicies").remove(0);
    let ports: Vec<&Value> = policy["spec"]["egress"][0]["ports"].as_array().expect("ports").iter().collect();
    let open: Vec<&Value> = ports.iter().map(|port| &port["port"]).collect();
    assert_eq!(open, [&Value::from(ledger.address.port()), &53.into(), &53.into()]);

    let scale = |islands: u32| {
        plane.cli(&["scale", "mrun/search", &format!("--replicas={islands}"), "--namespace", "meet"]);
    };
    scale(5);
    islands(&plane, 5, 5);
    // A pause is no wish, and its end is none either.
    scale(0);
    islands(&plane, 5, 0);
    scale(5);
    islands(&plane, 5, 5);
    // Without a node no pod has begun: nobody waits for what they would give.
    scale(2);
    islands(&plane, 2, 2);
    let told = [3, 5, 2].map(|islands| (name.clone(), islands));
    assert_eq!(ledger.wishes(), told);
    operator.kill();
    let operator = ledger.operator(&plane);
    until("the run is reconciled", || operator.metric(r#"automl_operator_reconciles_total{result="ok"}"#));
    assert_eq!(ledger.wishes(), told, "told again it is the same");
}

#[test]
fn without_a_ledger_islands_cannot_exchange_genes() {
    let Some(server) = shared() else { return };
    server.namespace("alone");
    server.apply("alone", &migrating(2));
    let run = server.phase("alone", "search", "Invalid");
    let said = condition(&run, "InvalidSpec").expect("it says why");
    assert!(said.contains("spec.search.migration") && said.contains("--ledger-url"), "{said}");
}

#[test]
fn a_ledger_in_postgresql_is_accepted_in_place_of_the_file() {
    let Some(server) = shared() else { return };
    let file = "--filename=manifests/ledger-postgres.yaml";
    let said = server.cli(&["apply", "--dry-run=server", "--namespace=automl-system", file]);
    assert!(said.contains("deployment.apps/automl-ledger created"), "{said}");
}
