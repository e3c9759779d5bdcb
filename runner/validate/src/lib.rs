//! What a round of a subnet comes to: which genes are copies, which are better, who is paid.
//!
//! ```text
//! commitments ──▶ rounds   which round a gene belongs to, and the tasks that nobody could know before
//!           ├──▶ copies   who was first with a behaviour
//!           ├──▶ judge    what is still to be trained, and then who is better than whom
//!           │      sort, replay (known, front), original: the steps of that          outcome   what it comes to
//!           └──▶ pay      shares, and the numbers that go on the chain
//! ```
//!
//! Pure: what comes out is a function of what hotkeys were bound to, of blocks' hashes and of trainings, and of nothing that
//! one validator alone knows. So two of them that begin at different times set the same weights.
pub mod copies;
pub mod judge;
pub mod pay;
pub mod rounds;
pub mod simulate;

mod front;
mod known;
mod original;
mod outcome;
mod replay;
mod sort;

pub use judge::{Answer, Bound, Question, Training, judge};
pub use outcome::{Champion, Fate, Judged, Row};
pub use rounds::{Grid, first_seed};
pub use sort::{Sorted, sort};
