//! Answers as files: CSV and XLSX for tables, SVG for a chart. What a command shows on the screen it can also write.
//!
//! CSV holds the first table, XLSX all of them, one a sheet. Amounts are plain US dollars, shares fractions. A file that is
//! there is replaced, but only when the new one is whole.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rust_xlsxwriter::{Format, Workbook};

use crate::chart::Chart;

/// Flags of commands whose answers can be written to files.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// Write the table as CSV too.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the tables as a spreadsheet too.
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
    /// Draw the chart as SVG too.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// A table to be written.
pub(crate) struct Sheet {
    /// At most 31 characters, as spreadsheets want.
    pub(crate) name: &'static str,
    pub(crate) headings: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A value of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    /// US dollars.
    Usd(f64),
    /// A fraction, shown as a percentage in spreadsheets.
    Share(f64),
    Number(f64),
    Empty,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<marquee_domain::Money> for Cell {
    fn from(money: marquee_domain::Money) -> Self {
        Self::Usd(money.major())
    }
}

impl Export {
    /// Writes what was asked for; tables and chart are made only then.
    pub(crate) fn write(
        &self,
        sheets: impl FnOnce() -> Vec<Sheet>,
        chart: impl FnOnce() -> Chart,
    ) -> Result<()> {
        if self.csv.is_some() || self.xlsx.is_some() {
            let sheets = sheets();
            if let (Some(path), Some(first)) = (&self.csv, sheets.first()) {
                put(path, &csv_of(first)?)?;
            }
            if let Some(path) = &self.xlsx {
                put(path, &xlsx_of(&sheets)?)?;
            }
        }
        match &self.svg {
            Some(path) => put(path, chart().svg()?.as_bytes()),
            None => Ok(()),
        }
    }
}

/// Writes a file beside its place, then moves it there.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part = folder.join(format!(".{name}.{}.part", std::process::id()));
        let mut file = std::fs::File::create(&part)?;
        let done =
            file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&part, path));
        if done.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        done
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

fn csv_of(sheet: &Sheet) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&sheet.headings)?;
    for row in &sheet.rows {
        writer.write_record(row.iter().map(|cell| match cell {
            Cell::Text(text) => text.clone(),
            Cell::Usd(value) => format!("{value:.2}"),
            Cell::Share(value) | Cell::Number(value) => value.to_string(),
            Cell::Empty => String::new(),
        }))?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error).context("cannot write CSV")
}

pub(crate) fn xlsx_of(sheets: &[Sheet]) -> Result<Vec<u8>> {
    let mut book = Workbook::new();
    let heading = Format::new().set_bold();
    let (usd, share) =
        (Format::new().set_num_format("$#,##0;[Red]-$#,##0"), Format::new().set_num_format("0.0%"));
    for sheet in sheets {
        let page = book.add_worksheet().set_name(sheet.name)?;
        for (column, text) in (0u16..).zip(&sheet.headings) {
            page.write_with_format(0, column, *text, &heading)?;
        }
        for (row, cells) in (1u32..).zip(&sheet.rows) {
            for (column, cell) in (0u16..).zip(cells) {
                match cell {
                    Cell::Text(text) => page.write(row, column, text)?,
                    Cell::Usd(value) => page.write_with_format(row, column, *value, &usd)?,
                    Cell::Share(value) => page.write_with_format(row, column, *value, &share)?,
                    Cell::Number(value) => page.write(row, column, *value)?,
                    Cell::Empty => page,
                };
            }
        }
        page.set_freeze_panes(1, 0)?;
        page.autofit();
    }
    book.save_to_buffer().context("cannot write the spreadsheet")
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::{Data, Reader, Xlsx};

    #[test]
    fn what_is_written_reads_back() {
        let sheet = Sheet {
            name: "participants",
            headings: vec!["name", "profit_usd", "loss"],
            rows: vec![
                vec!["Käthe, & co".into(), Cell::Usd(-1_234.5), Cell::Share(0.25)],
                vec!["studio".into(), Cell::Empty, Cell::Number(2.0)],
            ],
        };
        let text = String::from_utf8(csv_of(&sheet).expect("CSV")).expect("UTF-8");
        assert_eq!(text, "name,profit_usd,loss\n\"Käthe, & co\",-1234.50,0.25\nstudio,,2\n");
        let bytes = xlsx_of(&[sheet]).expect("a spreadsheet");
        let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).expect("readable");
        let range = book.worksheet_range("participants").expect("the sheet");
        assert_eq!(range.get_value((1, 0)), Some(&Data::String("Käthe, & co".into())));
        assert_eq!(range.get_value((1, 1)), Some(&Data::Float(-1_234.5)));
        assert_eq!(range.get_value((2, 1)), Some(&Data::Empty));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let said = format!("{:#}", put(Path::new("/nowhere/at/all.csv"), b"x").expect_err("refused"));
        assert!(said.contains("cannot write /nowhere/at/all.csv"), "{said}");
    }
}
