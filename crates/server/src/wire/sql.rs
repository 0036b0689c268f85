//! Questions to the lake in SQL, read-only.

use marquee_app::types::{SqlAnswer as HouseAnswer, SqlLimits};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::wire::WireError;
use crate::wire::asked::within;

/// How many rows are given, where it is not said, and at most.
const ROWS: usize = 1_000;
const MOST_ROWS: u64 = 100_000;

/// A question in SQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "query": "SELECT kind, count(*) AS n FROM facts GROUP BY kind ORDER BY n DESC", "rows": 100 }))]
pub struct SqlRequest {
    /// A SELECT statement over the tables facts, titles, issues and sources.
    pub query: String,
    /// The most rows that are given; 1,000 where it is not said.
    #[schema(minimum = 0, maximum = 100_000)]
    pub rows: Option<usize>,
}

impl SqlRequest {
    /// The limits that it asks for.
    ///
    /// # Errors
    /// [`WireError::Range`] where it asks for more rows than an answer may hold.
    pub fn limits(&self) -> Result<SqlLimits, WireError> {
        let rows = self.rows.unwrap_or(ROWS);
        within("rows", rows as u64, 0..=MOST_ROWS)?;
        Ok(SqlLimits { rows, ..SqlLimits::default() })
    }
}

/// A table of answers.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "columns": [{ "name": "kind", "type": "Utf8" }, { "name": "n", "type": "Int64" }],
    "rows": [["genre", 2926], ["budget", 3190]],
    "truncated": false
}))]
pub struct SqlAnswer {
    /// Its columns.
    pub columns: Vec<SqlColumn>,
    /// Its rows, each with a value for each column.
    pub rows: Vec<Vec<Value>>,
    /// Whether there are more rows than were asked for.
    pub truncated: bool,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// Its Arrow type.
    #[serde(rename = "type")]
    pub data_type: String,
}

impl From<HouseAnswer> for SqlAnswer {
    fn from(found: HouseAnswer) -> Self {
        Self {
            columns: found
                .columns
                .into_iter()
                .map(|c| SqlColumn { name: c.name, data_type: c.data_type })
                .collect(),
            rows: found.rows,
            truncated: found.truncated,
        }
    }
}
