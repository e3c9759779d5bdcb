//! The rules of a `MinerRun`, in the order of its schema. Those of types that a `Validator` uses, too, are its own as well.
use super::Rule;

/// About `env`.
pub(super) const fn named_once(path: &'static str) -> Rule {
    Rule {
        path,
        field: "env",
        cel: "!has(self.env) || self.env.all(a, self.env.exists_one(b, a.name == b.name))",
        message: "a `name` is given twice: keep one of them",
    }
}

/// About `env`.
pub(super) const fn not_ours(path: &'static str) -> Rule {
    Rule {
        path,
        field: "env",
        cel: "!has(self.env) || self.env.all(e, !e.name.startsWith('AUTOML_'))",
        message: "names that begin with `AUTOML_` are the program's own: choose another",
    }
}

/// About `env`.
pub(super) const fn value_or_secret(path: &'static str) -> Rule {
    Rule {
        path,
        field: "env",
        cel: "!has(self.env) || self.env.all(e, !has(e.value) || !has(e.secret))",
        message: "give `value` or `secret`, not both",
    }
}

/// About `certificates` beside `env`.
pub(super) const fn certificates_once(path: &'static str) -> Rule {
    Rule {
        path,
        field: "certificates",
        cel: "!has(self.certificates) || !has(self.env) || !self.env.exists(e, e.name == 'SSL_CERT_FILE')",
        message: "the variable `SSL_CERT_FILE` names certificates, too: keep one of both",
    }
}

/// About `evaluation.device` beside `gpu`.
pub(super) const fn no_idle_gpu(path: &'static str) -> Rule {
    Rule {
        path,
        field: "evaluation.device",
        cel: "!has(self.gpu) || self.evaluation.device != 'cpu'",
        message: "`cpu` (also where it is left out) would leave the GPUs of `spec.gpu` idle: set `cuda` or `auto`, \
                  or remove `spec.gpu`",
    }
}

