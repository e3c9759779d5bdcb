//! The front of accuracy and size, and what a newcomer adds to it.

/// Nodes of a gene that has no size advantage at all.
const LARGEST: f64 = 1024.0;

/// The genes that were there, each with what it gains and how small it is.
#[derive(Default)]
pub(crate) struct Front {
    /// By smallness, the smallest gene last.
    points: Vec<(f64, f64)>,
}

impl Front {
    /// The area that a gene adds which gains at least `proven` over cross-entropy, and puts it in with its mean gain: later ones
    /// have to be better than what it is, not than what was proven of it.
    pub(crate) fn join(&mut self, proven: f64, mean: f64, nodes: usize) -> f64 {
        let small = (LARGEST / (nodes.max(1) as f64)).log2().max(0.01);
        let before = area(&self.points);
        let with = |gain: f64| {
            let mut points = self.points.clone();
            points.push((small, gain));
            points
        };
        let added = if proven > 0.0 { area(&with(proven)) - before } else { 0.0 };
        if proven > 0.0 {
            self.points = with(mean.max(proven));
        }
        added.max(0.0)
    }
}

/// The area of the union of the rectangles from the origin to each point.
fn area(points: &[(f64, f64)]) -> f64 {
    let mut sorted = points.to_vec();
    sorted.sort_by(|one, other| other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1)));
    // From the smallest gene to the largest: each adds what it gains beyond all that are smaller.
    let mut best: f64 = 0.0;
    let mut sum = 0.0;
    for (small, gain) in sorted {
        if gain > best {
            sum += small * (gain - best);
            best = gain;
        }
    }
    sum
}
