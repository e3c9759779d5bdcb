//! What a hotkey earns, as metrics of the service that signs with it.
use super::earned::trouble;
use super::shown;
use automl_chain::{ChainError, Standing};
use automl_contract::metrics;
use automl_contract::submitting::ChainTrouble;
use automl_keys::Address;
use prometheus::{Gauge, GaugeVec, Opts, Registry};

/// Why the chain could not be asked: the values of the label `reason`.
const UNREACHABLE: &str = "unreachable";
const CHANGED: &str = "changed";
const OTHER: &str = "other";

/// Of one hotkey in one subnet.
pub(crate) struct Gauges {
    hotkey: String,
    netuid: String,
    all: Vec<GaugeVec>,
    problem: GaugeVec,
}

impl Gauges {
    /// Registers them; they are absent until the chain was asked.
    pub(crate) fn new(registry: &Registry, hotkey: Address, netuid: u16) -> prometheus::Result<Gauges> {
        let made = |metric: &metrics::Metric| {
            let gauge = GaugeVec::new(Opts::new(metric.name, metric.help), metric.labels)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let all = metrics::CHAIN_STANDING.iter().map(made).collect::<Result<_, _>>()?;
        let problem = made(&metrics::CHAIN_PROBLEM)?;
        Ok(Gauges { hotkey: hotkey.to_string(), netuid: netuid.to_string(), all, problem })
    }

    /// Shows why the chain could not be asked, or that it could.
    pub(crate) fn fails(&self, error: Option<&ChainError>) {
        let reason = match error.map(trouble) {
            None => "",
            Some(ChainTrouble::Unreachable) => UNREACHABLE,
            Some(ChainTrouble::RuntimeChanged) => CHANGED,
            Some(ChainTrouble::Other) => OTHER,
        };
        for each in [UNREACHABLE, CHANGED, OTHER] {
            self.problem.with_label_values(&[each]).set(f64::from(u8::from(each == reason)));
        }
    }

    /// Shows what the chain has said.
    pub(crate) fn show(&self, told: &Result<Option<Standing>, ChainError>) {
        self.fails(told.as_ref().err());
        // What it said before is better than nothing, and the block tells how old it is.
        let Ok(standing) = told else { return };
        for gauge in &self.all {
            gauge.reset();
        }
        let values = standing.as_ref().map_or_else(|| vec![Some(0.0)], values);
        for (gauge, value) in self.all.iter().zip(values) {
            let of_hotkey: Gauge = gauge.with_label_values(&[&self.hotkey, &self.netuid]);
            match value {
                Some(value) => of_hotkey.set(value),
                None => gauge.reset(),
            }
        }
    }
}

/// In the order of [`metrics::CHAIN_STANDING`].
fn values(standing: &Standing) -> Vec<Option<f64>> {
    let share = |share| Some(shown::part(share));
    let tokens = |billionths| Some(shown::tokens(billionths));
    vec![
        Some(1.0),
        Some(standing.block as f64),
        share(standing.incentive),
        tokens(standing.emission),
        share(standing.rank),
        share(if standing.permit { standing.validator_trust } else { standing.trust }),
        share(standing.dividends),
        tokens(standing.stake),
        Some(f64::from(u8::from(standing.permit))),
        standing.goes_after.map(f64::from),
    ]
}
