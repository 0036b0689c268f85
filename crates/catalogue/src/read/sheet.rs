//! XLSX and Parquet, rendered as CSV.
//!
//! Both need to seek, so that a gzipped one is unpacked to a temporary file first. An XLSX is a zip of XML: what it would
//! unpack to is counted before anything is parsed (a zip bomb says so in its first seconds), and its cells are streamed,
//! so that one cell in the far corner of an empty sheet costs one cell.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use arrow::util::display::{ArrayFormatter, FormatOptions};
use calamine::{Data, DataRef, Reader, Xlsx};
use flate2::read::DeflateDecoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::split::push_cell;
use super::{BLOCK, Block, Format};
use crate::error::{CatalogueError, Result};

/// The most that an XLSX file may unpack to, in bytes: past it a sheet belongs into CSV.
const UNPACKED_CAP: u64 = 1 << 30;
/// The most columns that a sheet may have.
const COLUMN_CAP: usize = 4096;

/// A spreadsheet's first sheet, or a Parquet file.
pub(crate) struct Table {
    columns: Vec<String>,
    path: PathBuf,
    format: Format,
    /// Keeps the unpacked copy while it is read.
    _unpacked: Option<tempfile::NamedTempFile>,
}

impl Table {
    /// Opens the table and reads its columns' names.
    pub(crate) fn open(
        name: &str,
        path: &Path,
        mut reader: Box<dyn BufRead + Send>,
        zipped: bool,
        format: Format,
    ) -> Result<Self> {
        let fail = |e: std::io::Error| CatalogueError::format(name, e.to_string());
        let unpacked = if zipped {
            let mut copy = tempfile::NamedTempFile::new().map_err(fail)?;
            let size = std::io::copy(&mut (&mut reader).take(UNPACKED_CAP + 1), &mut copy).map_err(fail)?;
            if size > UNPACKED_CAP {
                return Err(too_large(name));
            }
            Some(copy)
        } else {
            // Whoever watches what is read (the digest) sees the whole file.
            std::io::copy(&mut reader, &mut std::io::sink()).map_err(fail)?;
            None
        };
        let path = unpacked.as_ref().map_or_else(|| path.to_owned(), |f| f.path().to_owned());
        let columns = match format {
            Format::Xlsx => {
                refuse_bomb(name, &path)?;
                sheet_columns(name, &path)?
            }
            _ => {
                let schema = parquet(name, &path)?.schema().clone();
                schema.fields().iter().map(|f| f.name().clone()).collect()
            }
        };
        Ok(Self { columns, path, format, _unpacked: unpacked })
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Renders the rows.
    pub(crate) fn run(&self, name: &str, emit: &mut dyn FnMut(Block) -> Result<()>) -> Result<()> {
        match self.format {
            Format::Xlsx => self.run_sheet(name, emit),
            _ => self.run_parquet(name, emit),
        }
    }

    fn run_sheet(&self, name: &str, emit: &mut dyn FnMut(Block) -> Result<()>) -> Result<()> {
        let (mut lines, mut first) = (Vec::new(), true);
        each_row(name, &self.path, &mut |row| {
            if std::mem::take(&mut first) {
                return Ok(true);
            }
            let width = self.columns.len().max(row.len());
            for i in 0..width {
                if i > 0 {
                    lines.push(b',');
                }
                push_cell(&mut lines, row.get(i).map_or("", String::as_str));
            }
            lines.push(b'\n');
            if lines.len() >= BLOCK {
                emit(Block::records(std::mem::take(&mut lines)))?;
            }
            Ok(true)
        })?;
        if lines.is_empty() { Ok(()) } else { emit(Block::records(lines)) }
    }

    fn run_parquet(&self, name: &str, emit: &mut dyn FnMut(Block) -> Result<()>) -> Result<()> {
        let options = FormatOptions::default().with_null("");
        for batch in parquet(name, &self.path)?.with_batch_size(4096).build()? {
            let batch = batch?;
            let formatters: Result<Vec<_>, _> =
                batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options)).collect();
            let (formatters, mut lines) = (formatters?, Vec::new());
            for row in 0..batch.num_rows() {
                for (i, formatter) in formatters.iter().enumerate() {
                    if i > 0 {
                        lines.push(b',');
                    }
                    let cell = formatter.value(row).try_to_string()?;
                    push_cell(&mut lines, &cell);
                }
                lines.push(b'\n');
            }
            emit(Block::records(lines))?;
        }
        Ok(())
    }
}

fn parquet(name: &str, path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let file = File::open(path).map_err(|e| CatalogueError::file(path, e))?;
    ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|e| CatalogueError::format(name, format!("is not a sound Parquet file: {e}")))
}

