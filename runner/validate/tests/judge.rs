//! What rounds come to, with genes of known quality: accuracy is that plus noise, a function of gene and seed alone.
use automl_contract::validator::{CopiesSpec, PayoutSpec, RoundsSpec, Scheme, ScoringSpec};
use automl_genome::{Limits, parse};
use automl_score::allocate::Told;
use automl_validate::{Answer, Bound, Fate, Grid, Judged, Question, first_seed, judge, pay, sort};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

const CROSS_ENTROPY: &str = "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))";
/// A day, in blocks.
const DAY: u64 = 7_200;
/// Rounds close with every hundredth block.
const EVERY: u64 = 100;

/// Cross-entropy of logits that are so many times as large: as many behaviours as there are numbers.
fn scaled(scale: f64) -> String {
    format!("safe_sub(zero, row_sum(safe_mul(y, log_softmax(safe_mul(x, tensor({scale:.4}))))))")
}

/// With so much of the squared error of probabilities.
fn mixed(scale: f64, part: f64) -> String {
    let brier = "row_sum(square(safe_sub(softmax(x), y)))";
    format!("safe_add({}, safe_mul(tensor({part:.4}), {brier}))", scaled(scale))
}

fn bound(hotkey: &str, block: u64, text: &str) -> Bound {
    Bound { hotkey: hotkey.to_owned(), block, gene: parse(text, &Limits::default()).map_err(|error| error.to_string()) }
}

/// Settings of a subnet.
#[derive(Default)]
struct Rules {
    scoring: ScoringSpec,
    copies: CopiesSpec,
    payout: PayoutSpec,
}

/// Uniform in 0..1, by a name.
fn drawn(name: &str) -> f64 {
    let digest = Sha256::digest(name);
    f64::from(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])) / f64::from(u32::MAX)
}

/// Asks until nothing is missing; also how many trainings that took.
fn outcome(rules: &Rules, closed: u64, history: &[Bound], quality: &dyn Fn(&str, u32) -> f64) -> (Judged, usize) {
    let grid = Grid::new(EVERY, Some(EVERY + 2), &RoundsSpec { epochs: 1, closing: 2 }).expect("there are epochs");
    // Each hotkey's last one.
    let last: BTreeMap<&str, usize> = history.iter().enumerate().map(|(at, one)| (one.hotkey.as_str(), at)).collect();
    let current: BTreeSet<usize> = last.into_values().collect();
    let seed = |closed: u64| first_seed(&Sha256::digest(closed.to_be_bytes()), 7, rules.scoring.cap);
    let mut seeds = BTreeMap::from([(closed, seed(closed))]);
    let mut trained: BTreeMap<(String, u32), Told> = BTreeMap::new();
    let empty = seeds.clone();
    let base = Question {
        closed,
        history,
        current: &current,
        grid,
        seeds: &empty,
        sets: 1,
        day: DAY,
        scoring: &rules.scoring,
        copies: &rules.copies,
        payout: &rules.payout,
    };
    let sorted = sort(&base);
    loop {
        let question = Question { seeds: &seeds, ..base };
        match judge(&question, &sorted, &|gene, seed| trained.get(&(gene.to_owned(), seed)).copied()) {
            Answer::Judged(judged) => return (*judged, trained.len()),
            Answer::Needs(trainings, rounds) => {
                assert!(!trainings.is_empty() || !rounds.is_empty(), "nothing is asked and nothing is said");
                for training in trainings {
                    let noise = 0.04 * (drawn(&format!("{} {}", training.gene, training.seed)) - 0.5)
                        + 0.08 * (drawn(&format!("{}", training.seed)) - 0.5);
                    let accuracy = (quality(&training.gene, training.seed) + noise).clamp(0.0, 1.0);
                    let known = trained.insert((training.gene.to_string(), training.seed), Told::Accuracy(accuracy));
                    assert!(known.is_none(), "{training:?} is asked for twice");
                }
                seeds.extend(rounds.into_iter().map(|closed| (closed, seed(closed))));
            }
        }
    }
}

fn share(judged: &Judged, hotkey: &str) -> f64 {
    judged.rows.iter().find(|row| row.hotkey == hotkey).map_or(f64::NAN, |row| row.share)
}

fn champion(judged: &Judged) -> Option<&str> {
    judged.champion.as_ref().map(|champion| champion.hotkey.as_str())
}

