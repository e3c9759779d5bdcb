//! Places that genes are published to: stand-ins that the services' own clients take for them, and ours with these.
mod common;
mod locators;
mod ours;
mod standins;
