//! Generated files of the charts, and `manifests/`, which is what the chart renders: so both installs are the same.
use crate::{generate, kubernetes, step};
use anyhow::Result;

const NOTICE: &str = "# Made by `make docs` of charts/automl-operator. Do not edit.\n";
/// The files of `manifests/`, each named as the template that it is rendered from, and what beside the defaults it takes.
const MANIFESTS: [(&str, &str, &[&str]); 5] = [
    ("manifests/operator.yaml", "operator", &[]),
    ("manifests/rights.yaml", "rights", &[]),
    ("manifests/ledger.yaml", "ledger", &[]),
    ("manifests/ledger-file.yaml", "ledger-file", &[]),
    ("manifests/ledger-postgres.yaml", "ledger-postgres", &["--set=ledger.postgres.secret=automl-ledger-postgres"]),
];

/// What a chart cannot look for outside of its folder, and what is said of its values.
pub(crate) fn files() -> Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("charts/automl-operator/definitions/minerruns.yaml", generate::crd("minerruns.yaml")?),
        ("charts/automl-operator/definitions/validators.yaml", generate::crd("validators.yaml")?),
        ("charts/automl-operator/values.yaml", say(&["values", "automl-operator"])?),
        ("charts/automl-operator/values.schema.json", say(&["schema", "automl-operator"])?),
        ("charts/automl-fleet/values.yaml", say(&["values", "automl-fleet"])?),
        ("charts/automl-fleet/values.schema.json", say(&["schema", "automl-fleet"])?),
    ])
}

/// What is said of the charts' values.
pub(crate) fn say(arguments: &[&str]) -> Result<String> {
    step::output(generate::built("charts", arguments)?)
}

/// The chart without Helm; none where there is no Helm, which is said, and an error in CI.
pub(crate) fn manifests() -> Result<Vec<(String, String)>> {
    let Some(helm) = kubernetes::helm()? else { return Ok(Vec::new()) };
    let render = |&(file, template, more): &(&str, &str, &[&str])| {
        let template = format!("--show-only=templates/{template}.yaml");
        let arguments = ["template", "automl", "charts/automl-operator", "--namespace=automl-system", &template];
        let rendered = step::output(step::command(&helm, &[&arguments[..], more].concat())?)?;
        Ok((file.to_owned(), NOTICE.to_owned() + &without_helm(&rendered)))
    };
    MANIFESTS.iter().map(render).collect()
}

/// Takes away what is only true of objects that Helm looks after.
fn without_helm(rendered: &str) -> String {
    let marks = ["# Source: ", "app.kubernetes.io/managed-by: Helm", "helm.sh/chart: "];
    let kept = rendered.lines().filter(|line| !marks.iter().any(|mark| line.trim_start().starts_with(mark)));
    let text: String = kept.flat_map(|line| [line, "\n"]).collect();
    text.strip_prefix("---\n").map_or_else(|| text.clone(), ToOwned::to_owned)
}
