//! The values of the chart `automl-operator`.
use std::collections::BTreeMap;

use automl_contract::{
    cluster::{PullPolicy, ResourcesSpec, Toleration},
    profiles::Profile,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::form::object;

type Labels = BTreeMap<String, String>;

/// What is installed, and how.
#[derive(Default, JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Values {
    /// Annotations of all objects.
    annotations: Labels,
    /// The definitions of `MinerRun` and `Validator`.
    crds: Crds,
    /// Grafana's dashboards.
    dashboards: Dashboards,
    /// What a chart shares with its parts. Nothing here is read.
    global: Map<String, Value>,
    /// The images. Without a registry they are those that docs/images.md builds and loads into nodes.
    images: Images,
    /// Labels of all objects.
    labels: Labels,
    /// The ledger, in which runs are kept.
    ledger: Ledger,
    /// What is made for the Prometheus operator, in a cluster that has its definitions.
    monitoring: Monitoring,
    /// The operator.
    operator: Operator,
    /// Hardware that the `spec.profile` of runs and validators can name: docs/gpu.md.
    profiles: Vec<Profile>,
    /// The operator's rights.
    rbac: Rbac,
}

#[derive(JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Crds {
    /// They are installed and upgraded with the operator. They stay, with all runs, when it is uninstalled.
    install: bool,
}

impl Default for Crds {
    fn default() -> Self {
        Self { install: true }
    }
}

#[derive(JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Dashboards {
    /// They are installed as `ConfigMaps` with the label `grafana_dashboard`, by which Grafana's sidecar finds them.
    install: bool,
}

impl Default for Dashboards {
    fn default() -> Self {
        Self { install: true }
    }
}

#[derive(JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Images {
    /// The operator.
    operator: Image,
    /// When a node asks the registry for the operator's and the ledger's image.
    pull_policy: PullPolicy,
    /// Names of Secrets that the registry asks for. A `MinerRun` names its own.
    pull_secrets: Vec<String>,
    /// Where all images are: `registry.example/team`.
    registry: String,
    /// What `MinerRuns` run that name no image.
    runner: Image,
    /// The runner without the lab: the ledger, submitters and validators. Its tag has `-slim` behind it where none is given.
    slim: Image,
}

impl Default for Images {
    fn default() -> Self {
        let runner = || Image { repository: "automl-runner".to_owned(), ..Image::default() };
        Self {
            operator: Image { repository: "automl-operator".to_owned(), ..Image::default() },
            pull_policy: PullPolicy::default(),
            pull_secrets: Vec::new(),
            registry: String::new(),
            runner: runner(),
            slim: runner(),
        }
    }
}

#[derive(Default, JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Image {
    /// The digest; it says more than a tag.
    #[schemars(regex(pattern = "^(sha256:[0-9a-f]{64})?$"))]
    digest: String,
    /// The name, behind the registry.
    #[schemars(length(min = 1))]
    repository: String,
    /// The tag. Empty, it is the chart's appVersion.
    tag: String,
}

#[derive(JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Ledger {
    /// There is one. Without it islands exchange no genes, and nothing is published.
    enabled: bool,
    /// In a PostgreSQL of yours, in place of a file on a claim.
    postgres: Postgres,
    /// Processes that serve it; more than one takes a PostgreSQL.
    #[schemars(range(min = 1, max = 100))]
    replicas: u32,
    /// The claim of the file. It outlives the release.
    storage: Storage,
    #[serde(flatten)]
    pod: Workload,
}

impl Default for Ledger {
    fn default() -> Self {
        let mut pod = Workload::of("50m", "64Mi", "512Mi");
        // The claim's files are this group's.
        pod.pod_security_context.insert("fsGroup".to_owned(), 65532.into());
        pod.pod_security_context.insert("fsGroupChangePolicy".to_owned(), "OnRootMismatch".into());
        Self { enabled: true, postgres: Postgres::default(), replicas: 1, storage: Storage::default(), pod }
    }
}

#[derive(JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Postgres {
    /// The key of the Secret that holds `postgres://USER:PASSWORD@HOST/DATABASE`.
    key: String,
    /// The name of a Secret in the release's namespace.
    secret: String,
}

impl Default for Postgres {
    fn default() -> Self {
        Self { key: "url".to_owned(), secret: String::new() }
    }
}

#[derive(JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Storage {
    /// Its storage class. Empty, it is the cluster's default.
    class_name: String,
    /// Its size.
    #[schemars(regex(pattern = "^[1-9][0-9]*(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"))]
    size: String,
}

impl Default for Storage {
    fn default() -> Self {
        Self { class_name: String::new(), size: "10Gi".to_owned() }
    }
}

#[derive(JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Monitoring {
    /// How often pages are read.
    #[schemars(regex(pattern = "^[1-9][0-9]*(ms|s|m|h)$"))]
    interval: String,
    /// Labels by which a Prometheus chooses what it reads: `{release: kube-prometheus-stack}`.
    labels: Labels,
    /// A `PodMonitor` for runs, submitters and validators.
    pod_monitor: bool,
    /// A `PrometheusRule` with the alerts.
    rules: bool,
    /// A `ServiceMonitor` for the operator, and one for the ledger.
    service_monitors: bool,
}

impl Default for Monitoring {
    fn default() -> Self {
        Self {
            interval: "30s".to_owned(),
            labels: Labels::new(),
            pod_monitor: true,
            rules: true,
            service_monitors: true,
        }
    }
}

#[derive(JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Operator {
    /// How many there are. One acts, the others take its place when it is gone.
    #[schemars(range(min = 0, max = 100))]
    replicas: u32,
    #[serde(flatten)]
    pod: Workload,
}

impl Default for Operator {
    fn default() -> Self {
        Self { replicas: 1, pod: Workload::of("20m", "32Mi", "256Mi") }
    }
}

#[derive(Default, JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Rbac {
    /// Namespaces to serve, each of which gets a Role. None is all of them, and a `ClusterRole`.
    #[schemars(inner(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")))]
    namespaces: Vec<String>,
}

/// What can be said of any pods.
#[derive(Default, JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Workload {
    /// Which nodes and which neighbours the pods want, in Kubernetes' own words.
    affinity: Map<String, Value>,
    /// More variables; each option of the program is one.
    env: Vec<Map<String, Value>>,
    /// Labels that a node must have.
    node_selector: Labels,
    /// Annotations of the pods.
    pod_annotations: Labels,
    /// Labels of the pods.
    pod_labels: Labels,
    /// What the pods may do, in Kubernetes' own words.
    pod_security_context: Map<String, Value>,
    /// The `PriorityClass` of the pods.
    priority_class_name: String,
    /// What the container takes.
    resources: ResourcesSpec,
    /// What the container may do, in Kubernetes' own words.
    security_context: Map<String, Value>,
    /// Taints of nodes that the pods accept.
    tolerations: Vec<Toleration>,
}

impl Workload {
    /// With these requests and this limit, and no privilege.
    fn of(cpu: &str, memory: &str, limit: &str) -> Self {
        let amounts = json!({ "requests": { "cpu": cpu, "memory": memory }, "limits": { "memory": limit } });
        Self {
            pod_security_context: object(
                json!({ "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } }),
            ),
            resources: serde_json::from_value(amounts).unwrap_or_default(),
            security_context: object(json!({
                "allowPrivilegeEscalation": false,
                "capabilities": { "drop": ["ALL"] },
                "readOnlyRootFilesystem": true,
            })),
            ..Self::default()
        }
    }
}
