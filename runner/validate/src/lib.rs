//! What a round of a subnet comes to: which genes are copies, which are better, who is paid.
pub mod copies;
pub mod simulate;
