//! The allocation through its public face: what it asks, what it concludes, and that its state is what it was told.
use automl_score::Verdict;
use automl_score::allocate::{Allocation, Plan, PlanError, Standing, TellError, Told};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn plan() -> Plan {
    Plan { screen: 4, growth: 2.0, keep: 0.5, top: 2, cap: 64, error: 0.05, elimination: 0.05 }
}

/// Accuracies of genes with these means on 64 seeds: a seed's effect on all, and noise of each.
fn table(means: &[f64]) -> Vec<Vec<f64>> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let common: Vec<f64> = (0..64).map(|_| 0.02 * (random.random::<f64>() - 0.5)).collect();
    let row = |mean: &f64| common.iter().map(|common| mean + common + 0.01 * (random.random::<f64>() - 0.5)).collect();
    means.iter().map(row).collect()
}

fn told(table: &[Vec<f64>], (candidate, seed): (usize, u32)) -> Told {
    Told::Accuracy(table[candidate][seed as usize])
}

/// Trains rung by rung, in an order that `shuffle` changes, until nothing is asked.
fn play(mut allocation: Allocation, table: &[Vec<f64>], mut shuffle: impl FnMut(&mut Vec<(usize, u32)>)) -> Allocation {
    loop {
        let mut asked = allocation.ask();
        if asked.is_empty() {
            return allocation;
        }
        shuffle(&mut asked);
        for pair in asked {
            allocation.tell(pair.0, pair.1, told(table, pair)).unwrap();
        }
    }
}

fn standing(allocation: &Allocation, candidate: usize) -> Standing {
    let standings = allocation.report().unwrap().standings;
    standings.into_iter().find(|standing| standing.candidate == candidate).unwrap()
}

/// One much better, one much worse, the rest like the champion.
const MEANS: [f64; 8] = [0.8, 0.8, 0.9, 0.8, 0.5, 0.8, 0.8, 0.8];

#[test]
fn the_screen_is_for_all_and_seed_by_seed() {
    let asked = Allocation::new(3, plan()).unwrap().ask();
    let expected: Vec<(usize, u32)> = (0..4).flat_map(|seed| (0..3).map(move |candidate| (candidate, seed))).collect();
    assert_eq!(asked, expected);
}

#[test]
fn clear_cases_are_decided_early_and_near_ties_get_the_seeds() {
    let allocation = play(Allocation::new(8, plan()).unwrap(), &table(&MEANS), |_| ());
    let report = allocation.report().unwrap();
    assert!(report.finished);
    assert_eq!(report.trainings, allocation.trainings());
    assert_eq!(report.standings[0].candidate, 2);
    let (champion, best, worst) = (standing(&allocation, 0), standing(&allocation, 2), standing(&allocation, 4));
    assert_eq!((champion.verdict, champion.difference), (None, None));
    assert_eq!(best.verdict, Some(Verdict::Better));
    assert!(best.seeds < 64, "{best:?}");
    let difference = best.difference.unwrap();
    assert!(difference.low > 0.05 && difference.high < 0.15, "{difference:?}");
    assert_eq!(worst.seeds, 4);
    assert_eq!(report.standings[7].candidate, 4);
    // The other finalist equals the champion: both get all seeds.
    let equal = &report.standings.iter().find(|one| ![0, 2].contains(&one.candidate) && one.seeds == 64).unwrap();
    assert_eq!((equal.verdict, champion.seeds), (Some(Verdict::NotDistinguishable), 64));
    assert!(report.trainings < 8 * 64 / 2);
}

#[test]
fn the_same_gene_twice_is_never_told_apart() {
    let row = table(&[0.8]).remove(0);
    let allocation = play(Allocation::new(4, plan()).unwrap(), &vec![row; 4], |_| ());
    let report = allocation.report().unwrap();
    assert!(report.standings.iter().filter_map(|one| one.verdict).all(|one| one == Verdict::NotDistinguishable));
    let order: Vec<usize> = report.standings.iter().map(|standing| standing.candidate).collect();
    assert_eq!(order, [0, 1, 2, 3]);
}

#[test]
fn a_failed_training_is_a_lost_one() {
    let table = table(&MEANS);
    let mut allocation = Allocation::new(8, plan()).unwrap();
    for (candidate, seed) in allocation.ask() {
        let result = if candidate == 2 && seed < 3 { Told::Failed } else { told(&table, (candidate, seed)) };
        allocation.tell(candidate, seed, result).unwrap();
    }
    let failed = standing(&allocation, 2);
    assert_eq!((failed.failures, failed.seeds), (3, 4));
    assert!((failed.mean - table[2][3] / 4.0).abs() < 1e-12);
    assert_eq!(allocation.report().unwrap().standings[7].candidate, 2);
}

