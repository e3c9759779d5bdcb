//! Progress for a person at a terminal, for a log, or for a program.
use crate::output;
use automl_contract::progress::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Lines in a log come at most this often.
const EVERY: Duration = Duration::from_secs(5);

/// Where progress goes; always standard error, or standard output as JSON.
pub(crate) enum Display {
    Terminal(ProgressBar),
    Log { last: Option<Instant> },
    Json,
}

impl Display {
    pub(crate) fn new(json: bool, budget: u64) -> Display {
        if json {
            return Display::Json;
        }
        if !std::io::stderr().is_terminal() {
            return Display::Log { last: None };
        }
        let bar = ProgressBar::with_draw_target(Some(budget), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3}%  {msg}  ETA {eta}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Display::Terminal(bar)
    }

    /// Tells a program where a run begins or goes on; for a person `remark` says it in words.
    pub(crate) fn beginning(&self, progress: &Progress) {
        if matches!(self, Display::Json) {
            print_json(progress);
        }
    }

    /// Tells of a generation that ended. `error` is the binomial standard error of the best fitness.
    pub(crate) fn generation(&mut self, progress: &Progress, error: f64, per_second: f64, trained: u64) {
        let text = || {
            let best = progress.best.as_ref().map_or_else(
                || "none yet".to_owned(),
                |best| format!("{:.2} ± {:.2} %", 100.0 * best.fitness, 100.0 * error),
            );
            format!(
                "generation {}  best {best}  {per_second:.0} candidates/s  {} trained, {} from cache",
                progress.generation, trained, progress.cache_hits
            )
        };
        match self {
            Display::Terminal(bar) => {
                bar.set_position(progress.evaluations);
                bar.set_message(text());
            }
            Display::Log { last } => {
                if last.is_none_or(|last| last.elapsed() >= EVERY) {
                    let left = progress.budget.saturating_sub(progress.evaluations) as f64 / per_second.max(1e-9);
                    eprintln!("{}/{}  {}  ETA {left:.0} s", progress.evaluations, progress.budget, text());
                    *last = Some(Instant::now());
                }
            }
            Display::Json => print_json(progress),
        }
    }

    /// Starts a bar for `total` trainings after the search; the returned function is told how many are done.
    pub(crate) fn stage(&self, what: &'static str, total: usize) -> impl Fn(usize) + Sync + use<> {
        let bar = match self {
            Display::Terminal(search) => {
                search.finish_and_clear();
                let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
                if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3}%  {msg}") {
                    bar.set_style(style);
                }
                bar.set_message(what);
                Some(bar)
            }
            Display::Log { .. } => {
                eprintln!("{what}: {total} trainings");
                None
            }
            Display::Json => None,
        };
        move |done| {
            if let Some(bar) = &bar {
                bar.set_position(done as u64);
                if done == total {
                    bar.finish_and_clear();
                }
            }
        }
    }

    /// A remark for a person; programs read JSON instead.
    pub(crate) fn remark(&self, text: &str) {
        match self {
            Display::Terminal(bar) => bar.suspend(|| eprintln!("{text}")),
            Display::Log { .. } => eprintln!("{text}"),
            Display::Json => {}
        }
    }
}

/// One line of JSON. A reader that went away must not end the search: its results are files.
fn print_json(progress: &Progress) {
    let _ = output::json(progress);
}
