//! What a person sees and does with kubectl.
use crate::server::shared;
use crate::smallest;
use automl_contract::progress::MAX_GENE_BYTES;
use serde_json::{Value, json};

/// The columns of a table that kubectl prints, by their heads; cells hold no blanks here.
fn cells(table: &str, row: usize) -> Vec<(String, String)> {
    let line = |index: usize| table.lines().nth(index).unwrap_or_default().split_whitespace().map(str::to_owned);
    line(0).zip(line(row)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(head, cell)| ((*head).to_owned(), (*cell).to_owned())).collect()
}

/// A status such as the operator writes.
fn status() -> Value {
    json!({
        "observedGeneration": 1, "phase": "Running", "reason": "AllIslandsReady", "replicas": 2, "readyReplicas": 2,
        "selector": "automl.hivetrain.ai/run=seen", "image": "registry.example/runner:1",
        "progress": { "generation": 7, "evaluations": 400, "budget": 1000, "finishedIslands": 0 },
        "best": { "score": 0.9315, "hash": "0a".repeat(32), "generation": 6, "island": 1, "expression": "mul(x,y)" },
        "conditions": [{
            "type": "Ready", "status": "True", "reason": "AllIslandsReady", "message": "", "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }],
    })
}

#[test]
fn a_run_is_shown_scaled_and_found() {
    let Some(server) = shared() else { return };
    let client = server.client();
    let mut queued = smallest("seen-queued");
    queued["spec"]["queueName"] = json!("seen-team");
    for file in [smallest("seen"), queued] {
        let answer = client.create(&file);
        assert_eq!(answer.status, 201, "{}", answer.message());
    }
    let written = client.write_status("seen", &status());
    assert_eq!((written.status, written.warnings.len()), (200, 0), "{}", written.message());
    // Only what is in the spec counts as a change of the run.
    assert_eq!(written.body["metadata"]["generation"], 1);

    let columns =
        [("NAME", "seen"), ("PHASE", "Running"), ("ISLANDS", "1"), ("READY", "2"), ("GEN", "7"), ("BEST", "0.9315")];
    let shown = cells(&server.kubectl(["get", "mrun", "seen"]), 1);
    assert_eq!(shown[..6], pairs(&columns));
    assert_eq!((shown.len(), shown[6].0.as_str()), (7, "AGE"));
    let wide = cells(&server.kubectl(["get", "mrun", "seen", "--output=wide"]), 1);
    let others = [("BEST-GENE", "mul(x,y)"), ("IMAGE", "registry.example/runner:1"), ("REASON", "AllIslandsReady")];
    assert_eq!(wide[7..], pairs(&others));
    assert!(server.kubectl(["get", "automl", "--output=name"]).contains("minerrun.automl.hivetrain.ai/seen\n"));

    let found = |selector: &str| server.kubectl(["get", "mrun", "--output=name", "--field-selector", selector]);
    assert_eq!(found("spec.queueName=seen-team"), "minerrun.automl.hivetrain.ai/seen-queued\n");
    assert_eq!(found("status.phase=Running"), "minerrun.automl.hivetrain.ai/seen\n");
    assert!(!found("spec.suspend=true").contains("seen"));

    server.kubectl(["scale", "mrun/seen", "--replicas=3"]);
    assert_eq!(server.kubectl(["get", "mrun", "seen", "--output=jsonpath={.spec.replicas}"]), "3");
    let scale = client.get("/apis/automl.hivetrain.ai/v1alpha1/namespaces/default/minerruns/seen/scale").body;
    assert_eq!((&scale["spec"]["replicas"], &scale["status"]["replicas"]), (&json!(3), &json!(2)));
    assert_eq!(scale["status"]["selector"], "automl.hivetrain.ai/run=seen");
    server.kubectl(["scale", "mrun/seen", "--replicas=0"]);
}

#[test]
fn a_whole_number_may_be_written_with_a_point() {
    let Some(server) = shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let yaml = serde_saphyr::to_string(&smallest("pointed")).expect("YAML") + "  replicas: 5.0\n";
    assert!(yaml.contains("spec:\n"), "{yaml}");
    let json = json!({ "replicas": 5.0, "search": { "budget": { "evaluations": 1e3 }, "tournament": 7.0 } });
    let mut file = smallest("pointed");
    file["spec"].as_object_mut().expect("a spec").extend(json.as_object().expect("an object").clone());
    for (name, text) in [("m.yaml", yaml), ("m.json", file.to_string())] {
        assert!(text.contains("5.0"), "{text}");
        automl_contract::manifest::read(&text, name).unwrap_or_else(|error| panic!("{error}"));
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        let path = path.to_str().expect("a path of plain characters");
        assert_eq!(
            server.kubectl(["create", "--dry-run=server", "--output=jsonpath={.spec.replicas}", "--filename", path]),
            "5"
        );
    }
}

#[test]
fn a_status_is_checked_and_kept_apart_from_the_spec() {
    let Some(server) = shared() else { return };
    let client = server.client();
    assert_eq!(client.create(&smallest("told")).status, 201);
    let wrong = [
        json!({ "phase": "Dreaming" }),
        json!({ "wrong": 1 }),
        json!({ "best": { "score": 1, "hash": "", "generation": 1, "expression": "x".repeat(MAX_GENE_BYTES + 1) } }),
        json!({ "conditions": [{ "type": "Ready", "status": "True" }] }),
        json!({ "progress": { "generation": -1, "evaluations": 0, "budget": 0 } }),
    ];
    for status in wrong {
        let answer = client.write_status("told", &status);
        assert!(matches!(answer.status, 400 | 422), "{status}: {}", answer.status);
    }
    // A status in a file is no status: nobody but the operator says how a run goes.
    let mut file = smallest("told-by-a-file");
    file["status"] = status();
    let answer = client.create(&file);
    assert_eq!((answer.status, answer.body.get("status")), (201, None));
}

#[test]
fn kubectl_explains_every_field_of_the_spec() {
    let Some(server) = shared() else { return };
    for (path, words) in [
        ("mrun.spec", "replicas"),
        ("mrun.spec.search.population", "Individuals alive at once. Default: 100 (regularized), 50 (original)"),
        ("mrun.spec.evaluation.dataset.source", "1,797 handwritten digits"),
        ("mrun.spec.checkpoint.claim.size", "What the volume holds at least, in bytes"),
        ("mrun.status.best", "The best gene"),
    ] {
        let text = server.kubectl(["explain", path]).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{path}: {text}");
        assert!(!text.contains("<no description>") && !text.contains("<empty>"), "{path}: {text}");
    }
}
