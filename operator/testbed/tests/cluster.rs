//! Pods really run, of images made here, beside those of another cluster, and a node leaves nothing.
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

fn run_a_job(cluster: &Cluster) {
    let busybox = cluster.busybox().expect("it is one of the packages");
    let shell = Image {
        name: "automl.test/shell:dev".to_owned(),
        layers: vec![vec![("/bin/sh".to_owned(), busybox.clone()), ("/bin/id".to_owned(), busybox)]],
        entrypoint: ["/bin/sh", "-c"].map(ToOwned::to_owned).into(),
        environment: vec!["PATH=/bin".to_owned()],
        user: "65535:65535".to_owned(),
    };
    cluster.load(&shell).expect("the image is loaded");

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
    assert!(!folder.exists() && !Path::new("/run/netns").join(&name).exists(), "{name} is left");
    let left = Command::new("find").args(["/sys/fs/cgroup", "-name", &format!("*{name}*")]).output().expect("find");
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "its cgroups are left");
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("/proc");
    assert!(!mounts.contains(&name), "mounts are left: {mounts}");
}
