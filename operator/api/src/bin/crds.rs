//! Prints a custom resource definition, the reference of conditions, or the names of all definitions: `crds/` and
//! `docs/reference/conditions.md` are made of these.
use std::process::ExitCode;

use automl_api::{conditions, crd, validator};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let all = crd::all();
    let Some(wanted) = arguments.next() else {
        for (file, _) in all {
            println!("{file}");
        }
        return ExitCode::SUCCESS;
    };
    if wanted == "conditions" {
        print!("# Conditions\n\nEvents use the same reasons.\n\n## Of a MinerRun\n\n{}", conditions::markdown());
        print!("\n## Of a Validator\n\n{}", validator::conditions::markdown());
        return ExitCode::SUCCESS;
    }
    let Some((_, definition)) = all.iter().find(|(file, _)| *file == wanted) else {
        eprintln!("no definition is called {wanted}; without an argument all are listed");
        return ExitCode::from(64);
    };
    match crd::yaml(definition) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{wanted} cannot be written as YAML: {error}");
            ExitCode::from(70)
        }
    }
}
