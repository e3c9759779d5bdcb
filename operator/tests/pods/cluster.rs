//! One cluster with the operator in it, shared by the tests that run at the same time.
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use automl_testbed::{Cluster, ControlPlane, ProjectImage, install};
use serde_json::Value;

use crate::common::{Person, prometheus::Prometheus, runner, unless_unable, until};

pub(crate) struct World {
    pub(crate) cluster: Cluster,
}

impl Person for World {
    fn plane(&self) -> &ControlPlane {
        self.cluster.control_plane()
    }
}

/// The cluster of the tests that run now; the last of them ends it. None where pods cannot run, which is said.
pub(crate) fn shared() -> Option<Arc<World>> {
    static SHARED: Mutex<Weak<World>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(world) = shared.upgrade() {
        return Some(world);
    }
    let cluster = unless_unable(Cluster::start_with(ProjectImage::ALL))?;
    let plane = cluster.control_plane();
    install(|| plane.kubectl(), plane.folder()).expect("operator and ledger are installed");
    let world = Arc::new(World { cluster });
    world.operator();
    *shared = Arc::downgrade(&world);
    Some(world)
}

impl World {
    /// Waits for the operator's pod to be ready, and hands back its name.
    pub(crate) fn operator(&self) -> String {
        until("the operator is ready", || {
            let ready = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null() && is_ready(pod);
            let pods = self.pods("automl-system");
            let mut names = pods.iter().filter(ready).filter_map(|pod| pod["metadata"]["name"].as_str());
            names.find(|name| name.starts_with("automl-operator-")).map(ToOwned::to_owned)
        })
    }

    /// Waits for a run to have this many pods that search.
    pub(crate) fn searching(&self, namespace: &str, islands: usize) -> Vec<Value> {
        until(&format!("{islands} islands of {namespace} search"), || {
            let ready: Vec<Value> = self.pods(namespace).into_iter().filter(is_ready).collect();
            (ready.len() == islands).then_some(ready)
        })
    }

    /// Starts a Prometheus inside the cluster's network, one of several that differ in their ports.
    pub(crate) fn prometheus(&self, port: u16, configuration: &str) -> Prometheus {
        let plane = self.plane();
        let folder = plane.folder().join(format!("prometheus-{port}"));
        fs::create_dir(&folder).expect("the cluster's folder");
        let program = self.cluster.program("prometheus").expect("it is one of the packages");
        let inside = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let outside = plane.reach(inside).expect("a way in");
        Prometheus::start(plane.command(program), &folder, configuration, inside, outside)
    }

    /// The archive as the operator keeps it, without the island that found each gene.
    pub(crate) fn archive(&self, namespace: &str, run: &str) -> Vec<Value> {
        let map = self.get(&format!("/api/v1/namespaces/{namespace}/configmaps/{run}-archive")).expect("the archive");
        let lines = map["data"]["archive.jsonl"].as_str().expect("its genes").lines();
        let mut genes: Vec<Value> = lines.map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for gene in &mut genes {
            gene.as_object_mut().expect("a gene").remove("island");
        }
        genes.sort_by_key(|gene| gene["nodes"].as_u64());
        genes
    }

    /// Makes a volume on the node for a claim of storage class `NAME`.
    pub(crate) fn volume(&self, name: &str) {
        let folder = self.plane().folder().join(name);
        fs::create_dir(&folder).expect("the cluster's folder");
        let text = format!(
            "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: {name}}}\nspec:\n  capacity: {{storage: 1Gi}}\n  \
             accessModes: [ReadWriteOnce]\n  storageClassName: {name}\n  local: {{path: {}}}\n  nodeAffinity: \
             {{required: {{nodeSelectorTerms: [{{matchExpressions: [{{key: kubernetes.io/hostname, operator: \
             Exists}}]}}]}}}}\n",
            folder.display()
        );
        self.apply("default", &text);
    }
}

/// Kills the program of a pod as the kernel would when it has no more memory, and says whether it ran; `variable` is one that
/// it alone has.
pub(crate) fn kill(pod: &Value, variable: &str) -> bool {
    process(pod, variable).is_some_and(|id| Command::new("kill").args(["-KILL", &id]).status().expect("kill").success())
}

/// The value of a variable as a pod's program was started with it, once it runs.
pub(crate) fn variable(pod: &Value, name: &str) -> Option<String> {
    let all = fs::read(format!("/proc/{}/environ", process(pod, name)?)).ok()?;
    let all = String::from_utf8(all).expect("text");
    all.split('\0').find_map(|one| one.strip_prefix(name)?.strip_prefix('=')).map(ToOwned::to_owned)
}

/// The process of a pod that has this variable.
fn process(pod: &Value, variable: &str) -> Option<String> {
    let uid = pod["metadata"]["uid"].as_str().expect("a uid");
    let read = |id: &str, file: &str| fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    // The pod's cgroup also holds the process that keeps its namespaces, which has no variables.
    let variable = format!("{variable}=");
    let is_it = |id: &String| has(&read(id, "cgroup"), uid) && has(&read(id, "environ"), &variable);
    let ids = fs::read_dir("/proc").expect("/proc").filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut ids = ids.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    ids.find(is_it)
}

/// Which program of a pod's only container it is: that of another pod, or one that was started again, is another.
pub(crate) fn program(pod: &Value) -> [Value; 2] {
    [pod["metadata"]["uid"].clone(), pod["status"]["containerStatuses"][0]["containerID"].clone()]
}

pub(crate) fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// The shipped sample under another name, with a budget that a test can wait for.
pub(crate) fn sample(name: &str, evaluations: u32, more: &str) -> String {
    let text = fs::read_to_string(crate::common::project().join("manifests/samples/minerrun-digits.yaml"));
    let text = text.expect("the sample").replace("name: digits", &format!("name: {name}"));
    let text = text.replace("evaluations: 20000", &format!("evaluations: {evaluations}"));
    format!("{text}  resources: {{requests: {{cpu: 400m, memory: 256Mi}}}}\n{more}\n")
}

/// What a laptop makes of a file: its archive, and its comparison with the known losses.
pub(crate) struct Laptop {
    pub(crate) archive: Vec<Value>,
    pub(crate) comparison: Value,
}

/// Runs a file as a person does on a laptop.
pub(crate) fn laptop(text: &str) -> Laptop {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, out) = (folder.path().join("minerrun.yaml"), folder.path().join("run"));
    fs::write(&file, text).expect("a file");
    let output = Command::new(runner()).args(["run", "--json", "--file"]).arg(&file).arg("--out").arg(&out).output();
    let output = output.expect("the runner starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| fs::read_to_string(out.join(name)).expect("a file of the run");
    let mut archive: Vec<Value> =
        read("archive.jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    archive.sort_by_key(|gene| gene["nodes"].as_u64());
    Laptop { archive, comparison: serde_json::from_str(&read("comparison.json")).expect("JSON") }
}
