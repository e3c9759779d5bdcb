//! The operator: it turns every `MinerRun` into pods that search, every `Validator` into a pod that scores and sets weights, and
//! what they say into a status.
//!
//! ```text
//!             ┌──────────────────────── minerrun ────────────────────────┐
//! watches ──▶ │ dereference ──▶ validate ──▶ build ──▶ apply ──▶ status   │ ──▶ Job, ConfigMaps, Service, NetworkPolicy, claim
//!             │ what is there   is it right  children  writes    writes   │ ──▶ MinerRun status, Events
//!             └──────────────────────────────────────────────────────────┘
//!                  ▲ pods' /status and /archive        ▼ ledger: how many islands a run shall have
//! validator the same steps for a `Validator`: StatefulSet, ConfigMap, Service, NetworkPolicy, claims
//! watches   what the API server tells     child    what is applied whole    ask    pods, asked
//! pods      what pods are made of         signing  what signs has beside    reach   who reaches them
//! trouble   what is the matter with pods  error    what can go wrong, by step
//! hardware  GPUs, and profiles of them     health   whether pods' devices are healthy
//! settings  command line      leader   who of several operators acts     fence   that no two of them write
//! pages     metrics, health, diagnostics
//! telemetry logs              gauges   the operator's metrics            report  a status and Events, written
//! ```
//! `validate`, `build`, `decide` and `status` are pure: no client, no clock.
mod ask;
mod child;
pub mod error;
pub mod fence;
pub mod gauges;
pub mod hardware;
mod health;
pub mod leader;
pub mod ledger;
pub mod minerrun;
pub mod pages;
mod pods;
mod reach;
mod report;
pub mod settings;
mod signing;
pub mod telemetry;
mod trouble;
pub mod validator;
mod watches;