#[test]
fn equals_are_told_apart_no_more_often_than_is_said() {
    let mut wrong = 0;
    for world in 0..60 {
        // Twelve losses that are as good as cross-entropy: whatever is paid here is paid for luck.
        let closed = 100 + 1_000 * world;
        let history: Vec<Bound> = (0..12)
            .map(|number| {
                bound(&format!("m{number}"), closed - 50, &mixed(2.0_f64.powi(number % 4), 4.0 * f64::from(number / 4)))
            })
            .collect();
        let (judged, _) = outcome(&Rules::default(), closed, &history, &|_, _| 0.9);
        let apart = judged.rows.iter().filter(|row| matches!(row.fate, Fate::Scored { near: None, .. })).count();
        assert!(apart >= 6, "too few that nothing else holds back: {judged:?}");
        wrong += usize::from(judged.rows.iter().any(|row| row.share > 0.0));
    }
    // Against the champion and against cross-entropy, which is the same here: 5 % of 60, and what chance adds to that.
    assert!(wrong <= 8, "{wrong} of 60");
}

#[test]
fn who_is_better_wins_and_keeps_it_until_somebody_is_better_still() {
    let quality = |gene: &str, _| match gene {
        text if text.contains("(3.)") => 0.93,
        text if text.contains("(5.)") => 0.96,
        _ => 0.90,
    };
    let mut history = vec![bound("ada", 50, &scaled(3.0)), bound("bert", 51, &scaled(2.0))];
    let (first, cost) = outcome(&Rules::default(), 100, &history, &quality);
    assert_eq!(champion(&first), Some("ada"));
    assert!(share(&first, "ada") > 0.7 && share(&first, "bert") == 0.0, "{first:?}");
    assert!(cost < 3 * 64 + 2 * 16, "{cost}");
    history.push(bound("carla", 150, &scaled(5.0)));
    history.push(bound("dirk", 160, &scaled(2.5)));
    let (second, _) = outcome(&Rules::default(), 200, &history, &quality);
    assert_eq!(champion(&second), Some("carla"));
    assert!(share(&second, "carla") > share(&second, "ada") && share(&second, "ada") > 0.0, "{second:?}");
    // Fourteen days later all of it is half of what it was.
    let (later, _) = outcome(&Rules::default(), 200 + 14 * DAY + 4 * EVERY / 5, &history, &quality);
    let ratio = share(&later, "carla") / share(&second, "carla");
    assert!((ratio - 0.5).abs() < 0.01, "{ratio}");
}

#[test]
fn the_best_of_a_round_wins_however_soon_it_was_proven() {
    for world in 0..12_u64 {
        let closed = 100 + 1_000 * world;
        // One is far better on most tasks; the other a little, on all of them.
        let quality = |gene: &str, seed: u32| match gene {
            text if text.contains("(3.)") => 0.945 + 0.14 * (drawn(&format!("{seed} of the best")) - 0.5),
            text if text.contains("(8.)") => 0.917,
            _ => 0.90,
        };
        let history = [bound("best", closed - 50, &scaled(3.0)), bound("fair", closed - 49, &scaled(8.0))];
        let (judged, _) = outcome(&Rules::default(), closed, &history, &quality);
        assert_eq!(champion(&judged), Some("best"), "{judged:?}");
        assert!(share(&judged, "best") > share(&judged, "fair"), "{judged:?}");
    }
}

#[test]
fn one_that_has_moved_on_leaves_the_place_to_the_next() {
    let quality = |gene: &str, _| if gene.contains("(3.)") || gene.contains("(5.)") { 0.94 } else { 0.90 };
    let mut history = vec![bound("ada", 50, &scaled(3.0)), bound("bert", 150, &scaled(5.0))];
    let (judged, _) = outcome(&Rules::default(), 200, &history, &quality);
    assert_eq!(champion(&judged), Some("ada"), "the second is as good and not better");
    history.push(bound("ada", 250, &scaled(2.0)));
    let (judged, _) = outcome(&Rules::default(), 300, &history, &quality);
    assert_eq!(champion(&judged), Some("bert"));
}

#[test]
fn a_champion_that_falls_is_not_paid_for_that_round() {
    let closed = 300;
    let first = first_seed(&Sha256::digest(u64::to_be_bytes(closed)), 7, ScoringSpec::default().cap);
    // Its tasks were lucky ones: on those of the round at hand it is worse than cross-entropy.
    let quality = move |gene: &str, seed: u32| match gene {
        CROSS_ENTROPY => 0.90,
        _ if seed >= first && seed < first + 64 => 0.80,
        _ => 0.95,
    };
    let history = [bound("ada", 50, &scaled(3.0))];
    let (judged, _) = outcome(&Rules::default(), closed, &history, &quality);
    assert!(judged.champion.as_ref().is_some_and(|champion| champion.fallen), "{judged:?}");
    let fell = share(&judged, "ada");
    let (judged, _) = outcome(&Rules::default(), 400, &history, &quality);
    assert!(judged.champion.as_ref().is_some_and(|champion| !champion.fallen), "{judged:?}");
    assert!((share(&judged, "ada") - fell - 0.3).abs() < 0.01, "the champion's part is what it had lost");
}