/// What every `MinerRun` must meet.
pub const RULES: &[Rule] = &[
    Rule {
        path: "",
        field: "metadata.name",
        // Pods are named after the run and an index, and a host name has at most 63 characters.
        cel: "self.metadata.name.matches('^[a-z]([a-z0-9-]{0,46}[a-z0-9])?$')",
        message: "not a usable name: use at most 48 lower-case letters, digits and `-`, beginning with a letter and \
                  ending with a letter or digit",
    },
    Rule {
        path: "spec.search",
        field: "tournament",
        cel: "!has(self.tournament) || self.tournament <= \
              (has(self.population) ? self.population : (self.preset == 'original' ? 50 : 100))",
        message: "larger than the population (100 unless given; 50 with preset original): lower it or raise \
                  `population`",
    },
    Rule {
        path: "spec.search",
        field: "warmStart",
        cel: "!has(self.warmStart) || size(self.warmStart) <= \
              (has(self.population) ? self.population : (self.preset == 'original' ? 50 : 100))",
        message: "more genes than the population holds (100 unless given; 50 with preset original): \
                  give fewer or raise `population`",
    },
    Rule {
        path: "spec.search",
        field: "migration.migrants",
        cel: "!has(self.migration) || self.migration.migrants <= \
              (has(self.population) ? self.population : (self.preset == 'original' ? 50 : 100))",
        message: "more than the population (100 unless given; 50 with preset original): lower it or raise \
                  `population`",
    },
    Rule {
        path: "spec.search.variation",
        field: "",
        // The allowance is for decimal fractions that have no exact binary form.
        cel: "self.crossover + self.subtree + self.point + self.constant <= 1.000000001",
        message: "the probabilities add up to more than 1: lower some; what is left to 1 copies the parent",
    },
    Rule {
        path: "spec.evaluation.dataset",
        field: "path",
        cel: "!(self.source in ['idx', 'npy', 'npz', 'cifar']) || has(self.path)",
        message: "missing; `idx`, `npy` and `cifar` read a folder, `npz` a file: name it",
    },
    Rule {
        path: "spec.evaluation.dataset",
        field: "path",
        cel: "!(self.source in ['digits', 'synthetic']) || !has(self.path)",
        message: "has no effect, as `digits` and `synthetic` are inside the program: remove it or choose another \
                  `source`",
    },
    Rule {
        path: "spec.evaluation.training",
        field: "learningRate",
        // Not a `minimum`: the API server compares a whole number, such as 0, with the bound cut to a whole number.
        cel: "!has(self.learningRate) || self.learningRate >= 0.000000001",
        message: "too small to learn anything: give at least 1e-9",
    },
    Rule {
        path: "spec.evaluation.network",
        field: "kind",
        cel: "self.kind != 'cnn' || (!has(self.hidden) && !has(self.dropout))",
        message: "`cnn` has neither `hidden` nor `dropout`: remove them, or set `mlp`",
    },
    Rule {
        path: "spec.evaluation.network",
        field: "channels",
        cel: "self.kind == 'cnn' || !has(self.channels)",
        message: "only a `cnn` has channels: remove it, or set `kind: cnn`",
    },
    Rule {
        path: "spec.evaluation",
        field: "network.kind",
        cel: "self.network.kind != 'cnn' || !(self.dataset.source in ['npy', 'npz', 'synthetic'])",
        message: "`cnn` needs pictures, and the examples of this data set are rows of numbers: set `mlp`, or choose \
                  another `source`",
    },
    Rule {
        path: "spec.evaluation.sets[]",
        field: "network.kind",
        cel: "!has(self.network) || !has(self.dataset) || self.network.kind != 'cnn' || !(self.dataset.source in \
              ['npy', 'npz', 'synthetic'])",
        message: "`cnn` needs pictures, and the examples of this data set are rows of numbers: set `mlp`, or choose \
                  another `source`",
    },
    Rule {
        path: "spec.evaluation.tasks",
        field: "projection",
        cel: "!has(self.projection) || !has(self.shrink)",
        message: "pictures are either projected or shrunk: keep one of `projection` and `shrink`",
    },
    Rule {
        path: "spec.evaluation.tasks.learningRate",
        field: "low",
        cel: "self.low >= 0.000000001",
        message: "too small to learn anything: give at least 1e-9",
    },
    Rule {
        path: "spec.evaluation.tasks.learningRate",
        field: "low",
        cel: "self.low <= self.high",
        message: "more than `high`: exchange them, or make both equal",
    },
    Rule {
        path: "spec.evaluation.tasks.widthPercent",
        field: "low",
        cel: "self.low <= self.high",
        message: "more than `high`: exchange them, or make both equal",
    },
    Rule {
        path: "spec.evaluation.tasks.classes",
        field: "low",
        cel: "self.low <= self.high",
        message: "more than `high`: exchange them, or make both equal",
    },
    Rule {
        path: "spec.evaluation.tasks.projection",
        field: "low",
        cel: "self.low <= self.high",
        message: "more than `high`: exchange them, or make both equal",
    },
    Rule {
        path: "spec.evaluation.tasks.shrink",
        field: "low",
        cel: "self.low <= self.high",
        message: "more than `high`: exchange them, or make both equal",
    },
    Rule {
        path: "spec.evaluation.tasks.labelNoise",
        field: "low",
        cel: "self.low <= self.high",
        message: "more than `high`: exchange them, or make both equal",
    },
    Rule {
        path: "spec",
        field: "checkpoint.claim.accessMode",
        cel: "!has(self.checkpoint) || !has(self.checkpoint.claim) || self.replicas <= 1 || \
              self.checkpoint.claim.accessMode == 'ReadWriteMany'",
        message: "a claim of this access mode serves one island: set `ReadWriteMany` (and a `storageClass` that \
                  offers it), or `replicas: 1`",
    },
    no_idle_gpu("spec"),
    Rule {
        path: "spec",
        field: "suspend",
        cel: "!self.suspend || !has(self.queueName)",
        message: "has no effect where `queueName` is set, as the queue then decides: hold the run's workload \
                  there, or remove one of both",
    },
    Rule {
        path: "spec.gpu",
        field: "",
        cel: "(has(self.migProfile) ? 1 : 0) + (has(self.deviceClass) ? 1 : 0) + (self.shared ? 1 : 0) <= 1",
        message: "`migProfile`, `shared` and `deviceClass` are different ways to get a GPU: keep one of them",
    },
    Rule {
        path: "spec.gpu",
        field: "count",
        cel: "!self.shared || self.count == 1",
        message: "more than one share of a GPU is not faster than one: set 1, or `shared: false`",
    },
    Rule {
        path: "spec.image",
        field: "digest",
        cel: "!has(self.digest) || has(self.reference)",
        message: "a digest of which image? give `reference` too",
    },
    Rule {
        path: "spec.resources",
        field: "requests.cpu",
        cel: "!has(self.requests) || !has(self.limits) || !has(self.requests.cpu) || !has(self.limits.cpu) || \
              quantity(string(self.requests.cpu)).compareTo(quantity(string(self.limits.cpu))) <= 0",
        message: "more than `limits.cpu`: lower it or raise the limit",
    },
    Rule {
        path: "spec.resources",
        field: "requests.memory",
        cel: "!has(self.requests) || !has(self.limits) || !has(self.requests.memory) || !has(self.limits.memory) \
              || quantity(string(self.requests.memory)).compareTo(quantity(string(self.limits.memory))) <= 0",
        message: "more than `limits.memory`: lower it or raise the limit",
    },
    Rule {
        path: "spec.resources",
        field: "requests.ephemeral-storage",
        cel: "!has(self.requests) || !has(self.limits) || !has(self.requests.ephemeral__dash__storage) || \
              !has(self.limits.ephemeral__dash__storage) || \
              quantity(string(self.requests.ephemeral__dash__storage)).compareTo(quantity(string(self.limits.ephemeral__dash__storage))) \
              <= 0",
        message: "more than `limits.ephemeral-storage`: lower it or raise the limit",
    },
    Rule {
        path: "spec.checkpoint",
        field: "",
        cel: "has(self.emptyDir) != has(self.claim)",
        message: "give `emptyDir` or `claim`, one of both",
    },
    Rule {
        path: "spec.placement",
        field: "nodeSelector",
        cel: concat!(
            "!has(self.nodeSelector) || self.nodeSelector.all(k, size(k) <= 253 && k.matches('",
            label_key!(),
            "'))"
        ),
        message: "a key is `name` or `prefix/name`: the name at most 63 letters, digits, `-`, `_` and `.`, the \
                  prefix a DNS name, 253 characters in all",
    },
    Rule {
        path: "spec.placement",
        field: "tolerations",
        cel: "!has(self.tolerations) || self.tolerations.all(t, t.operator == 'Exists' ? !has(t.value) : has(t.key))",
        message: "`Exists` has no `value`, and `Equal` (also where it is left out) needs a `key`",
    },
    Rule {
        path: "spec.placement",
        field: "tolerations",
        cel: "!has(self.tolerations) || self.tolerations.all(t, !has(t.tolerationSeconds) || (has(t.effect) && \
              t.effect == 'NoExecute'))",
        message: "`tolerationSeconds` is for `effect: NoExecute`: set that or remove it",
    },
    Rule {
        path: "spec.placement",
        field: "topologySpread",
        cel: "!has(self.topologySpread) || self.topologySpread.all(a, self.topologySpread.exists_one(b, \
              a.topologyKey == b.topologyKey))",
        message: "a `topologyKey` is given twice: keep one of them",
    },
    named_once("spec.podTemplate"),
    not_ours("spec.podTemplate"),
    value_or_secret("spec.podTemplate"),
    Rule {
        path: "spec.podTemplate",
        field: "volumes",
        cel: "!has(self.volumes) || self.volumes.all(a, self.volumes.exists_one(b, a.name == b.name))",
        message: "a `name` is given twice: keep one of them",
    },
    Rule {
        path: "spec.podTemplate",
        field: "volumes",
        cel: "!has(self.volumes) || self.volumes.all(v, has(v.claim) != has(v.configMap))",
        message: "give `claim` or `configMap`, one of both, for each",
    },
    named_once("spec.submit"),
    not_ours("spec.submit"),
    value_or_secret("spec.submit"),
    certificates_once("spec.submit"),
    Rule {
        path: "spec.podTemplate.metadata",
        field: "labels",
        cel: concat!("!has(self.labels) || self.labels.all(k, size(k) <= 253 && k.matches('", label_key!(), "'))"),
        message: "a key is `name` or `prefix/name`: the name at most 63 letters, digits, `-`, `_` and `.`, the \
                  prefix a DNS name, 253 characters in all",
    },
    Rule {
        path: "spec.podTemplate.metadata",
        field: "labels",
        cel: "!has(self.labels) || self.labels.all(k, !k.startsWith('automl.hivetrain.ai/') && \
              !k.startsWith('app.kubernetes.io/') && !k.startsWith('batch.kubernetes.io/'))",
        message: "keys of `automl.hivetrain.ai/`, `app.kubernetes.io/` and `batch.kubernetes.io/` are the \
                  operator's: choose another prefix",
    },
    Rule {
        path: "spec.podTemplate.metadata",
        field: "annotations",
        cel: concat!(
            "!has(self.annotations) || self.annotations.all(k, size(k) <= 253 && k.matches('",
            annotation_key!(),
            "'))"
        ),
        message: "a key is `name` or `prefix/name`: the name at most 63 letters, digits, `-`, `_` and `.`, the \
                  prefix a DNS name, 253 characters in all",
    },
    Rule {
        path: "spec.podTemplate.metadata",
        field: "annotations",
        cel: "!has(self.annotations) || self.annotations.all(k, !k.startsWith('automl.hivetrain.ai/') && \
              !k.startsWith('app.kubernetes.io/') && !k.startsWith('batch.kubernetes.io/'))",
        message: "keys of `automl.hivetrain.ai/`, `app.kubernetes.io/` and `batch.kubernetes.io/` are the \
                  operator's: choose another prefix",
    },
];

