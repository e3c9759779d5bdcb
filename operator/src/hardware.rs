//! What hardware pods get: by an administrator's profile, by what kind of GPU, or none.
//!
//! A GPU comes by one of two ways. A device plugin offers extended resources (whole GPUs, slices, shared ones), of which a container
//! has some as a limit. Dynamic resource allocation has `DeviceClasses`: a pod names a template, and gets a claim made from it.
use std::{fmt, sync::Arc};

use automl_api::names::Version;
use automl_contract::{
    cluster::{GpuSpec, PlacementSpec, ResourcesSpec},
    manifest,
    profiles::Profile,
    spec::DeviceName,
};
use k8s_openapi::{
    api::{
        core::v1::{EnvVar, PodResourceClaim, ResourceClaim, ResourceRequirements},
        resource::v1::{
            DeviceClaim, DeviceRequest, ExactDeviceRequest, ResourceClaimSpec, ResourceClaimTemplate,
            ResourceClaimTemplateSpec,
        },
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta},
};

use crate::child;

/// What a pod and its container call the claim.
const CLAIM: &str = "gpu";
/// The variable by which NVIDIA's container runtime is told which GPUs to show. Images made from CUDA's have it set to all.
const VISIBLE: &str = "NVIDIA_VISIBLE_DEVICES";

/// Hardware that an administrator has described.
#[derive(Clone, Debug, Default)]
pub struct Profiles(Arc<[Profile]>);

impl Profiles {
    /// Reads a `Profiles` file.
    ///
    /// # Errors
    /// It cannot be read, or is none, in words.
    pub fn read(path: &str) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let read = manifest::read_profiles(&text, path).map_err(|error| error.to_string())?;
        Ok(Self(read.profiles.into()))
    }
}

impl fmt::Display for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|profile| profile.name.as_str()).collect();
        f.write_str(if names.is_empty() { "none" } else { "" })?;
        f.write_str(&names.join(", "))
    }
}

/// Why a pod cannot get what is asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoHardware {
    /// Nobody has described it.
    #[error(
        "`spec.profile`: there is no {name}; there are: {there_are}. Name another, or have the administrator describe it (the operator's --profiles)"
    )]
    Unknown {
        /// What the spec names.
        name: String,
        /// What there is.
        there_are: String,
    },
    /// GPUs that nothing would use.
    #[error(
        "`spec.evaluation.device`: `cpu` (also where it is left out) would leave the GPUs of profile {0} idle: set `cuda` or `auto`, or name another profile"
    )]
    Idle(String),
    /// A pod without a GPU sees none.
    #[error("`spec.evaluation.device: cuda` takes a GPU: set `spec.gpu`, or a `spec.profile` that has one")]
    NoGpu,
}

/// What a spec asks for.
pub(crate) struct Asked<'a> {
    pub(crate) profile: Option<&'a str>,
    pub(crate) device: DeviceName,
    pub(crate) gpu: &'a mut Option<GpuSpec>,
    pub(crate) resources: &'a mut Option<ResourcesSpec>,
    pub(crate) placement: &'a mut Option<PlacementSpec>,
}

impl Asked<'_> {
    /// Fills in what the profile has and the spec leaves out.
    ///
    /// # Errors
    /// See [`NoHardware`].
    pub(crate) fn of(self, profiles: &Profiles) -> Result<(), NoHardware> {
        let profile = match self.profile {
            None => None,
            Some(name) => Some(
                profiles
                    .0
                    .iter()
                    .find(|profile| profile.name == name)
                    .ok_or_else(|| NoHardware::Unknown { name: name.to_owned(), there_are: profiles.to_string() })?,
            ),
        };
        if let Some(profile) = profile.cloned() {
            *self.gpu = self.gpu.take().or(profile.gpu);
            *self.resources = self.resources.take().or(profile.resources);
            *self.placement = self.placement.take().or(profile.placement);
        }
        match (self.gpu.is_some(), self.device) {
            // That the spec's own are idle the API server has refused already.
            (true, DeviceName::Cpu) => Err(NoHardware::Idle(self.profile.unwrap_or_default().to_owned())),
            (false, DeviceName::Cuda) => Err(NoHardware::NoGpu),
            _ => Ok(()),
        }
    }
}

/// The label that a node must have.
pub(crate) fn select(gpu: Option<&GpuSpec>, placement: &mut PlacementSpec) {
    if let Some(product) = gpu.and_then(|gpu| gpu.product.clone()) {
        placement.node_selector.insert("nvidia.com/gpu.product".to_owned(), product);
    }
}

/// Asks for it, on behalf of a container.
pub(crate) fn ask(gpu: Option<&GpuSpec>, resources: &mut ResourceRequirements) {
    let Some(gpu) = gpu else { return };
    match extended(gpu) {
        Some((name, count)) => drop(resources.limits.get_or_insert_default().insert(name, count)),
        None => resources.claims = Some(vec![ResourceClaim { name: CLAIM.to_owned(), request: None }]),
    }
}

/// Hides GPUs from a container that asks for none, unless the person has decided that.
pub(crate) fn hide(gpu: Option<&GpuSpec>, variables: &mut Vec<EnvVar>) {
    if gpu.is_none() && !variables.iter().any(|variable| variable.name == VISIBLE) {
        variables.push(EnvVar { name: VISIBLE.to_owned(), value: Some("void".to_owned()), value_from: None });
    }
}

/// The claim that a pod makes from a template.
pub(crate) fn claims(template: Option<&ResourceClaimTemplate>) -> Option<Vec<PodResourceClaim>> {
    let template = template?.metadata.name.clone();
    Some(vec![PodResourceClaim {
        name: CLAIM.to_owned(),
        resource_claim_template_name: template,
        resource_claim_name: None,
    }])
}

/// The template of such claims, where a `DeviceClass` is asked for; `metadata` is that of one of this version.
pub(crate) fn template(
    gpu: Option<&GpuSpec>,
    metadata: impl FnOnce(Version) -> ObjectMeta,
) -> Option<ResourceClaimTemplate> {
    let gpu = gpu?;
    let class = gpu.device_class.clone()?;
    let request = DeviceRequest {
        name: CLAIM.to_owned(),
        exactly: Some(ExactDeviceRequest {
            device_class_name: class,
            count: Some(gpu.count.into()),
            ..ExactDeviceRequest::default()
        }),
        first_available: None,
    };
    let spec =
        ResourceClaimSpec { devices: Some(DeviceClaim { requests: Some(vec![request]), ..DeviceClaim::default() }) };
    let spec = ResourceClaimTemplateSpec { metadata: None, spec };
    // A template cannot change, so another spec is another one.
    Some(ResourceClaimTemplate { metadata: metadata(child::content(&spec)), spec })
}

/// The extended resource that NVIDIA's device plugin offers for what is asked.
fn extended(gpu: &GpuSpec) -> Option<(String, Quantity)> {
    let name = match (&gpu.device_class, &gpu.mig_profile) {
        (Some(_), _) => return None,
        (None, Some(profile)) => format!("nvidia.com/mig-{}", profile.replace('+', ".")),
        (None, None) if gpu.shared => "nvidia.com/gpu.shared".to_owned(),
        (None, None) => "nvidia.com/gpu".to_owned(),
    };
    Some((name, Quantity(gpu.count.to_string())))
}
