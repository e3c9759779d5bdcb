//! Prints a custom resource definition, or the names of all: `crds/` is made of these.
use std::process::ExitCode;

use automl_api::crd;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let all = crd::all();
    let Some(wanted) = arguments.next() else {
        for (file, _) in all {
            println!("{file}");
        }
        return ExitCode::SUCCESS;
    };
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
