//! What tests of the operator share: a cluster as it is installed, the operator as a process, and waiting.
#![allow(dead_code, reason = "each test program compiles this module for itself and uses a part of it")]
use std::{
    io::{BufRead, BufReader, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use automl_testbed::ControlPlane;
use serde_json::Value;

pub(crate) mod helm;
pub(crate) mod prometheus;
#[path = "../../testbed/tests/common/unable.rs"]
pub(crate) mod unable;
pub(crate) use unable::unless_unable;

/// Whom the operator is to the API server.
pub(crate) const OPERATOR: &str = "system:serviceaccount:automl-system:automl-operator";
/// How long a test waits for what has to come: far more than it takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);
/// How often it looks.
const GLANCE: Duration = Duration::from_millis(50);

/// The folder of the whole project.
pub(crate) fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The runner that was built with the operator, and that images are made of.
pub(crate) fn runner() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_operator")).with_file_name("runner");
    assert!(path.is_file(), "{} is missing: cargo build --release -p automl-runner", path.display());
    path
}

/// Waits until something is there, and says what was missing when it does not come.
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, look)
}

/// The same with a bound that is itself promised.
pub(crate) fn until_within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {} s in vain until {what}", patience.as_secs());
        thread::sleep(GLANCE);
    }
}

/// Waits until nothing is left, and says what is whenever that changes.
pub(crate) fn until_none<T: std::fmt::Debug + PartialEq>(what: &str, mut look: impl FnMut() -> Option<Vec<T>>) {
    let mut last = Vec::new();
    until(what, || {
        let left = look()?;
        if left != last {
            eprintln!("left, until {what}: {left:#?}");
        }
        last = left;
        last.is_empty().then_some(())
    });
}

/// What a person does with kubectl, and what they see.
pub(crate) trait Person {
    /// The control plane they talk to.
    fn plane(&self) -> &ControlPlane;

