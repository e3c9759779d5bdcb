//! The canonical form: its rules by example, what looks alike and is not, and that nothing computes anything else.
#![allow(clippy::float_cmp)] // equal means equal here
mod common;

use automl_genome::{Batch, Class, Gene, Limits, Node, Op, Program, Real, Variable, Vocabulary, Workspace, parse};
use proptest::prelude::*;

fn gene(text: &str) -> Gene {
    parse(text, &Limits::default()).unwrap()
}

#[test]
fn equal_texts_have_one_form() {
    for (text, expected) in [
        ("safe_add(y, x)", "safe_add(x, y)"),
        ("safe_mul(y, x)", "safe_mul(x, y)"),
        ("max(y, x)", "max(x, y)"),
        ("min(y, x)", "min(x, y)"),
        ("hypot(y, safe_sub(zero, abs(x)))", "hypot(x, y)"),
        ("safe_mul(x, tensor(1.))", "x"),
        ("safe_mul(one, x)", "x"),
        ("safe_sub(x, zero)", "x"),
        ("safe_add(tensor(0.), x)", "x"),
        ("safe_sub(zero, safe_sub(zero, x))", "x"),
        ("safe_sub(zero, safe_sub(x, y))", "safe_sub(y, x)"),
        ("safe_add(x, safe_sub(zero, y))", "safe_sub(x, y)"),
        ("safe_add(safe_sub(zero, x), y)", "safe_sub(y, x)"),
        ("safe_sub(x, safe_sub(zero, y))", "safe_add(x, y)"),
        ("safe_mul(safe_sub(zero, x), safe_sub(zero, y))", "safe_mul(x, y)"),
        ("safe_mul(tensor(-1.), x)", "safe_sub(zero, x)"),
        ("abs(abs(x))", "abs(x)"),
        ("abs(safe_sub(zero, x))", "abs(x)"),
        ("square(abs(x))", "square(x)"),
        ("cos(safe_sub(zero, x))", "cos(x)"),
        ("safe_log(abs(x))", "safe_log(x)"),
        ("safe_sqrt(safe_sub(zero, x))", "safe_sqrt(x)"),
        ("relu(relu(x))", "relu(x)"),
        ("leaky_relu(relu(x))", "relu(x)"),
        ("abs(relu(x))", "relu(x)"),
        ("ceil(round(x))", "round(x)"),
        ("floor(sign(x))", "sign(x)"),
        ("sign(sign(x))", "sign(x)"),
        ("max(safe_add(y, x), safe_add(x, y))", "safe_add(x, y)"),
        ("mean(x)", "x"),
        ("safe_mul(x, mean(mean(y)))", "safe_mul(mean(y), x)"),
        ("row_mean(row_sum(x))", "row_sum(x)"),
        ("safe_mul(x, tensor(0.5000))", "safe_mul(x, half)"),
        ("safe_mul(x, tensor(3.14159))", "safe_mul(x, pi)"),
        ("safe_mul(x, safe_add(tensor(0.2500), half))", "safe_mul(x, tensor(0.7500))"),
        ("safe_mul(x, safe_mul(half, safe_add(one, one)))", "x"),
        ("safe_add(x, sin(zero))", "x"),
    ] {
        assert_eq!(gene(text).canonical(), gene(expected), "{text} became {}", gene(text).canonical());
    }
}

#[test]
fn what_differs_somewhere_stays() {
    for text in [
        "safe_mul(x, zero)",                        // NaN at infinity, and it has a graph
        "safe_sub(x, x)",                           // NaN at infinity
        "safe_div(x, x)",                           // not 1 near 0
        "safe_div(x, one)",                         // x / 1.00000001
        "safe_exp(safe_log(x))",                    // absolute, and 1e-8
        "square(safe_sqrt(x))",                     // NaN gradient at 0
        "relu(abs(x))",                             // an infinite gradient at 0 is 0 after relu, NaN after abs
        "max(x, zero)",                             // half a gradient at 0, relu none
        "safe_add(safe_add(x, y), tensor(0.1000))", // re-association rounds differently
        "safe_sub(safe_mul(x, y), safe_mul(x, half))",
        "reciprocal(safe_add(safe_mul(x, y), zero))", // 1/−0 is −∞, and −0 + 0 is 0
        "std(one)",                                   // NaN
        "safe_add(x, safe_log(one))",                 // 1e-8 in f64, 0 in f32
        "safe_mul(x, safe_add(one, one))",            // 2 has no name, and the original runs names only
        "row_max(row_sum(x))",                        // a NaN gradient where x is NaN, even behind `sign`
        "mean(reciprocal(mean(x)))",
    ] {
        let canonical = gene(text).canonical();
        let sorted = canonical.nodes().len() == gene(text).nodes().len();
        assert!(sorted || text.starts_with("mean("), "{text} became {canonical}");
    }
}

