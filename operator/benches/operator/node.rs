//! On a node: how soon it is there, and how soon a gene is.
use std::time::Instant;

use automl_testbed::{Cluster, ProjectImage, install};

use crate::{
    cluster::World,
    common::{Person, unless_unable, until},
    figure::{at_most, figure},
    replaced::Replaced,
};

const TRIES: usize = 3;
const SAMPLE: &str = "manifests/samples/minerrun-digits.yaml";

/// Measures what can be measured at once and begins what takes minutes; nothing where pods cannot run.
pub(crate) fn measure() -> Option<Replaced> {
    // Programs that are not there yet are fetched by the first start of a day.
    let begin = Instant::now();
    let cluster = unless_unable(Cluster::start())?;
    figure("full node, start to ready", begin.elapsed().as_secs_f64(), "s");
    for image in ProjectImage::ALL {
        cluster.load_project(*image).expect("the image is built and loaded");
    }
    let plane = cluster.control_plane();
    install(|| plane.kubectl(), plane.folder()).expect("operator and ledger are installed");
    let world = World { cluster };
    world.operator();
    let mut seconds: Vec<f64> = (1..=TRIES).map(|turn| first_gene(&world, &format!("gene-{turn}"))).collect();
    seconds.sort_by(f64::total_cmp);
    let name = format!("kubectl apply → first scored gene in BEST, image cached, slowest of {TRIES}");
    at_most(20.0, &name, seconds[TRIES - 1], "s");
    figure(&name.replace("slowest", "median"), seconds[TRIES / 2], "s");
    Some(Replaced::begin(world))
}

/// Seconds from the beginning of `kubectl apply` until the status has a score.
fn first_gene(world: &World, namespace: &str) -> f64 {
    world.namespace(namespace);
    let begin = Instant::now();
    world.cli(&["apply", "--namespace", namespace, "--filename", SAMPLE]);
    until("a gene is scored", || world.run(namespace, "digits")?.pointer("/status/best/score")?.as_f64());
    let seconds = begin.elapsed().as_secs_f64();
    let row = world.cli(&["get", "mrun", "digits", "--namespace", namespace, "--no-headers"]);
    let best = row.split_whitespace().nth(5).and_then(|cell| cell.parse::<f64>().ok());
    assert!(best.is_some_and(|best| best > 0.0), "the column BEST shows it: {row}");
    world.cli(&["delete", "mrun", "digits", "--namespace", namespace]);
    until("its pod is gone", || world.pods(namespace).is_empty().then_some(()));
    seconds
}
