//! Files that are right: presets, every field, what a cluster prints, YAML's shorthands.
use automl_contract::cluster::{AccessMode, PullPolicy, TaintEffect};
use automl_contract::manifest::{Loaded, read};
use automl_contract::spec::{Budget, DataSource, DeviceName, GeneLimits, SearchPreset, Variation, VocabularyName};

const HEAD: &str = "apiVersion: automl.hivetrain.ai/v1alpha1\nkind: MinerRun\nmetadata: {name: a}\n";

fn loaded(text: &str) -> Loaded {
    read(text, "m.yaml").unwrap_or_else(|error| panic!("{error}"))
}

fn with_spec(search: &str, evaluation: &str) -> Loaded {
    loaded(&format!("{HEAD}spec:\n  search: {{{search}}}\n  evaluation: {{{evaluation}}}\n"))
}

#[test]
fn presets_fill_what_is_left_out() {
    let run = with_spec("budget: {evaluations: 10}", "dataset: {source: digits}").run;
    assert_eq!(run.metadata.name, "a");
    let (search, evaluation) = (run.spec.search.resolved(), run.spec.evaluation.resolved());
    assert_eq!((search.population, search.offspring, search.tournament), (100, 50, 5));
    assert_eq!(search.limits, GeneLimits { nodes: 40, depth: 12 });
    assert_eq!((evaluation.network.hidden, evaluation.steps, evaluation.final_seeds), (vec![32], 100, 32));

    let run = with_spec(
        "preset: original, budget: {evaluations: 10}, population: 20",
        "preset: original, dataset: {source: digits}, training: {batchSize: 32}",
    );
    let (search, evaluation) = (run.run.spec.search.resolved(), run.run.spec.evaluation.resolved());
    assert_eq!((search.population, search.offspring, search.tournament), (20, 20, 3));
    assert_eq!(search.variation, Variation { crossover: 0.5, subtree: 0.2, point: 0.0, constant: 0.0 });
    assert_eq!(
        (evaluation.network.hidden, evaluation.batch_size, evaluation.validation_batches),
        (vec![128, 128], 32, Some(51))
    );
}

#[test]
fn a_tournament_left_out_fits_a_small_population() {
    let search = with_spec("population: 2, budget: {evaluations: 10}", "dataset: {source: digits}").run.spec.search;
    assert_eq!(search.resolved().tournament, 2);
}

