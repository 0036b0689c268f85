//! The deal as a file: TOML, or a spreadsheet of the same content.
//!
//! In a spreadsheet each row is one value: where it stands (`territory[1].part`, the first is 1), the value, and for a
//! figure its date, source and note. A list is written as TOML does: [0.6, 0.4]. Reading one makes the
//! same TOML text again, which is then read as any deal is, so that nothing is checked twice.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use calamine::{Data, Reader as _};
use marquee_app::types::Deal;
use toml::{Table, Value};

use crate::export::{Cell, Sheet};

/// Reads a deal: a spreadsheet where the name ends in `.xlsx`, TOML otherwise.
pub(crate) fn read(path: &Path) -> Result<Deal> {
    let text = text(path)?;
    Deal::from_toml(&text).with_context(|| format!("the deal file {} is not understood", path.display()))
}

/// The deal's TOML text.
pub(crate) fn text(path: &Path) -> Result<String> {
    let said = || format!("cannot read the deal file {}", path.display());
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("xlsx")) {
        let bytes = std::fs::read(path).with_context(said)?;
        return from_xlsx(&bytes).with_context(said);
    }
    std::fs::read_to_string(path).with_context(said)
}

const HEADINGS: [&str; 5] = ["key", "value", "dated", "source", "note"];

/// The deal as rows of a spreadsheet.
pub(crate) fn sheet(text: &str) -> Result<Sheet> {
    let table: Table = toml::from_str(text)?;
    let mut rows = Vec::new();
    flatten(String::new(), &Value::Table(table), &mut rows);
    Ok(Sheet { name: "deal", headings: HEADINGS.to_vec(), rows })
}

/// Whether a table is one figure: a value with its date and source.
fn is_figure(table: &Table) -> bool {
    table.contains_key("value") && table.contains_key("source")
}

fn flatten(key: String, value: &Value, rows: &mut Vec<Vec<Cell>>) {
    match value {
        Value::Table(table) if is_figure(table) => {
            let text = |name: &str| table.get(name).map_or(Cell::Empty, cell);
            rows.push(vec![key.into(), text("value"), text("dated"), text("source"), text("note")]);
        }
        Value::Table(table) => {
            for (name, inner) in table {
                let dot = if key.is_empty() { "" } else { "." };
                flatten(format!("{key}{dot}{name}"), inner, rows);
            }
        }
        Value::Array(list) if list.iter().any(Value::is_table) => {
            for (i, inner) in list.iter().enumerate() {
                flatten(format!("{key}[{}]", i + 1), inner, rows);
            }
        }
        other => rows.push(vec![key.into(), cell(other)]),
    }
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Float(number) => Cell::Number(*number),
        Value::Integer(number) => Cell::Number(*number as f64),
        Value::String(text) if is_plain(text) => Cell::Text(text.clone()),
        // Lists, truths, and texts that could be taken for one, as TOML writes them.
        other => Cell::Text(other.to_string()),
    }
}

/// Whether a text in a cell can be nothing else.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(['[', '"', '\'']) && !matches!(text, "true" | "false")
}

fn from_xlsx(bytes: &[u8]) -> Result<String> {
    let mut book: calamine::Xlsx<_> = calamine::Xlsx::new(std::io::Cursor::new(bytes))?;
    let Some(range) = book.worksheet_range_at(0).transpose()? else { bail!("it has no sheet") };
    let mut root = Value::Table(Table::new());
    for (row, cells) in range.rows().enumerate() {
        let key = cells.first().map(ToString::to_string).unwrap_or_default();
        if row == 0 {
            if key != HEADINGS[0] {
                bail!(
                    "its first cell is `{key}`, it must be `{}`: `marquee deal --xlsx FILE` writes one",
                    HEADINGS[0]
                );
            }
            continue;
        }
        if key.trim().is_empty() {
            continue;
        }
        let value = read_row(cells).with_context(|| format!("row {}, `{key}`", row + 1))?;
        place(&mut root, key.trim(), value).with_context(|| format!("row {}, `{key}`", row + 1))?;
    }
    Ok(toml::to_string(&root)?)
}

