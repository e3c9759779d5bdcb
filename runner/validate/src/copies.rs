//! Whose a gene is: whoever committed first to what trains like it.
//!
//! Genes come in the order in which they were committed. Each is compared with all before it, copies included: else the gene
//! that is a little off a copy would be new. What is far off is mostly told by norms alone, and the rest by the first of six
//! batches, so that 10,000 known genes are met in milliseconds without an index that could miss one.
use automl_genome::{Gene, Ground, Likeness};

/// What genes do that were committed so far, in their order.
pub struct Behaviours {
    /// `None` for the fixed batches.
    ground: Option<Ground>,
    copy: f64,
    near: f64,
    known: Vec<Likeness>,
    /// Of each known gene, the one it is a copy of in the end, or itself.
    origins: Vec<usize>,
}

/// How a gene stands to those before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meeting {
    /// What that makes of it.
    pub kind: Kind,
    /// The earlier gene that trains most alike, the first of those that are equally so. `None` when there is none, or all differ
    /// without measure.
    pub nearest: Option<Nearest>,
}

/// An earlier gene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Its place in the order.
    pub index: usize,
    /// Its [`Likeness::distance`].
    pub distance: f64,
}

/// What a gene is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Further from every earlier gene than a near copy.
    Original,
    /// So near an earlier gene that it has to be better than that beyond doubt.
    Near,
    /// Another way to write an earlier gene.
    Copy,
}

impl Behaviours {
    /// No genes yet, on the fixed batches: for tools. `copy` and `near` are distances up to which a gene is the one or the other,
    /// as in `CopiesSpec`.
    pub fn new(copy: f64, near: f64) -> Behaviours {
        Behaviours { ground: None, copy, near, known: Vec::new(), origins: Vec::new() }
    }

    /// The same on a ground of a seed that nobody knew when the last of the genes was committed: for validators.
    pub fn on(ground: Ground, copy: f64, near: f64) -> Behaviours {
        Behaviours { ground: Some(ground), ..Behaviours::new(copy, near) }
    }

    /// Compares a gene with all earlier ones, and keeps it under the next index.
    pub fn meet(&mut self, gene: &Gene) -> Meeting {
        let likeness = match &self.ground {
            Some(ground) => Likeness::on(ground, gene),
            None => Likeness::of(gene),
        };
        let nearest = self.nearest(&likeness);
        let kind = match nearest {
            Some(Nearest { distance, .. }) if distance <= self.copy => Kind::Copy,
            Some(Nearest { distance, .. }) if distance <= self.near => Kind::Near,
            _ => Kind::Original,
        };
        let origin = nearest.filter(|_| kind == Kind::Copy).and_then(|nearest| self.origin(nearest.index));
        self.origins.push(origin.unwrap_or(self.known.len()));
        self.known.push(likeness);
        Meeting { kind, nearest }
    }

    /// The gene that a known one is a copy of, be it by way of other copies, or itself; `None` for an index that is not known.
    pub fn origin(&self, index: usize) -> Option<usize> {
        self.origins.get(index).copied()
    }

    /// How many genes are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn nearest(&self, likeness: &Likeness) -> Option<Nearest> {
        let mut nearest: Option<Nearest> = None;
        for (index, known) in self.known.iter().enumerate() {
            let radius = nearest.map_or(f64::INFINITY, |nearest| nearest.distance);
            if let Some(distance) = known.within(likeness, radius) {
                nearest = Some(Nearest { index, distance });
                if distance <= 0.0 {
                    break;
                }
            }
        }
        nearest
    }
}
