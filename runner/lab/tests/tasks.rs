//! Tasks as a family: what is drawn, that it is drawn from the seed alone, and that both paths train the same.
use std::sync::atomic::AtomicBool;

use automl_contract::spec::{
    DataSource, DatasetSpec, Evaluation, EvaluationSpec, NetworkKind, NetworkSpec, TrainingSpec,
};
use automl_contract::tasks::{Counts, Dimensions, Factors, LearningRates, Percents, SetSpec, Shares, TasksSpec};
use automl_genome::{Gene, Limits, known_losses, parse};
use automl_lab::{Lab, Outcome, Path, Stage, Task};

fn gene(text: &str) -> Gene {
    parse(text, &Limits::default()).unwrap()
}

fn cross_entropy() -> Gene {
    known_losses()[0].gene()
}

fn varied(tasks: TasksSpec) -> Evaluation {
    EvaluationSpec { tasks: Some(tasks), ..EvaluationSpec::default() }.resolved()
}

fn cnn() -> NetworkSpec {
    NetworkSpec { kind: NetworkKind::Cnn, channels: Some(8), ..NetworkSpec::default() }
}

fn score(lab: &Lab, gene: &Gene, stage: Stage, seed: u32) -> Outcome {
    lab.worker().train(gene, stage, seed, &AtomicBool::new(false)).unwrap()
}

fn refusal(evaluation: &Evaluation) -> String {
    Lab::open(evaluation, 0).err().expect("it is refused").to_string()
}

/// Everything that can vary together.
fn all_varied() -> TasksSpec {
    TasksSpec {
        learning_rate: Some(LearningRates { low: 0.001, high: 0.01 }),
        width_percent: Some(Percents { low: 50, high: 200 }),
        classes: Some(Counts { low: 2, high: 6 }),
        projection: None,
        shrink: Some(Factors { low: 1, high: 2 }),
        label_noise: Some(Shares { low: 0.0, high: 0.3 }),
    }
}

#[test]
fn a_task_is_a_function_of_run_stage_and_seed() {
    let evaluation = varied(all_varied());
    let (lab, again, other) =
        (Lab::open(&evaluation, 1).unwrap(), Lab::open(&evaluation, 1).unwrap(), Lab::open(&evaluation, 2).unwrap());
    let mut drawn: Vec<Task> = Vec::new();
    for stage in Stage::ALL {
        for seed in 0..40 {
            let task = lab.task(stage, seed);
            assert_eq!(task, again.task(stage, seed));
            assert_ne!(task, other.task(stage, seed));
            assert!(
                (0.001..=0.01).contains(&task.learning_rate) && (50..=200).contains(&task.width_percent),
                "{task:?}"
            );
            assert!((0.0..=0.3).contains(&task.label_noise) && (1..=2).contains(&task.shrink), "{task:?}");
            let classes = task.classes.as_ref().unwrap();
            assert!((2..=6).contains(&classes.len()) && classes.windows(2).all(|pair| pair[0] < pair[1]), "{task:?}");
            assert!(drawn.iter().all(|earlier| earlier.learning_rate.to_bits() != task.learning_rate.to_bits()));
            drawn.push(task);
        }
    }
    let seen = |mut of: Vec<usize>| {
        of.sort_unstable();
        of.dedup();
        of
    };
    assert_eq!(seen(drawn.iter().map(|task| task.classes.as_ref().unwrap().len()).collect()), [2, 3, 4, 5, 6]);
    assert_eq!(seen(drawn.iter().map(|task| task.shrink).collect()), [1, 2]);
    assert_eq!(seen(drawn.iter().flat_map(|task| task.classes.clone().unwrap()).map(usize::from).collect()).len(), 10);
    // Log-uniform: half of the draws lie below the geometric mean, √10 times the lower end. Five standard errors.
    let below = drawn.iter().filter(|task| task.learning_rate < 0.001 * 10_f64.sqrt()).count() as f64;
    assert!((below - 60.0).abs() < 5.0 * 30_f64.sqrt(), "{below} of 120");
}

#[test]
fn letting_one_thing_vary_changes_no_other() {
    let all = Lab::open(&varied(all_varied()), 1).unwrap();
    let fewer = Lab::open(&varied(TasksSpec { classes: None, label_noise: None, ..all_varied() }), 1).unwrap();
    for seed in 0..10 {
        let (all, fewer) = (all.task(Stage::Search, seed), fewer.task(Stage::Search, seed));
        let expected = Task { classes: None, label_noise: 0.0, ..all };
        assert_eq!(fewer, expected);
    }
}

#[test]
fn scores_of_varied_tasks_do_not_depend_on_what_was_trained_before() {
    let evaluation = varied(all_varied());
    let lab = Lab::open(&evaluation, 3).unwrap();
    let mut worker = lab.worker();
    let stop = AtomicBool::new(false);
    let forward: Vec<_> =
        (0..8).map(|seed| worker.train(&cross_entropy(), Stage::Select, seed, &stop).unwrap()).collect();
    let forgetful = Lab::open(&evaluation, 3).unwrap().forgetful();
    for seed in (0..8).rev() {
        assert_eq!(score(&forgetful, &cross_entropy(), Stage::Select, seed), forward[seed as usize]);
    }
    assert!(forward.iter().all(|outcome| outcome.failure.is_none() && outcome.accuracy > 0.2), "{forward:?}");
}

