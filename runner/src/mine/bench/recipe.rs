//! The original miner's recipe, ours beside real PyTorch, in one run on the same files.
//!
//! Data of MNIST's shape is made up and written as IDX files, which both sides read. The same genes, network, optimizer
//! and batch counts; PyTorch gets its batches preloaded, which the original does not do (its loader costs it a factor of
//! more than ten): the comparison is with the best that script could be.
use super::figure::Figure;
use super::in_scratch;
use crate::failure::Failure;
use automl_contract::spec::{DataSource, DatasetSpec, EvaluationPreset, EvaluationSpec};
use automl_genome::{Gene, Limits, parse};
use automl_lab::{Lab, Stage};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

/// Losses that learn and losses that only train: both cost a whole training.
const GENES: [&str; 6] = [
    "safe_mul(safe_sub(x, y), safe_sub(x, y))",
    "safe_mul(safe_sub(tanh(x), y), safe_sub(x, y))",
    "safe_sub(safe_exp(safe_sub(x, mean(x))), safe_mul(x, y))",
    "safe_add(sigmoid(x), cos(safe_mul(x, y)))",
    "safe_div(tanh(safe_sub(y, x)), safe_add(one, safe_exp(y)))",
    "safe_sub(mean(sigmoid(x)), safe_mul(sigmoid(x), y))",
];
const TRAINED: usize = 48;
const SCRIPT: &str = include_str!("../../../benches/pytorch_recipe.py");

pub(super) fn measure(python: Option<&Path>) -> Result<Vec<Figure>, Failure> {
    in_scratch("recipe", |folder| measure_in(folder, python))
}

fn measure_in(folder: &Path, python: Option<&Path>) -> Result<Vec<Figure>, Failure> {
    write_data(folder).map_err(|error| Failure::unwritable(folder, &error))?;
    let spec = EvaluationSpec {
        preset: EvaluationPreset::Original,
        dataset: DatasetSpec {
            source: DataSource::Idx,
            path: Some(folder.display().to_string()),
            ..DatasetSpec::default()
        },
        ..EvaluationSpec::default()
    };
    let lab = Lab::open(&spec.resolved(), 0).map_err(Failure::bad_input)?;
    let genes = GENES.iter().map(|text| parse(text, &Limits::default()).map_err(Failure::internal));
    let genes = genes.collect::<Result<Vec<_>, _>>()?;
    let mut figures = Vec::new();
    for workers in [1, 2] {
        let ours = candidates_per_second(&lab, &genes, workers)?;
        figures.push(Figure::new(
            "recipe",
            format!("original recipe, {workers} worker(s), ours"),
            ours,
            "candidates/s",
        ));
        match pytorch(folder, python, workers) {
            Ok(theirs) => {
                figures.push(Figure::new(
                    "recipe",
                    format!("original recipe, {workers} process(es), PyTorch with preloaded batches"),
                    theirs,
                    "candidates/s",
                ));
                figures.push(Figure::new(
                    "recipe",
                    format!("ours over PyTorch, {workers} at once"),
                    ours / theirs,
                    "×",
                ));
            }
            Err(why) => eprintln!("PyTorch was not measured: {why}"),
        }
    }
    Ok(figures)
}

fn candidates_per_second(lab: &Lab, genes: &[Gene], workers: usize) -> Result<f64, Failure> {
    let stop = AtomicBool::new(false);
    let train_all = |count: usize| -> Result<(), Failure> {
        let next = AtomicUsize::new(0);
        let work = || -> Result<(), Failure> {
            let mut worker = lab.worker();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return Ok(());
                }
                let outcome =
                    worker.train(&genes[index % genes.len()], Stage::Search, 0, &stop).map_err(Failure::internal)?;
                if let Some(failure) = outcome.failure {
                    return Err(Failure::internal(format!("a bench gene failed: {failure}")));
                }
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            threads.into_iter().try_for_each(|thread| {
                thread.join().unwrap_or_else(|_| Err(Failure::internal("a bench thread panicked")))
            })
        })
    };
    train_all(workers)?; // batches are prepared and memory is touched before the clock runs
    let began = Instant::now();
    train_all(TRAINED)?;
    Ok(TRAINED as f64 / began.elapsed().as_secs_f64())
}

/// Candidates per second of the PyTorch script on the same data and genes.
fn pytorch(folder: &Path, python: Option<&Path>, processes: usize) -> Result<f64, String> {
    let script = folder.join("pytorch_recipe.py");
    std::fs::write(&script, SCRIPT).map_err(|error| error.to_string())?;
    let genes = folder.join("genes.txt");
    std::fs::write(&genes, GENES.join("\n")).map_err(|error| error.to_string())?;
    let python = python.unwrap_or(Path::new("python3"));
    let output = Command::new(python)
        .arg(&script)
        .args(["--data".as_ref(), folder.as_os_str(), "--genes".as_ref(), genes.as_os_str()])
        .args(["--count", &TRAINED.to_string(), "--processes", &processes.to_string()])
        .output()
        .map_err(|error| format!("{}: {error}", python.display()))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let last = errors.trim().lines().last().unwrap_or("no message");
        return Err(format!("{}: {last}; name one with PyTorch by --python", python.display()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| format!("the script printed {text:?}"))
}

/// Ten blurred prototypes with noise, as IDX files: learnable, of MNIST's shape, the same at every run.
fn write_data(folder: &Path) -> std::io::Result<()> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        // xorshift64*: plenty for pixels, and the same everywhere.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
    };
    let prototypes: Vec<Vec<u8>> = (0..10).map(|_| (0..784).map(|_| random()).collect()).collect();
    for (name, count) in [("train", 20_000_u32), ("t10k", 2_000)] {
        let mut images = idx_header(0x0803, &[count, 28, 28]);
        let mut labels = idx_header(0x0801, &[count]);
        for _ in 0..count {
            let label = random() % 10;
            labels.push(label);
            images.extend(prototypes[usize::from(label)].iter().map(|&pixel| pixel / 4 + random() / 4 * 3));
        }
        std::fs::write(folder.join(format!("{name}-images-idx3-ubyte")), images)?;
        std::fs::write(folder.join(format!("{name}-labels-idx1-ubyte")), labels)?;
    }
    Ok(())
}

fn idx_header(magic: u32, sizes: &[u32]) -> Vec<u8> {
    std::iter::once(&magic).chain(sizes).flat_map(|number| number.to_be_bytes()).collect()
}
