//! Cutting a stream of delimited text into blocks at record ends, by RFC 4180's rule for quotes: a quote opens a field
//! only at the field's start, and is doubled inside. A quote that is never closed costs one line, not the file.

use std::io::{BufRead, Read};

use super::split::Splitter;
use super::{BLOCK, Head, RECORD_CAP};
use crate::error::{CatalogueError, Result};

/// A stretch of whole records, numbered in the order of the file; or one record that cannot be read.
#[derive(Debug)]
pub(crate) struct Block {
    pub data: Vec<u8>,
    pub fault: Option<Fault>,
}

/// Why a record cannot be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Longer than [`RECORD_CAP`].
    Size,
    /// A quote that is never closed.
    Quote,
    /// Not an object of the expected format.
    Shape,
}

impl Block {
    pub(crate) fn records(data: Vec<u8>) -> Self {
        Self { data, fault: None }
    }

    /// One record that cannot be read, with its beginning to show.
    pub(crate) fn faulty(start: &[u8], fault: Fault) -> Self {
        Self { data: start[..start.len().min(400)].to_vec(), fault: Some(fault) }
    }
}

/// Reads the header and settles the delimiter: whichever of `,` `;` tab `|` the header holds most of.
pub(crate) fn head(name: &str, reader: &mut dyn BufRead) -> Result<(Head, Vec<u8>)> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut *reader).take(1 << 20).read_until(b'\n', &mut line);
        match read.map_err(|e| CatalogueError::format(name, e.to_string()))? {
            0 => return Err(CatalogueError::format(name, "is empty; the first line must name the columns")),
            _ if line.trim_ascii().is_empty() => {}
            _ if line.len() == 1 << 20 => {
                return Err(CatalogueError::format(
                    name,
                    "has a first line of over 1 MB: it does not name columns",
                ));
            }
            _ => break,
        }
    }
    let count = |d: u8| line.iter().filter(|b| **b == d).count();
    // `max_by_key` takes the last of equals: the comma wins ties.
    let delimiter = [b'|', b';', b'\t', b','].into_iter().max_by_key(|d| count(*d)).unwrap_or(b',');
    let (text, _) = super::text::mend(line);
    let mut splitter = Splitter::new(delimiter);
    splitter.split(&text);
    let columns: Vec<String> = splitter.cells(0).map(|cell| cell.text(&text).trim().to_owned()).collect();
    let mut sorted: Vec<&str> = columns.iter().map(String::as_str).filter(|c| !c.is_empty()).collect();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|w| w[0] == w[1]) {
        return Err(CatalogueError::format(
            name,
            format!("names the column `{}` twice; rename one", twice[0]),
        ));
    }
    Ok((Head { columns, delimiter }, Vec::new()))
}

/// Cuts the rest of the stream into blocks.
pub(crate) fn run(
    name: &str,
    mut reader: Box<dyn BufRead + Send>,
    first: Vec<u8>,
    delimiter: u8,
    emit: &mut dyn FnMut(Block) -> Result<()>,
) -> Result<()> {
    let mut buffer = first;
    let mut scan = Scan { delimiter, quoted: false, at: 0, end: 0 };
    loop {
        let had = buffer.len();
        buffer.reserve(BLOCK + 4096);
        let read = (&mut reader).take(BLOCK as u64).read_to_end(&mut buffer);
        read.map_err(|e| CatalogueError::format(name, format!("cannot be read to its end: {e}")))?;
        let ended = buffer.len() == had;
        scan.advance(&buffer, ended);
        if ended {
            if scan.quoted {
                refuse_line(&mut buffer, &mut scan, &mut reader, emit)?;
                continue;
            }
            return if buffer.is_empty() { Ok(()) } else { emit(Block::records(buffer)) };
        }
        if scan.end > 0 {
            let rest = buffer[scan.end..].to_vec();
            let mut data = std::mem::replace(&mut buffer, rest);
            data.truncate(scan.end);
            scan.at -= scan.end;
            scan.end = 0;
            emit(Block::records(data))?;
        } else if buffer.len() > RECORD_CAP {
            refuse_line(&mut buffer, &mut scan, &mut reader, emit)?;
        }
    }
}

