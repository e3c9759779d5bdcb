//! A real Prometheus inside the cluster's network, and what it answers outside of it.
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    process::Child,
};

use serde_json::Value;

use crate::{cluster::World, common::Person};

/// Killed when it is dropped.
pub(crate) struct Prometheus {
    process: Child,
    outside: SocketAddr,
}

impl Prometheus {
    /// Starts one of several, which differ in their ports, with this configuration.
    pub(crate) fn start(world: &World, port: u16, configuration: &str) -> Self {
        let folder = world.plane().folder().join(format!("prometheus-{port}"));
        fs::create_dir(&folder).expect("the cluster's folder");
        let file = folder.join("prometheus.yml");
        fs::write(&file, configuration).expect("the cluster's folder");
        let program = world.cluster.program("prometheus").expect("it is one of the packages");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let process = world
            .plane()
            .command(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stderr(fs::File::create(folder.join("log")).expect("the cluster's folder"))
            .spawn()
            .expect("Prometheus starts");
        Self { process, outside: world.plane().reach(address).expect("a way in") }
    }

    /// What a page of its interface answers; nothing where it does not.
    fn page(&self, page: &str, parameters: &[(&str, &str)]) -> Value {
        let agent = ureq::Agent::config_builder().proxy(None).build().new_agent();
        let asked = agent.get(format!("http://{}/api/v1/{page}", self.outside)).query_pairs(parameters.iter().copied());
        let text = asked.call().ok().and_then(|mut answer| answer.body_mut().read_to_string().ok()).unwrap_or_default();
        let mut answer: Value = serde_json::from_str(&text).unwrap_or_default();
        answer["data"].take()
    }

    /// The series that a query has now.
    pub(crate) fn ask(&self, query: &str) -> Vec<Value> {
        self.page("query", &[("query", query)])["result"].as_array().cloned().unwrap_or_default()
    }

    /// The value of the first of them.
    pub(crate) fn value(&self, query: &str) -> Option<f64> {
        self.ask(query).first()?["value"][1].as_str()?.parse().ok()
    }

    /// The alerts that are about to fire or do, with their labels and annotations; nothing where it does not answer.
    pub(crate) fn alerts(&self) -> Option<Vec<Value>> {
        self.page("alerts", &[])["alerts"].as_array().cloned()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