/// A batch with ordinary and extreme logits.
#[derive(Clone, Debug)]
struct Sample {
    rows: usize,
    classes: usize,
    outputs: Vec<f64>,
    targets: Vec<f64>,
}

fn samples() -> impl Strategy<Value = Sample> {
    let extreme = prop::sample::select(vec![
        0.0,
        -0.0,
        1e-8,
        -1e-8,
        1.0,
        -1.0,
        0.5,
        -0.5,
        2.5,
        -2.5,
        1e8,
        -1e8,
        88.9,
        100.0,
        -101.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ]);
    let logit = |wild: bool| if wild { prop_oneof![-3.0..3.0, extreme.clone()].boxed() } else { (-3.0..3.0).boxed() };
    let (tame, wild) = (logit(false), logit(true));
    (1_usize..4, 1_usize..5, any::<bool>()).prop_flat_map(move |(rows, classes, extremes)| {
        let logits = if extremes { wild.clone() } else { tame.clone() };
        let outputs = prop::collection::vec(logits, rows * classes);
        let labels = prop::collection::vec(0..classes, rows);
        (outputs, labels).prop_map(move |(outputs, labels)| {
            let mut targets = vec![0.0; rows * classes];
            for (row, label) in labels.into_iter().enumerate() {
                targets[row * classes + label] = 1.0;
            }
            Sample { rows, classes, outputs, targets }
        })
    })
}

struct Answer<T> {
    value: T,
    gradient: Option<Vec<T>>,
    class: Class,
}

fn run<T: Real>(gene: &Gene, sample: &Sample) -> Answer<T> {
    let convert = |values: &[f64]| values.iter().map(|v| T::from(*v).unwrap()).collect::<Vec<T>>();
    let (outputs, targets) = (convert(&sample.outputs), convert(&sample.targets));
    let batch = Batch::new(&outputs, &targets, sample.rows, sample.classes).unwrap();
    let mut workspace = Workspace::default();
    let answer = Program::new(gene).evaluate(batch, &mut workspace);
    Answer { value: answer.value, gradient: answer.gradient.map(<[T]>::to_vec), class: answer.class }
}

/// The largest distance of two gradients' elements; an error when one is not finite and the other is not the same.
fn gap<T: Real, U: Real>(one: &Answer<T>, two: &Answer<U>) -> Result<f64, String> {
    let (Some(g), Some(h)) = (&one.gradient, &two.gradient) else {
        let same = one.gradient.is_none() && two.gradient.is_none();
        return if same { Ok(0.0) } else { Err("one has a graph, the other has not".into()) };
    };
    let mut worst = 0.0_f64;
    for (a, b) in g.iter().map(|a| a.to_f64().unwrap()).zip(h.iter().map(|b| b.to_f64().unwrap())) {
        if a.is_finite() && b.is_finite() {
            worst = worst.max((a - b).abs());
        } else if !(a == b || a.is_nan() && b.is_nan()) {
            return Err(format!("gradient {g:?} became {h:?}"));
        }
    }
    Ok(worst)
}

fn largest<T: Real>(answer: &Answer<T>) -> f64 {
    let finite = answer.gradient.iter().flatten().map(|g| g.abs().to_f64().unwrap()).filter(|g| g.is_finite());
    finite.fold(0.0, f64::max)
}

/// Class, graph, value (exactly) and gradient are the same; `Ok(false)` when the gradient is a cancelling sum, whose
/// digits depend on its order: by as much as `lost`.
fn same<T: Real>(a: &Answer<T>, b: &Answer<T>, tolerance: f64, lost: f64) -> Result<bool, String> {
    if a.class != b.class {
        return Err(format!("class {:?} became {:?}", a.class, b.class));
    }
    if !(a.value == b.value || a.value.is_nan() && b.value.is_nan()) {
        return Err(format!("value {} became {}", a.value, b.value));
    }
    if a.class == Class::NonfiniteValue {
        return Ok(true); // training stops before its gradient is looked at
    }
    let gap = gap(a, b)?;
    if gap <= tolerance * largest(a) {
        return Ok(true);
    }
    if gap <= lost { Ok(false) } else { Err(format!("gradient {:?} became {:?}", a.gradient, b.gradient)) }
}

