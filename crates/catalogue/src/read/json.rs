//! JSON (an array of objects) and NDJSON (an object a line): both are objects with something between them, so that one
//! reader does for both. Objects are found by their braces, then parsed one by one: memory does not grow with the file.

use std::io::{BufRead, Cursor, Read};

use serde_json::{Map, Value};

use super::split::push_cell;
use super::{BLOCK, Block, Fault, Head, RECORD_CAP};
use crate::error::{CatalogueError, Result};

/// How far the head looks for names of columns, in bytes.
const SAMPLE: u64 = 256 << 10;

type Reader = Box<dyn BufRead + Send>;

/// The columns: those that the map names and those of the first objects; with the stream to read from.
pub(crate) fn head(name: &str, mut reader: Reader, wanted: &[&str]) -> Result<(Head, Reader)> {
    let mut sample = Vec::new();
    let read = (&mut reader).take(SAMPLE).read_to_end(&mut sample);
    read.map_err(|e| CatalogueError::format(name, e.to_string()))?;
    let mut found: Vec<String> = Vec::new();
    let mut objects = Objects::new();
    objects.feed(&sample, &mut |piece| {
        if let Piece::Object(bytes) = piece
            && let Ok(object) = serde_json::from_slice::<Map<String, Value>>(bytes)
        {
            found.extend(object.keys().filter(|k| !found.contains(k)).cloned().collect::<Vec<_>>());
        }
        Ok(())
    })?;
    if found.is_empty() && (sample.len() as u64) < SAMPLE {
        return Err(CatalogueError::format(
            name,
            "holds no JSON objects; give an array of objects, or one object a line",
        ));
    }
    let fits = wanted.iter().any(|w| found.iter().any(|f| f == w));
    let mut columns = found;
    if fits {
        // What the first objects lack, later ones may have.
        columns.extend(
            wanted
                .iter()
                .filter(|w| !columns.iter().any(|c| c == **w))
                .map(|w| (*w).to_owned())
                .collect::<Vec<_>>(),
        );
    }
    Ok((Head { columns, delimiter: b',' }, Box::new(Cursor::new(sample).chain(reader))))
}

/// Renders the objects as CSV, in the order of `columns`.
pub(crate) fn run(
    name: &str,
    mut reader: Reader,
    columns: &[String],
    emit: &mut dyn FnMut(Block) -> Result<()>,
) -> Result<()> {
    let (mut objects, mut lines) = (Objects::new(), Vec::new());
    loop {
        let held = reader
            .fill_buf()
            .map_err(|e| CatalogueError::format(name, format!("cannot be read to its end: {e}")))?;
        let ended = held.is_empty();
        let mut take = |piece: Piece<'_>| -> Result<()> {
            let fault = match piece {
                Piece::Object(bytes) => match serde_json::from_slice::<Map<String, Value>>(bytes) {
                    Ok(object) => {
                        render(&object, columns, &mut lines);
                        if lines.len() >= BLOCK {
                            emit(Block::records(std::mem::take(&mut lines)))?;
                        }
                        return Ok(());
                    }
                    Err(_) => Block::faulty(bytes, Fault::Shape),
                },
                Piece::Bad(start, fault) => Block::faulty(start, fault),
            };
            if !lines.is_empty() {
                emit(Block::records(std::mem::take(&mut lines)))?;
            }
            emit(fault)
        };
        if ended {
            objects.finish(&mut take)?;
            break;
        }
        objects.feed(held, &mut take)?;
        let n = held.len();
        reader.consume(n);
    }
    if lines.is_empty() { Ok(()) } else { emit(Block::records(lines)) }
}

fn render(object: &Map<String, Value>, columns: &[String], lines: &mut Vec<u8>) {
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            lines.push(b',');
        }
        match object.get(column) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => push_cell(lines, text),
            Some(other) => push_cell(lines, &other.to_string()),
        }
    }
    lines.push(b'\n');
}

/// What stands at the top level of the text.
enum Piece<'a> {
    Object(&'a [u8]),
    /// The beginning of what is not an object, or too long a one.
    Bad(&'a [u8], Fault),
}

/// Finds objects by braces, outside texts. Between objects stand white space, commas and one pair of brackets; anything
/// else is bad, up to the line's end.
struct Objects {
    held: Vec<u8>,
    depth: u32,
    in_text: bool,
    escaped: bool,
    oversize: bool,
    garbage: bool,
}

impl Objects {
    fn new() -> Self {
        Self { held: Vec::new(), depth: 0, in_text: false, escaped: false, oversize: false, garbage: false }
    }

    fn feed(&mut self, bytes: &[u8], take: &mut dyn FnMut(Piece<'_>) -> Result<()>) -> Result<()> {
        for b in bytes {
            if self.garbage {
                if *b == b'\n' {
                    self.bad(Fault::Shape, take)?;
                } else if self.held.len() < 400 {
                    self.held.push(*b);
                }
                continue;
            }
            if self.depth == 0 {
                match b {
                    b'{' => {
                        self.depth = 1;
                        self.held.push(*b);
                    }
                    b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' => {}
                    _ => {
                        self.garbage = true;
                        self.held.push(*b);
                    }
                }
                continue;
            }
            if self.held.len() < RECORD_CAP {
                self.held.push(*b);
            } else {
                self.oversize = true;
            }
            match b {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_text => self.escaped = true,
                b'"' => self.in_text = !self.in_text,
                b'{' if !self.in_text => self.depth = self.depth.saturating_add(1),
                b'}' if !self.in_text => self.depth -= 1,
                _ => {}
            }
            if self.depth == 0 {
                if self.oversize {
                    self.bad(Fault::Size, take)?;
                } else {
                    take(Piece::Object(&self.held))?;
                    self.held.clear();
                }
            }
        }
        Ok(())
    }

    /// The text ended: what is still open is bad.
    fn finish(&mut self, take: &mut dyn FnMut(Piece<'_>) -> Result<()>) -> Result<()> {
        if self.held.is_empty() { Ok(()) } else { self.bad(Fault::Shape, take) }
    }

    fn bad(&mut self, fault: Fault, take: &mut dyn FnMut(Piece<'_>) -> Result<()>) -> Result<()> {
        take(Piece::Bad(&self.held, fault))?;
        *self = Self::new();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(text: &str, want: &str, faults: usize) {
        let reader: Reader = Box::new(Cursor::new(text.as_bytes().to_vec()));
        let (head, reader) = head("t.json", reader, &["a"]).unwrap();
        let (mut out, mut bad) = (String::new(), 0);
        run("t.json", reader, &head.columns, &mut |b| {
            match b.fault {
                None => out.push_str(&String::from_utf8(b.data).unwrap()),
                Some(_) => bad += 1,
            }
            Ok(())
        })
        .unwrap();
        assert_eq!((out.as_str(), bad), (want, faults));
    }

    #[test]
    fn arrays_and_lines_are_read_alike() {
        check(r#"[{"a": 300, "b": null}, {"b": "x,\"}", "a": 1.5}]"#, "300,\n1.5,\"x,\"\"}\"\n", 0);
        check("{\"a\":1}\n{\"a\":2}\n", "1\n2\n", 0);
    }

    #[test]
    fn what_is_no_object_is_refused_and_reading_goes_on() {
        check("{\"a\":1}\nrubbish\n{\"a\":}\n{\"a\":2}\n{\"a\":", "1\n2\n", 3);
    }
}
