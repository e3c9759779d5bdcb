//! Whose a gene is: all disguises are found, genes that differ are left alone, and nothing depends on how neighbours are sought.
use automl_contract::validator::CopiesSpec;
use automl_genome::{Gene, Ground, Likeness, Vocabulary, known_losses};
use automl_search::random_gene;
use automl_search::rng::{ChaCha8Rng, Purpose, stream};
use automl_validate::copies::{Behaviours, Kind, Meeting, Nearest};
use automl_validate::simulate::{disguised, distinct, jittered};

const CROSS_ENTROPY: &str = "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))";

fn count() -> usize {
    if std::env::var_os("AUTOML_TEST_FULL").is_some() { 10_000 } else { 500 }
}

fn randomness(individual: u32) -> ChaCha8Rng {
    stream(1, Purpose::Initial, 0, 0, individual)
}

fn different(count: usize, rng: &mut ChaCha8Rng) -> Vec<Gene> {
    distinct(count, rng, |rng, height| random_gene(rng, Vocabulary::Extended, height))
}

fn gene(text: &str) -> Gene {
    text.parse().unwrap()
}

fn behaviours() -> Behaviours {
    let CopiesSpec { copy, near } = CopiesSpec::default();
    Behaviours::on(Ground::of([3; 32]), copy, near)
}

#[test]
fn every_disguise_is_found_and_genes_that_differ_are_left_alone() {
    let mut rng = randomness(0);
    let genes = different(count(), &mut rng);
    let mut known = behaviours();
    let mut copies = Vec::new();
    for gene in &genes {
        if let Meeting { kind: Kind::Copy, nearest: Some(nearest) } = known.meet(gene) {
            copies.push(format!("{gene}\n  of {}: {}", genes[nearest.index], nearest.distance));
        }
    }
    println!("{} of {} genes that differ were called copies:\n{}", copies.len(), genes.len(), copies.join("\n"));
    assert!(copies.len() * 1000 <= genes.len());
    for (index, gene) in genes.iter().enumerate() {
        let disguise = disguised(gene, &mut rng);
        let met = known.meet(&disguise);
        let origin = known.origin(known.len() - 1);
        assert_eq!(met.kind, Kind::Copy, "{met:?}: {disguise} of {gene}");
        assert_eq!(origin, known.origin(index), "{disguise} of {gene}");
    }
}

#[test]
fn the_nearest_is_the_nearest_and_the_first_of_equals() {
    let mut rng = randomness(1);
    let mut genes = different(300, &mut rng);
    let others: Vec<Gene> = genes.iter().filter_map(|gene| jittered(gene, 0.03, &mut rng)).collect();
    let again: Vec<Gene> = genes.iter().step_by(7).cloned().collect();
    genes.extend(others.into_iter().chain(again));
    genes.extend(["y", "one", "reciprocal(zero)", "safe_mul(y, arcsin(x))", "sign(x)"].map(gene));
    let mut known = behaviours();
    let ground = Ground::of([3; 32]);
    let likenesses: Vec<Likeness> = genes.iter().map(|gene| Likeness::on(&ground, gene)).collect();
    for (place, gene) in genes.iter().enumerate() {
        let distances = likenesses[..place].iter().map(|other| other.distance(&likenesses[place]));
        let nearest = distances
            .enumerate()
            .filter(|(_, distance)| distance.is_finite())
            .min_by(|one, two| one.1.total_cmp(&two.1).then(one.0.cmp(&two.0)))
            .map(|(index, distance)| Nearest { index, distance });
        assert_eq!(known.meet(gene).nearest, nearest, "{place}: {gene}");
    }
    assert_eq!(known.len(), genes.len());
}

#[test]
fn kinds_are_by_distance_and_copies_of_copies_are_of_the_first() {
    let mut known = behaviours();
    assert!(known.is_empty());
    assert_eq!(known.meet(&gene(CROSS_ENTROPY)), Meeting { kind: Kind::Original, nearest: None });
    let smoothed = |share: f64| {
        gene(&format!(
            "safe_sub({CROSS_ENTROPY}, safe_mul(tensor({share:?}), safe_sub(row_mean(log_softmax(x)), row_sum(safe_mul(y, log_softmax(x))))))"
        ))
    };
    // Each step is a copy of the one before, and soon no longer of the first.
    let mut share = 0.0;
    let first = Likeness::of(&gene(CROSS_ENTROPY));
    while first.distance(&Likeness::of(&smoothed(share))) <= 0.003 {
        share += 0.001;
        assert_eq!(known.meet(&smoothed(share)).kind, Kind::Copy, "{share}");
        assert_eq!(known.origin(known.len() - 1), Some(0));
    }
    let met = known.meet(&smoothed(share + 0.04));
    assert_eq!(met.kind, Kind::Near, "{met:?}");
    assert_eq!(known.origin(known.len() - 1), Some(known.len() - 1));
    assert_eq!(known.meet(&gene("safe_mul(x, y)")).kind, Kind::Original);
    assert_eq!(known.origin(known.len()), None);
}

#[test]
fn the_order_of_commitment_decides() {
    for loss in known_losses() {
        let mut rng = randomness(2);
        let disguise = disguised(&loss.gene(), &mut rng);
        let mut known = behaviours();
        assert_eq!(known.meet(&disguise).kind, Kind::Original);
        let met = known.meet(&loss.gene());
        assert_eq!((met.kind, known.origin(1)), (Kind::Copy, Some(0)), "{}: {met:?}", loss.key);
    }
}

#[test]
fn numbers_that_are_hardly_others_make_no_other_gene() {
    let mut rng = randomness(3);
    let genes = different(200, &mut rng);
    let share = |jitter: f64, rng: &mut ChaCha8Rng| {
        let pairs: Vec<(&Gene, Gene)> =
            genes.iter().filter_map(|gene| Some((gene, jittered(gene, jitter, rng)?))).collect();
        let copies = pairs.iter().filter(|(gene, other)| {
            let mut known = behaviours();
            known.meet(gene);
            known.meet(other).kind == Kind::Copy
        });
        (copies.count() as f64 / pairs.len() as f64, pairs.len())
    };
    let ((tiny, tried), (tenth, _)) = (share(1e-5, &mut rng), share(0.1, &mut rng));
    assert!(tried > 100 && tiny > 0.95, "{tiny} of {tried}");
    assert!(tenth < 0.5, "{tenth} of {tried}");
}