/// What may not change once a `MinerRun` exists; `oldSelf` is the object before the change.
pub const TRANSITIONS: &[Rule] = &[
    Rule {
        path: "spec.search",
        field: "component",
        cel: "self.component == oldSelf.component",
        message: "cannot be changed: what was found so far would not be comparable; apply a new run under another \
                  name",
    },
    Rule {
        path: "spec.search",
        field: "seed",
        cel: "self.seed == oldSelf.seed",
        message: "cannot be changed: what was found so far would not be comparable; apply a new run under another \
                  name",
    },
    Rule {
        // Of the run and not of `spec.evaluation`: a validator may be given another one.
        path: "spec",
        field: "evaluation.dataset",
        cel: "self.evaluation.dataset == oldSelf.evaluation.dataset",
        message: "cannot be changed: what was found so far would not be comparable; apply a new run under another \
                  name",
    },
    Rule {
        path: "spec",
        field: "evaluation.sets",
        cel: "has(self.evaluation.sets) == has(oldSelf.evaluation.sets) && (!has(self.evaluation.sets) || \
              self.evaluation.sets == oldSelf.evaluation.sets)",
        message: "cannot be changed: what was found so far would not be comparable; apply a new run under another \
                  name",
    },
    Rule {
        path: "spec",
        field: "queueName",
        cel: "has(self.queueName) == has(oldSelf.queueName) && (!has(self.queueName) || self.queueName == \
              oldSelf.queueName)",
        message: "cannot be changed, as the queue has admitted the run; apply a new run under another name",
    },
    Rule {
        path: "spec.checkpoint.claim",
        field: "accessMode",
        cel: "self.accessMode == oldSelf.accessMode",
        message: "cannot be changed, as Kubernetes cannot change it in a claim; apply a new run under another name",
    },
    Rule {
        path: "spec.checkpoint.claim",
        field: "storageClass",
        cel: "has(self.storageClass) == has(oldSelf.storageClass) && (!has(self.storageClass) || self.storageClass \
              == oldSelf.storageClass)",
        message: "cannot be changed, as Kubernetes cannot change it in a claim; apply a new run under another name",
    },
    Rule {
        path: "spec.checkpoint.claim",
        field: "size",
        cel: "quantity(self.size).compareTo(quantity(oldSelf.size)) >= 0",
        message: "smaller than before: a claim can only grow",
    },
];
