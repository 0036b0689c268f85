//! What Marquee stands on: the state store, the ledger and permits.
//!
//! This crate knows no films: a payload is opaque JSON to it. It is the only crate that names SQLite.
//!
//! - [`StateStore`]: one writer that commits whatever is waiting as a group, durable before it is acknowledged, and a
//!   pool of readers.
//! - [`Ledger`]: append-only streams (the track record, the audit) whose entries chain salted payload hashes under a
//!   keyed MAC; [`Ledger::verify`] finds flipped bytes, cut tails and rewritten tails. What it can and cannot find is
//!   stated at [`Verification`].
//! - [`Permit`]: who may do what.

mod digest;
mod error;
mod ledger;
mod permit;
mod store;

pub use digest::Digest;
pub use error::Error;
pub use ledger::{Damage, Entry, Head, Ledger, LedgerFiles, Stream, Verification};
pub use permit::{Action, Permit};
pub use store::{Integrity, StateStore, Stats};
