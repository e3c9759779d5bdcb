//! Prints what the two charts say of their values: defaults, schema, reference. All three are made of the types in here,
//! so none can differ from the others: `charts/*/values.yaml`, `charts/*/values.schema.json`, `docs/reference/charts.md`.
mod fleet;
mod form;
mod operator;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let text = match words[..] {
        ["values", "automl-operator"] => form::values::<operator::Values>(),
        ["values", "automl-fleet"] => form::values::<fleet::Values>(),
        ["schema", "automl-operator"] => form::schema::<operator::Values>(),
        ["schema", "automl-fleet"] => form::schema::<fleet::Values>(),
        ["reference"] => format!(
            "# Values of the charts\n\n## automl-operator\n\n{}\n## automl-fleet\n\n`fleets.NAME.spec` has \
             [every field of a MinerRun's spec](minerrun.md).\n\n{}",
            form::reference::<operator::Values>(),
            form::reference::<fleet::Values>()
        ),
        _ => {
            eprintln!("usage: charts values|schema automl-operator|automl-fleet, or charts reference");
            return ExitCode::from(64);
        }
    };
    print!("{text}");
    ExitCode::SUCCESS
}
