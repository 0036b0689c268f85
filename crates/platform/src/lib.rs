//! What Marquee stands on: the state store, the ledger and permits.
//!
//! This crate knows no films: a payload is opaque JSON to it. It is the only crate that names SQLite and PostgreSQL.
//!
//! - [`StateStore`]: one writer that commits whatever is waiting as a group, durable before it is acknowledged, and a
//!   pool of readers.
//! - [`Ledger`]: append-only streams (the track record, the audit) whose entries chain salted payload hashes under a
//!   keyed MAC; [`Ledger::verify`] finds flipped bytes, cut tails and rewritten tails. What it can and cannot find is
//!   stated at [`Verification`].
//! - [`Audit`]: who did what, when, from where, before and after, as a stream of the ledger.
//! - [`Keyring`]: secret values at rest under AES-256-GCM; [`Documents`]: what people make and keep, sealed where its class
//!   asks for it, each revision kept.
//! - [`shape`], [`sign`]: what a webhook call says, and proof that it was this house that said it.
//! - [`Alerts`]: rules, what they found, and the channels that hear of it; [`deliver`]: a webhook call to one.
//! - [`Jobs`]: work that goes on behind the request that asked for it, and [`Schedules`] that start it.
//! - [`Accounts`]: who may log in, their sessions and tokens.
//! - [`Policies`]: what each account may do, as Cedar policies; [`Permit`]: the outcome, which every use case asks for.

mod accounts;
mod alerts;
mod audit;
mod deliver;
mod digest;
mod documents;
mod error;
mod jobs;
mod ledger;
mod permit;
mod policy;
mod seal;
mod store;
mod webhook;

pub use accounts::{
    Account, AccountId, Accounts, Change, LogIn, NewAccount, NewSession, Origin, RateLimit, RetryAfter, Role,
    Secret, Session, Token, TokenId,
};
pub use alerts::{
    Alert, AlertFilter, AlertPage, AlertRule, Alerts, Channel, Finding, Look, NewChannel, NewRule, Taken,
    Told,
};
pub use audit::{
    Audit, AuditEntry, AuditFormat, AuditOutcome, AuditPage, AuditQuery, AuditRecord, Exported, redact,
};
pub use deliver::{Call, Hook, NotDelivered, deliver};
pub use digest::Digest;
pub use documents::{Contents, Document, DocumentHeader, Documents, Edit, Listing, Rotation};
pub use error::Error;
pub use jobs::{
    CancelFlag, Change as JobChange, Clock, Cursor as JobCursor, Handler, Handlers, Job, JobError, JobEvent,
    JobFilter, JobFuture, JobId, JobRun, JobState, Jobs, Lease, LogLine, NewJob, NewSchedule,
    Progress as JobProgress, Runner, Schedule, ScheduleId, Schedules,
};
pub use ledger::{Damage, Entry, Head, Ledger, LedgerFiles, Stream, Verification};
pub use marquee_domain::Class;
pub use permit::{Action, Permit};
pub use policy::{Holding, Policies};
pub use seal::{Keyring, Place, Sealed};
pub use store::{Integrity, Location, StateStore, Stats};
pub use webhook::{Notice, Severity, Shape, shape, sign, verify};