    /// kubectl, with both its outputs and whether it was pleased.
    fn try_cli(&self, arguments: &[&str], input: &str) -> (bool, String) {
        let mut command = self.plane().kubectl().expect("kubectl is one of the programs");
        command.args(arguments).current_dir(project());
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("kubectl starts");
        // A command that reads nothing may be gone by then.
        let _ = child.stdin.take().expect("it is a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("kubectl ends");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// kubectl that has to succeed.
    fn cli(&self, arguments: &[&str]) -> String {
        let (pleased, said) = self.try_cli(arguments, "");
        assert!(pleased, "kubectl {}: {said}", arguments.join(" "));
        said
    }

    /// Applies a text.
    fn apply(&self, namespace: &str, text: &str) {
        let (pleased, said) = self.try_cli(&["apply", "--namespace", namespace, "--filename", "-"], text);
        assert!(pleased, "{said}\n{text}");
    }

    /// An object or a list, by its path; nothing where there is none.
    fn get(&self, path: &str) -> Option<Value> {
        match self.plane().get(path).expect("the API server answers") {
            (200, text) => Some(serde_json::from_str(&text).expect("JSON")),
            (404, _) => None,
            (status, text) => panic!("{path}: {status} {text}"),
        }
    }

    /// A `MinerRun`.
    fn run(&self, namespace: &str, name: &str) -> Option<Value> {
        self.get(&format!("/apis/automl.hivetrain.ai/v1alpha1/namespaces/{namespace}/minerruns/{name}"))
    }

    /// A `Validator`.
    fn validator(&self, namespace: &str, name: &str) -> Option<Value> {
        self.get(&format!("/apis/automl.hivetrain.ai/v1alpha1/namespaces/{namespace}/validators/{name}"))
    }

    /// Waits for a validator to give a reason, and hands it back.
    fn validator_says(&self, namespace: &str, name: &str, reason: &str) -> Value {
        until(&format!("{namespace}/{name} says {reason}"), || {
            let validator = self.validator(namespace, name)?;
            (validator["status"]["reason"] == reason).then_some(validator)
        })
    }

    /// Objects of a namespace: `kind` is the path of their list.
    fn list(&self, group: &str, namespace: &str, plural: &str) -> Vec<Value> {
        let list = self.get(&format!("/{group}/namespaces/{namespace}/{plural}")).expect("it is served");
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// The Jobs of a namespace.
    fn jobs(&self, namespace: &str) -> Vec<Value> {
        self.list("apis/batch/v1", namespace, "jobs")
    }

    /// The pods of a namespace.
    fn pods(&self, namespace: &str) -> Vec<Value> {
        self.list("api/v1", namespace, "pods")
    }

    /// Says of a pod what its kubelet would: the whole of its status.
    fn be_kubelet(&self, namespace: &str, pod: &str, status: &Value) {
        let change = serde_json::json!({ "status": status }).to_string();
        let patch = ["patch", "pod", pod, "--namespace", namespace, "--subresource=status", "--type=merge", "--patch"];
        self.cli(&[&patch[..], &[&change]].concat());
    }

    /// Makes a namespace that admits only pods of the strictest standard, as ours have to be.
    fn namespace(&self, name: &str) {
        self.cli(&["create", "namespace", name]);
        self.cli(&["label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted"]);
    }

    /// Waits for a run to be in a phase.
    fn phase(&self, namespace: &str, name: &str, phase: &str) -> Value {
        let mut last = Value::Null;
        until(&format!("{namespace}/{name} is {phase}"), || {
            last = self.run(namespace, name)?;
            (last["status"]["phase"] == phase).then(|| last.clone())
        })
    }

    /// Waits for a run to give a reason, and hands back what its condition says.
    fn reason(&self, namespace: &str, name: &str, reason: &str) -> String {
        self.reason_within(PATIENCE, namespace, name, reason)
    }

    /// The same within a time that is itself promised.
    fn reason_within(&self, patience: Duration, namespace: &str, name: &str, reason: &str) -> String {
        until_within(patience, &format!("{namespace}/{name} says {reason}"), || {
            let run = self.run(namespace, name)?;
            condition(&run, reason).filter(|_| run["status"]["reason"] == reason)
        })
    }

    /// The events that the API server has logged of a user, from an index on.
    fn audit(&self, user: &str) -> Vec<automl_testbed::Event> {
        self.plane().audit().by(user).expect("the audit log")
    }
}

impl Person for ControlPlane {
    fn plane(&self) -> &ControlPlane {
        self
    }
}

/// An autoscaler of a run's islands, of ten at most.
pub(crate) fn autoscaler(run: &str, minimum: u32) -> String {
    format!(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: {run}}}\nspec:\n  scaleTargetRef: \
         {{apiVersion: automl.hivetrain.ai/v1alpha1, kind: MinerRun, name: {run}}}\n  minReplicas: {minimum}\n  \
         maxReplicas: 10\n"
    )
}

/// The message of the condition that has a reason.
pub(crate) fn condition(run: &Value, reason: &str) -> Option<String> {
    let conditions = run["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|condition| condition["reason"] == reason)?;
    Some(found["message"].as_str().unwrap_or_default().to_owned())
}

/// Installs what a person installs, but for the Deployment where the operator runs outside.
pub(crate) fn install(plane: &ControlPlane) {
    plane.cli(&["apply", "--kustomize", "manifests"]);
    for plural in ["minerruns", "validators"] {
        let definition = format!("crd/{plural}.automl.hivetrain.ai");
        plane.cli(&["wait", "--for=condition=Established", "--timeout=60s", &definition]);
    }
}

/// The operator as a process of this machine, with the rights of its service account and no others.
pub(crate) struct Operator {
    child: Child,
    /// Where its pages are.
    pub(crate) address: SocketAddr,
}

impl Operator {
    /// Starts it and waits until it has read what is there.
    pub(crate) fn start(plane: &ControlPlane, options: &[&str]) -> Self {
        Self::start_as(plane, "operator", options)
    }

    /// The same under a name of its own, for one of several.
    pub(crate) fn start_as(plane: &ControlPlane, name: &str, options: &[&str]) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_operator"));
        // Shown where a test fails.
        Self::start_program(program, plane, name, options, |line| eprintln!("{line}"))
    }

    /// Another file of the program; each line of its log is handed to `log`.
    pub(crate) fn start_program(
        program: &Path,
        plane: &ControlPlane,
        name: &str,
        options: &[&str],
        log: impl Fn(&str) + Send + 'static,
    ) -> Self {
        let kubeconfig = plane.kubeconfig_as_service_account("automl-system", "automl-operator").expect("a token");
        let operator = Self::begin(program, &kubeconfig, name, options, log);
        until("the operator is ready", || (operator.page("/readyz")?.0 == 200).then_some(()));
        operator
    }

    /// One that asks whatever a kubeconfig leads to, and may not be ready.
    pub(crate) fn begin(
        program: &Path,
        kubeconfig: &Path,
        name: &str,
        options: &[&str],
        log: impl Fn(&str) + Send + 'static,
    ) -> Self {
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--log-format", "json"])
            .args(options)
            .env("KUBECONFIG", kubeconfig)
            .env("HOSTNAME", name)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the operator starts");
        let lines = BufReader::new(child.stderr.take().expect("it is a pipe")).lines();
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let said: Value = serde_json::from_str(&line).unwrap_or_default();
                if let Some(address) = said["address"].as_str() {
                    let _ = tell.send(address.parse().expect("an address"));
                }
                log(&line);
            }
        });
        let address = told.recv_timeout(PATIENCE).expect("the operator says where its pages are");
        Self { child, address }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A page: its status and text.
    pub(crate) fn page(&self, path: &str) -> Option<(u16, String)> {
        let agent = ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().new_agent();
        let mut answer = agent.get(format!("http://{}{path}", self.address)).call().ok()?;
        Some((answer.status().as_u16(), answer.body_mut().read_to_string().ok()?))
    }

    /// The value of a series, as `automl_operator_reconciles_total{result="ok"}`.
    pub(crate) fn metric(&self, series: &str) -> Option<f64> {
        let (_, text) = self.page("/metrics")?;
        text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
    }

    /// Waits for it to end by itself; hands back its exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        until("the operator ends", || self.child.try_wait().expect("it is ours")).code()
    }

    /// Ends it in an instant.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it was running");
        self.child.wait().expect("it is ours");
    }

    /// Asks it to end; hands back its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        self.child.wait().expect("it is ours").code()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
