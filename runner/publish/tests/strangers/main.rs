//! What a validator fetches because strangers say so: servers that mean no good, addresses that are nobody's business, and
//! secrets that stay here.
mod addresses;
mod bodies;
mod common;
mod peer;
mod proxy;
mod redirects;
mod secrets;
mod together;
