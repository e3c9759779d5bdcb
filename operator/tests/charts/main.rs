//! The two charts, with the real Helm: what they render, what they refuse, and what a real API server makes of it.
#[path = "../common/mod.rs"]
mod common;
mod monitored;
mod refused;
mod released;
mod rendered;
mod restricted;
