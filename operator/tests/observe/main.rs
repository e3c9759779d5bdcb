//! Dashboards and alerts, held to a real Prometheus that scrapes real programs.
mod alerts;
mod answers;
#[path = "../common/mod.rs"]
mod common;
mod dashboards;
mod world;