#[test]
fn copies_get_nothing_and_near_ones_only_what_they_are_better() {
    let disguised = "safe_add(zero, safe_mul(tensor(7.0000), safe_sub(zero, row_sum(safe_mul(log_softmax(safe_mul(tensor(3.0000), x)), safe_mul(y, one))))))";
    let near = scaled(3.2);
    let quality = |gene: &str, _| if gene == CROSS_ENTROPY { 0.90 } else { 0.94 };
    let history = [
        bound("ada", 50, &scaled(3.0)),
        bound("bert", 51, disguised),
        bound("carl", 150, &near),
        bound("bad", 160, "x"),
    ];
    let (judged, _) = outcome(&Rules::default(), 200, &history, &quality);
    let fate = |hotkey: &str| judged.rows.iter().find(|row| row.hotkey == hotkey).map(|row| row.fate.clone());
    assert_eq!(fate("bert"), Some(Fate::Copy { of: "ada".to_owned(), since: 50 }));
    assert!(matches!(fate("carl"), Some(Fate::Scored { near: Some(of), .. }) if of == "ada"), "{:?}", fate("carl"));
    assert!(matches!(fate("bad"), Some(Fate::Unusable { .. })));
    assert_eq!((share(&judged, "bert"), share(&judged, "carl"), share(&judged, "bad")), (0.0, 0.0, 0.0));
    // One that is near and better beyond doubt is paid, and gives a tenth to what it came from.
    let quality = |gene: &str, _| {
        if gene.contains("3.2") {
            0.97
        } else if gene == CROSS_ENTROPY {
            0.90
        } else {
            0.94
        }
    };
    let (judged, _) = outcome(&Rules::default(), 200, &history, &quality);
    assert_eq!(champion(&judged), Some("carl"));
    let rules = Rules { payout: PayoutSpec { royalty_percent: 0, ..PayoutSpec::default() }, ..Rules::default() };
    let (without, _) = outcome(&rules, 200, &history, &quality);
    let given = share(&without, "carl") - share(&judged, "carl");
    assert!((given - 0.1 * share(&without, "carl")).abs() < 1e-9, "{given}");
    assert!((share(&judged, "ada") - share(&without, "ada") - given).abs() < 1e-9);
    assert!(share(&judged, "bert") <= 0.0, "the copy inherits nothing");
}

#[test]
fn who_binds_its_gene_anew_gets_neither_other_tasks_nor_rid_of_what_it_owes() {
    let lucky = "safe_add(zero, safe_sub(zero, row_sum(safe_mul(y, log_softmax(safe_mul(x, tensor(3.0000)))))))";
    // On the tasks of its round, which are known by now, another text of the same gene does better.
    let quality = |gene: &str, _| match gene {
        CROSS_ENTROPY => 0.90,
        text if text.contains("safe_add(zero") => 0.99,
        text if text.contains("3.2") => 0.95,
        _ => 0.94,
    };
    let mut history = vec![bound("ada", 50, &scaled(3.0)), bound("bert", 51, &mixed(5.0, 8.0))];
    let (before, _) = outcome(&Rules::default(), 100, &history, &quality);
    history.push(bound("ada", 150, lucky));
    let (after, _) = outcome(&Rules::default(), 100, &history, &quality);
    let fate = |judged: &Judged| judged.rows.iter().find(|row| row.hotkey == "ada").map(|row| row.fate.clone());
    assert_eq!(fate(&before), fate(&after), "it is trained as it was when nobody knew the tasks");

    // A near copy of another's stays one, and one's own gene has to be beaten to be paid anew.
    let history = [
        bound("ada", 50, &scaled(3.0)),
        bound("dora", 51, &mixed(5.0, 8.0)),
        bound("carl", 150, &scaled(3.2)),
        bound("carl", 160, &scaled(3.3)),
        bound("dora", 170, &mixed(5.3, 8.0)),
    ];
    let (judged, _) =
        outcome(&Rules::default(), 200, &history, &|gene, _| if gene == CROSS_ENTROPY { 0.90 } else { 0.94 });
    for hotkey in ["carl", "dora"] {
        let fate = judged.rows.iter().find(|row| row.hotkey == hotkey).map(|row| &row.fate);
        assert!(matches!(fate, Some(Fate::Scored { near: Some(_), .. } | Fate::Copy { .. })), "{hotkey}: {fate:?}");
        assert!(share(&judged, hotkey) <= 0.0, "{judged:?}");
    }
}