#[test]
fn both_paths_train_varied_tasks_alike() {
    let projected = TasksSpec { shrink: None, projection: Some(Dimensions { low: 8, high: 40 }), ..all_varied() };
    for tasks in [all_varied(), projected] {
        // Few steps: rounding has no time to grow.
        let training = TrainingSpec { steps: Some(20), ..TrainingSpec::default() };
        let evaluation = EvaluationSpec { tasks: Some(tasks), training, ..EvaluationSpec::default() }.resolved();
        let (host, tensor) = (Lab::open(&evaluation, 5).unwrap(), Lab::open_tensor(&evaluation, 5).unwrap());
        for seed in 0..6 {
            let left = score(&host, &cross_entropy(), Stage::Search, seed);
            let right = score(&tensor, &cross_entropy(), Stage::Search, seed);
            assert_eq!((left.steps, &left.failure), (right.steps, &right.failure));
            // At most one example of a part of hundreds may fall on the other side.
            assert!((left.accuracy - right.accuracy).abs() <= 0.012, "{seed}: {left:?} {right:?}");
        }
    }
}

#[test]
fn wrong_labels_are_learnt_as_they_are_given() {
    // Two classes, nine of ten labels wrong: what is learnt is the opposite.
    let tasks = TasksSpec {
        classes: Some(Counts { low: 2, high: 2 }),
        label_noise: Some(Shares { low: 0.9, high: 0.9 }),
        ..TasksSpec::default()
    };
    let lab = Lab::open(&varied(tasks.clone()), 0).unwrap();
    let right = Lab::open(&varied(TasksSpec { label_noise: None, ..tasks }), 0).unwrap();
    for seed in 0..3 {
        let (wrong, right) =
            (score(&lab, &cross_entropy(), Stage::Final, seed), score(&right, &cross_entropy(), Stage::Final, seed));
        assert!(wrong.accuracy < 0.25 && right.accuracy > 0.9, "{wrong:?} {right:?}");
    }
}

#[test]
fn a_cnn_learns_pictures() {
    let evaluation = EvaluationSpec { network: cnn(), ..EvaluationSpec::default() }.resolved();
    let lab = Lab::open(&evaluation, 0).unwrap();
    assert_eq!(lab.about().path, Path::Tensor);
    let first = score(&lab, &cross_entropy(), Stage::Final, 0);
    assert!(first.failure.is_none() && first.accuracy > 0.85, "{first:?}");
    assert_eq!(score(&lab, &cross_entropy(), Stage::Final, 0), first);
    assert_ne!(score(&lab, &cross_entropy(), Stage::Final, 1), first);
    let failed = score(&lab, &gene("reciprocal(zero)"), Stage::Final, 0);
    assert_eq!(failed.failure.map(|failure| failure.reason()), Some("nonfinite_value"));
}

#[test]
fn stages_may_have_sets_of_their_own() {
    let synthetic = DatasetSpec { source: DataSource::Synthetic, limit: Some(1000), ..DatasetSpec::default() };
    let set = |stage, dataset, network| SetSpec { stage, dataset, network };
    let sets = vec![
        set(Stage::Final, Some(synthetic), None),
        set(Stage::Final, None, Some(cnn())),
        set(Stage::Select, None, None),
    ];
    let lab = Lab::open(&EvaluationSpec { sets, ..EvaluationSpec::default() }.resolved(), 0).unwrap();
    let named = |stage, seed| {
        let task = lab.task(stage, seed);
        (task.set, task.dataset, task.network)
    };
    let digits = "digits".to_owned();
    for seed in [0, 1, 7] {
        assert_eq!(named(Stage::Search, seed), (0, digits.clone(), NetworkKind::Mlp));
        assert_eq!(named(Stage::Select, seed), (0, digits.clone(), NetworkKind::Mlp));
    }
    assert_eq!(named(Stage::Final, 0), (1, "synthetic".to_owned(), NetworkKind::Mlp));
    assert_eq!(named(Stage::Final, 1), (2, digits, NetworkKind::Cnn));
    assert_eq!(named(Stage::Final, 2).0, 1);
    let stages: Vec<_> = lab.about().sets.iter().map(|set| set.stages.clone()).collect();
    assert_eq!(stages, [vec![Stage::Search, Stage::Select], vec![Stage::Final], vec![Stage::Final]]);
    assert_eq!(lab.about().judged(Stage::Final), ("synthetic and digits".to_owned(), 200 + 361));
    for seed in 0..3 {
        assert!(score(&lab, &cross_entropy(), Stage::Final, seed).accuracy > 0.5);
    }
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let synthetic = DatasetSpec { source: DataSource::Synthetic, limit: Some(1000), ..DatasetSpec::default() };
    let evaluation = EvaluationSpec { dataset: synthetic, network: cnn(), ..EvaluationSpec::default() };
    assert_eq!(
        refusal(&evaluation.resolved()),
        "network.kind: is cnn, which needs pictures, but the examples are rows of numbers (synthetic); choose mlp"
    );
    let small = TasksSpec { shrink: Some(Factors { low: 1, high: 3 }), ..TasksSpec::default() };
    let evaluation = EvaluationSpec { network: cnn(), tasks: Some(small), ..EvaluationSpec::default() };
    assert_eq!(
        refusal(&evaluation.resolved()),
        "tasks.shrink: up to 3 leaves 2 × 2 pixels of digits; at least 4 × 4 are needed: lower `high`"
    );
    let projected = TasksSpec { projection: Some(Dimensions { low: 3, high: 3 }), ..TasksSpec::default() };
    let evaluation = EvaluationSpec { network: cnn(), tasks: Some(projected), ..EvaluationSpec::default() };
    assert_eq!(
        refusal(&evaluation.resolved()),
        "network.kind: is cnn, which needs pictures, but tasks are projected (digits); choose mlp"
    );
}
