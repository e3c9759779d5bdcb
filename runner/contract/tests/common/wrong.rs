//! Files that are wrong, with the exact words a person then reads. The API server's test uses this too.

/// A right file; each case changes one thing in it.
pub(crate) const GOOD: &str = "\
apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata:
  name: digits
spec:
  search:
    budget:
      evaluations: 2000
  evaluation:
    dataset:
      source: digits
";

/// What is written under `search:` of the right file, and what one is told.
pub(crate) const UNDER_SEARCH: &[(&str, &str)] = &[
    ("populaton: 50", "7:5: spec.search.populaton: unknown field; did you mean `population`?"),
    ("Population: 50", "7:5: spec.search.Population: unknown field; did you mean `population`?"),
    (
        "batch_size: 50",
        "7:5: spec.search.batch_size: unknown field; did you mean `spec.evaluation.training.batchSize`?",
    ),
    ("evaluations: 50", "7:5: spec.search.evaluations: unknown field; did you mean `spec.search.budget.evaluations`?"),
    (
        "wibble: 50",
        "7:5: spec.search.wibble: unknown field; known here: `budget`, `component`, `limits`, `migration`, `offspring`, `population`, `preset`, `seed`, `tournament`, `variation`, `vocabulary` or `warmStart`",
    ),
    ("population: 1", "7:17: spec.search.population: `1` is too small; give a whole number from 2 to 100000"),
    ("population: 100001", "7:17: spec.search.population: `100001` is too large; give a whole number from 2 to 100000"),
    (
        "population: 99999999999999999999999",
        "7:17: spec.search.population: `1e+23` is too large; give a whole number from 2 to 100000",
    ),
    ("population: -1", "7:17: spec.search.population: `-1` is too small; give a whole number from 2 to 100000"),
    ("population: 1e400", "7:17: `1e400` is not a finite number; give one"),
    ("population: 2.5", "7:17: spec.search.population: `2.5` does not fit here; give a whole number from 2 to 100000"),
    (
        "population: 010",
        "7:17: spec.search.population: the text `010` does not fit here; give a whole number from 2 to 100000",
    ),
    (
        "population: '50'",
        "7:17: spec.search.population: the text `50` does not fit here; give a whole number from 2 to 100000",
    ),
    (
        "population: many",
        "7:17: spec.search.population: the text `many` does not fit here; give a whole number from 2 to 100000",
    ),
    ("warmStart: [~]", "7:17: spec.search.warmStart[0]: has no value; give text of 1 to 20480 characters"),
    (
        "population: [50]",
        "7:17: spec.search.population: a list does not fit here; give a whole number from 2 to 100000",
    ),
    ("population: yes", "7:17: spec.search.population: `true` does not fit here; give a whole number from 2 to 100000"),
    (
        "population: true",
        "7:17: spec.search.population: `true` does not fit here; give a whole number from 2 to 100000",
    ),
    ("component: optimizer", "7:16: spec.search.component: the text `optimizer` is not known here; give `loss`"),
    (
        "preset: regularised",
        "7:13: spec.search.preset: the text `regularised` is not known here; give `regularized` or `original`",
    ),
    ("preset: 3", "7:13: spec.search.preset: `3` does not fit here; give `regularized` or `original`"),
    ("seed: 4294967296", "7:11: spec.search.seed: `4294967296` is too large; give a whole number from 0 to 4294967295"),
    (
        "tournament: 101",
        "7:17: spec.search.tournament: larger than the population (100 unless given; 50 with preset original): lower it or raise `population`",
    ),
    (
        "tournament: 60\n    preset: original",
        "7:17: spec.search.tournament: larger than the population (100 unless given; 50 with preset original): lower it or raise `population`",
    ),
    (
        "population: 10\n    tournament: 60",
        "8:17: spec.search.tournament: larger than the population (100 unless given; 50 with preset original): lower it or raise `population`",
    ),
    (
        "population: 2\n    warmStart: [a, b, c]",
        "8:16: spec.search.warmStart: more genes than the population holds (100 unless given; 50 with preset original): give fewer or raise `population`",
    ),
    (
        "warmStart: a",
        "7:16: spec.search.warmStart: the text `a` does not fit here; give a list of at most 100 entries, each text of 1 to 20480 characters",
    ),
    ("warmStart: [1]", "7:17: spec.search.warmStart[0]: `1` does not fit here; give text of 1 to 20480 characters"),
    (
        "variation: {crossover: 0.5, subtree: 0.5, point: 0.1, constant: 0}",
        "7:16: spec.search.variation: the probabilities add up to more than 1: lower some; what is left to 1 copies the parent",
    ),
    (
        "migration: {migrants: 101}",
        "7:27: spec.search.migration.migrants: more than the population (100 unless given; 50 with preset original): lower it or raise `population`",
    ),
    (
        "variation: {crossover: 0.5}",
        "7:5: spec.search.variation.constant: missing; give a number from 0 to 1\n7:5: spec.search.variation.point: missing; give a number from 0 to 1\n7:5: spec.search.variation.subtree: missing; give a number from 0 to 1",
    ),
    (
        "variation: {crossover: 1.5, subtree: 0.5, point: 0.1, constant: .nan}",
        "7:69: `.nan` is not a finite number; give one",
    ),
    (
        "variation: {crossover: 1.5, subtree: 0.5, point: 0.1, constant: -0.1}",
        "7:28: spec.search.variation.crossover: `1.5` is too large; give a number from 0 to 1\n7:69: spec.search.variation.constant: `-0.1` is too small; give a number from 0 to 1",
    ),
    (
        "population: 1\n    tournamnt: 3\n    seed: x",
        "7:17: spec.search.population: `1` is too small; give a whole number from 2 to 100000\n8:5: spec.search.tournamnt: unknown field; did you mean `tournament`?\n9:11: spec.search.seed: the text `x` does not fit here; give a whole number from 0 to 4294967295",
    ),
    (
        "population: &p 500000\n    offspring: *p",
        "7:20: spec.search.population: `500000` is too large; give a whole number from 2 to 100000\n8:16: spec.search.offspring: `500000` is too large; give a whole number from 1 to 100000",
    ),
    ("<<: {population: 1}", "7:9: spec.search.population: `1` is too small; give a whole number from 2 to 100000"),
];

