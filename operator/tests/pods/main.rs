//! The operator on a real node, installed as a person installs it: images, pods, kubelet, containerd, Prometheus.
mod alerts;
mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod disturbed;
mod ends;
mod fleet;
mod gpu;
mod monitors;
mod observed;
mod sample;
mod trouble;
