//! The operator: it turns every `MinerRun` into pods that search, and what they find into a status.
//!
//! ```text
//!             ┌──────────────────────── minerrun ────────────────────────┐
//! watches ──▶ │ dereference ──▶ validate ──▶ build ──▶ apply ──▶ status   │ ──▶ Job, ConfigMaps, Service, NetworkPolicy, claim
//!             │ what is there   is it right  children  writes    writes   │ ──▶ MinerRun status, Events
//!             └──────────────────────────────────────────────────────────┘
//!                  ▲ pods' /status and /archive        ▼ ledger: how many islands a run shall have
//! settings  command line      leader   who of several operators acts     pages   metrics, health, diagnostics
//! telemetry logs              gauges   the operator's metrics
//! ```
//! `validate`, `build`, `decide` and `status` are pure: no client, no clock.
pub mod gauges;
pub mod leader;
pub mod ledger;
pub mod minerrun;
pub mod pages;
pub mod settings;
pub mod telemetry;
