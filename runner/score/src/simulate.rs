//! What allocation and verdicts do to genes of known quality, with noise as measured: is the best one found, at what cost,
//! and how often is an equal declared better?
//!
//! Also on the same draws: the original's rule (one training per task, best score wins), and the flat allocation that
//! spends what ours spent.
use crate::allocate::{Allocation, Plan, PlanError, Told};
use crate::interval::{Verdict, differences, interval};
use crate::original;
use rand::{Rng, RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Trainings per gene in the original's default configuration: seven pairs of data set and network.
pub const ORIGINAL_TASKS: u32 = 7;

/// The noise of one training, taken apart: what a seed does to all genes, and what is left for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// Mean accuracy.
    level: f64,
    /// Effects of seeds; mean 0.
    common: Vec<f64>,
    /// What is left, by gene that was measured, then by seed; each gene's mean is 0.
    residuals: Vec<Vec<f64>>,
}

impl Noise {
    /// From accuracies of several genes (rows) on the same seeds (columns). `None` for fewer than two rows or columns, rows
    /// of different lengths, or numbers that are not finite.
    ///
    /// accuracy = gene + seed + residual, by means of rows and columns; residuals are scaled so that their variance is that of
    /// the population and not of the leftovers of fitted means.
    pub fn measured(table: &[Vec<f64>]) -> Option<Noise> {
        let (genes, seeds) = (table.len(), table.first()?.len());
        let usable = |row: &Vec<f64>| row.len() == seeds && row.iter().all(|accuracy| accuracy.is_finite());
        if genes < 2 || seeds < 2 || !table.iter().all(usable) {
            return None;
        }
        let mean = |values: &mut dyn Iterator<Item = f64>, count: usize| values.sum::<f64>() / count as f64;
        let rows: Vec<f64> = table.iter().map(|row| mean(&mut row.iter().copied(), seeds)).collect();
        let level = mean(&mut rows.iter().copied(), genes);
        let common: Vec<f64> =
            (0..seeds).map(|seed| mean(&mut table.iter().map(|row| row[seed]), genes) - level).collect();
        let (g, s) = (genes as f64, seeds as f64);
        let scale = (g * s / ((g - 1.0) * (s - 1.0))).sqrt();
        let left = |(row, gene): (&Vec<f64>, &f64)| {
            row.iter().zip(&common).map(|(accuracy, common)| scale * (accuracy - gene - common)).collect()
        };
        let residuals = table.iter().zip(&rows).map(left).collect();
        Some(Noise { level, common, residuals })
    }

    /// Standard deviation of what seeds do to all genes alike, which pairing removes.
    pub fn common_deviation(&self) -> f64 {
        deviation(self.common.iter().copied())
    }

    /// Standard deviation of what is left of one gene's accuracy.
    pub fn residual_deviation(&self) -> f64 {
        deviation(self.residuals.iter().flatten().copied())
    }

    /// Accuracies of genes with these advantages on `seeds` seeds: each seed's common effect and each training's residual
    /// are drawn from the measured ones, a gene's residuals from those of one measured gene.
    fn draw(&self, advantages: &[f64], seeds: u32, random: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
        let common: Vec<f64> = (0..seeds).map(|_| *pick(&self.common, random)).collect();
        let row = |advantage: &f64| {
            let residuals = pick(&self.residuals, random);
            let one = |common: &f64| {
                let accuracy = self.level + advantage + common + *pick(residuals, random);
                accuracy.clamp(0.0, 1.0)
            };
            common.iter().map(one).collect()
        };
        advantages.iter().map(row).collect()
    }
}

/// A question to ask of chance.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Candidates, the champion included.
    pub genes: usize,
    /// By how much one challenger, drawn anew each round, is better than all the others and the champion, which are equal:
    /// nothing harder has that gap. 0: all are equal.
    pub gap: f64,
    /// Repetitions.
    pub rounds: u32,
    /// Of the draws.
    pub seed: u64,
    /// How seeds are spent.
    pub plan: Plan,
}

/// What happened, as shares of rounds where not said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Simulated {
    /// The best ranks among the plan's top.
    pub top: f64,
    /// The best was declared better than the champion.
    pub best_won: f64,
    /// Mean trainings over those of a flat allocation, which gives every gene the cap of seeds.
    pub cost: f64,
    /// Any challenger that is not better was declared better.
    pub false_wins: f64,
    /// The best is among as many, where a flat allocation spends what ours spent.
    pub flat_top: f64,
    /// The best is better than the champion by Student's interval in that flat allocation, all challengers together.
    pub flat_won: f64,
    /// The best has the original's highest score.
    pub original_first: f64,
    /// The best is among the plan's top by the original's score.
    pub original_top: f64,
    /// The original's trainings over those of the flat allocation.
    pub original_cost: f64,
    /// A challenger that is not better has the original's highest score.
    pub original_false_wins: f64,
}

