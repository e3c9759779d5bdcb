//! The chain: what is sent encodes as its runtimes want it, arrives once whatever happens on the way, and is read by others' clients
//! as it was meant.
#[path = "../common/mod.rs"]
mod common;
mod encoded;
mod faults;
mod history;
mod timelocked;
mod world;
