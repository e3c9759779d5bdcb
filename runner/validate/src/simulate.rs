//! Thieves as they may be expected, to measure what [`copies`](crate::copies) does to them: genes in disguise, genes with other
//! numbers, and genes that do differ, which is told in another way than by [`automl_genome::Likeness`].
mod disguise;
mod view;

pub use disguise::{disguised, jittered};
pub use view::distinct;
