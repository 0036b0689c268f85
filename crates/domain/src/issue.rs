//! Defects found in input data. An issue is a finding, not an error: ingest goes on.

use serde::{Deserialize, Serialize};

/// What was done about a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The value was mended by a rule that says how (a two-digit year, a stray byte).
    Repaired,
    /// The value was left out; the rest of the row was kept.
    ValueRefused,
    /// The whole row waits in quarantine.
    RowRefused,
}

impl Action {
    /// The word used in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repaired => "repaired",
            Self::ValueRefused => "value_refused",
            Self::RowRefused => "row_refused",
        }
    }
}

/// A defect in a source file: where it is, which rule it breaks and what was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// The file, as it was named to ingest.
    pub file: String,
    /// The row, counted from 1 for the first row of data (a header is not counted).
    pub row: u64,
    /// The column's name; empty where the row as a whole is at fault.
    pub column: String,
    /// The value as it was read, cut to 200 characters.
    pub value: String,
    /// The rule's name, for example `budget.range`.
    pub rule: String,
    /// What is wrong and what would be right, in words.
    pub message: String,
    /// What was done.
    pub action: Action,
}