/// The value of a row: a figure where it has a source, plain otherwise.
fn read_row(cells: &[Data]) -> Result<Value> {
    let text = |i: usize| cells.get(i).map(ToString::to_string).filter(|t| !t.is_empty());
    let value = match cells.get(1) {
        // A spreadsheet has one kind of number, TOML two.
        Some(Data::Float(number)) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Value::Integer(*number as i64)
        }
        Some(Data::Float(number)) => Value::Float(*number),
        Some(Data::Int(number)) => Value::Integer(*number),
        Some(Data::Bool(yes)) => Value::Boolean(*yes),
        Some(Data::DateTime(_) | Data::DateTimeIso(_)) => Value::String(day_of(&cells[1])?),
        Some(Data::String(text)) => read_text(text)?,
        _ => bail!("it has no value"),
    };
    let Some(source) = text(3) else { return Ok(value) };
    let mut figure = Table::new();
    figure.insert("value".to_owned(), value);
    figure.insert("source".to_owned(), Value::String(source));
    if let Some(cell) = cells.get(2).filter(|c| **c != Data::Empty) {
        figure.insert("dated".to_owned(), Value::String(day_of(cell)?));
    }
    if let Some(note) = text(4) {
        figure.insert("note".to_owned(), Value::String(note));
    }
    Ok(Value::Table(figure))
}

/// A day as text, also where the spreadsheet made a date of it.
fn day_of(cell: &Data) -> Result<String> {
    Ok(match cell {
        Data::DateTime(date) => {
            // Spreadsheets count days from 30 December 1899.
            let day = marquee_domain::Day::from_epoch_days(date.as_f64() as i32 - 25_569);
            day.context("a date that no calendar has")?.to_string()
        }
        Data::DateTimeIso(text) => text.chars().take(10).collect(),
        other => other.to_string(),
    })
}

/// A text, or what TOML reads where it starts as a list or in quotation marks.
fn read_text(text: &str) -> Result<Value> {
    if is_plain(text) {
        return Ok(Value::String(text.to_owned()));
    }
    let table: Table = toml::from_str(&format!("value = {text}"))
        .with_context(|| format!("`{text}` is not a list such as [0.6, 0.4] or [\"bank\"]"))?;
    table.get("value").cloned().context("a value")
}

/// Puts a value where its key says: `territory[2].part`.
fn place(root: &mut Value, key: &str, value: Value) -> Result<()> {
    let mut at = root;
    for part in key.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, rest)) => {
                let number: usize = rest.trim_end_matches(']').parse().context("a number in [ ]")?;
                (name, Some(number.checked_sub(1).context("the first is [1]")?))
            }
            None => (part, None),
        };
        let Value::Table(table) = at else { bail!("`{part}` stands below a plain value") };
        let empty = || if index.is_some() { Value::Array(vec![]) } else { Value::Table(Table::new()) };
        at = table.entry(name).or_insert_with(empty);
        if let Some(index) = index {
            let Value::Array(list) = at else { bail!("`{name}` is both one and a list") };
            if index > list.len() {
                bail!("it comes before `{name}[{}]`: number them in order", list.len() + 1);
            }
            if index == list.len() {
                list.push(Value::Table(Table::new()));
            }
            at = &mut list[index];
        }
    }
    *at = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::xlsx_of;

    #[test]
    fn a_deal_survives_a_spreadsheet() {
        for text in [Deal::DEFAULT_TOML, include_str!("../../../examples/deal.toml")] {
            let bytes = xlsx_of(&[sheet(text).expect("rows")]).expect("a spreadsheet");
            let back = from_xlsx(&bytes).expect("read");
            assert_eq!(Deal::from_toml(&back).expect("valid"), Deal::from_toml(text).expect("valid"));
        }
        let odd = Deal::DEFAULT_TOML
            .replacen("name = \"strike\"", "name = \"true\"", 1)
            .replacen("name = \"recession year\"", "name = \"[reshoots; \\u00ad late]\"", 1)
            .replacen("profit = 1.0", "profit = 1.0\nafter = []", 1);
        let bytes = xlsx_of(&[sheet(&odd).expect("rows")]).expect("a spreadsheet");
        let back = from_xlsx(&bytes).expect("read");
        assert_eq!(Deal::from_toml(&back).expect("valid"), Deal::from_toml(&odd).expect("valid"));
    }

    #[test]
    fn a_spreadsheet_that_is_no_deal_says_where() {
        let of = |rows: Vec<Vec<Cell>>, headings: Vec<&'static str>| {
            let bytes = xlsx_of(&[Sheet { name: "deal", headings, rows }]).expect("a spreadsheet");
            format!("{:#}", from_xlsx(&bytes).expect_err("refused"))
        };
        assert!(of(vec![], vec!["name"]).contains("its first cell is `name`"));
        let said = of(vec![vec!["risk[2].name".into(), "x".into()]], HEADINGS.to_vec());
        assert!(said.contains("row 2, `risk[2].name`") && said.contains("comes before `risk[1]`"), "{said}");
        assert!(of(vec![vec!["name".into()]], HEADINGS.to_vec()).contains("it has no value"));
        assert!(from_xlsx(b"no spreadsheet").is_err());
    }
}
