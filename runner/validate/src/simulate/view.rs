//! Genes that do differ, told by gradients on other batches than those of a likeness, and in another way.
use automl_genome::{Batch, Class, Gene, Program, Real, Signature, Workspace, known_losses};
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CLASSES: usize = 10;
/// Examples at each scale.
const ROWS: usize = 16;
/// Standard deviations of the logits.
const SCALES: [f64; 3] = [0.3, 1.0, 3.0];
/// Batches are drawn with each of these seeds. Genes differ where they do so on every draw: near 0 primitives such as x/x have a
/// spike, which one draw may meet and a training does not.
const SEEDS: [u64; 3] = [7, 8, 9];
/// In radians: genes at a smaller angle are not counted as different, though they may be.
const ANGLE: f64 = 0.01;
/// A gene whose gradient in f32 is further than this from that in f64 trains with rounding noise: it is no gene to tell apart.
const NOISE: f64 = 0.001;
/// Nodes of a gene at most.
const SIZE: usize = 60;
/// So many numbers are compared before a look at their sum.
const LANES: usize = 16;

/// The directions of a gene's gradients on 48 examples, on each draw: vectors of length 1.
pub(super) struct View([Vec<f32>; SEEDS.len()]);

impl View {
    /// `None` where a gradient is absent, zero or not finite, or what it is in f32 is something else.
    pub(super) fn of(gene: &Gene) -> Option<View> {
        let program = Program::new(gene);
        let mut directions = SEEDS.map(|_| Vec::new());
        for (seed, place) in SEEDS.into_iter().zip(&mut directions) {
            *place = direction::<f64>(&program, seed)?;
            if apart(place, &direction::<f32>(&program, seed)?, NOISE) {
                return None;
            }
        }
        Some(View(directions))
    }

    /// Whether the gradients' angle is large on every draw.
    fn differs(&self, other: &View) -> bool {
        self.0.iter().zip(&other.0).all(|(one, two)| apart(one, two, ANGLE))
    }
}

fn direction<T: Real>(program: &Program, seed: u64) -> Option<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut workspace = Workspace::default();
    let mut all: Vec<f64> = Vec::with_capacity(SCALES.len() * ROWS * CLASSES);
    for scale in SCALES {
        // A sum of twelve is as good as normal.
        let mut logit = |_| T::of(scale * ((0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0));
        let outputs: Vec<T> = (0..ROWS * CLASSES).map(&mut logit).collect();
        let mut targets = vec![T::zero(); ROWS * CLASSES];
        for row in 0..ROWS {
            targets[row * CLASSES + rng.random_range(0..CLASSES)] = T::one();
        }
        let answer = program.evaluate(Batch::new(&outputs, &targets, ROWS, CLASSES).ok()?, &mut workspace);
        let gradient = answer.gradient.filter(|_| answer.class == Class::Finite)?;
        all.extend(gradient.iter().map(|element| element.wide()));
    }
    let largest = all.iter().map(|element| element.abs()).fold(0.0, f64::max);
    let length = all.iter().map(|element| (element / largest).powi(2)).sum::<f64>().sqrt();
    (largest > 0.0).then(|| all.iter().map(|element| (element / largest / length) as f32).collect())
}

/// Whether the angle between vectors of length 1 is at least this, in radians; mostly seen in the first numbers.
fn apart(one: &[f32], two: &[f32], angle: f64) -> bool {
    let enough = (2.0 * (angle / 2.0).sin()).powi(2) as f32;
    let mut sum = 0.0_f32;
    one.chunks(LANES).zip(two.chunks(LANES)).any(|(one, two)| {
        sum += one.iter().zip(two).map(|(one, two)| (one - two) * (one - two)).sum::<f32>();
        sum >= enough
    })
}

/// So many genes that can be trained with and that all differ. `grow` makes a random tree of at most this height; some genes are
/// such trees, most are the known losses and their like with a part replaced by one.
pub fn distinct(count: usize, rng: &mut ChaCha8Rng, mut grow: impl FnMut(&mut ChaCha8Rng, usize) -> Gene) -> Vec<Gene> {
    let mut genes: Vec<Gene> = known_losses().iter().map(automl_genome::KnownLoss::gene).take(count).collect();
    let mut views: Vec<View> = genes.iter().filter_map(View::of).collect();
    while genes.len() < count {
        let gene = if rng.random_bool(0.3) {
            let height = rng.random_range(2..=6);
            grow(rng, height)
        } else {
            let parent = &genes[rng.random_range(0..genes.len())];
            parent.with_subtree(rng.random_range(0..parent.nodes().len()), grow(rng, 2).nodes())
        };
        if gene.nodes().len() > SIZE || Signature::of(&gene).dead().is_some() {
            continue;
        }
        if let Some(view) = View::of(&gene).filter(|view| views.iter().all(|known| known.differs(view))) {
            genes.push(gene);
            views.push(view);
        }
    }
    genes
}
