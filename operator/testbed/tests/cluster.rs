//! Pods really run, of images made here, beside those of another cluster, on one node or two, and a node leaves nothing.
mod common;

use automl_testbed::{Cluster, Image, ProjectImage};
use common::{kubectl, run, unless_unable};
use std::{fs, path::Path, process::Command, thread, time::Instant};

/// As strict as Pod Security asks for, and as a MinerRun's pods are.
const JOB: &str = r#"
apiVersion: batch/v1
kind: Job
metadata: {name: greeting}
spec:
  completions: 2
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, runAsUser: 4711, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: say
        image: automl.test/shell:dev
        imagePullPolicy: Never
        args: ["echo island $JOB_COMPLETION_INDEX of user $(id -u)"]
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 64Mi}}
"#;

/// The project's own images, as any user and with nothing to write to; the arguments make the program load all it needs.
const PODS: [(ProjectImage, &str); 3] =
    [(ProjectImage::Runner, "runner"), (ProjectImage::RunnerSlim, "runner-slim"), (ProjectImage::Operator, "operator")];

fn pod(name: &str, image: ProjectImage) -> String {
    let reference = image.reference();
    format!(
        r"
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  securityContext: {{runAsNonRoot: true, runAsUser: 1000650000, seccompProfile: {{type: RuntimeDefault}}}}
  containers:
  - name: program
    image: {reference}
    imagePullPolicy: Never
    args: [--version]
    securityContext: {{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {{drop: [ALL]}}}}
---
"
    )
}

#[test]
fn jobs_run_in_two_clusters_at_once_and_nothing_is_left() {
    let work = || {
        let cluster = unless_unable(Cluster::start())?;
        let folder = cluster.control_plane().folder().to_owned();
        run_a_job(&cluster);
        Some(folder)
    };
    let folders = thread::scope(|scope| {
        let [first, second] = [scope.spawn(work), scope.spawn(work)];
        [first, second].map(|work| work.join().expect("no panic"))
    });
    for folder in folders.into_iter().flatten() {
        assert_gone(&folder);
    }
}

#[test]
fn images_of_this_project_run_as_any_user() {
    let images = PODS.map(|(image, _)| image);
    for image in images {
        // What it takes to build them is no matter of the cluster's.
        if unless_unable(image.archive()).is_none() {
            return;
        }
    }
    let started = Instant::now();
    let Some(cluster) = unless_unable(Cluster::start_with(&images)) else { return };
    println!("figure: seconds to a node with all images = {:.1}", started.elapsed().as_secs_f64());
    let plane = cluster.control_plane();
    let pods: String = PODS.into_iter().map(|(image, name)| pod(name, image)).collect();
    let (applied, said) = run(kubectl(plane, ["apply", "--filename=-"]), &pods);
    assert!(applied, "{said}");
    for (_, name) in PODS {
        let pod = format!("pod/{name}");
        let wait = ["wait", "--for=jsonpath={.status.phase}=Succeeded", &pod, "--timeout=60s"];
        let (succeeded, said) = run(kubectl(plane, wait), "");
        assert!(succeeded, "{said}\n{}", run(kubectl(plane, ["describe", &pod]), "").1);
        let (_, logs) = run(kubectl(plane, ["logs", &pod]), "");
        let program = name.trim_end_matches("-slim");
        assert!(logs.starts_with(&format!("{program} {}", env!("CARGO_PKG_VERSION"))), "{name}: {logs}");
    }
}

