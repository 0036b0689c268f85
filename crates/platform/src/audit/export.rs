//! The audit as a file for an auditor: CSV to read, JSON lines to check.
//!
//! Both name each entry's number and MAC, to be held against a head that was kept elsewhere. The JSON lines hold the whole
//! entry, so that without the ledger's key the links (`prev_mac`) and the salted hash of each payload can be checked: it is
//! the SHA-256 of `marquee ledger payload 1`, the salt and the payload as it stands in the line, each with its length in
//! front as eight bytes, little-endian. CSV as in RFC 4180.

use std::io::Write;

use serde_json::{Value, json};

use super::{Audit, AuditQuery, AuditRecord};
use crate::{Error, Head};

const COLUMNS: [&str; 17] = [
    "seq",
    "recorded_at",
    "kind",
    "who",
    "account",
    "action",
    "object",
    "from",
    "request",
    "outcome",
    "sensitive",
    "before",
    "after",
    "erased",
    "payload_hash",
    "prev_mac",
    "mac",
];

/// Entries that are taken from the audit at a time.
const PAGE: usize = 256;

/// In which form the audit is exported.
///
/// ```
/// assert_ne!(marquee_platform::AuditFormat::Csv, marquee_platform::AuditFormat::JsonLines);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFormat {
    /// A table for people: one line an entry. A text that a spreadsheet would take for a formula begins with `'`.
    Csv,
    /// One JSON object a line: the whole entry of the ledger.
    JsonLines,
}

/// What was exported.
///
/// ```
/// let nothing = marquee_platform::Exported { entries: 0, head: None };
/// assert!(nothing.head.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// How many entries.
    pub entries: u64,
    /// The head of the stream when the export began: every entry of the export is at or before it.
    pub head: Option<Head>,
}

impl Audit {
    /// Writes every entry that fits the query, the newest first. `out` is written to and flushed on the caller's thread.
    ///
    /// # Errors
    /// [`Error::Export`] if `out` refuses; and as [`Audit::search`].
    pub async fn export<W: Write + Send>(
        &self,
        query: &AuditQuery,
        format: AuditFormat,
        out: &mut W,
    ) -> Result<Exported, Error> {
        let fail = |source| Error::Export { source };
        let head = self.head().await?;
        let mut next = Some(self.top(query, head.as_ref()).await?);
        let mut entries = 0;
        if format == AuditFormat::Csv {
            out.write_all(csv_line(&COLUMNS.map(str::to_owned)).as_bytes()).map_err(fail)?;
        }
        while let Some(top) = next {
            let page = self.search_below(query, top, PAGE).await?;
            for record in &page.records {
                out.write_all(line(record, format).as_bytes()).map_err(fail)?;
                entries += 1;
            }
            next = page.next.map(|before| before.saturating_sub(1));
        }
        out.flush().map_err(fail)?;
        Ok(Exported { entries, head })
    }
}

fn line(record: &AuditRecord, format: AuditFormat) -> String {
    match format {
        AuditFormat::Csv => csv_line(&fields(record)),
        AuditFormat::JsonLines => format!("{}\n", whole(record)),
    }
}

fn whole(record: &AuditRecord) -> Value {
    let entry = &record.entry;
    let salt = entry.salt.map(|salt| salt.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    json!({
        "stream": entry.stream,
        "seq": entry.seq,
        "recorded_at": entry.recorded_at,
        "kind": entry.kind,
        "salt": salt,
        "payload": entry.payload,
        "payload_hash": entry.payload_hash,
        "prev_mac": entry.prev_mac,
        "mac": entry.mac,
    })
}

/// The fields in the order of [`COLUMNS`]. The record of an erasure shows its payload as what came after.
fn fields(record: &AuditRecord) -> [String; COLUMNS.len()] {
    let entry = &record.entry;
    let unread = entry.payload.as_ref().filter(|_| record.what.is_none());
    let what = record.what.clone().unwrap_or_default();
    let said = |text: &str| if record.what.is_some() { text.to_owned() } else { String::new() };
    let json = |value: Option<&Value>| value.map(Value::to_string).unwrap_or_default();
    [
        entry.seq.to_string(),
        entry.recorded_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        entry.kind.clone(),
        what.who,
        what.account.unwrap_or_default(),
        what.action,
        what.object,
        what.from.unwrap_or_default(),
        what.request.unwrap_or_default(),
        said(what.outcome.as_str()),
        said(if what.sensitive { "yes" } else { "no" }),
        json(what.before.as_ref()),
        json(what.after.as_ref().or(unread)),
        if entry.payload.is_none() { "yes".to_owned() } else { String::new() },
        entry.payload_hash.to_string(),
        entry.prev_mac.to_string(),
        entry.mac.to_string(),
    ]
}

fn csv_line(fields: &[String]) -> String {
    let mut line = fields.iter().map(|field| csv_field(field)).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

/// A field in quotes where it needs them. What an account called itself must not run as a formula where the file is opened.
fn csv_field(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let field = if formula { format!("'{field}") } else { field.to_owned() };
    if field.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(field: &str, wanted: &str) {
        assert_eq!(csv_field(field), wanted);
    }

    #[test]
    fn fields_are_quoted_and_never_formulas() {
        check("ruth", "ruth");
        check("a,b", "\"a,b\"");
        check("say \"no\"", "\"say \"\"no\"\"\"");
        check("two\nlines", "\"two\nlines\"");
        check("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"");
        check("@ruth", "'@ruth");
        check("", "");
    }
}
