//! Each panel's query has an answer, and it is what the programs themselves say.
use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    common::{prometheus::number, until, until_none},
    dashboards::{Asked, queries, series},
    world::{LONG, NAMESPACE, SHORT, World},
};

/// Metrics without a series in this world, and why.
pub(crate) const WITHOUT: [(&str, &str); 2] = [
    ("automl_operator_watch_errors_total", "no watch breaks here"),
    ("automl_chain_newcomers_until_out", "nobody has to give way while places are free"),
];

/// Series of a metric in this world, buckets of histograms among them.
const MOST: f64 = 64.0;

/// A query as Grafana sends it: with the values that a person chose, and the times.
pub(crate) fn sent(expression: &str, run: &str) -> String {
    let variables = [
        ("$__rate_interval", "15s"),
        ("$__range", "10m"),
        ("$namespace", NAMESPACE),
        ("$run", run),
        ("$instance", ".*"),
        ("$hotkey", ".*"),
    ];
    let sent = variables.into_iter().fold(expression.to_owned(), |text, (name, value)| text.replace(name, value));
    assert!(!sent.contains('$'), "a variable without a value: {sent}");
    sent
}

/// Labels that a legend names.
fn named(legend: &str) -> Vec<&str> {
    legend.split("{{").skip(1).filter_map(|part| part.split("}}").next()).collect()
}

/// Whether there is a number, and all that the legend names.
fn is_answered(asked: &Asked, answer: &[Value]) -> bool {
    let labelled = |one: &Value| named(&asked.legend).iter().all(|label| one["metric"][label].is_string());
    answer.iter().all(labelled) && answer.iter().filter_map(number).any(f64::is_finite)
}

/// A number, or the sum of the numbers by their reasons.
fn count(value: &Value) -> u64 {
    let reasons = value.as_object().into_iter().flat_map(|reasons| reasons.values());
    value.as_u64().unwrap_or_else(|| reasons.filter_map(Value::as_u64).sum())
}

#[test]
fn each_panel_answers_and_says_what_the_programs_say() {
    let Some(mut world) = World::start() else { return };
    let unanswerable = |asked: &Asked| {
        series(&asked.expression).iter().any(|(metric, _)| WITHOUT.iter().any(|(name, _)| *name == metric.name))
    };
    let (without, with): (Vec<Asked>, Vec<Asked>) = queries().into_iter().partition(unanswerable);
    let mut waiting: BTreeMap<String, Asked> = with
        .into_iter()
        .map(|asked| (format!("{}: {}: {}", asked.dashboard, asked.panel, asked.expression), asked))
        .collect();
    until("each panel has an answer", || {
        waiting.retain(|_, asked| !is_answered(asked, &world.prometheus.query(&sent(&asked.expression, LONG))));
        if !waiting.is_empty() {
            eprintln!("without an answer: {:#?}", waiting.keys());
        }
        waiting.is_empty().then_some(())
    });
    for asked in without {
        let answer = world.prometheus.query(&sent(&asked.expression, LONG));
        assert!(answer.is_empty(), "{} is answered here: {answer:?}", asked.expression);
    }

    for series in world.prometheus.query("count by (__name__) ({__name__=~\"automl_.*\"})") {
        assert!(number(&series).is_some_and(|count| count <= MOST), "that many series: {series}");
    }

    // Its search is over: the numbers rest.
    let status = until("the short run compares", || {
        let status = World::status(SHORT);
        (status["phase"] == "comparing" || status["phase"] == "selecting").then_some(status)
    });
    let panel = |title: &str| {
        let found = queries().into_iter().find(|asked| asked.dashboard == "run" && asked.panel == title);
        sent(&found.unwrap_or_else(|| panic!("there is no panel {title}")).expression, SHORT)
    };
    for (title, field) in [
        ("Best score", "/best/fitness"),
        ("Best fitness", "/best/fitness"),
        ("Generation", "/generation"),
        ("Candidates", "/evaluations"),
        ("Genes in the archive", "/archiveGenes"),
    ] {
        let own = status.pointer(field).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {field}: {status}"));
        let mut shown = None;
        until(&format!("{title} is {own}"), || {
            shown = world.prometheus.value(&panel(title));
            shown.filter(|shown| (shown - own).abs() < 1e-9)
        });
    }
    // What the ledger has of it, generation by generation.
    let history = world.history(SHORT);
    let last = history.last().expect("generations");
    for (title, own) in [
        ("Best fitness", last["bestFitness"].as_f64()),
        ("Generation", Some(history.len() as f64)),
        ("Candidates", last["evaluations"].as_f64()),
        ("Genes in the archive", last["archive"].as_f64()),
        ("Progress", Some(1.0)),
    ] {
        let shown = world.prometheus.value(&panel(title));
        assert!(shown.zip(own).is_some_and(|(shown, own)| (shown - own).abs() < 1e-9), "{title}: {shown:?}, {own:?}");
    }
    let sum = |field: &str| history.iter().map(|line| count(&line[field])).sum::<u64>();
    let (trained, failed) = (sum("trained"), sum("failed"));
    for (result, own) in
        [("scored", trained - failed), ("failed", failed), ("screened", sum("refused")), ("cached", sum("cached"))]
    {
        let counted =
            world.prometheus.value(&format!("automl_runner_evaluations_total{{run=\"{SHORT}\",result=\"{result}\"}}"));
        assert!(counted.is_some_and(|counted| (counted - own as f64).abs() < 0.5), "{result}: {counted:?}, {own}");
    }

    // Where all is well no alert fires or is about to, and each notices what it is there for. A run that was scraped for a few
    // seconds only may not have moved in them.
    until_none("the alerts are evaluated, and all is well", || {
        let alerts = world.prometheus.states().into_iter();
        Some(alerts.filter(|(_, (health, state))| health != "ok" || state != "inactive").collect())
    });
    world.end_operator_and_ledger();
    for name in ["AutomlOperatorDown", "AutomlLedgerDown", "AutomlChainUnreachable"] {
        until(&format!("{name} is noticed"), || (world.prometheus.states()[name].1 != "inactive").then_some(()));
    }
}