/// A pod on a node that says its name, and is ready when it has heard that of the other by its Service.
fn talker(node: &str, own: &str, other: &str) -> String {
    format!(
        r#"
apiVersion: v1
kind: Service
metadata: {{name: {node}}}
spec: {{clusterIP: {own}, publishNotReadyAddresses: true, selector: {{on: {node}}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: {node}, labels: {{on: {node}}}}}
spec:
  nodeName: {node}
  containers:
  - name: talk
    image: automl.test/shell:dev
    imagePullPolicy: Never
    args: ["echo {node} >/said/name; exec httpd -f -p 8080 -h /said"]
    readinessProbe: {{exec: {{command: [wget, -q, -O, /said/heard, "http://{other}/name"]}}, periodSeconds: 1}}
    volumeMounts: [{{name: said, mountPath: /said}}]
  volumes: [{{name: said, emptyDir: {{}}}}]
---
"#
    )
}

#[test]
fn pods_of_two_nodes_talk_and_a_node_that_is_killed_is_told_from_one_that_lives() {
    let Some(mut cluster) = unless_unable(Cluster::start_several(2, &[])) else { return };
    load_shell(&cluster);
    let ask = |cluster: &Cluster, line: &str, input: &str| {
        let mut command = kubectl(cluster.control_plane(), []);
        command.args(line.split(' '));
        let (pleased, said) = run(command, input);
        assert!(pleased, "{line}: {said}");
        said
    };
    let pods = talker("node0", "10.96.7.1", "10.96.7.2") + &talker("node1", "10.96.7.2", "10.96.7.1");
    ask(&cluster, "apply --filename=-", &pods);
    ask(&cluster, "wait --for=condition=Ready pods --all --timeout=60s", "");
    for (here, there) in [("node0", "node1"), ("node1", "node0")] {
        assert_eq!(ask(&cluster, &format!("exec {here} -- cat /said/heard"), "").trim(), there);
    }

    cluster.restart_api_server().expect("it answers again");
    cluster.kill_node("node1").expect("it was there");
    ask(&cluster, "wait --for=condition=Ready=Unknown node/node1 --timeout=60s", "");
    let ready = ask(&cluster, "get node/node0 --output=jsonpath={.status.conditions[?(@.type==\"Ready\")].status}", "");
    assert_eq!(ready, "True");
    ask(&cluster, "wait --for=condition=Ready=False pod/node0 --timeout=60s", "");
    let folder = cluster.control_plane().folder().to_owned();
    drop(cluster);
    assert_gone(&folder);
}

fn load_shell(cluster: &Cluster) {
    let busybox = cluster.busybox().expect("it is one of the packages");
    let program = |name: &str| (format!("/bin/{name}"), busybox.clone());
    let shell = Image {
        name: "automl.test/shell:dev".to_owned(),
        layers: vec![["sh", "id", "cat", "httpd", "wget"].map(program).into()],
        entrypoint: ["/bin/sh", "-c"].map(ToOwned::to_owned).into(),
        environment: vec!["PATH=/bin".to_owned()],
        user: "65535:65535".to_owned(),
    };
    cluster.load(&shell).expect("the image is loaded");
}

fn run_a_job(cluster: &Cluster) {
    load_shell(cluster);
    let plane = cluster.control_plane();
    let (applied, said) = run(kubectl(plane, ["apply", "--filename=-"]), JOB);
    assert!(applied, "{said}");
    let (complete, said) =
        run(kubectl(plane, ["wait", "--for=condition=Complete", "job/greeting", "--timeout=90s"]), "");
    assert!(complete, "{said}\n{}", run(kubectl(plane, ["describe", "pods"]), "").1);
    let (_, logs) = run(kubectl(plane, ["logs", "--selector=job-name=greeting", "--tail=-1"]), "");
    let mut lines: Vec<&str> = logs.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["island 0 of user 4711", "island 1 of user 4711"]);
}

/// No folder, network namespace, mount or cgroup of it is left.
fn assert_gone(folder: &Path) {
    let name = folder.file_name().expect("it has a name").to_string_lossy().into_owned();
    assert!(!folder.exists(), "{name} is left");
    let places = ["/run/netns", "/sys/fs/cgroup", "-name", &format!("*{name}*")];
    let left = Command::new("find").args(places).output().expect("find");
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "its namespaces or cgroups are left");
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("/proc");
    assert!(!mounts.contains(&name), "mounts are left: {mounts}");
}
