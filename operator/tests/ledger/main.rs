//! Runs that are kept in the ledger, on a real node: with pods, their disks, the ledger and nodes gone at any instant. The
//! clusters are not shared with other tests, which promise times.
mod chained;
mod chart;
#[path = "../../../runner/chain/tests/common/chopsticks.rs"]
#[allow(dead_code, reason = "the tests of the chain use more of it")]
mod chopsticks;
#[path = "../pods/cluster.rs"]
#[allow(dead_code, reason = "the tests of pods use more of it")]
mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod islands;
mod kept;
mod nodes;
mod published;
mod undisturbed;

use common::unable::skip;