#[test]
fn a_smaller_gene_that_is_as_good_adds_to_the_front_and_a_larger_one_does_not() {
    let quality = |gene: &str, _| if gene == CROSS_ENTROPY { 0.90 } else { 0.94 };
    let (small, large) = (scaled(3.0), mixed(5.0, 0.2));
    let after = |first: &str, second: &str| {
        let history = [bound("one", 50, first), bound("two", 150, second)];
        let (judged, _) = outcome(&Rules::default(), 200, &history, &quality);
        share(&judged, "two")
    };
    assert!(after(&large, &small) > 0.0);
    assert!(after(&small, &large) <= 0.0);
}

#[test]
fn the_originals_rule_is_the_originals() {
    let rules =
        Rules { scoring: ScoringSpec { scheme: Scheme::Original, ..ScoringSpec::default() }, ..Rules::default() };
    let history = [bound("ada", 50, &scaled(3.0)), bound("bert", 60, &scaled(2.0)), bound("carl", 70, &scaled(3.0))];
    let (judged, cost) = outcome(&rules, 100, &history, &|_, _| 0.9);
    assert_eq!(cost, 2, "one training for each gene that is no copy");
    // One accuracy has no deviation, so the score is no number, as it is there: such genes get weights all the same.
    assert!(matches!(judged.rows[0].fate, Fate::Original { score: None, .. }), "{judged:?}");
    let (ada, bert) = (share(&judged, "ada"), share(&judged, "bert"));
    assert!(ada > bert && bert > 0.0 && (ada + bert - 1.0).abs() < 1e-9, "{judged:?}");
    assert!(share(&judged, "carl") <= 0.0);
}

#[test]
fn weights_are_of_the_largest_share_within_what_the_subnet_allows() {
    let shares = |shares: &[(u16, f64)]| shares.iter().copied().collect::<BTreeMap<u16, f64>>();
    assert_eq!(pay::weights(&shares(&[]), None, u16::MAX), []);
    assert_eq!(pay::weights(&shares(&[(3, 0.4), (9, 0.1)]), None, u16::MAX), [(3, 65_535), (9, 16_384)]);
    // What nobody has earned goes to one hotkey.
    assert_eq!(pay::weights(&shares(&[(3, 0.25)]), Some(0), u16::MAX), [(0, 65_535), (3, 21_845)]);
    // No more than half for one.
    let half = pay::weights(&shares(&[(0, 0.9), (1, 0.05), (2, 0.05)]), None, 32_767);
    let all: u32 = half.iter().map(|(_, weight)| u32::from(*weight)).sum();
    assert!(u32::from(half[0].1) * 65_535 <= 32_767 * all + 65_535, "{half:?}");
    assert_eq!(half[1].1, half[2].1);
}

#[test]
fn rounds_close_with_every_epoch_or_so_many_of_them() {
    let rounds = |epochs, closing| RoundsSpec { epochs, closing };
    assert_eq!(Grid::new(0, Some(5), &rounds(1, 2)), None);
    assert_eq!(Grid::new(10, None, &rounds(1, 2)), None);
    for epochs in [1, 3] {
        for next in [17, 27, 37, 107] {
            // Whenever it is asked, the answer is the same.
            let grid = Grid::new(10, Some(next), &rounds(epochs, 2)).expect("there are epochs");
            assert_eq!(Some(grid), Grid::new(10, Some(next + 10), &rounds(epochs, 2)));
            for block in 60..140_u64 {
                let closing = grid.closing(block);
                assert!(closing >= block && closing < block + grid.every(), "{block}: {closing}");
                assert_eq!((closing + 2) % 10, 7, "two blocks before an epoch");
                let closed = grid.closed(block).expect("some have passed");
                assert!(closed < block && closed + grid.every() >= block, "{block}: {closed}");
                assert_eq!(grid.closing(closed), closed);
            }
        }
    }
    let grid = Grid::new(360, Some(100), &rounds(1, 10)).expect("there are epochs");
    assert_eq!(grid.closed(90), None, "the block after it is not there yet");
    assert_eq!(grid.closed(91), Some(90));
}
