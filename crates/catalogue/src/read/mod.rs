//! From a file of any known format to blocks of delimited text.
//!
//! Every format becomes the same thing, CSV records in [`Block`]s of a few megabytes, so that what follows (splitting,
//! validating, storing) exists once. CSV itself passes through untouched and fast; the others are rendered. Memory does
//! not depend on the length of a file: a record over [`RECORD_CAP`] is refused and reading goes on behind it.

mod blocks;
mod json;
mod sheet;
pub(crate) mod split;
mod text;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::error::{CatalogueError, Result};

pub(crate) use blocks::{Block, Fault};
pub(crate) use text::mend;

/// The longest record that is read, in bytes.
pub(crate) const RECORD_CAP: usize = 8 << 20;
/// About how much text one block holds, in bytes.
pub(crate) const BLOCK: usize = 1 << 20;

/// What a file is, by its name and then by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Delimited,
    Json,
    Xlsx,
    Parquet,
}

/// The columns of a file and how its records are delimited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub columns: Vec<String>,
    pub delimiter: u8,
}

/// A file that is open and whose head has been read; [`Reading::run`] hands out the rest.
pub(crate) struct Reading {
    pub head: Head,
    name: String,
    body: Body,
}

enum Body {
    Delimited { reader: Box<dyn BufRead + Send>, first: Vec<u8> },
    Json { reader: Box<dyn BufRead + Send> },
    Table(sheet::Table),
}

/// Told of every stretch of source bytes that was read; an error stops the reading.
pub(crate) trait Watch: Send {
    fn read(&mut self, bytes: &[u8]) -> std::io::Result<()>;
}

/// Opens a file. `wanted` are the columns that the map names: the head of formats whose records name their own columns.
pub(crate) fn open(path: &Path, wanted: &[&str], watch: Option<Box<dyn Watch>>) -> Result<Reading> {
    let name =
        path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    let file = File::open(path).map_err(|e| CatalogueError::file(path, e))?;
    if !file.metadata().is_ok_and(|m| m.is_file()) {
        return Err(CatalogueError::format(&name, "is not a file"));
    }
    let fail = |e| CatalogueError::file(path, e);
    let mut raw = BufReader::with_capacity(1 << 20, Watched { inner: file, watch });
    let zipped = raw.fill_buf().map_err(fail)?.starts_with(&[0x1f, 0x8b]);
    let mut reader: Box<dyn BufRead + Send> = if zipped {
        Box::new(BufReader::with_capacity(1 << 20, MultiGzDecoder::new(raw)))
    } else {
        Box::new(raw)
    };
    let start = reader.fill_buf().map_err(fail)?;
    let body_format = format_of(&name, start);
    if matches!(body_format, Format::Delimited | Format::Json) {
        text::refuse_binary(&name, start)?;
        if start.starts_with(&[0xef, 0xbb, 0xbf]) {
            reader.consume(3);
        }
    }
    match body_format {
        Format::Delimited => {
            let (head, first) = blocks::head(&name, &mut reader)?;
            Ok(Reading { head, name, body: Body::Delimited { reader, first } })
        }
        Format::Json => {
            let (head, reader) = json::head(&name, reader, wanted)?;
            Ok(Reading { head, name, body: Body::Json { reader } })
        }
        Format::Xlsx | Format::Parquet => {
            let table = sheet::Table::open(&name, path, reader, zipped, body_format)?;
            let head = Head { columns: table.columns().to_vec(), delimiter: b',' };
            Ok(Reading { head, name, body: Body::Table(table) })
        }
    }
}

impl Reading {
    /// Hands out the file's blocks in order.
    pub(crate) fn run(self, emit: &mut dyn FnMut(Block) -> Result<()>) -> Result<()> {
        match self.body {
            Body::Delimited { reader, first } => {
                blocks::run(&self.name, reader, first, self.head.delimiter, emit)
            }
            Body::Json { reader } => json::run(&self.name, reader, &self.head.columns, emit),
            Body::Table(table) => table.run(&self.name, emit),
        }
    }
}

/// The SHA-256 of a file's bytes, in hexadecimal.
pub(crate) fn digest(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(|e| CatalogueError::file(path, e))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(|e| CatalogueError::file(path, e))? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn format_of(name: &str, start: &[u8]) -> Format {
    let lower = name.to_lowercase();
    let stem = lower.strip_suffix(".gz").unwrap_or(&lower);
    let by_content = || match start.trim_ascii_start().first() {
        _ if start.starts_with(b"PK\x03\x04") => Format::Xlsx,
        _ if start.starts_with(b"PAR1") => Format::Parquet,
        Some(b'{' | b'[') => Format::Json,
        _ => Format::Delimited,
    };
    match stem.rsplit_once('.').map(|(_, ext)| ext) {
        Some("json" | "ndjson" | "jsonl") => Format::Json,
        Some("xlsx" | "xlsm") => Format::Xlsx,
        Some("parquet") => Format::Parquet,
        Some("csv" | "tsv" | "tab") => match by_content() {
            Format::Json => Format::Delimited,
            other => other,
        },
        _ => by_content(),
    }
}

struct Watched {
    inner: File,
    watch: Option<Box<dyn Watch>>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        if let Some(watch) = &mut self.watch {
            watch.read(&buffer[..n])?;
        }
        Ok(n)
    }
}
