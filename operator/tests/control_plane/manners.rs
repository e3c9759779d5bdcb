//! Manners: nothing is written or listed without need, one broken object harms no other, and what is gone is forgotten.
use serde_json::{Value, json};

use crate::{
    common::{OPERATOR, Operator, Person, condition, until},
    server::{Server, run, shared, start},
};

#[test]
fn ten_reconciles_without_a_change_write_and_list_nothing() {
    // Alone on its control plane: every request of the operator is about this run.
    let Some(plane) = start() else { return };
    let operator = Operator::start(&plane, &[]);
    let server = Server { operator, plane };
    server.namespace("idle");
    server.apply("idle", &run("search", 1, ""));
    server.reason("idle", "search", "Unschedulable");
    let turns = reconciles_ask_nothing(&server, "idle", "mrun/search", 10);
    println!("figure: reconciles without a change = {turns}");
}

/// Has an object reconciled so many times without a change, which must neither write nor list; hands back how often it was.
pub(crate) fn reconciles_ask_nothing(server: &Server, namespace: &str, object: &str, turns: u32) -> f64 {
    let reconciles = || server.operator.metric(r#"automl_operator_reconciles_total{result="ok"}"#).unwrap_or(0.0);
    // Our own writes come back by the watches; then all is quiet.
    let quiet = until("nothing moves any more", || {
        let before = reconciles();
        std::thread::sleep(std::time::Duration::from_secs(4));
        (reconciles() - before < 1.0).then_some(before)
    });
    let seen = server.audit(OPERATOR).len();
    for turn in 1..=turns {
        let note = format!("look={turn}");
        server.cli(&["annotate", object, "--overwrite", &note, "--namespace", namespace]);
        let wanted = quiet + f64::from(turn);
        until("it was reconciled", || (reconciles() >= wanted).then_some(()));
    }
    let events = server.audit(OPERATOR);
    let asked: Vec<String> = events[seen..]
        .iter()
        .filter(|event| event.is_write() || event.is_list())
        .map(|event| format!("{} {:?}", event.verb, event.object_ref))
        .collect();
    assert_eq!(asked, Vec::<String>::new());
    reconciles() - quiet
}

#[test]
fn one_that_cannot_be_read_stops_no_other() {
    let Some(plane) = start() else { return };
    // Another version of this operator has stored what this one cannot read.
    let definition = "crd/minerruns.automl.hivetrain.ai";
    let backoff = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/backoffLimitPerIndex";
    let rules = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/x-kubernetes-validations";
    let loose = json!([
        { "op": "replace", "path": backoff, "value": { "x-kubernetes-preserve-unknown-fields": true } },
        { "op": "remove", "path": rules },
    ]);
    plane.cli(&["patch", definition, "--type=json", "--patch", &loose.to_string()]);
    plane.namespace("mixed");
    until("the loose definition is served", || {
        let text = run("strange", 1, "  backoffLimitPerIndex: many");
        plane.try_cli(&["apply", "--namespace", "mixed", "--filename", "-"], &text).0.then_some(())
    });
    plane.cli(&["apply", "--kustomize", "manifests"]);
    for name in ["one", "two", "three"] {
        plane.apply("mixed", &run(name, 1, ""));
    }
    let operator = Operator::start(&plane, &[]);
    let server = Server { operator, plane };
    for name in ["one", "two", "three"] {
        server.reason("mixed", name, "Unschedulable");
    }
    let strange = server.phase("mixed", "strange", "Invalid");
    let said = condition(&strange, "InvalidSpec").expect("its condition");
    assert!(said.contains("many") || said.contains("string"), "{said}");
    // One that comes later is served too, and the strange one when it is mended.
    server.apply("mixed", &run("four", 1, ""));
    server.reason("mixed", "four", "Unschedulable");
    server.apply("mixed", &run("strange", 1, ""));
    server.reason("mixed", "strange", "Unschedulable");
}

#[test]
fn series_of_a_deleted_run_go_away() {
    let Some(server) = shared() else { return };
    server.namespace("series");
    server.apply("series", &run("search", 1, ""));
    server.reason("series", "search", "Unschedulable");
    let [ready, wanted] =
        ["ready", "wanted"].map(|which| format!("automl_run_{which}_islands{{namespace=\"series\",run=\"search\"}}"));
    assert_eq!(server.operator.metric(&ready), Some(0.0));
    assert_eq!(server.operator.metric(&wanted), Some(1.0));
    let wants = |count: f64| {
        until(&format!("{count} islands are wanted"), || {
            (server.operator.metric(&wanted) == Some(count)).then_some(())
        });
    };
    let patch = |spec: &str| {
        let spec = format!("{{\"spec\": {{{spec}}}}}");
        server.cli(&["patch", "mrun/search", "--namespace", "series", "--type=merge", "--patch", &spec]);
    };
    patch("\"replicas\": 3");
    wants(3.0);
    // One that is held waits for nothing.
    patch("\"suspend\": true");
    wants(0.0);
    patch("\"suspend\": false");
    wants(3.0);
    patch("\"replicas\": 0");
    wants(0.0);
    server.cli(&["delete", "mrun", "search", "--namespace", "series"]);
    for series in [ready, wanted] {
        until("its series are gone", || server.operator.metric(&series).is_none().then_some(()));
    }
    let (_, state) = server.operator.page("/debug/state.json").expect("the page");
    let state: Value = serde_json::from_str(&state).expect("JSON");
    let runs = state["runs"].as_array().expect("a list");
    assert!(runs.iter().all(|run| run["namespace"] != "series"), "{runs:#?}");
}

#[test]
fn pages_say_what_is_promised_and_a_signal_ends_it_in_peace() {
    let Some(plane) = start() else { return };
    let mut operator = Operator::start(&plane, &[]);
    for (page, text) in [("/healthz", "ok"), ("/readyz", "ok"), ("/debug/state.json", "\"version\"")] {
        let (status, said) = operator.page(page).expect("the page");
        assert!(status == 200 && said.contains(text), "{page}: {status} {said}");
    }
    let (_, metrics) = operator.page("/metrics").expect("the page");
    for series in ["automl_operator_info{", "automl_operator_leader 1", "automl_operator_runs{"] {
        assert!(metrics.contains(series), "{metrics}");
    }
    assert_eq!(operator.stop(), Some(0));
}

#[test]
fn without_an_api_server_it_says_what_to_do() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_operator"))
        .args(["--listen", "127.0.0.1:0"])
        .env("KUBECONFIG", "/nowhere/kubeconfig")
        .output()
        .expect("the operator starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(76), "{said}");
    assert!(said.contains("set KUBECONFIG"), "{said}");
}
