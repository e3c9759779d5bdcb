//! Which islands a run had, epoch by epoch.
//!
//! An epoch's islands are written down once, by whichever island comes to it first: it proposes those that are wished for and
//! have budget left, and as a name in the ledger is taken for ever, all others find the same. So what each island computes
//! follows from the spec and this record, whoever was fast and whatever was killed.
//!
//! A wish is never overtaken: an epoch is named by how many wishes its proposer knew, and counts only where there were no more
//! in the ledger before it. So an island that is not wished for, and has no epoch left, is in none until somebody wishes again.
use automl_contract::pod::{Indexes, WISH_KEY};
use serde::{Deserialize, Serialize};

/// What is known of it so far. Grows only.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Schedule {
    epochs: Vec<Indexes>,
    /// The last wish, and how many there were.
    wish: Option<u32>,
    pub(super) wishes: u32,
}

/// The body of an epoch's record.
#[derive(Serialize, Deserialize)]
pub(super) struct Epoch {
    pub(super) islands: Indexes,
}

/// The key of an epoch's record, as whoever knows so many wishes proposes it.
pub(super) fn epoch_key(epoch: u32, wishes: u32) -> String {
    format!("epoch.{epoch}.{wishes}")
}

/// The key of a person's wish, after so many others; the operator names its own by the spec they come from.
pub(super) fn wish_key(wishes: u32) -> String {
    format!("{WISH_KEY}{wishes}")
}

impl Schedule {
    /// Takes up the next record; what is none of a schedule's, or an epoch that does not come next, is left out.
    pub(super) fn learn(&mut self, key: &str, body: &[u8]) {
        if *key == epoch_key(self.len(), self.wishes) {
            if let Ok(epoch) = serde_json::from_slice::<Epoch>(body) {
                self.epochs.push(epoch.islands);
            }
        } else if key.starts_with(WISH_KEY) {
            self.wishes += 1;
            self.wish = std::str::from_utf8(body).ok().and_then(|text| text.parse().ok()).or(self.wish);
        }
    }

    /// Epochs that are decided.
    pub(super) fn len(&self) -> u32 {
        self.epochs.len() as u32 // one record each
    }

    /// How many islands are wished for, where somebody has said so.
    pub(super) fn wish(&self) -> Option<u32> {
        self.wish
    }

    /// The islands of an epoch.
    pub(super) fn islands(&self, epoch: u32) -> Option<&Indexes> {
        self.epochs.get(epoch as usize)
    }
}

#[cfg(feature = "lab")]
impl Schedule {
    /// How many epochs an island has before this one.
    pub(super) fn epochs_before(&self, island: u32, epoch: u32) -> u32 {
        self.epochs.iter().take(epoch as usize).filter(|islands| islands.contains(island)).count() as u32
    }

    /// Which of the run's epochs is an island's own epoch of this number; `None` where that is not decided.
    pub(super) fn epoch_of(&self, island: u32, own: u32) -> Option<u32> {
        let mut taken = (0..).zip(&self.epochs).filter(|(_, islands)| islands.contains(island));
        taken.nth(own as usize).map(|(epoch, _)| epoch)
    }

    /// What the next epoch's islands would be: those wished for that have budget left for one more epoch of `own`.
    pub(super) fn next(&self, wish: u32, own: u64) -> Indexes {
        let left = |island: &u32| u64::from(self.epochs_before(*island, self.len())) < own;
        Indexes::all((0..wish).filter(left))
    }

    /// Whose genes an island takes in when it enters an epoch: those that its neighbours in the ring gave when they entered the
    /// epoch before. Who was in its first epoch then had nothing to give.
    pub(super) fn givers(&self, island: u32, epoch: u32) -> Vec<u32> {
        let Some(before) = epoch.checked_sub(1) else { return Vec::new() };
        let islands = self.islands(before).cloned().unwrap_or_default();
        let neighbours = ring(island, |other| islands.contains(other));
        neighbours.into_iter().filter(|giver| self.epochs_before(*giver, before) > 0).collect()
    }
}

/// The next lower and the next higher island of a ring: none, one or two.
#[cfg(feature = "lab")]
pub(super) fn ring(island: u32, is_there: impl Fn(u32) -> bool) -> Vec<u32> {
    let end = automl_contract::minerrun::MAX_ISLANDS;
    let above = || (island + 1..end).chain(0..island);
    let higher = above().find(|other| is_there(*other));
    let lower = (0..island).rev().chain((island + 1..end).rev()).find(|other| is_there(*other));
    let mut both: Vec<u32> = lower.into_iter().chain(higher).collect();
    both.dedup();
    both
}

#[cfg(all(test, feature = "lab"))]
mod tests {
    use super::*;

    fn schedule(epochs: &[&str]) -> Schedule {
        let mut schedule = Schedule::default();
        for (number, islands) in (0..).zip(epochs) {
            schedule.learn(&epoch_key(number, 0), format!(r#"{{"islands":"{islands}"}}"#).as_bytes());
        }
        assert_eq!(schedule.len() as usize, epochs.len());
        schedule
    }

    #[test]
    fn an_island_counts_its_own_epochs() {
        let schedule = schedule(&["0-2", "0-4", "0-1", "0-1,3"]);
        assert_eq!([0, 1, 2, 3].map(|own| schedule.epoch_of(3, own)), [Some(1), Some(3), None, None]);
        assert_eq!([0, 1].map(|own| schedule.epoch_of(4, own)), [Some(1), None]);
        assert_eq!(schedule.next(5, 3).to_string(), "2-4", "0 and 1 have had their epochs");
        assert_eq!(schedule.next(2, 4), Indexes::default());
        assert_eq!(schedule.next(2, 5).to_string(), "0-1");
    }

    #[test]
    fn genes_come_from_neighbours_that_had_some_one_epoch_before() {
        let schedule = schedule(&["0-2", "0-4", "0-3", "0,2"]);
        assert_eq!(schedule.givers(0, 0), [0_u32; 0]);
        assert_eq!(schedule.givers(0, 1), [0_u32; 0], "in epoch 0 nobody had any");
        assert_eq!(schedule.givers(1, 2), [0, 2]);
        assert_eq!(schedule.givers(0, 2), [1], "4 was in its first epoch");
        assert_eq!(schedule.givers(2, 3), [1, 3]);
        assert_eq!(schedule.givers(0, 4), [2], "both neighbours of two");
    }

    #[test]
    fn what_does_not_come_next_is_left_out() {
        let mut schedule = schedule(&["0-2"]);
        let before = schedule.clone();
        let one = br#"{"islands":"0"}"#;
        for (key, body) in
            [("epoch.0.0", &one[..]), ("epoch.2.0", one), ("epoch.1.1", one), ("epoch.1.0", b"?"), ("x", one)]
        {
            schedule.learn(key, body);
            assert_eq!(schedule, before, "{key}");
        }
        for (key, body, wish) in [
            ("wish.0", "3", Some(3)),
            ("wish.b7-1", "5", Some(5)),
            ("wish.b7-2", "?", Some(5)),
            ("wish.3", "3", Some(3)),
        ] {
            schedule.learn(key, body.as_bytes());
            assert_eq!(schedule.wish(), wish, "{key}");
        }
        assert_eq!(wish_key(schedule.wishes), "wish.4");
        schedule.learn("epoch.1.3", one);
        assert_eq!(schedule.len(), 1, "it was proposed before the last wish came");
        schedule.learn("epoch.1.4", one);
        assert_eq!(schedule.len(), 2);
    }
}
