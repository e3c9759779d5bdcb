//! How long the Job controller waits before it replaces a pod that has ended with a checkpoint: it takes every such end
//! for a failure to back off from, although the Job's policy says not to count it.
use std::time::Duration;

use automl_contract::{
    exit,
    pod::{self, Indexes},
};
use automl_operator::minerrun::{build, validate};
use automl_testbed::Image;
use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::ResourceExt;

use crate::{
    cluster::World,
    common::{Person, until_within},
    figure::figure,
    pure,
};

const NAMESPACE: &str = "replaced";
const IMAGE: &str = "automl.test/checkpointed:1";
/// Which replacements are told.
const TOLD: [usize; 3] = [1, 3, 6];
/// Ten seconds, doubled each time, are ten minutes and a half.
const PATIENCE: Duration = Duration::from_mins(20);

/// A Job whose pod ends again and again.
pub(crate) struct Replaced {
    world: World,
}

impl Replaced {
    /// Begins: the operator's own Job, but for a program that does nothing than end.
    pub(crate) fn begin(world: World) -> Self {
        let busybox = world.cluster.busybox().expect("it is one of the packages");
        let image = Image {
            name: IMAGE.to_owned(),
            layers: vec![vec![("/bin/sh".to_owned(), busybox)]],
            entrypoint: vec!["/bin/sh".to_owned(), "-c".to_owned(), format!("exit {}", exit::CHECKPOINTED)],
            environment: vec![],
            user: "65532:65532".to_owned(),
        };
        world.cluster.load(&image).expect("the image is loaded");
        world.namespace(NAMESPACE);
        let plan = validate(&pure::run(1), &pure::settings(IMAGE)).expect("it is right");
        let mut job = build(&plan).job(&plan, &Indexes::default());
        // It belongs to no run.
        job.metadata.owner_references = None;
        job.metadata.labels = None;
        job.metadata.namespace = Some(NAMESPACE.to_owned());
        let template = &mut job.spec.as_mut().expect("a Job has one").template;
        template.metadata = None;
        let spec = template.spec.as_mut().expect("a pod has one");
        spec.volumes = None;
        for container in &mut spec.containers {
            (container.volume_mounts, container.args) = (None, None);
            (container.readiness_probe, container.liveness_probe) = (None, None);
        }
        world.apply(NAMESPACE, &serde_json::to_string(&job).expect("a Job can be written"));
        Self { world }
    }

    /// Waits for the last replacement and says how long the told ones took.
    pub(crate) fn measure(self) {
        let last = TOLD[TOLD.len() - 1];
        let what = format!("the Job controller replaces the pod number {last}");
        let pods = until_within(PATIENCE, &what, || {
            let pods = self.world.pods(NAMESPACE).into_iter();
            let mut pods: Vec<Pod> = pods.map(|pod| serde_json::from_value(pod).expect("a pod")).collect();
            pods.sort_by_key(ResourceExt::creation_timestamp);
            (pods.len() > last).then_some(pods)
        });
        for number in TOLD {
            let (ended, made) = (ended(&pods[number - 1]), pods[number].creation_timestamp().expect("it exists").0);
            let name = format!(
                "wait of the Job controller before it replaces pod {number} that exits {}, in whole seconds",
                exit::CHECKPOINTED
            );
            figure(&name, made.duration_since(ended).as_secs_f64(), "s");
        }
    }
}

/// When a pod's program ended.
fn ended(pod: &Pod) -> Timestamp {
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
    let status = statuses.iter().find(|status| status.name == pod::CONTAINER);
    let ended = status.and_then(|status| status.state.as_ref()?.terminated.as_ref());
    let ended = ended.expect("it was replaced because it ended");
    assert_eq!(ended.exit_code, i32::from(exit::CHECKPOINTED));
    ended.finished_at.as_ref().expect("the kubelet tells it").0
}
