//! The project's manifests on this testbed: all that a cluster of a person has and this one has not.
//!
//! There are no storage classes and no name server. So the ledger's claim gets a volume on the node, and the operator the
//! ledger's address instead of its name.
use crate::{
    cluster::Cluster,
    error::{TestbedError, Tried},
    project::root,
    run::run,
};
use std::{fs, path::Path, process::Command};

/// What the operator finds the ledger by, where there is a name server.
pub const LEDGER: &str = "automl-ledger.automl-system";

/// Applies `manifests/`, with what is missing here, and waits until operator and ledger are ready. `kubectl` makes commands, and
/// `folder` is the cluster's.
pub fn install(kubectl: impl Fn() -> Result<Command, TestbedError>, folder: &Path) -> Result<(), TestbedError> {
    let ask = |line: &str| {
        let mut command = kubectl()?;
        run(command.args(line.split(' ')).current_dir(root()))
    };
    let apply = |name: &str, text: &str| {
        let file = folder.join(name);
        fs::write(&file, text).tried("write", &file)?;
        ask(&format!("apply --filename={}", file.display()))
    };
    let place = folder.join("ledger");
    fs::create_dir_all(&place).tried("make", &place)?;
    apply("ledger.json", &volume_at(&place))?;
    ask("apply --filename=manifests/namespace.yaml")?;
    ask("apply --filename=manifests/ledger.yaml --namespace=automl-system")?;
    let address = ask("get service/automl-ledger --namespace=automl-system --output=jsonpath={.spec.clusterIP}")?;
    apply("manifests.yaml", &ask("kustomize manifests")?.replace(LEDGER, &address))?;
    ask("wait --for=condition=Established customresourcedefinition --all --timeout=60s")?;
    for what in ["statefulset/automl-ledger", "deployment/automl-operator"] {
        ask(&format!("rollout status {what} --namespace=automl-system --timeout=180s"))?;
    }
    Ok(())
}

fn volume_at(place: &Path) -> String {
    let here = serde_json::json!({"key": "kubernetes.io/hostname", "operator": "In", "values": [Cluster::NODE]});
    serde_json::json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "automl-ledger"},
        "spec": {
            "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadWriteOnce"],
            "claimRef": {"namespace": "automl-system", "name": "ledger-automl-ledger-0"},
            "local": {"path": place},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    })
    .to_string()
}
