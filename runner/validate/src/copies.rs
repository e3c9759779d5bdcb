//! stub
use automl_genome::{Gene, Signature};
/// K
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// o
    Original,
    /// n
    Near,
    /// c
    Copy,
}
/// M
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meeting {
    /// k
    pub kind: Kind,
    /// n
    pub nearest: Option<(usize, f64)>,
}
/// B
pub struct Behaviours {
    copy: f64,
    near: f64,
    all: Vec<Signature>,
}
impl Behaviours {
    /// n
    pub fn new(copy: f64, near: f64) -> Behaviours {
        Behaviours { copy, near, all: Vec::new() }
    }
    /// m
    pub fn meet(&mut self, gene: &Gene) -> Meeting {
        let signature = Signature::of(gene);
        let nearest =
            self.all.iter().map(|one| one.distance(&signature)).enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        self.all.push(signature);
        let kind = match nearest {
            Some((_, d)) if d <= self.copy => Kind::Copy,
            Some((_, d)) if d <= self.near => Kind::Near,
            _ => Kind::Original,
        };
        Meeting { kind, nearest: nearest.filter(|n| n.1.is_finite()) }
    }
}