fn sheet_columns(name: &str, path: &Path) -> Result<Vec<String>> {
    let mut columns = None;
    each_row(name, path, &mut |row| {
        columns = Some(row.to_vec());
        Ok(false)
    })?;
    columns.ok_or_else(|| {
        CatalogueError::format(name, "has an empty first sheet; its first row must name the columns")
    })
}

/// Hands out the rows of the first sheet that hold anything, until told to stop.
fn each_row(name: &str, path: &Path, take: &mut dyn FnMut(&[String]) -> Result<bool>) -> Result<()> {
    let fail =
        |e: calamine::XlsxError| CatalogueError::format(name, format!("is not a sound spreadsheet: {e}"));
    let file = File::open(path).map_err(|e| CatalogueError::file(path, e))?;
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(fail)?;
    let sheet = book.sheet_names().first().cloned();
    let sheet = sheet.ok_or_else(|| CatalogueError::format(name, "has no sheet"))?;
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(fail)?;
    let (mut row, mut at): (Vec<String>, Option<u32>) = (Vec::new(), None);
    while let Some(cell) = cells.next_cell().map_err(fail)? {
        let (line, column) = cell.get_position();
        if at.is_some_and(|a| a != line) {
            if !take(&row)? {
                return Ok(());
            }
            row.clear();
        }
        at = Some(line);
        let column = column as usize;
        if column >= COLUMN_CAP {
            return Err(CatalogueError::format(
                name,
                format!("has more than {COLUMN_CAP} columns; remove the empty ones"),
            ));
        }
        if row.len() <= column {
            row.resize(column + 1, String::new());
        }
        row[column] = cell_text(cell.get_value());
    }
    if at.is_some() {
        take(&row)?;
    }
    Ok(())
}

/// A cell as people would write it in CSV: whole numbers without a point, days in ISO form.
fn cell_text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::Error(_) | DataRef::Empty => String::new(),
        DataRef::SharedString(text) => (*text).to_owned(),
        other => Data::from(other.clone()).to_string(),
    }
}

fn too_large(name: &str) -> CatalogueError {
    let cap = UNPACKED_CAP >> 20;
    CatalogueError::format(
        name,
        format!("unpacks to more than {cap} MB, as a zip bomb would; save the sheet as CSV"),
    )
}

/// Counts what the zip's entries unpack to, without trusting what its directory says of their sizes.
fn refuse_bomb(name: &str, path: &Path) -> Result<()> {
    let fail = |e: std::io::Error| CatalogueError::format(name, format!("is not a sound spreadsheet: {e}"));
    let mut file = File::open(path).map_err(fail)?;
    let size = file.metadata().map_err(fail)?.len();
    let mut tail = vec![0; size.min(66_000) as usize];
    file.seek(SeekFrom::End(-(tail.len() as i64))).and_then(|_| file.read_exact(&mut tail)).map_err(fail)?;
    let damaged = || CatalogueError::format(name, "is not a sound spreadsheet: its zip directory is missing");
    let end = tail.windows(4).rposition(|w| w == b"PK\x05\x06").ok_or_else(damaged)?;
    let (count, start) = (u16_at(&tail, end + 10), u32_at(&tail, end + 16));
    let (Some(count), Some(start)) = (count, start) else { return Err(damaged()) };
    let mut directory = vec![0; size.saturating_sub(u64::from(start)).min(16 << 20) as usize];
    file.seek(SeekFrom::Start(start.into())).and_then(|_| file.read_exact(&mut directory)).map_err(fail)?;
    let (mut at, mut total) = (0usize, 0u64);
    for _ in 0..count {
        let entry = directory.get(at..).filter(|e| e.starts_with(b"PK\x01\x02")).ok_or_else(damaged)?;
        let field = |offset| u16_at(entry, offset).map(usize::from);
        let (Some(method), Some(names), Some(extra), Some(note), Some(place)) =
            (field(10), field(28), field(30), field(32), u32_at(entry, 42))
        else {
            return Err(damaged());
        };
        total += unpacked_size(&mut file, place.into(), method, UNPACKED_CAP - total).map_err(fail)?;
        if total >= UNPACKED_CAP {
            return Err(too_large(name));
        }
        at += 46 + names + extra + note;
    }
    Ok(())
}

/// What the entry at `place` unpacks to, counted up to `cap`.
fn unpacked_size(file: &mut File, place: u64, method: usize, cap: u64) -> std::io::Result<u64> {
    let mut local = [0; 30];
    file.seek(SeekFrom::Start(place))?;
    file.read_exact(&mut local)?;
    if method != 8 {
        return Ok(u64::from(u32_at(&local, 22).unwrap_or(0)));
    }
    let skip = [26, 28].map(|at| i64::from(u16_at(&local, at).unwrap_or(0))).iter().sum();
    file.seek(SeekFrom::Current(skip))?;
    let unpacked = DeflateDecoder::new(BufReader::new(file));
    std::io::copy(&mut unpacked.take(cap), &mut std::io::sink())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