/// Gives up on the line at the buffer's start and takes up reading behind it.
fn refuse_line(
    buffer: &mut Vec<u8>,
    scan: &mut Scan,
    reader: &mut Box<dyn BufRead + Send>,
    emit: &mut dyn FnMut(Block) -> Result<()>,
) -> Result<()> {
    // Records before the bad one are whole.
    if scan.end > 0 {
        let rest = buffer.split_off(scan.end);
        emit(Block::records(std::mem::replace(buffer, rest)))?;
    }
    let line_end = memchr::memchr(b'\n', buffer);
    let fault = if scan.quoted && buffer.len() <= 2 * RECORD_CAP && line_end.is_some() {
        Fault::Quote
    } else {
        Fault::Size
    };
    match line_end {
        Some(end) => {
            emit(Block::faulty(&buffer[..end], fault))?;
            buffer.drain(..=end);
        }
        None => {
            let fault = if buffer.len() > RECORD_CAP { Fault::Size } else { Fault::Quote };
            emit(Block::faulty(buffer, fault))?;
            buffer.clear();
            skip_line(reader).map_err(|e| CatalogueError::format("input", e.to_string()))?;
        }
    }
    *scan = Scan { delimiter: scan.delimiter, quoted: false, at: 0, end: 0 };
    Ok(())
}

fn skip_line(reader: &mut Box<dyn BufRead + Send>) -> std::io::Result<()> {
    loop {
        let held = reader.fill_buf()?;
        if held.is_empty() {
            return Ok(());
        }
        match memchr::memchr(b'\n', held) {
            Some(end) => {
                reader.consume(end + 1);
                return Ok(());
            }
            None => {
                let all = held.len();
                reader.consume(all);
            }
        }
    }
}

/// Where the scan for record ends stands.
struct Scan {
    delimiter: u8,
    quoted: bool,
    at: usize,
    /// Behind the last whole record.
    end: usize,
}

impl Scan {
    /// Scans to the buffer's end. A quote in the very last place stays undecided until more is there, or the file ended.
    fn advance(&mut self, buffer: &[u8], ended: bool) {
        while self.at < buffer.len() {
            if self.quoted {
                let Some(found) = memchr::memchr(b'"', &buffer[self.at..]) else {
                    self.at = buffer.len();
                    return;
                };
                let quote = self.at + found;
                match buffer.get(quote + 1) {
                    Some(b'"') => self.at = quote + 2,
                    None if !ended => {
                        self.at = quote;
                        return;
                    }
                    _ => {
                        self.quoted = false;
                        self.at = quote + 1;
                    }
                }
                continue;
            }
            let Some(found) = memchr::memchr2(b'"', b'\n', &buffer[self.at..]) else {
                self.at = buffer.len();
                return;
            };
            let place = self.at + found;
            self.at = place + 1;
            if buffer[place] == b'\n' {
                self.end = self.at;
            } else {
                let before = place.checked_sub(1).map(|p| buffer[p]);
                self.quoted = before.is_none_or(|b| b == self.delimiter || b == b'\n');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::{BufReader, Cursor};

    fn cut(text: &[u8]) -> Vec<(String, Option<Fault>)> {
        let mut blocks = Vec::new();
        let reader = Box::new(BufReader::new(Cursor::new(text.to_vec())));
        run("t", reader, Vec::new(), b',', &mut |b| {
            blocks.push((String::from_utf8_lossy(&b.data).into_owned(), b.fault));
            Ok(())
        })
        .unwrap();
        blocks
    }

    #[test]
    fn a_newline_in_quotes_does_not_end_a_record() {
        let text = format!("a,\"x\ny\"\n{}", "b,c\n".repeat(600_000));
        let blocks = cut(text.as_bytes());
        assert!(blocks.len() > 1 && blocks.iter().all(|(t, f)| f.is_none() && t.ends_with('\n')));
        assert_eq!(blocks.iter().map(|(t, _)| t.len()).sum::<usize>(), text.len());
    }

    #[test]
    fn an_open_quote_costs_one_line() {
        let blocks = cut(b"a,b\n\"open,c\nd,e\n");
        let want = [("a,b\n", None), ("\"open,c", Some(Fault::Quote)), ("d,e\n", None)];
        assert_eq!(blocks, want.map(|(t, f)| (t.to_owned(), f)));
    }

    #[test]
    fn a_line_of_ten_megabytes_is_refused_and_reading_goes_on() {
        let text = format!("a,b\n{}\nc,d\n", "x".repeat(10 << 20));
        let blocks = cut(text.as_bytes());
        let faults: Vec<_> = blocks.iter().filter_map(|(_, f)| *f).collect();
        assert_eq!(faults, [Fault::Size]);
        assert_eq!(blocks.last().unwrap().0, "c,d\n");
    }

    #[test]
    fn a_stray_quote_is_text() {
        assert_eq!(cut(b"a,5\" disc\nb,c\n").len(), 1);
    }
}
