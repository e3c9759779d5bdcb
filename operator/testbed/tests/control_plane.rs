//! The control plane is real, several can run beside each other, and nothing of one is left.
mod common;

use automl_testbed::{ControlPlane, Options};
use common::{kubectl, run, unless_unable};
use std::{fs, path::Path, thread};

/// A resource with a rule that no schema can say, and one over time.
const CRD: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: pans.test.example}
spec:
  group: test.example
  scope: Namespaced
  names: {plural: pans, singular: pan, kind: Pan}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [low, high]
            x-kubernetes-validations:
            - {rule: self.low < self.high, message: low must lie below high}
            - {rule: self.low == oldSelf.low, message: low is immutable}
            properties: {low: {type: integer}, high: {type: integer}}
";

fn pan(low: i32, high: i32) -> String {
    format!("apiVersion: test.example/v1\nkind: Pan\nmetadata: {{name: a}}\nspec: {{low: {low}, high: {high}}}\n")
}

#[test]
fn two_at_once_answer_and_leave_nothing() {
    let start =
        || thread::spawn(|| ControlPlane::start(Options { controllers: true, scheduler: true, ..Options::default() }));
    let [first, second] = [start(), start()].map(|start| unless_unable(start.join().expect("no panic")));
    let (Some(first), Some(second)) = (first, second) else { return };
    let folders = [&first, &second].map(|plane| plane.folder().to_owned());
    assert_ne!(folders[0], folders[1]);
    for plane in [&first, &second] {
        let (_, names) = run(kubectl(plane, ["get", "namespaces", "--output=name"]), "");
        for wanted in ["default", "kube-system", "kube-public"] {
            assert!(names.contains(&format!("namespace/{wanted}")), "{names}");
        }
    }
    // They share nothing: what one has the other lacks.
    assert!(run(kubectl(&first, ["create", "namespace", "only-here"]), "").0);
    assert!(!run(kubectl(&second, ["get", "namespace", "only-here"]), "").0);
    // A controller is at work: an emptied namespace goes away.
    assert!(run(kubectl(&first, ["delete", "namespace", "only-here", "--wait"]), "").0);

    drop((first, second));
    for folder in &folders {
        assert_gone(folder);
    }
}

#[test]
fn rules_deny_and_the_audit_log_tells_who_wrote() {
    let Some(plane) = unless_unable(ControlPlane::start(Options::default())) else { return };
    let apply = |text: &str| run(kubectl(&plane, ["apply", "--filename=-"]), text);
    assert!(apply(CRD).0);
    assert!(run(kubectl(&plane, ["wait", "--for=condition=Established", "crd/pans.test.example"]), "").0);

    let (accepted, said) = apply(&pan(3, 2));
    assert!(!accepted && said.contains("low must lie below high"), "{said}");
    let (accepted, said) = apply(&pan(1, 2));
    assert!(accepted, "{said}");
    let (accepted, said) = apply(&pan(0, 2));
    assert!(!accepted && said.contains("low is immutable"), "{said}");

    // Another user has no rights until someone gives them.
    let config = plane.kubeconfig_for("stranger", "stranger", None).expect("a kubeconfig");
    let mut asking = kubectl(&plane, ["get", "pans"]);
    asking.env("KUBECONFIG", config);
    let (allowed, said) = run(asking, "");
    assert!(!allowed && said.contains("Forbidden"), "{said}");

    let pans = |user: &str| -> Vec<_> {
        let events = plane.audit().by(user).expect("the audit log");
        events
            .into_iter()
            .filter(|event| event.object_ref.as_ref().is_some_and(|object| object.resource == "pans"))
            .collect()
    };
    let codes: Vec<u16> = pans("admin")
        .iter()
        .filter(|event| event.is_write())
        .filter_map(|event| Some(event.response_status.as_ref()?.code))
        .collect();
    assert_eq!(codes, [422, 201, 422]);
    let lists = pans("stranger");
    assert!(
        lists.iter().any(automl_testbed::Event::is_list) && lists.iter().all(|event| !event.is_write()),
        "{lists:?}"
    );
}

#[test]
fn a_service_account_is_itself_inside_and_outside() {
    let Some(plane) = unless_unable(ControlPlane::start(Options::default())) else { return };
    let (made, said) = run(kubectl(&plane, ["create", "serviceaccount", "worker"]), "");
    assert!(made, "{said}");
    let config = plane.kubeconfig_as_service_account("default", "worker").expect("a token is made");
    let outside = plane.kubectl().expect("kubectl is one of the programs");
    let inside = plane.command(outside.get_program());
    let name = "system:serviceaccount:default:worker";
    for mut command in [outside, inside] {
        command.args(["get", "pods"]).env("KUBECONFIG", &config).env("KUBECACHEDIR", plane.folder().join("cache"));
        let (allowed, said) = run(command, "");
        assert!(!allowed && said.contains("Forbidden") && said.contains(name), "{said}");
    }
    let lists = plane.audit().by(name).expect("the audit log");
    assert_eq!(lists.iter().filter(|event| event.is_list()).count(), 2, "{lists:?}");
}

/// Whatever a cluster had on this machine is no more.
fn assert_gone(folder: &Path) {
    assert!(!folder.exists(), "{} is left", folder.display());
    let name = folder.file_name().expect("it has a name");
    assert!(!Path::new("/run/netns").join(name).exists(), "its network namespace is left");
    for process in fs::read_dir("/proc").expect("/proc").filter_map(Result::ok) {
        if let Ok(place) = fs::read_link(process.path().join("cwd")) {
            assert!(!place.starts_with(folder), "{} is left", process.path().display());
        }
    }
}
