//! `runner gene eval`: value and gradient on a batch, for people who check us against their own PyTorch.
use super::source;
use crate::cli::{EvalOptions, Precision};
use crate::failure::Failure;
use crate::output;
use automl_genome::{Batch, Class, Gene, Limits, Program, Real, Workspace};
use serde::{Deserialize, Serialize};
use std::io::BufRead;
use std::path::Path;

/// A JSON number, or one of the words that JSON has no number for.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Number {
    Finite(f64),
    Word(Word),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Word {
    #[serde(rename = "nan")]
    NaN,
    #[serde(rename = "inf")]
    Infinity,
    #[serde(rename = "-inf")]
    NegativeInfinity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchFile {
    outputs: Vec<Vec<Number>>,
    targets: Vec<Vec<Number>>,
}

/// A batch whose shape was checked; numbers as they stand in the file.
struct Examples {
    rows: usize,
    classes: usize,
    outputs: Vec<f64>,
    targets: Vec<f64>,
}

#[derive(Serialize)]
struct Evaluated {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<serde_json::Value>,
    value: Option<Number>,
    gradient: Option<Vec<Vec<Number>>>,
    class: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: serde_json::Value,
    expression: String,
}

pub(super) fn run(options: &EvalOptions) -> Result<(), Failure> {
    let examples = read_batch(&options.batch)?;
    match options.precision {
        Precision::F32 => run_in(options, &Evaluator::<f32>::new(&examples)),
        Precision::F64 => run_in(options, &Evaluator::<f64>::new(&examples)),
    }
}

fn run_in<T: Real>(options: &EvalOptions, evaluator: &Evaluator<T>) -> Result<(), Failure> {
    if let Some(lines) = &options.jsonl {
        return each_line(lines, evaluator);
    }
    let Some(path) = &options.gene else {
        return Err(Failure::usage("name a gene file, or --jsonl"));
    };
    let mut workspace = Workspace::default();
    let evaluated = match source::from_file(path) {
        Ok(gene) => evaluator.evaluate(&gene, &mut workspace),
        Err(failure) if options.json => {
            output::json(&Evaluated::error(failure.message.clone()))?;
            return Err(failure);
        }
        Err(failure) => return Err(failure),
    };
    if options.json {
        return output::json(&evaluated);
    }
    output::line(format!("class     {}", evaluated.class))?;
    if let Some(value) = evaluated.value {
        output::line(format!("value     {}", value.get()))?;
    }
    for (index, row) in evaluated.gradient.iter().flatten().enumerate() {
        let name = if index == 0 { "gradient" } else { "" };
        let row: Vec<String> = row.iter().map(|number| format!("{:>13.6e}", number.get())).collect();
        output::line(format!("{name:<10}{}", row.join(" ")))?;
    }
    Ok(())
}

fn each_line<T: Real>(path: &Path, evaluator: &Evaluator<T>) -> Result<(), Failure> {
    let reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(path).map_err(|error| Failure::unreadable(path, &error))?;
        Box::new(std::io::BufReader::new(file))
    };
    let mut workspace = Workspace::default();
    // Bytes, not text: a line that is not UTF-8 is one bad gene and not the end of the others.
    for line in reader.split(b'\n') {
        let line = line.map_err(|error| Failure::unreadable(path, &error))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let evaluated = match serde_json::from_slice::<Line>(&line) {
            Ok(Line { id, expression }) => {
                let evaluated = match automl_genome::parse(&expression, &Limits::default()) {
                    Ok(gene) => evaluator.evaluate(&gene, &mut workspace),
                    Err(error) => Evaluated::error(error.to_string()),
                };
                Evaluated { id: Some(id), ..evaluated }
            }
            Err(error) => {
                let id =
                    serde_json::from_slice::<serde_json::Value>(&line).ok().and_then(|line| line.get("id").cloned());
                let message = format!("the line is not {{\"id\", \"expression\"}}: {error}");
                Evaluated { id: Some(id.unwrap_or_default()), ..Evaluated::error(message) }
            }
        };
        output::json(&evaluated)?;
    }
    Ok(())
}

fn read_batch(path: &Path) -> Result<Examples, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    let wrong = |what: String| {
        Failure::bad_input(format!(
            "{}: {what}; expected {{\"outputs\": [[…]], \"targets\": [[…]]}} of the same shape, rows × classes",
            path.display()
        ))
    };
    let file: BatchFile = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let (rows, classes) = (file.outputs.len(), file.outputs.first().map_or(0, Vec::len));
    if rows == 0 || classes == 0 {
        return Err(wrong("outputs are empty".into()));
    }
    if file.targets.len() != rows {
        return Err(wrong(format!("{rows} rows of outputs and {} of targets", file.targets.len())));
    }
    for (name, table) in [("outputs", &file.outputs), ("targets", &file.targets)] {
        if let Some(row) = table.iter().position(|row| row.len() != classes) {
            return Err(wrong(format!("row {row} of {name} has {} numbers, not {classes}", table[row].len())));
        }
    }
    let flat = |table: &[Vec<Number>]| table.iter().flatten().map(|number| number.get()).collect();
    Ok(Examples { rows, classes, outputs: flat(&file.outputs), targets: flat(&file.targets) })
}

/// A batch in the arithmetic that was asked for.
struct Evaluator<T> {
    rows: usize,
    classes: usize,
    outputs: Vec<T>,
    targets: Vec<T>,
}

impl<T: Real> Evaluator<T> {
    fn new(examples: &Examples) -> Self {
        let cast = |numbers: &[f64]| numbers.iter().map(|number| T::of(*number)).collect();
        Evaluator {
            rows: examples.rows,
            classes: examples.classes,
            outputs: cast(&examples.outputs),
            targets: cast(&examples.targets),
        }
    }

    fn evaluate(&self, gene: &Gene, workspace: &mut Workspace<T>) -> Evaluated {
        let batch = match Batch::new(&self.outputs, &self.targets, self.rows, self.classes) {
            Ok(batch) => batch,
            Err(error) => return Evaluated::error(error.to_string()),
        };
        let evaluation = Program::new(gene).evaluate(batch, workspace);
        let gradient = evaluation.gradient.filter(|_| evaluation.class != Class::NoGrad);
        Evaluated {
            id: None,
            value: Some(Number::new(evaluation.value.wide())),
            gradient: gradient.map(|gradient| {
                let row = |row: &[T]| row.iter().map(|number| Number::new(number.wide())).collect();
                gradient.chunks(self.classes).map(row).collect()
            }),
            class: evaluation.class.as_str(),
            message: None,
        }
    }
}

impl Evaluated {
    fn error(message: String) -> Evaluated {
        Evaluated { id: None, value: None, gradient: None, class: "error", message: Some(message) }
    }
}

impl Number {
    fn new(value: f64) -> Number {
        if value.is_finite() {
            Number::Finite(value)
        } else if value.is_nan() {
            Number::Word(Word::NaN)
        } else if value > 0.0 {
            Number::Word(Word::Infinity)
        } else {
            Number::Word(Word::NegativeInfinity)
        }
    }

    fn get(self) -> f64 {
        match self {
            Number::Finite(value) => value,
            Number::Word(Word::NaN) => f64::NAN,
            Number::Word(Word::Infinity) => f64::INFINITY,
            Number::Word(Word::NegativeInfinity) => f64::NEG_INFINITY,
        }
    }
}

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Number::Finite(value) => serializer.serialize_f64(*value),
            Number::Word(word) => word.serialize(serializer),
        }
    }
}
