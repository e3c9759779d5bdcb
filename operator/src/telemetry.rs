//! Logs on standard error, as text or JSON.
use tracing_subscriber::{EnvFilter, fmt};

use crate::settings::LogFormat;

/// What is logged where `RUST_LOG` says nothing.
const DEFAULT: &str = "info,kube_lease_manager=warn";

/// Begins to log. Called once; a second call changes nothing.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // Tests that start several operators in one process share the first one's logs.
    let _ = started;
}
