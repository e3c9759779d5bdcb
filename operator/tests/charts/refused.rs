//! What the charts refuse: each time in words that say what was wrong, and where.
use crate::common::helm::{FLEET, Helm, OPERATOR};

const SPEC: &str = "{search: {budget: {evaluations: 1}}, evaluation: {dataset: {source: digits}}}";

#[test]
fn wrong_values_are_refused_in_words() {
    let Some(helm) = Helm::find(None) else { return };
    let digest = "images: {runner: {digest: 'sha256:abc'}}";
    let cases: [(&str, &str, &[&str]); 17] = [
        (OPERATOR, "operator: {replica: 2}", &["at '/operator'", "additional properties 'replica' not allowed"]),
        (OPERATOR, "ledgr: {}", &["additional properties 'ledgr' not allowed"]),
        (OPERATOR, "operator: {replicas: two}", &["at '/operator/replicas'", "got string, want integer"]),
        (OPERATOR, "operator: {replicas: -1}", &["at '/operator/replicas'", "minimum: got -1, want 0"]),
        (OPERATOR, digest, &["at '/images/runner/digest'", "'sha256:abc' does not match pattern"]),
        (
            OPERATOR,
            "images: {pullPolicy: Sometimes}",
            &["at '/images/pullPolicy'", "value must be one of 'Always', 'IfNotPresent', 'Never'"],
        ),
        (OPERATOR, "rbac: {namespaces: team-a}", &["at '/rbac/namespaces'", "got string, want array"]),
        (OPERATOR, "rbac: {namespaces: [Team_A]}", &["at '/rbac/namespaces/0'", "'Team_A' does not match pattern"]),
        (OPERATOR, "operator: {resources: {limits: {cpus: 1}}}", &["additional properties 'cpus' not allowed"]),
        (OPERATOR, "ledger: {replicas: 2}", &["ledger.replicas: one process at most writes to a file"]),
        (FLEET, "fleets: {h100: {runs: 2}}", &["at '/fleets/h100'", "missing property 'spec'"]),
        (FLEET, "fleets: {h100: {spec: SPEC}}", &["at '/fleets/h100'", "missing property 'runs'"]),
        (
            FLEET,
            "fleets: {h100: {runs: 1001, spec: SPEC}}",
            &["at '/fleets/h100/runs'", "maximum: got 1,001, want 1,000"],
        ),
        (FLEET, "fleets: {h100: {run: 2, runs: 1, spec: SPEC}}", &["additional properties 'run' not allowed"]),
        (
            FLEET,
            "fleets: {h100: {runs: 1, spec: {search: {budget: {evaluation: 1}}, evaluation: {dataset: {source: digits}}}}}",
            &["at '/fleets/h100/spec/search/budget'", "additional properties 'evaluation' not allowed"],
        ),
        (
            FLEET,
            "fleets: {h100: {runs: 1, spot: azure, spec: SPEC}}",
            &["at '/fleets/h100/spot'", "'aks'", "'karpenter'"],
        ),
        (FLEET, "fleets: {H100: {runs: 1, spec: SPEC}}", &["invalid propertyName 'H100'"]),
    ];
    for (chart, values, words) in cases {
        let values = helm.values(&values.replace("SPEC", SPEC));
        let (pleased, said) = helm.try_cli(&["template", "automl", chart, &values]);
        assert!(!pleased, "{values}: {said}");
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
}