/// The same gene with the arguments of its sums, products and the like the other way round: what a mere order does.
fn swapped(gene: &Gene) -> Gene {
    let mut parts: Vec<Vec<Node>> = Vec::new();
    for node in gene.nodes().iter().rev() {
        let mut part = vec![*node];
        let mut arguments: Vec<Vec<Node>> = (0..node.arity()).filter_map(|_| parts.pop()).collect();
        if matches!(node, Node::Op(Op::SafeAdd | Op::SafeMul | Op::Max | Op::Min | Op::Hypot)) {
            arguments.reverse();
        }
        part.extend(arguments.into_iter().flatten());
        parts.push(part);
    }
    Gene::from_prefix(parts.pop().unwrap()).unwrap()
}

/// Both precisions; the number of cancelling sums.
fn compare(one: &Gene, two: &Gene, sample: &Sample) -> Result<u32, String> {
    let (double, double_two) = (run::<f64>(one, sample), run::<f64>(two, sample));
    let (single, single_two) = (run::<f32>(one, sample), run::<f32>(two, sample));
    let lost = gap(&double, &single).unwrap_or(0.0).max(gap(&double_two, &single_two).unwrap_or(0.0));
    let swapped = swapped(one);
    let by_order = gap(&double, &run::<f64>(&swapped, sample)).unwrap_or(0.0);
    let single_by_order = gap(&single, &run::<f32>(&swapped, sample)).unwrap_or(0.0);
    let precisions = f64::EPSILON / f64::from(f32::EPSILON);
    let exact = same(&double, &double_two, 1e-12, 64.0 * by_order.max(precisions * lost))?;
    let rough = same(&single, &single_two, 1e-5, 4.0 * lost.max(single_by_order))?;
    Ok(u32::from(!exact) + u32::from(!rough))
}

/// With one `x` no gradients are summed up in any order: every rule has to keep every bit.
#[test]
fn a_gene_with_one_x_keeps_every_bit() {
    let changed = std::cell::Cell::new(0);
    let mut runner = common::runner(20_000);
    let strategy = (common::genes(Vocabulary::Extended, 8), any::<prop::sample::Index>(), samples());
    let outcome = runner.run(&strategy, |(gene, kept, sample)| {
        let x = Node::Variable(Variable::Outputs);
        let places: Vec<usize> = (0..gene.nodes().len()).filter(|at| gene.nodes()[*at] == x).collect();
        let mut nodes = gene.nodes().to_vec();
        for at in &places {
            if *at != *kept.get(&places) {
                nodes[*at] = Node::Variable(Variable::Targets);
            }
        }
        let gene = Gene::from_prefix(nodes).unwrap();
        let canonical = gene.canonical();
        changed.set(changed.get() + u32::from(canonical != gene));
        let same = same(&run::<f64>(&gene, &sample), &run::<f64>(&canonical, &sample), 0.0, 0.0).and(same(
            &run::<f32>(&gene, &sample),
            &run::<f32>(&canonical, &sample),
            0.0,
            0.0,
        ));
        same.map(drop).map_err(|reason| TestCaseError::fail(format!("{gene} as {canonical}: {reason}")))
    });
    outcome.unwrap();
    println!("{} genes had another form", changed.get());
    assert!(changed.get() > 4_000, "the genes hardly exercise the rules: {}", changed.get());
}

#[test]
fn the_form_computes_the_same_and_is_final() {
    let mut runner = common::runner(20_000);
    let cases = runner.config().cases;
    let (changed, cancelled) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let strategy = (common::genes(Vocabulary::Extended, 8), samples());
    let outcome = runner.run(&strategy, |(gene, sample)| {
        let canonical = gene.canonical();
        prop_assert_eq!(&canonical.canonical(), &canonical, "not final");
        prop_assert!(canonical.nodes().len() <= gene.nodes().len());
        prop_assert!(canonical.depth() <= gene.depth());
        changed.set(changed.get() + u32::from(canonical != gene));
        match compare(&gene, &canonical, &sample) {
            Ok(sums) => cancelled.set(cancelled.get() + sums),
            Err(reason) => return Err(TestCaseError::fail(format!("{gene} as {canonical}: {reason}"))),
        }
        Ok(())
    });
    println!("{cases} genes, {} with another form, {} cancelling sums", changed.get(), cancelled.get());
    outcome.unwrap();
    assert!(changed.get() > cases / 4, "the genes hardly exercise the rules: {}", changed.get());
    assert!(cancelled.get() <= cases / 50, "too many exemptions: {}", cancelled.get());
}

#[test]
fn a_deep_gene_is_no_danger() {
    let text = "abs(".repeat(89) + "x" + &")".repeat(89);
    assert_eq!(gene(&text).canonical(), gene("abs(x)"));
    let limits = Limits { bytes: 1 << 20, nodes: 1 << 16, depth: 1 << 16 };
    let deep = parse(&("sin(".repeat(4000) + "x" + &")".repeat(4000)), &limits).unwrap();
    assert_eq!(deep.canonical(), deep);
}