/// What is written after `source: digits` of the right file, and what one is told.
pub(crate) const AFTER_SOURCE: &[(&str, &str)] = &[
    (
        "\n      path: /data",
        "12:13: spec.evaluation.dataset.path: has no effect, as `digits` and `synthetic` are inside the program: remove it or choose another `source`",
    ),
    (
        "\n      limit: 5",
        "12:14: spec.evaluation.dataset.limit: `5` is too small; give a whole number from 100 to 10000000",
    ),
    (
        "\n    network: {hidden: [32, 0]}",
        "12:28: spec.evaluation.network.hidden[1]: `0` is too small; give a whole number from 1 to 4096",
    ),
    (
        "\n    network: {hidden: [1,1,1,1,1,1,1,1,1]}",
        "12:23: spec.evaluation.network.hidden: too many entries; give a list of 0 to 8 entries, each a whole number from 1 to 4096",
    ),
    (
        "\n    network: {dropout: 1.0}",
        "12:24: spec.evaluation.network.dropout: `1` is too large; give a number from 0 to 0.95",
    ),
    (
        "\n    training: {learningRate: 0}",
        "12:30: spec.evaluation.training.learningRate: too small to learn anything: give at least 1e-9",
    ),
    (
        "\n    network: {kind: cnn, hidden: [3]}",
        "12:21: spec.evaluation.network.kind: `cnn` has neither `hidden` nor `dropout`: remove them, or set `mlp`",
    ),
    (
        "\n    network: {channels: 8}",
        "12:25: spec.evaluation.network.channels: only a `cnn` has channels: remove it, or set `kind: cnn`",
    ),
    (
        "\n    sets: [{stage: final, network: {kind: cnn}}, {stage: final, dataset: {source: synthetic}, network: {kind: cnn}}]",
        "12:111: spec.evaluation.sets[1].network.kind: `cnn` needs pictures, and the examples of this data set are rows of numbers: set `mlp`, or choose another `source`",
    ),
    (
        "\n      limit: 100\n    sets: [{stage: final, dataset: {source: digits, path: x}}]",
        "13:59: spec.evaluation.sets[0].dataset.path: has no effect, as `digits` and `synthetic` are inside the program: remove it or choose another `source`",
    ),
    (
        "\n    sets: [{stage: select}, {stage: final, dataset: {source: npz}}]",
        "12:44: spec.evaluation.sets[1].dataset.path: missing; `idx`, `npy` and `cifar` read a folder, `npz` a file: name it",
    ),
    (
        "\n    sets: [{dataset: {source: digits}}]",
        "12:12: spec.evaluation.sets[0].stage: missing; give `search`, `select` or `final`",
    ),
    (
        "\n    tasks: {projection: {low: 8, high: 8}, shrink: {low: 1, high: 2}}",
        "12:25: spec.evaluation.tasks.projection: pictures are either projected or shrunk: keep one of `projection` and `shrink`",
    ),
    (
        "\n    tasks: {learningRate: {low: 0, high: 1}}",
        "12:33: spec.evaluation.tasks.learningRate.low: too small to learn anything: give at least 1e-9",
    ),
    (
        "\n    tasks: {learningRate: {low: 0.1, high: 0.01}, classes: {low: 5, high: 3}}",
        "12:33: spec.evaluation.tasks.learningRate.low: more than `high`: exchange them, or make both equal\n12:66: spec.evaluation.tasks.classes.low: more than `high`: exchange them, or make both equal",
    ),
    (
        "\n    device: gpu",
        "12:13: spec.evaluation.device: the text `gpu` is not known here; give `cpu`, `cuda` or `auto`",
    ),
    (
        "\n  \"ev\\u001bil\\nx\": 1",
        "12:3: spec[\"ev\\u{1b}il\\nx\"]: unknown field; known here: `activeDeadlineSeconds`, `backoffLimitPerIndex`, `checkpoint`, `evaluation`, `gpu`, `image`, `placement`, `podTemplate`, `profile`, `queueName`, `replicas`, `resources`, `search`, `submit`, `suspend` or `ttlSecondsAfterFinished`",
    ),
    (
        "\n  replicas: 2\n  checkpoint: {claim: {}}",
        "13:16: spec.checkpoint.claim.accessMode: a claim of this access mode serves one island: set `ReadWriteMany` (and a `storageClass` that offers it), or `replicas: 1`",
    ),
    (
        "\n  gpu: {}",
        "9:3: spec.evaluation.device: `cpu` (also where it is left out) would leave the GPUs of `spec.gpu` idle: set `cuda` or `auto`, or remove `spec.gpu`",
    ),
    (
        "\n  suspend: true\n  queueName: q",
        "12:12: spec.suspend: has no effect where `queueName` is set, as the queue then decides: hold the run's workload there, or remove one of both",
    ),
    (
        "\n    device: auto\n  gpu: {migProfile: 1g.10gb, shared: true}",
        "13:8: spec.gpu: `migProfile`, `shared` and `deviceClass` are different ways to get a GPU: keep one of them",
    ),
    (
        "\n    device: auto\n  gpu: {count: 2, shared: true}",
        "13:16: spec.gpu.count: more than one share of a GPU is not faster than one: set 1, or `shared: false`",
    ),
    (
        "\n  image: {digest: 'sha256:0000000000000000000000000000000000000000000000000000000000000000'}",
        "12:19: spec.image.digest: a digest of which image? give `reference` too",
    ),
    (
        "\n  resources: {requests: {cpu: 2}, limits: {cpu: 1500m}}",
        "12:31: spec.resources.requests.cpu: more than `limits.cpu`: lower it or raise the limit",
    ),
    (
        "\n  resources: {requests: {memory: 2Gi}, limits: {memory: 2000Mi}}",
        "12:34: spec.resources.requests.memory: more than `limits.memory`: lower it or raise the limit",
    ),
    (
        "\n  resources: {requests: {ephemeral-storage: 1.5G}, limits: {ephemeral-storage: 1Gi}}",
        "12:45: spec.resources.requests.ephemeral-storage: more than `limits.ephemeral-storage`: lower it or raise the limit",
    ),
    ("\n  checkpoint: {}", "12:15: spec.checkpoint: give `emptyDir` or `claim`, one of both"),
    (
        "\n  placement: {nodeSelector: {a b: c}}",
        "12:29: spec.placement.nodeSelector: a key is `name` or `prefix/name`: the name at most 63 letters, digits, `-`, `_` and `.`, the prefix a DNS name, 253 characters in all",
    ),
    (
        "\n  placement: {tolerations: [{operator: Exists, value: x}]}",
        "12:28: spec.placement.tolerations: `Exists` has no `value`, and `Equal` (also where it is left out) needs a `key`",
    ),
    (
        "\n  placement: {tolerations: [{key: a, tolerationSeconds: 5}]}",
        "12:28: spec.placement.tolerations: `tolerationSeconds` is for `effect: NoExecute`: set that or remove it",
    ),
    (
        "\n  placement: {topologySpread: [{topologyKey: a}, {topologyKey: a}]}",
        "12:31: spec.placement.topologySpread: a `topologyKey` is given twice: keep one of them",
    ),
    (
        "\n  podTemplate: {env: [{name: A}, {name: A}]}",
        "12:22: spec.podTemplate.env: a `name` is given twice: keep one of them",
    ),
    (
        "\n  podTemplate: {env: [{name: AUTOML_X}]}",
        "12:22: spec.podTemplate.env: names that begin with `AUTOML_` are the program's own: choose another",
    ),
    (
        "\n  podTemplate: {env: [{name: A, value: x, secret: {name: s, key: k}}]}",
        "12:22: spec.podTemplate.env: give `value` or `secret`, not both",
    ),
    (
        "\n  submit: {hotkey: {name: k, key: hotkey}, netuid: 1, to: a/b, certificates: ca, env: [{name: SSL_CERT_FILE}]}",
        "12:78: spec.submit.certificates: the variable `SSL_CERT_FILE` names certificates, too: keep one of both",
    ),
    (
        "\n  submit: {hotkey: {name: k, key: hotkey}, netuid: 1, to: a/b, env: [{name: A}, {name: A}]}",
        "12:69: spec.submit.env: a `name` is given twice: keep one of them",
    ),
    (
        "\n  submit: {hotkey: {name: k, key: hotkey}, netuid: 1, to: a/b, env: [{name: AUTOML_X}]}",
        "12:69: spec.submit.env: names that begin with `AUTOML_` are the program's own: choose another",
    ),
    (
        "\n  submit: {hotkey: {name: k, key: hotkey}, netuid: 1, to: a/b, env: [{name: A, value: x, secret: {name: s, key: k}}]}",
        "12:69: spec.submit.env: give `value` or `secret`, not both",
    ),
    (
        "\n  podTemplate: {volumes: [{name: a, claim: c}, {name: a, claim: c}]}",
        "12:26: spec.podTemplate.volumes: a `name` is given twice: keep one of them",
    ),
    (
        "\n  podTemplate: {volumes: [{name: a}]}",
        "12:26: spec.podTemplate.volumes: give `claim` or `configMap`, one of both, for each",
    ),
    (
        "\n  podTemplate: {metadata: {labels: {-a: b}}}",
        "12:36: spec.podTemplate.metadata.labels: a key is `name` or `prefix/name`: the name at most 63 letters, digits, `-`, `_` and `.`, the prefix a DNS name, 253 characters in all",
    ),
    (
        "\n  podTemplate: {metadata: {labels: {automl.hivetrain.ai/run: x}}}",
        "12:36: spec.podTemplate.metadata.labels: keys of `automl.hivetrain.ai/`, `app.kubernetes.io/` and `batch.kubernetes.io/` are the operator's: choose another prefix",
    ),
    (
        "\n  podTemplate: {metadata: {annotations: {a/b/c: d}}}",
        "12:41: spec.podTemplate.metadata.annotations: a key is `name` or `prefix/name`: the name at most 63 letters, digits, `-`, `_` and `.`, the prefix a DNS name, 253 characters in all",
    ),
    (
        "\n  podTemplate: {metadata: {annotations: {batch.kubernetes.io/x: z}}}",
        "12:41: spec.podTemplate.metadata.annotations: keys of `automl.hivetrain.ai/`, `app.kubernetes.io/` and `batch.kubernetes.io/` are the operator's: choose another prefix",
    ),
    (
        "\n  resources: {limits: {cpu: -1}}",
        "12:29: spec.resources.limits.cpu: `-1` is too small; give an amount such as `2`, `500m` or `4Gi`",
    ),
    (
        "\n  resources: {limits: {cpu: 0.5}}",
        "12:29: spec.resources.limits.cpu: `0.5` does not fit here; give an amount such as `2`, `500m` or `4Gi`",
    ),
    (
        "\n  resources: {limits: {cpu: 1e3x}}",
        "12:29: spec.resources.limits.cpu: the text `1e3x` does not fit here; give an amount such as `2`, `500m` or `4Gi`",
    ),
    (
        "\n  queueName: A",
        "12:14: spec.queueName: the text `A` does not fit here; give a name of at most 63 lower-case letters, digits and `-`",
    ),
    ("\n  image: {pullSecrets: [a, a]}", "12:24: spec.image.pullSecrets: an entry is given twice; keep one of them"),
    ("\n  replicas: 10001", "12:13: spec.replicas: `10001` is too large; give a whole number from 0 to 10000"),
];

