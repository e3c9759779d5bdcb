//! `runner scorer`: trains for a validator, and for nobody else.
//!
//! The validator holds a key and talks to strangers; this trains with what strangers wrote. So they are two processes, in a pod two
//! containers, and a socket is all that they share. Containers of a pod share a network too: once data and socket are open,
//! this process gives up the right to open another connection, for itself and for the processes that train.
pub(crate) mod message;
#[cfg(feature = "lab")]
mod serve;
mod way;

#[cfg(feature = "lab")]
pub(crate) use serve::serve;
pub(crate) use way::{Way, digits, read};
