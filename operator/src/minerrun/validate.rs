//! Second step: is the run right, and what exactly is asked for. Pure.
use automl_api::{
    MinerRun,
    names::{RunName, Version},
};
use automl_contract::{
    cluster::{ImageSpec, SubmitSpec},
    minerrun::{API_VERSION, KIND, MinerRunSpec},
    pod as agreed,
    spec::MigrationMode,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde_json::{Value, json};

use super::error::Invalid;
use crate::{
    child::{self, version},
    hardware::Asked,
    ledger::LedgerUrl,
    settings::Settings,
};

/// Where genes go that stay in the ledger.
const OWN_LEDGER: &str = "ledger";
/// What a commitment has room for beside a hash, in bytes.
const LONGEST_PLACE: usize = 63;

/// A run as it is to be built.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The run's name.
    pub name: RunName,
    /// Its namespace.
    pub namespace: String,
    /// Its uid.
    pub uid: String,
    /// The `metadata.generation` that was looked at.
    pub generation: i64,
    /// What is asked for.
    pub spec: MinerRunSpec,
    /// What pods run.
    pub image: String,
    /// The `MinerRun` file that pods read: `search` and `evaluation` and nothing that may change on the way.
    pub text: String,
    /// Changes with that file.
    pub spec_version: Version,
    /// Changes with everything in that file but the budget: checkpoints and archives of one are of no use to another.
    pub search_version: Version,
    /// Where pods keep what they do, if there is a ledger.
    pub ledger: Option<LedgerUrl>,
    /// Who publishes what is found, if somebody does.
    pub submitter: Option<Submitter>,
}

/// The submitter of a run, which others may share.
#[derive(Clone, Debug)]
pub struct Submitter {
    /// What tells it from others of the namespace: the hotkey's Secret and the subnet.
    pub which: Version,
    /// What it is called in the ledger.
    pub scope: String,
    /// Where genes go.
    pub to: String,
    /// As the run asks for it.
    pub spec: SubmitSpec,
}

impl Submitter {
    /// The name of its objects.
    pub fn name(&self) -> String {
        format!("{}{}", agreed::SUBMITTER_NAME, self.which)
    }
}

/// What tells the submitter that a spec asks for from others of the namespace.
pub(crate) fn which(spec: &SubmitSpec) -> Version {
    let mut which = json!({ "hotkey": spec.hotkey, "netuid": spec.netuid });
    if let Some(network) = &spec.network {
        which["network"] = json!(chain(network));
    }
    version(&which)
}

impl Plan {
    /// The reference that makes a child go with the run.
    pub fn owner(&self) -> OwnerReference {
        child::owner(KIND, self.name.to_string(), &self.uid)
    }

    /// What the run is called in the ledger: `NAMESPACE.NAME.VERSION`. Neither of the first two has a dot.
    pub fn ledger_run(&self) -> String {
        format!("{}.{}.{}", self.namespace, self.name, self.search_version)
    }

    /// Whether islands wait for what others give, so that none may be taken away in the middle of an epoch.
    pub fn is_in_step(&self) -> bool {
        self.spec.search.migration.is_some_and(|migration| migration.mode == MigrationMode::Synchronous)
    }

    /// Whether islands wait for a queue that decides when they run.
    pub fn is_queued(&self) -> bool {
        self.spec.queue_name.is_some()
    }
}

/// Checks what no schema can check, and resolves what was left out.
///
/// # Errors
/// The name does not fit pods, the object is not one that an API server has stored, or it asks for what is not served here.
pub fn validate(run: &MinerRun, settings: &Settings) -> Result<Plan, Invalid> {
    let name = RunName::try_from(run.metadata.name.as_deref().unwrap_or_default())?;
    let namespace = run.metadata.namespace.clone().ok_or(Invalid::Incomplete("namespace"))?;
    let uid = run.metadata.uid.clone().ok_or(Invalid::Incomplete("uid"))?;
    let mut spec = run.spec.0.clone();
    let asked = Asked {
        profile: spec.profile.as_deref(),
        device: spec.evaluation.device,
        gpu: &mut spec.gpu,
        resources: &mut spec.resources,
        placement: &mut spec.placement,
    };
    asked.of(&settings.profiles)?;
    let ledger = settings.ledger_url.as_ref();
    if spec.search.migration.is_some() && ledger.is_none() {
        return Err(Invalid::NoLedger("spec.search.migration"));
    }
    let submitter = spec.submit.as_ref().map(|submit| submitter(submit, &namespace, ledger)).transpose()?;
    let mut file = json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": { "name": name.to_string() },
        "spec": { "search": spec.search, "evaluation": spec.evaluation },
    });
    let text = serde_saphyr::to_string(&file)?;
    let spec_version = version(&file);
    if let Some(search) = file.pointer_mut("/spec/search").and_then(Value::as_object_mut) {
        search.remove("budget");
    }
    Ok(Plan {
        image: image(spec.image.as_ref(), &settings.runner_image),
        generation: run.metadata.generation.unwrap_or_default(),
        search_version: version(&file),
        name,
        namespace,
        uid,
        spec,
        text,
        spec_version,
        ledger: ledger.cloned(),
        submitter,
    })
}

fn submitter(spec: &SubmitSpec, namespace: &str, ledger: Option<&LedgerUrl>) -> Result<Submitter, Invalid> {
    if ledger.is_none() {
        return Err(Invalid::NoLedger("spec.submit"));
    }
    let which = which(spec);
    let scope = agreed::submitter_scope(namespace, &which.to_string());
    let to = if spec.to == OWN_LEDGER { format!("{OWN_LEDGER}:{scope}") } else { spec.to.clone() };
    if to.len() > LONGEST_PLACE {
        return Err(Invalid::Place { to, most: LONGEST_PLACE });
    }
    Ok(Submitter { which, scope, to, spec: spec.clone() })
}

/// The chain that a network is, over whatever nodes: `test` and `test=wss://…` are one. No node's address may have a `=` here.
pub(crate) fn chain(network: &str) -> &str {
    network.split_once('=').map_or(network, |(chain, _)| chain)
}

/// What pods run.
pub(crate) fn image(image: Option<&ImageSpec>, default: &str) -> String {
    let reference = image.and_then(|image| image.reference.as_deref()).unwrap_or(default);
    match image.and_then(|image| image.digest.as_deref()) {
        // The operator's own may have a digest already.
        Some(digest) => format!("{}@{digest}", reference.split('@').next().unwrap_or_default()),
        None => reference.to_owned(),
    }
}