#[test]
fn every_field_is_read() {
    let text = "\
apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata:
  name: every-field
  namespace: mining
  labels: {team: brains}
  annotations: {note: 'a: b'}
spec:
  search:
    component: loss
    vocabulary: extended
    preset: original
    seed: 4294967295
    budget: {evaluations: 1e6}
    population: 0x40
    offspring: 32
    tournament: 4
    variation: {crossover: 0.1, subtree: 0.2, point: 0.3, constant: 0.4}
    limits: {nodes: 30, depth: 9}
    warmStart: ['mean(outputs)', \"x\"]
  evaluation:
    dataset: {source: npz, path: data/set.npz, limit: 1_000}
    preset: original
    network: {kind: mlp, hidden: [], dropout: 0}
    training: {learningRate: 1e-3, steps: 7, batchSize: 8, validationBatches: 9}
    seeds: {search: 1, select: 2, final: 3}
    device: auto
    timeoutSeconds: 30
";
    let Loaded { run, unused } = loaded(text);
    assert!(unused.is_empty());
    assert_eq!((run.metadata.namespace.as_deref(), run.metadata.labels["team"].as_str()), (Some("mining"), "brains"));
    assert_eq!(run.metadata.annotations["note"], "a: b");
    let search = run.spec.search.resolved();
    assert_eq!(
        (search.vocabulary, search.preset, search.seed),
        (VocabularyName::Extended, SearchPreset::Original, u32::MAX)
    );
    assert_eq!((search.budget, search.population), (Budget { evaluations: 1_000_000 }, 64));
    assert_eq!((search.offspring, search.tournament), (32, 4));
    assert_eq!(search.variation, Variation { crossover: 0.1, subtree: 0.2, point: 0.3, constant: 0.4 });
    assert_eq!((search.limits, search.warm_start.len()), (GeneLimits { nodes: 30, depth: 9 }, 2));
    let evaluation = run.spec.evaluation.resolved();
    assert_eq!((evaluation.dataset.source, evaluation.dataset.limit), (DataSource::Npz, Some(1000)));
    assert_eq!(evaluation.dataset.path.as_deref(), Some("data/set.npz"));
    assert_eq!(
        (evaluation.network.hidden, [evaluation.network.dropout, evaluation.learning_rate]),
        (Vec::new(), [0.0, 0.001])
    );
    assert_eq!((evaluation.steps, evaluation.batch_size, evaluation.validation_batches), (7, 8, Some(9)));
    assert_eq!((evaluation.search_seeds, evaluation.select_seeds, evaluation.final_seeds), (1, 2, 3));
    assert_eq!((evaluation.device, evaluation.timeout_seconds), (DeviceName::Auto, 30));
}

#[test]
fn what_only_a_cluster_uses_is_listed_in_the_order_of_the_file() {
    let text = "\
apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata:
  uid: 5a
  name: a
  resourceVersion: '7'
spec:
  replicas: 3
  search: {budget: {evaluations: 10}}
  gpu: {count: 1, product: NVIDIA-H100}
  evaluation: {dataset: {source: digits}, device: auto}
  ttlSecondsAfterFinished: 60
status: {phase: Done}
";
    let Loaded { run, unused } = loaded(text);
    let expected = [
        "metadata.uid",
        "metadata.resourceVersion",
        "spec.replicas",
        "spec.gpu",
        "spec.ttlSecondsAfterFinished",
        "status",
    ];
    assert_eq!(unused, expected);
    // The submitter and the operator may want them; they are not lost.
    assert_eq!(run.spec.gpu.unwrap().product.as_deref(), Some("NVIDIA-H100"));
}

#[test]
fn every_field_for_a_cluster_is_read() {
    let text = "\
apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata: {name: a, labels: {example.com/team: brains}, annotations: {Example.com/note: 'a: b'}}
spec:
  search: {budget: {evaluations: 10}}
  evaluation: {dataset: {source: idx, path: /data/mnist}, device: cuda}
  replicas: 3
  gpu: {count: 2, deviceClass: gpu.nvidia.com, product: NVIDIA-H100}
  resources:
    requests: {cpu: 2, memory: 1.5Gi, ephemeral-storage: 500M}
    limits: {cpu: 2500m, memory: 2Gi}
  image: {reference: 'registry.example:5000/automl/runner:1.2', pullPolicy: Always, pullSecrets: [a, b.c]}
  checkpoint: {claim: {size: 5Gi, storageClass: shared, retain: true, accessMode: ReadWriteMany}}
  suspend: false
  queueName: gpu-team
  ttlSecondsAfterFinished: 0
  activeDeadlineSeconds: 3600
  backoffLimitPerIndex: 0
  placement:
    nodeSelector: {topology.kubernetes.io/zone: a, empty: ''}
    tolerations: [{operator: Exists}, {key: spot, value: 'yes', effect: NoExecute, tolerationSeconds: 60}]
    topologySpread: [{topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule}]
    priorityClassName: low
    runtimeClassName: nvidia
  podTemplate:
    metadata: {labels: {team: brains}, annotations: {Example.com/a: 'any text: $'}}
    env: [{name: HTTPS_PROXY, value: 'http://proxy:3128'}, {name: TOKEN, secret: {name: s, key: k.txt}}]
    volumes: [{name: mnist, claim: mnist-data}, {name: extra, configMap: extra}]
";
    let run = loaded(text).run;
    let spec = run.spec;
    let limits = spec.resources.unwrap();
    let requests = limits.requests.unwrap();
    assert_eq!([requests.cpu, requests.memory].map(|amount| amount.unwrap().0), ["2", "1.5Gi"]);
    assert_eq!(limits.limits.unwrap().cpu.unwrap().0, "2500m");
    let claim = spec.checkpoint.unwrap().claim.unwrap();
    assert_eq!((claim.size.as_str(), claim.retain, claim.access_mode), ("5Gi", true, AccessMode::ReadWriteMany));
    let placement = spec.placement.unwrap();
    assert_eq!(placement.tolerations[1].effect, Some(TaintEffect::NoExecute));
    assert_eq!(placement.topology_spread.unwrap()[0].max_skew, 1);
    let pods = spec.pod_template.unwrap();
    assert_eq!((pods.env[1].secret.as_ref().unwrap().key.as_str(), pods.volumes.len()), ("k.txt", 2));
    assert_eq!((spec.replicas, spec.backoff_limit_per_index, spec.ttl_seconds_after_finished), (3, 0, Some(0)));
}

#[test]
fn what_a_cluster_uses_has_the_defaults_that_a_cluster_fills_in() {
    let spec = with_spec("budget: {evaluations: 10}", "dataset: {source: digits}").run.spec;
    assert_eq!((spec.replicas, spec.suspend, spec.backoff_limit_per_index), (1, false, 6));
    let text = format!(
        "{HEAD}spec: {{search: {{budget: {{evaluations: 10}}}}, evaluation: {{dataset: {{source: digits}}, device: auto}}, \
         gpu: {{}}, checkpoint: {{claim: {{}}}}, image: {{}}}}"
    );
    let spec = loaded(&text).run.spec;
    assert_eq!(spec.gpu.map(|gpu| (gpu.count, gpu.shared)), Some((1, false)));
    assert_eq!(spec.checkpoint.and_then(|one| one.claim).map(|claim| claim.size), Some("1Gi".to_owned()));
    assert_eq!(spec.image.map(|image| image.pull_policy), Some(PullPolicy::IfNotPresent));
}

#[test]
fn yaml_shorthands_work() {
    let json = r#"{"apiVersion": "automl.hivetrain.ai/v1alpha1", "kind": "MinerRun", "metadata": {"name": "a"},
        "spec": {"search": {"budget": {"evaluations": 10}}, "evaluation": {"dataset": {"source": "digits"}}}}"#;
    let plain = with_spec("budget: {evaluations: 10}", "dataset: {source: digits}");
    assert_eq!(loaded(json), plain);
    // A field without a value is left out, as in a cluster.
    let empty = with_spec("component: , population: , budget: {evaluations: 10}", "dataset: {source: digits}, seeds: ");
    assert_eq!(empty, plain);
    // Only labels and annotations of the run itself are kept, and empty.
    let labelled = json.replace(r#""name": "a""#, r#""name": "a", "labels": {"team": null}, "annotations": null"#);
    let metadata = loaded(&labelled).run.metadata;
    assert_eq!((metadata.labels["team"].as_str(), metadata.annotations.len()), ("", 0));
    let framed = format!(
        "%YAML 1.2\n---\n{HEAD}spec:\n  search: &s {{budget: {{evaluations: 10}}}}\n  evaluation:\n    dataset: {{<<: {{source: digits}}}}\n...\n"
    );
    assert_eq!(loaded(&framed), plain);
    let windows = format!(
        "\u{feff}{HEAD}spec: {{search: {{budget: {{evaluations: 10}}}}, evaluation: {{dataset: {{source: digits}}}}}}\n"
    )
    .replace('\n', "\r\n");
    assert_eq!(loaded(&windows), plain);
}