#[test]
fn state_is_what_was_told_in_whatever_order() {
    let table = table(&MEANS);
    let straight = play(Allocation::new(8, plan()).unwrap(), &table, |_| ());
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let shuffled = play(Allocation::new(8, plan()).unwrap(), &table, |asked| asked.shuffle(&mut random));
    assert_eq!(straight, shuffled);
    // Stopped after every result, written and read back.
    let mut resumed = Allocation::new(8, plan()).unwrap();
    while let Some(&(candidate, seed)) = resumed.ask().first() {
        resumed.tell(candidate, seed, told(&table, (candidate, seed))).unwrap();
        resumed = serde_json::from_str(&serde_json::to_string(&resumed).unwrap()).unwrap();
    }
    assert_eq!(straight, resumed);
    assert_eq!(straight.report(), resumed.report());
}

#[test]
fn there_is_a_report_at_any_time_after_the_screen() {
    let table = table(&MEANS);
    let mut allocation = Allocation::new(8, plan()).unwrap();
    assert_eq!(allocation.report(), None);
    let mut decided = Vec::new();
    while let Some(&(candidate, seed)) = allocation.ask().first() {
        allocation.tell(candidate, seed, told(&table, (candidate, seed))).unwrap();
        let Some(report) = allocation.report() else { continue };
        let now: Vec<(usize, Verdict)> = report
            .standings
            .iter()
            .filter_map(|one| Some((one.candidate, one.verdict?)))
            .filter(|(_, verdict)| *verdict != Verdict::NotDistinguishable)
            .collect();
        assert!(decided.iter().all(|verdict| now.contains(verdict)), "a verdict was taken back");
        decided = now;
    }
    assert!(!decided.is_empty());
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut allocation = Allocation::new(3, plan()).unwrap();
    allocation.tell(1, 0, Told::Accuracy(0.5)).unwrap();
    let before = allocation.clone();
    assert_eq!(allocation.tell(1, 0, Told::Accuracy(0.5)), Ok(()));
    assert_eq!(allocation.tell(1, 0, Told::Failed), Err(TellError::Contradiction { candidate: 1, seed: 0 }));
    assert_eq!(allocation.tell(3, 0, Told::Failed), Err(TellError::Candidate { candidate: 3, candidates: 3 }));
    assert_eq!(allocation.tell(0, 64, Told::Failed), Err(TellError::Seed { seed: 64, cap: 64 }));
    for accuracy in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(allocation.tell(0, 1, Told::Accuracy(accuracy)), Err(TellError::Accuracy { .. })));
    }
    assert_eq!(allocation, before);
}

#[test]
fn a_plan_or_a_file_that_makes_no_sense_is_refused() {
    assert_eq!(Allocation::new(1, plan()), Err(PlanError::TooFew { candidates: 1 }));
    for (plan, field) in [
        (Plan { screen: 0, ..plan() }, "screen"),
        (Plan { growth: 1.0, ..plan() }, "growth"),
        (Plan { growth: f64::NAN, ..plan() }, "growth"),
        (Plan { keep: 1.0, ..plan() }, "keep"),
        (Plan { top: 0, ..plan() }, "top"),
        (Plan { cap: u32::MAX, ..plan() }, "cap"),
        (Plan { error: 0.0, ..plan() }, "error"),
        (Plan { elimination: 2.0, ..plan() }, "elimination"),
    ] {
        let message = Allocation::new(3, plan).unwrap_err().to_string();
        assert!(message.contains(field) && message.contains("must be"), "{message}");
    }
    let good = serde_json::to_value(Allocation::new(2, plan()).unwrap()).unwrap();
    let mut bad = good.clone();
    bad["told"][0] = serde_json::json!([{"accuracy": 7.0}]);
    let message = serde_json::from_value::<Allocation>(bad).unwrap_err().to_string();
    assert!(message.contains("candidate 0, seed 0"), "{message}");
    let mut bad = good;
    bad["plan"]["keep"] = 5.into();
    assert!(serde_json::from_value::<Allocation>(bad).unwrap_err().to_string().contains("keep"));
}
