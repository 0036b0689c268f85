//! Reading an export line by line into empty tables. `transfer` says what the lines are.

use std::io::{BufRead as _, BufReader, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sqlx::AssertSqlSafe;

use super::target::Target;
use super::transfer::{End, FORMAT, Header, IMPORT, Table};
use super::{Connection, schema};
use crate::{Digest, Error};

/// An export that is being read.
pub(super) struct Import<R> {
    from: BufReader<R>,
    hash: Sha256,
    /// The line that was read last, from 1.
    line: u64,
    /// The version of its tables.
    pub(super) version: i64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Row(Vec<Value>),
    Table(Table),
    End(End),
}

impl<R: Read> Import<R> {
    pub(super) fn begin(from: R) -> Result<Self, Error> {
        let mut import = Self { from: BufReader::new(from), hash: Sha256::new(), line: 0, version: 0 };
        let first = import.next()?;
        let header = serde_json::from_slice::<Header>(&first);
        let header = header.map_err(|_| import.invalid("is not the first one of an export"))?;
        if header.marquee_state != FORMAT {
            let found = header.marquee_state;
            return Err(import.invalid(&format!("names format {found}, this version reads {FORMAT}")));
        }
        if !(1..=schema::KNOWN).contains(&header.tables) {
            let (found, known) = (header.tables, schema::KNOWN);
            let reason = format!("names tables of version {found}, this version knows up to {known}");
            return Err(import.invalid(&reason));
        }
        import.hash.update(&first);
        import.version = header.tables;
        Ok(import)
    }

    /// Empty tables of the export's own version.
    pub(super) async fn make_tables(
        &self,
        connection: &mut Connection,
        target: &Target,
    ) -> Result<(), Error> {
        let fail = |source| target.failed(IMPORT, source);
        let found = schema::found(connection, target).await?;
        if found > self.version {
            return Err(Error::InUse { place: target.location.clone() });
        }
        schema::apply(connection, target, found, self.version).await?;
        for table in schema::tables(connection, target.backend).await.map_err(fail)?.iter().rev() {
            let name = schema::quoted(table);
            if table == schema::VERSION {
                continue;
            }
            // What a migration itself put there is in the export too.
            let (sql, fresh) = match found {
                0 => (format!("DELETE FROM {name}"), true),
                _ => (format!("SELECT 1 FROM {name} LIMIT 1"), false),
            };
            let sql = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            let row = sql.fetch_optional(&mut *connection).await.map_err(fail)?;
            if !fresh && row.is_some() {
                return Err(Error::InUse { place: target.location.clone() });
            }
        }
        Ok(())
    }

    /// Stores every row, and sees that the export ends as it should.
    pub(super) async fn fill(&mut self, connection: &mut Connection, target: &Target) -> Result<(), Error> {
        let fail = |source| target.failed(IMPORT, source);
        let known = schema::tables(connection, target.backend).await.map_err(fail)?;
        let mut rows = 0;
        let mut table: Option<Table> = None;
        loop {
            let bytes = self.next()?;
            let line = serde_json::from_slice(&bytes);
            let line = line.map_err(|_| self.invalid("is no line of an export"))?;
            if let Line::End(end) = line {
                return self.check_end(&end, rows);
            }
            self.hash.update(&bytes);
            match (line, &table) {
                (Line::Row(values), Some(table)) if values.len() == table.columns.len() => {
                    self.insert(connection, target, table, values).await?;
                    rows += 1;
                }
                (Line::Table(next), _) if next.table != schema::VERSION && known.contains(&next.table) => {
                    table = Some(next);
                }
                (Line::Table(next), _) => {
                    return Err(
                        self.invalid(&format!("names the table `{}`, which is not known", next.table))
                    );
                }
                _ => return Err(self.invalid("is a row that does not fit its table")),
            }
        }
    }

    async fn insert(
        &self,
        connection: &mut Connection,
        target: &Target,
        table: &Table,
        values: Vec<Value>,
    ) -> Result<(), Error> {
        let mut insert = sqlx::query(AssertSqlSafe(insert_into(table, &values)));
        for value in values {
            insert = match bindable(value).map_err(|reason| self.invalid(reason))? {
                None => insert,
                Some(Bound::Whole(whole)) => insert.bind(whole),
                Some(Bound::Real(real)) => insert.bind(real),
                Some(Bound::Text(text)) => insert.bind(text),
                Some(Bound::Bytes(bytes)) => insert.bind(bytes),
            };
        }
        let inserted = insert.execute(connection).await;
        inserted.map(|_| ()).map_err(|source| target.failed(IMPORT, source))
    }

    fn check_end(&mut self, end: &End, rows: u64) -> Result<(), Error> {
        if end.rows != rows {
            return Err(self.invalid(&format!("counts {} rows where {rows} are", end.rows)));
        }
        if end.sha256 != Digest(self.hash.clone().finalize().into()) {
            return Err(self.invalid("does not have the hash of the lines before it: they were changed"));
        }
        let mut rest = Vec::new();
        let more = self.from.read_until(b'\n', &mut rest).map_err(|source| self.unreadable(&source))?;
        if more > 0 { Err(self.invalid("is followed by more")) } else { Ok(()) }
    }

    /// The next line with its end.
    fn next(&mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.line += 1;
        self.from.read_until(b'\n', &mut bytes).map_err(|source| self.unreadable(&source))?;
        if bytes.last() != Some(&b'\n') {
            return Err(self.invalid("is missing or torn: the export was cut"));
        }
        Ok(bytes)
    }

    fn unreadable(&self, source: &std::io::Error) -> Error {
        self.invalid(&format!("could not be read ({source})"))
    }

    fn invalid(&self, reason: &str) -> Error {
        Error::InvalidExport { line: self.line, reason: reason.to_owned() }
    }
}

/// A missing value is written out, because to be bound it would need the type of its column.
fn insert_into(table: &Table, values: &[Value]) -> String {
    let columns: Vec<_> = table.columns.iter().map(|name| schema::quoted(name)).collect();
    let mut bound = 0;
    let places = values.iter().map(|value| {
        if value.is_null() {
            return "NULL".to_owned();
        }
        bound += 1;
        format!("${bound}")
    });
    let places = places.collect::<Vec<_>>().join(", ");
    format!("INSERT INTO {} ({}) VALUES ({places})", schema::quoted(&table.table), columns.join(", "))
}

/// A value as it is bound.
#[derive(Debug)]
enum Bound {
    Whole(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

fn bindable(value: Value) -> Result<Option<Bound>, &'static str> {
    const ODD: &str = "has a value that is not understood";
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::String(text) => Bound::Text(text),
        Value::Number(number) if number.is_f64() => Bound::Real(number.as_f64().ok_or(ODD)?),
        Value::Number(number) => Bound::Whole(number.as_i64().ok_or("has a number that is too large")?),
        Value::Object(object) if object.len() == 1 => {
            let (key, text) = object.iter().next().ok_or(ODD)?;
            match (key.as_str(), text.as_str().ok_or(ODD)?) {
                ("base64", text) => Bound::Bytes(BASE64.decode(text).map_err(|_| ODD)?),
                ("real", text) => Bound::Real(text.parse().map_err(|_| ODD)?),
                _ => return Err(ODD),
            }
        }
        _ => return Err(ODD),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn check(line: &str, wanted: &str) {
        let found = match bindable(serde_json::from_str(line).unwrap()) {
            Ok(None) => "missing".to_owned(),
            Ok(Some(bound)) => format!("{bound:?}"),
            Err(_) => "refused".to_owned(),
        };
        assert_eq!(found, wanted, "{line}");
    }

    #[test]
    fn a_value_keeps_its_type() {
        check("null", "missing");
        check("-9223372036854775808", "Whole(-9223372036854775808)");
        check("1.0", "Real(1.0)");
        check("5e-324", "Real(5e-324)");
        check("\"1\"", "Text(\"1\")");
        check("{\"base64\":\"AP8=\"}", "Bytes([0, 255])");
        check("{\"real\":\"-inf\"}", "Real(-inf)");
        let odd = [
            "9223372036854775808",
            "true",
            "[]",
            "{}",
            "{\"base64\":\"*\"}",
            "{\"real\":1}",
            "{\"odd\":\"\"}",
        ];
        for line in odd {
            check(line, "refused");
        }
        assert_eq!(serde_json::to_string(&Value::from(-0.0)).unwrap(), "-0.0");
    }

    #[test]
    fn names_are_quoted_and_missing_values_written_out() {
        let table =
            Table { table: "a\"b".to_owned(), columns: vec!["x".to_owned(), "y".to_owned(), "z".to_owned()] };
        let sql = insert_into(&table, &[json!(1), Value::Null, json!("t")]);
        assert_eq!(sql, r#"INSERT INTO "a""b" ("x", "y", "z") VALUES ($1, NULL, $2)"#);
    }
}
