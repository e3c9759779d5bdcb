//! Thieves and honest miners before a validator: are genes in disguise found, are genes that differ left alone, what does it cost,
//! and how much of a change makes a copy another gene?
use super::figure::Figure;
use automl_contract::validator::CopiesSpec;
use automl_genome::{Gene, Ground, Likeness, Vocabulary};
use automl_search::random_gene;
use automl_search::rng::{ChaCha8Rng, Purpose, stream};
use automl_validate::copies::{Behaviours, Kind};
use automl_validate::simulate::{disguised, distinct, jittered};
use std::time::Instant;

const GENES: usize = 10_000;
/// The last of the distinct genes, by which the time of one is measured.
const TIMED: usize = 500;
const JITTER: [f64; 6] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];
/// What makes the ground.
const SEED: [u8; 32] = [5; 32];

pub(super) fn measure() -> Vec<Figure> {
    let CopiesSpec { copy, near } = CopiesSpec::default();
    let mut rng = stream(2, Purpose::Initial, 0, 0, 0);
    let genes = distinct(GENES, &mut rng, |rng, height| random_gene(rng, Vocabulary::Extended, height));
    let mut behaviours = Behaviours::on(Ground::of(SEED), copy, near);
    let (mut flagged, mut near_copies, mut times) = (0, 0, Vec::with_capacity(GENES));
    for gene in &genes {
        let began = Instant::now();
        let kind = behaviours.meet(gene).kind;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        flagged += u32::from(kind == Kind::Copy);
        near_copies += u32::from(kind == Kind::Near);
    }
    let last = &mut times[GENES - TIMED..];
    last.sort_by(f64::total_cmp);
    let (mean, slow) = (last.iter().sum::<f64>() / TIMED as f64, last[TIMED * 99 / 100]);
    let mut found = 0;
    for (index, gene) in genes.iter().enumerate() {
        behaviours.meet(&disguised(gene, &mut rng));
        found += u32::from(behaviours.origin(behaviours.len() - 1) == behaviours.origin(index));
    }
    let figure = |name: String, value: f64, unit| Figure::new("copies", name, value, unit);
    let goal = GENES as f64;
    let mut figures = vec![
        figure(format!("genes in disguise that are found, and whose they are, of {GENES}"), f64::from(found), "genes")
            .at_least(goal),
        figure(format!("genes that differ and are called copies, of {GENES}"), f64::from(flagged), "genes")
            .at_most(goal / 1000.0),
        figure(format!("genes that differ and are called near copies, of {GENES}"), f64::from(near_copies), "genes"),
        figure(format!("to compare a gene with {GENES} others"), mean, "ms").at_most(5.0),
        figure(format!("to compare a gene with {GENES} others, slowest of 100"), slow, "ms"),
    ];
    for share in JITTER {
        figures.extend(jitter(&genes, share, [copy, near], &mut rng));
    }
    figures
}

/// What numbers that are off by this share of themselves make of genes.
fn jitter(genes: &[Gene], share: f64, [copy, near]: [f64; 2], rng: &mut ChaCha8Rng) -> Vec<Figure> {
    let ground = Ground::of(SEED);
    let distance =
        |gene: &Gene| Some(Likeness::on(&ground, gene).distance(&Likeness::on(&ground, &jittered(gene, share, rng)?)));
    let mut distances: Vec<f64> = genes.iter().filter_map(distance).collect();
    distances.sort_by(f64::total_cmp);
    let count = distances.len().max(1) as f64;
    let within = |radius: f64| 100.0 * distances.partition_point(|distance| *distance <= radius) as f64 / count;
    let median = distances.get(distances.len() / 2).copied().unwrap_or(0.0);
    let figure = |what: &str, value: f64, unit| {
        Figure::new("copies", format!("all numbers of a gene off by {share:e} of themselves: {what}"), value, unit)
    };
    vec![
        figure("median distance", median, "of 1"),
        figure("called copies", within(copy), "%"),
        figure("called near copies", within(near) - within(copy), "%"),
        figure("called originals", 100.0 - within(near), "%"),
    ]
}
