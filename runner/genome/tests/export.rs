//! Exports: the PyTorch modules are the ones that real PyTorch ran, the formulas were read by eye once and then kept.
#![allow(clippy::float_cmp)] // equal means equal here
use automl_genome::{
    Batch, ExportError, Format, Gene, Limits, Named, Node, Op, Program, Workspace, export, known_losses, original,
    parse,
};
use serde::Deserialize;
use serde_json::Value;

fn gene(text: &str) -> Gene {
    parse(text, &Limits::default()).unwrap()
}

/// What `golden/export.py` wrote: the modules, and what PyTorch computed when it ran them.
#[derive(Deserialize)]
struct Golden {
    batches: Vec<Rows>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Rows {
    outputs: Vec<Vec<f64>>,
    targets: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Case {
    gene: String,
    module: String,
    /// Value and gradient for each batch; texts where JSON has no number.
    answers: Vec<(Value, Option<Vec<Value>>)>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/export.json")).unwrap()
}

fn number(word: &Value) -> f64 {
    word.as_f64().unwrap_or_else(|| word.as_str().unwrap().parse().unwrap()) // both write nan, inf and -inf
}

#[test]
fn the_pytorch_module_is_the_one_that_pytorch_ran() {
    for Case { gene: text, module, .. } in golden().cases {
        let ours = export(&gene(&text), Format::Pytorch).unwrap();
        assert_eq!(ours, module, "{text}: if the change is meant, run golden/export.py, which tries it with PyTorch");
    }
}

#[test]
fn what_pytorch_computed_is_what_the_gene_computes() {
    // 1e-15: what rounding leaves of a gradient that is zero, as softmax's mean has.
    let close = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * b.abs() + 1e-15;
    let Golden { batches, cases } = golden();
    let mut workspace = Workspace::default();
    for Case { gene: text, answers, .. } in cases {
        let program = Program::new(&gene(&text));
        assert_eq!(answers.len(), batches.len());
        for (Rows { outputs, targets }, (value, gradient)) in batches.iter().zip(&answers) {
            let (rows, classes) = (outputs.len(), outputs[0].len());
            let (outputs, targets) = (outputs.concat(), targets.concat());
            let ours = program.evaluate(Batch::new(&outputs, &targets, rows, classes).unwrap(), &mut workspace);
            assert!(close(ours.value, number(value)), "{text}: {} is not {value}", ours.value);
            let theirs: Option<Vec<f64>> = gradient.as_ref().map(|list| list.iter().map(number).collect());
            assert_eq!(ours.gradient.map(<[f64]>::len), theirs.as_ref().map(Vec::len), "{text}");
            for (a, b) in ours.gradient.unwrap_or_default().iter().zip(theirs.iter().flatten()) {
                assert!(close(*a, *b), "{text} on {outputs:?}: gradient {a} is not {b}");
            }
        }
    }
}

#[test]
fn pytorch_ran_everything_there_is() {
    let genes: Vec<Gene> = golden().cases.iter().map(|case| gene(&case.gene)).collect();
    let nodes: Vec<&Node> = genes.iter().flat_map(Gene::nodes).collect();
    for op in Op::all() {
        assert!(nodes.contains(&&Node::Op(op)), "golden/export.py has no gene with {}", op.name());
    }
    for named in Named::ALL {
        assert!(nodes.contains(&&Node::Named(named)), "golden/export.py has no gene with {}", named.name());
    }
    for loss in known_losses() {
        assert!(genes.contains(&loss.gene()), "{} is new: run golden/export.py", loss.key);
    }
}

#[test]
fn the_original_gets_only_what_it_knows() {
    let plain = export(&gene("safe_mul(pi, hypot(x, y))"), Format::Original).unwrap();
    let file = original::read(&plain, &Limits::default()).unwrap();
    assert_eq!(file.gene, gene("safe_mul(pi, hypot(x, y))"));
    let refused = export(&gene("safe_add(row_sum(softmax(x)), row_sum(y))"), Format::Original).unwrap_err();
    assert_eq!(refused, ExportError::NotInOriginal { primitives: vec!["row_sum", "softmax"] });
    assert!(refused.to_string().contains("row_sum, softmax"));
    for loss in known_losses() {
        assert!(export(&loss.gene(), Format::Original).is_err(), "{}", loss.key);
    }
}

#[test]
fn the_formula_has_parentheses_where_they_matter() {
    for (text, expected) in [
        ("safe_sub(x, safe_sub(y, half))", r"\operatorname{mean}\left(x - \left(y - 0.5\right)\right)"),
        (
            "safe_mul(safe_add(x, y), safe_div(x, y))",
            r"\operatorname{mean}\left(\left(x + y\right) \cdot \frac{x}{y + \varepsilon}\right),\quad \varepsilon = 10^{-8}",
        ),
        ("safe_add(x, tensor(-0.2500))", r"\operatorname{mean}\left(x + \left(-0.25\right)\right)"),
        ("mean(square(safe_sub(x, y)))", r"\operatorname{mean}\left(\left(x - y\right)^2\right)"),
        ("square(cube(x))", r"\operatorname{mean}\left(\left(x^3\right)^2\right)"),
        ("row_mean(x)", r"\operatorname{mean}\left(\operatorname{mean}_{c} \left(x\right)\right)"),
        ("square(sin(x))", r"\operatorname{mean}\left(\left(\sin\left(x\right)\right)^2\right)"),
        (
            "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))",
            r"\operatorname{mean}\left(0 - \sum_{c} \left(y \cdot \log\operatorname{softmax}\left(x\right)\right)\right)",
        ),
        ("safe_mul(x, tensor(5.0123e-05))", r"\operatorname{mean}\left(x \cdot 0.000050123\right)"),
        (
            "safe_sqrt(safe_log(x))",
            r"\operatorname{mean}\left(\sqrt{\left|\log\left(\left|x\right| + \varepsilon\right)\right|}\right),\quad \varepsilon = 10^{-8}",
        ),
    ] {
        let formula = export(&gene(text), Format::Latex).unwrap();
        assert_eq!(formula, format!(r"\mathcal{{L}}(x, y) = {expected}"), "{text}");
    }
}
