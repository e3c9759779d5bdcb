//! measure
use std::sync::atomic::AtomicBool;
use automl_contract::spec::{DataSource, DatasetSpec, EvaluationPreset, EvaluationSpec};
use automl_lab::{Lab, Stage};
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    s.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}
fn main() {
    let stop = AtomicBool::new(false);
    let only = std::env::args().nth(1);
    let n: u32 = std::env::args().nth(2).map_or(4, |n| n.parse().unwrap());
    for which in ["digits", "mnist"] {
        if only.as_deref().is_some_and(|o| o != which) { continue; }
        let mut spec = EvaluationSpec::default();
        if which == "mnist" {
            spec.preset = EvaluationPreset::Original;
            spec.dataset = DatasetSpec { source: DataSource::Synthetic, ..DatasetSpec::default() };
        }
        let t = cpu();
        let host = Lab::open(&spec.resolved(), 0).unwrap();
        println!("{which} open {:.3} s", cpu() - t);
        let tensor = Lab::open_tensor(&spec.resolved(), 0).unwrap();
        for text in ["square(safe_sub(x,y))", "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))", "tanh(safe_mul(safe_sub(x, y), safe_add(sin(x), sigmoid(safe_mul(y, safe_sub(x, half))))))"] {
            let gene = automl_genome::parse(text, &automl_genome::Limits::default()).unwrap();
            let mut line = String::new();
            for (name, lab, k) in [("host", &host, 10), ("tensor", &tensor, 1)] {
                if n > 100 && name == "tensor" { continue; }
                let mut w = lab.worker().unwrap();
                let o = w.train(&gene, Stage::Search, 0, &stop).unwrap();
                w.train(&gene, Stage::Search, 1, &stop).unwrap();
                let mut best = f64::MAX; let mut sum = 0.0;
                let count = if which == "digits" { n * k } else { n };
                for i in 0..count { let t = cpu(); w.train(&gene, Stage::Search, i % 2, &stop).unwrap(); let d = cpu() - t; best = best.min(d); sum += d; }
                line += &format!("  {name}: mean {:.2} min {:.2} ms acc {:.4}", sum / f64::from(count) * 1e3, best * 1e3, o.accuracy);
            }
            println!("{which} {} {line}", &text[..20]);
        }
    }
}
