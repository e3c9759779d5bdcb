//! Pictures of the dashboards, drawn anew: `cargo bench --package automl-operator --bench dashboards`, some minutes of scraping.
//!
//! The world is the one that tests hold dashboards to; nothing is measured.
#[path = "../../tests/observe/answers.rs"]
#[allow(dead_code, unused_imports, reason = "tests are in it, too")]
mod answers;
#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/observe/dashboards.rs"]
#[allow(dead_code, unused_imports, reason = "tests are in it, too")]
mod dashboards;
mod picture;
#[path = "../../tests/observe/world.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod world;

fn main() {
    picture::draw();
}