/// What of the right file is replaced, by what, and what one is told.
pub(crate) const REPLACED: &[(&str, &str, &str)] = &[
    (
        "evaluations: 2000",
        "evaluations: 0",
        "8:20: spec.search.budget.evaluations: `0` is too small; give a whole number from 1 to 1000000000000",
    ),
    (
        "evaluations: 2000",
        "evaluations: 2000\n      evaluations: 3000",
        "9:7: `evaluations` is given twice; keep one of them",
    ),
    (
        "    budget:\n      evaluations: 2000\n",
        "    budget: 2000\n",
        "7:13: spec.search.budget: `2000` does not fit here; give a mapping with `evaluations`",
    ),
    (
        "    budget:\n      evaluations: 2000\n",
        "    seed: 1\n",
        "6:3: spec.search.budget: missing; give a mapping with `evaluations`",
    ),
    (
        "    budget:\n      evaluations: 2000\n",
        "    budget: {}\n",
        "7:5: spec.search.budget.evaluations: missing; give a whole number from 1 to 1000000000000",
    ),
    ("kind: MinerRun\n", "kind: Minerrun\n", "2:7: kind: the text `Minerrun` is not known here; give `MinerRun`"),
    ("kind: MinerRun\n", "", "1:1: kind: missing; give `MinerRun`"),
    (
        "automl.hivetrain.ai/v1alpha1",
        "automl.hivetrain.ai/v1",
        "1:13: apiVersion: the text `automl.hivetrain.ai/v1` is not known here; give `automl.hivetrain.ai/v1alpha1`",
    ),
    ("metadata:\n  name: digits\n", "", "1:1: metadata: missing; give a mapping with `name`"),
    ("name: digits", "labels: {a: b}", "3:1: metadata.name: missing; give text"),
    (
        "name: digits",
        "name: Digits",
        "4:9: metadata.name: not a usable name: use at most 48 lower-case letters, digits and `-`, beginning with a letter and ending with a letter or digit",
    ),
    (
        "name: digits",
        "name: a.b",
        "4:9: metadata.name: not a usable name: use at most 48 lower-case letters, digits and `-`, beginning with a letter and ending with a letter or digit",
    ),
    (
        "name: digits",
        "name: abcdefghijabcdefghijabcdefghijabcdefghijabcdefghi",
        "4:9: metadata.name: not a usable name: use at most 48 lower-case letters, digits and `-`, beginning with a letter and ending with a letter or digit",
    ),
    (
        "name: digits",
        "name: digits\n  labels: {a: 1}",
        "5:15: metadata.labels.a: `1` does not fit here; give at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit",
    ),
    (
        "name: digits",
        "name: digits\n  labels: {a b: c}",
        "5:11: metadata.labels: the text `a b` is no key: it is `name` or `prefix/name`, the name of at most 63 letters, digits, `-`, `_` and `.`, the prefix a DNS name",
    ),
    ("name: digits", "name: digits\n  label: {a: x}", "5:3: metadata.label: unknown field; did you mean `labels`?"),
    (
        "source: digits",
        "source: idx",
        "10:5: spec.evaluation.dataset.path: missing; `idx`, `npy` and `cifar` read a folder, `npz` a file: name it",
    ),
    (
        "source: digits",
        "source: mnist",
        "11:15: spec.evaluation.dataset.source: the text `mnist` is not known here; give `digits`, `fashion-mnist`, `idx`, `npy`, `npz`, `cifar` or `synthetic`",
    ),
    (
        "source: digits",
        "source: npz\n      path: ''",
        "12:13: spec.evaluation.dataset.path: too short; give text of 1 to 4096 characters",
    ),
    (
        "    dataset:\n      source: digits\n",
        "    device: cpu\n",
        "9:3: spec.evaluation.dataset: missing; give a mapping with `source`",
    ),
];

