//! The audit.

use marquee_app::platform::AuditRecord;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// An entry of the audit.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its place, from 1.
    pub seq: u64,
    /// When, RFC 3339.
    pub at: String,
    /// The account's name; null, like everything below but the code, where the entry was erased.
    pub who: Option<String>,
    /// What was done, such as `account.update`.
    pub action: Option<String>,
    /// To what, as `kind:id`.
    pub object: Option<String>,
    /// From which address.
    pub from: Option<String>,
    /// The request's id.
    pub request: Option<String>,
    /// done, refused or failed.
    pub outcome: Option<String>,
    /// How it was before.
    pub before: Option<Value>,
    /// How it is after.
    pub after: Option<Value>,
    /// Whether it concerns something confidential.
    pub sensitive: Option<bool>,
    /// Its code, which depends on every entry before it; hexadecimal.
    pub mac: String,
}

/// Entries of the audit, a page at a time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditPage {
    /// The entries of this page, newest first.
    pub entries: Vec<AuditEntry>,
    /// What to send as `cursor` for the next page; none after the last.
    pub next: Option<u64>,
}

impl From<&AuditRecord> for AuditEntry {
    fn from(record: &AuditRecord) -> Self {
        let what = record.what.as_ref();
        Self {
            seq: record.entry.seq,
            at: record.entry.recorded_at.to_rfc3339(),
            who: what.map(|w| w.who.clone()),
            action: what.map(|w| w.action.clone()),
            object: what.map(|w| w.object.clone()),
            from: what.and_then(|w| w.from.clone()),
            request: what.and_then(|w| w.request.clone()),
            outcome: what.map(|w| w.outcome.as_str().to_owned()),
            before: what.and_then(|w| w.before.clone()),
            after: what.and_then(|w| w.after.clone()),
            sensitive: what.map(|w| w.sensitive),
            mac: record.entry.mac.to_string(),
        }
    }
}