/// Plays the rounds. The same setting and noise give the same result.
pub fn simulate(noise: &Noise, setting: &Setting) -> Result<Simulated, PlanError> {
    let mut random = ChaCha8Rng::seed_from_u64(setting.seed);
    let mut sum = Simulated::default();
    let fresh = Allocation::new(setting.genes, setting.plan.clone())?;
    for _ in 0..setting.rounds {
        let best = random.random_range(1..setting.genes);
        let mut advantages = vec![0.0; setting.genes];
        advantages[best] = setting.gap;
        let seeds = setting.plan.cap.max(ORIGINAL_TASKS);
        let table = noise.draw(&advantages, seeds, &mut random);
        // Among equals nobody is the best.
        let best = (setting.gap > 0.0).then_some(best);
        round(&mut sum, setting, fresh.clone(), &table, best);
    }
    let rounds = f64::from(setting.rounds.max(1));
    let flat = rounds * setting.genes as f64 * f64::from(setting.plan.cap);
    Ok(Simulated {
        top: sum.top / rounds,
        best_won: sum.best_won / rounds,
        cost: sum.cost / flat,
        false_wins: sum.false_wins / rounds,
        flat_top: sum.flat_top / rounds,
        flat_won: sum.flat_won / rounds,
        original_first: sum.original_first / rounds,
        original_top: sum.original_top / rounds,
        original_cost: f64::from(ORIGINAL_TASKS) / f64::from(setting.plan.cap),
        original_false_wins: sum.original_false_wins / rounds,
    })
}

/// Adds one round's counts.
fn round(sum: &mut Simulated, setting: &Setting, allocation: Allocation, table: &[Vec<f64>], best: Option<usize>) {
    let top = setting.plan.top;
    let count = |happened: bool| f64::from(u8::from(happened));
    let within = |ranking: &[usize], places: usize| ranking.iter().take(places).any(|&one| Some(one) == best);

    let allocation = train(allocation, table);
    sum.cost += allocation.trainings() as f64;
    let standings = allocation.report().map(|report| report.standings).unwrap_or_default();
    let ranking: Vec<usize> = standings.iter().map(|standing| standing.candidate).collect();
    sum.top += count(within(&ranking, top));
    let won = |standing: &&_| matches!(standing, crate::allocate::Standing { verdict: Some(Verdict::Better), .. });
    sum.best_won += count(standings.iter().filter(won).any(|one| Some(one.candidate) == best));
    sum.false_wins += count(standings.iter().filter(won).any(|one| Some(one.candidate) != best));

    let affordable = allocation.trainings() / table.len();
    let flat = ranked(table, |row| row[..affordable].iter().sum());
    sum.flat_top += count(within(&flat, top));
    let against = |best: usize| differences(&table[best][..affordable], &table[0][..affordable]);
    let proven = best.and_then(|best| interval(&against(best), table.len() - 1));
    sum.flat_won += count(proven.is_some_and(|interval| interval.verdict() == Verdict::Better));

    let original = ranked(table, |row| f64::from(original::score(&row[..ORIGINAL_TASKS as usize])));
    sum.original_first += count(within(&original, 1));
    sum.original_top += count(within(&original, top));
    sum.original_false_wins += count(original[0] != 0 && Some(original[0]) != best);
}

/// Trains what is asked for until nothing is.
fn train(mut allocation: Allocation, table: &[Vec<f64>]) -> Allocation {
    loop {
        let asked = allocation.ask();
        let mut taken = 0;
        for (candidate, seed) in asked {
            let told = Told::Accuracy(table[candidate][seed as usize]);
            taken += usize::from(allocation.tell(candidate, seed, told).is_ok());
        }
        // Accuracies are clamped and the pairs were asked for: were all refused nevertheless, asking on would not end.
        if taken == 0 {
            return allocation;
        }
    }
}

/// Genes by value, the highest first, ties in their order.
fn ranked(table: &[Vec<f64>], value: impl Fn(&[f64]) -> f64) -> Vec<usize> {
    let values: Vec<f64> = table.iter().map(|row| value(row)).collect();
    let mut order: Vec<usize> = (0..table.len()).collect();
    order.sort_by(|&one, &other| values[other].total_cmp(&values[one]));
    order
}

fn pick<'a, T>(list: &'a [T], random: &mut impl Rng) -> &'a T {
    &list[random.random_range(0..list.len())]
}

fn deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count() as f64;
    (values.map(|value| value * value).sum::<f64>() / count).sqrt()
}