/// Files that are no right file with a change, and what one is told.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("", "1:1: the file is empty; begin it with `apiVersion: automl.hivetrain.ai/v1alpha1` and `kind: MinerRun`"),
    (
        "# nothing\n",
        "1:1: the file is empty; begin it with `apiVersion: automl.hivetrain.ai/v1alpha1` and `kind: MinerRun`",
    ),
    ("- a\n", "1:1: a list does not fit here; give a mapping with `apiVersion`, `kind`, `metadata` and `spec`"),
    ("42\n", "1:1: `42` does not fit here; give a mapping with `apiVersion`, `kind`, `metadata` and `spec`"),
    ("a: [1, 2\n", "1:4: not valid YAML: unclosed bracket '['"),
    ("spec: a: b\n", "1:8: not valid YAML: mapping values are not allowed in this context"),
    ("a: *x\n", "1:4: not valid YAML: reference to unknown value"),
    ("a: &x [*x]\n", "1:8: not valid YAML: Recursive reference not allowed here"),
    (
        "kind: Pod\napiVersion: v1\nmetadata:\n  name: x\nspec:\n  containers: []\n",
        "1:7: kind: the text `Pod` is not known here; give `MinerRun`\n2:13: apiVersion: the text `v1` is not known here; give `automl.hivetrain.ai/v1alpha1`",
    ),
    ("? [1, 2]\n: 3\n", "1:3: not valid YAML: expected string scalar"),
    ("~: 2\n", "1:1: not valid YAML: null is not allowed here"),
    ("kind: \u{1b}[31m\n", "1:7: not valid YAML: unexpected character: `\\u{1b}'"),
];

/// Each changed file of the tables, and what one is told.
pub(crate) fn changed() -> impl Iterator<Item = (String, &'static str)> {
    let search = UNDER_SEARCH.iter().map(|(line, told)| ("  search:\n", format!("  search:\n    {line}\n"), *told));
    let source = AFTER_SOURCE.iter().map(|(rest, told)| ("source: digits", format!("source: digits{rest}"), *told));
    let replaced = REPLACED.iter().map(|(from, to, told)| (*from, (*to).to_owned(), *told));
    search.chain(source).chain(replaced).map(|(from, to, told)| {
        assert!(GOOD.contains(from), "the case changes nothing: {from}");
        (GOOD.replacen(from, &to, 1), told)
    })
}
