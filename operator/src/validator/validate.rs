//! Second step: is the validator right, and what exactly is asked for. Pure.
use automl_api::{
    Validator, ValidatorStatus,
    names::{NameError, ValidatorName, Version},
    validator::conditions::Reason,
};
use automl_contract::{
    cluster::SecretKey,
    minerrun::API_VERSION,
    pod as agreed,
    validator::{KIND, ValidatorSpec},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde_json::{Value, json};

use crate::{
    child::{self, version},
    hardware::{Asked, NoHardware},
    ledger::LedgerUrl,
    minerrun::validate::{chain, image},
    settings::Settings,
};

/// A validator as it is to be built.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The validator's name.
    pub name: ValidatorName,
    /// Its namespace.
    pub namespace: String,
    /// Its uid.
    pub uid: String,
    /// The `metadata.generation` that was looked at.
    pub generation: i64,
    /// What is asked for.
    pub spec: ValidatorSpec,
    /// The hotkey's file.
    pub hotkey: SecretKey,
    /// What the container runs that scores.
    pub image: String,
    /// What the container runs that signs.
    pub signing_image: String,
    /// The `Validator` file that the pod reads: what decides on weights, and nothing that only a cluster uses.
    pub text: String,
    /// Changes with that file.
    pub version: Version,
    /// Where records are kept, if there is a ledger.
    pub ledger: Option<LedgerUrl>,
}

impl Plan {
    /// The reference that makes a child go with the validator.
    pub fn owner(&self) -> OwnerReference {
        child::owner(KIND, self.name.to_string(), &self.uid)
    }

    /// What it is called in the ledger.
    pub fn records(&self) -> String {
        agreed::validator_scope(&self.namespace, &self.name.to_string())
    }
}

/// Why a spec cannot be served, although the API server took it.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// The name does not fit pods.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The object has no place in the cluster.
    #[error("the object has no {0}; it was not read from an API server")]
    Incomplete(&'static str),
    /// Nothing signs.
    #[error("`spec.hotkey` is missing: name the Secret that holds the hotkey's file, and its key")]
    HotkeyMissing,
    /// A hotkey sets weights once.
    #[error(
        "{other} is older and validates the same subnet with the same `spec.hotkey`: delete one of them, or name another hotkey"
    )]
    HotkeyShared {
        /// The older one.
        other: String,
    },
    /// There is no subnet.
    #[error(
        "`spec.network` is missing, and the operator knows no ledger that could keep the subnet: name the chain, or start the operator with --ledger-url"
    )]
    NoSubnet,
    /// The pod cannot get what is asked for.
    #[error(transparent)]
    Hardware(#[from] NoHardware),
    /// The spec cannot be written for the pod.
    #[error("the spec cannot be written as YAML: {0}")]
    Text(#[from] serde_saphyr::ser::Error),
}

impl Invalid {
    /// What a person is told of it: the reason of a condition.
    pub fn reason(&self) -> Reason {
        match self {
            Invalid::HotkeyMissing => Reason::HotkeyMissing,
            Invalid::HotkeyShared { .. } => Reason::HotkeyShared,
            Invalid::NoSubnet => Reason::NoSubnet,
            Invalid::Hardware(NoHardware::Unknown { .. }) => Reason::ProfileMissing,
            Invalid::Name(_) | Invalid::Incomplete(_) | Invalid::Hardware(_) | Invalid::Text(_) => Reason::InvalidSpec,
        }
    }
}

/// Checks what no schema can check, and resolves what was left out. `others` are the validators of the namespace; this one may be
/// among them.
///
/// # Errors
/// See [`Invalid`].
pub fn validate<'a>(
    validator: &Validator,
    settings: &Settings,
    others: impl IntoIterator<Item = &'a Validator>,
) -> Result<Plan, Invalid> {
    let name = ValidatorName::try_from(validator.metadata.name.as_deref().unwrap_or_default())?;
    let namespace = validator.metadata.namespace.clone().ok_or(Invalid::Incomplete("namespace"))?;
    let uid = validator.metadata.uid.clone().ok_or(Invalid::Incomplete("uid"))?;
    let mut spec = validator.spec.0.clone();
    let hotkey = spec.hotkey.clone().ok_or(Invalid::HotkeyMissing)?;
    let ledger = settings.ledger_url.clone();
    if spec.network.is_none() && ledger.is_none() {
        return Err(Invalid::NoSubnet);
    }
    let asked = Asked {
        profile: spec.profile.as_deref(),
        device: spec.evaluation.device,
        gpu: &mut spec.gpu,
        resources: &mut spec.resources,
        placement: &mut spec.placement,
    };
    asked.of(&settings.profiles)?;
    if let Some(other) = others.into_iter().find(|other| is_older_twin(other, validator)) {
        return Err(Invalid::HotkeyShared { other: other.metadata.name.clone().unwrap_or_default() });
    }
    let file = file(&name, &spec);
    Ok(Plan {
        generation: validator.metadata.generation.unwrap_or_default(),
        image: image(spec.image.as_ref(), &settings.runner_image),
        signing_image: settings.submitter_image.clone(),
        text: serde_saphyr::to_string(&file)?,
        version: version(&file),
        name,
        namespace,
        uid,
        spec,
        hotkey,
        ledger,
    })
}

/// Whether another sets weights as the same neuron, and was there before.
fn is_older_twin(other: &Validator, validator: &Validator) -> bool {
    let neuron = |one: &Validator| {
        let network = one.spec.network.as_deref().map(|network| chain(network).to_owned());
        (one.spec.hotkey.clone(), one.spec.netuid, network)
    };
    // Times have whole seconds: of two of the same one that stays which was there, as its status says.
    let is_new = |one: &Validator| !one.status.as_ref().is_some_and(ValidatorStatus::is_accepted);
    let since = |one: &Validator| (one.metadata.creation_timestamp.clone(), is_new(one), one.metadata.uid.clone());
    other.metadata.namespace == validator.metadata.namespace
        && other.metadata.deletion_timestamp.is_none()
        && neuron(other) == neuron(validator)
        && since(other) < since(validator)
}

/// What the pod reads: a change of anything else does not start it anew.
fn file(name: &ValidatorName, spec: &ValidatorSpec) -> Value {
    let ValidatorSpec { network, netuid, evaluation, rounds, scoring, copies, payout, fetch, .. } = spec;
    let mut read = json!({
        "netuid": netuid,
        "evaluation": evaluation,
        "rounds": rounds,
        "scoring": scoring,
        "copies": copies,
        "payout": payout,
        "fetch": fetch,
    });
    if let Some(network) = network {
        read["network"] = json!(network);
    }
    json!({ "apiVersion": API_VERSION, "kind": KIND, "metadata": { "name": name.to_string() }, "spec": read })
}
