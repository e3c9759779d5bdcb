//! A real Prometheus, and what it answers.
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// Killed when it is dropped.
pub(crate) struct Prometheus {
    process: Child,
    outside: SocketAddr,
}

impl Prometheus {
    /// Starts its program in a folder of its own with this configuration. It listens at `inside`, which from here is `outside`.
    pub(crate) fn start(
        mut program: Command,
        folder: &Path,
        configuration: &str,
        inside: SocketAddr,
        outside: SocketAddr,
    ) -> Self {
        let file = folder.join("prometheus.yml");
        fs::write(&file, configuration).expect("a file");
        let process = program
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={inside}"))
            .stdin(Stdio::null())
            .stderr(fs::File::create(folder.join("prometheus.log")).expect("a file"))
            .spawn()
            .expect("Prometheus starts");
        Self { process, outside }
    }

    /// What a page of its interface answers; nothing where that is an error.
    pub(crate) fn ask(&self, page: &str, parameters: &[(&str, &str)]) -> Option<Value> {
        let agent = ureq::Agent::config_builder().proxy(None).build().new_agent();
        let asked = agent.get(format!("http://{}/api/v1/{page}", self.outside)).query_pairs(parameters.iter().copied());
        let text = asked.call().ok()?.body_mut().read_to_string().ok()?;
        let mut answer: Value = serde_json::from_str(&text).ok()?;
        (answer["status"] == "success").then(|| answer["data"].take())
    }

    /// The series that a query has now.
    pub(crate) fn query(&self, query: &str) -> Vec<Value> {
        let data = self.ask("query", &[("query", query)]).unwrap_or_default();
        data["result"].as_array().cloned().unwrap_or_default()
    }

    /// The value of the only series that a query has now.
    pub(crate) fn value(&self, query: &str) -> Option<f64> {
        match self.query(query).as_slice() {
            [one] => number(one),
            _ => None,
        }
    }

    /// The value of the first of them.
    pub(crate) fn first(&self, query: &str) -> Option<f64> {
        number(self.query(query).first()?)
    }

    /// The alerts that are about to fire or do, with their labels and annotations; nothing where it does not answer.
    pub(crate) fn alerts(&self) -> Option<Vec<Value>> {
        self.ask("alerts", &[])?["alerts"].as_array().cloned()
    }

    /// Each alert's health and state, by its name, those that keep quiet among them.
    pub(crate) fn states(&self) -> BTreeMap<String, (String, String)> {
        let data = self.ask("rules", &[("type", "alert")]).unwrap_or_default();
        let rules = data["groups"].as_array().into_iter().flatten().filter_map(|group| group["rules"].as_array());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let alert = |rule: &Value| (text(&rule["name"]), (text(&rule["health"]), text(&rule["state"])));
        let found: BTreeMap<_, _> = rules.flatten().map(alert).collect();
        assert!(!found.is_empty(), "Prometheus knows no alerts");
        found
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The value of a series.
pub(crate) fn number(series: &Value) -> Option<f64> {
    series["value"][1].as_str()?.parse().ok()
}
