//! Splitting a block of delimited text into cells, by the same rule for quotes as the cutting of blocks.

use std::borrow::Cow;
use std::ops::Range;

/// Where a cell lies in its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cell {
    start: u32,
    /// The end; the highest bit says that the cell holds doubled quotes.
    end: u32,
}

const DOUBLED: u32 = 1 << 31;

impl Cell {
    /// The cell's text, without surrounding white space.
    pub(crate) fn text(self, block: &str) -> Cow<'_, str> {
        let raw = block.get(self.range()).unwrap_or_default();
        let trimmed = raw.trim_ascii();
        if self.end & DOUBLED != 0 {
            Cow::Owned(trimmed.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(trimmed)
        }
    }

    /// The cell's text as it stands in the block, doubled quotes and all.
    pub(crate) fn raw(self, block: &str) -> &str {
        block.get(self.range()).unwrap_or_default().trim_ascii()
    }

    fn range(self) -> Range<usize> {
        self.start as usize..(self.end & !DOUBLED) as usize
    }
}

/// The cells of a block. Reused from block to block.
#[derive(Debug)]
pub(crate) struct Splitter {
    delimiter: u8,
    /// Records with fewer cells are given empty ones up to so many.
    least: usize,
    cells: Vec<Cell>,
    /// For each record: where it lies in the block, and behind its last cell in `cells`.
    records: Vec<(Range<u32>, u32)>,
}

impl Splitter {
    pub(crate) fn new(delimiter: u8) -> Self {
        Self { delimiter, least: 0, cells: Vec::new(), records: Vec::new() }
    }

    /// One that gives records which end early empty cells up to so many.
    pub(crate) fn filling_up(self, least: usize) -> Self {
        Self { least, ..self }
    }

    /// Splits a block into records and cells; empty lines are no records.
    pub(crate) fn split(&mut self, block: &str) {
        self.cells.clear();
        self.records.clear();
        let bytes = block.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let start = at;
            let cells = self.cells.len();
            at = self.record(bytes, at);
            let line = block[start..at].trim_ascii_end();
            if line.is_empty() && self.cells.len() == cells + 1 {
                self.cells.truncate(cells);
            } else {
                let least = cells + self.least;
                if self.cells.len() < least {
                    self.cells.resize(least, Cell::default());
                }
                self.records.push((start as u32..(start + line.len()) as u32, self.cells.len() as u32));
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// How many cells record `i` has.
    pub(crate) fn width(&self, i: usize) -> usize {
        self.records[i].1 as usize - self.first(i)
    }

    /// Cell `column` of record `i`.
    pub(crate) fn cell(&self, i: usize, column: usize) -> Cell {
        self.cells[self.first(i) + column]
    }

    /// Where record `i` lies in the block, without its line end.
    pub(crate) fn span(&self, i: usize) -> Range<usize> {
        let span = &self.records[i].0;
        span.start as usize..span.end as usize
    }

    fn first(&self, i: usize) -> usize {
        if i == 0 { 0 } else { self.records[i - 1].1 as usize }
    }
}

impl Splitter {
    /// The cells of record `i`; none where there is no such record.
    pub(crate) fn cells(&self, i: usize) -> impl Iterator<Item = Cell> + '_ {
        let range = if i < self.records.len() { self.first(i)..self.records[i].1 as usize } else { 0..0 };
        self.cells[range].iter().copied()
    }

    /// Takes one record's cells and gives the place behind its line end.
    fn record(&mut self, bytes: &[u8], mut at: usize) -> usize {
        loop {
            let quoted = bytes.get(at) == Some(&b'"');
            let (cell, behind) = if quoted { self.quoted(bytes, at + 1) } else { (None, at) };
            let end =
                memchr::memchr2(self.delimiter, b'\n', &bytes[behind..]).map_or(bytes.len(), |n| behind + n);
            let line_end = bytes.get(end) != Some(&self.delimiter);
            let mut stop = end;
            if line_end && stop > at && bytes[stop - 1] == b'\r' {
                stop -= 1;
            }
            self.cells.push(cell.unwrap_or(Cell { start: at as u32, end: stop as u32 }));
            at = end + 1;
            if line_end {
                return at.min(bytes.len());
            }
        }
    }

    /// A quoted cell from behind its first quote, and the place behind its last. Without a last quote: no cell.
    fn quoted(&self, bytes: &[u8], start: usize) -> (Option<Cell>, usize) {
        let (mut at, mut doubled) = (start, 0);
        while let Some(found) = memchr::memchr(b'"', &bytes[at..]) {
            let quote = at + found;
            if bytes.get(quote + 1) == Some(&b'"') {
                doubled = DOUBLED;
                at = quote + 2;
            } else {
                return (Some(Cell { start: start as u32, end: quote as u32 | doubled }), quote + 1);
            }
        }
        (None, start)
    }
}

/// Appends a cell to a line of CSV, quoted where it must be.
pub(crate) fn push_cell(line: &mut Vec<u8>, text: &str) {
    if memchr::memchr3(b',', b'"', b'\n', text.as_bytes()).is_some() || text.contains('\r') {
        line.push(b'"');
        line.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        line.push(b'"');
    } else {
        line.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> Vec<Vec<String>> {
        let mut splitter = Splitter::new(b',');
        splitter.split(text);
        let cells = |i| splitter.cells(i).map(|c| c.text(text).into_owned()).collect();
        (0..splitter.len()).map(cells).collect()
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(rows in prop::collection::vec(prop::collection::vec("[a-z\",\n\r é🎬]{0,8}", 2..4), 1..6)) {
            let mut text = Vec::new();
            for row in &rows {
                for (i, cell) in row.iter().enumerate() {
                    if i > 0 { text.push(b','); }
                    push_cell(&mut text, cell.trim_ascii());
                }
                text.push(b'\n');
            }
            let read = split(&String::from_utf8_lossy(&text));
            let want: Vec<Vec<String>> =
                rows.iter().map(|r| r.iter().map(|c| c.trim_ascii().to_owned()).collect()).collect();
            prop_assert_eq!(read, want);
        }

        #[test]
        fn any_text_splits(text in "[a,\"\n\r;]{0,60}") {
            let _ = split(&text);
        }
    }

    #[test]
    fn records_that_end_early_are_filled_up() {
        let text = "a\nb,c\n\nd,e,f\n";
        let mut splitter = Splitter::new(b',').filling_up(2);
        splitter.split(text);
        let cells = |i| splitter.cells(i).map(|c| c.text(text).into_owned()).collect::<Vec<_>>();
        assert_eq!(
            (0..3).map(cells).collect::<Vec<_>>(),
            [vec!["a", ""], vec!["b", "c"], vec!["d", "e", "f"]]
        );
    }

    #[test]
    fn known_lines() {
        assert_eq!(split("a,b\r\n\n\"x,\"\"y\"\"\",\n"), [["a", "b"], ["x,\"y\"", ""]]);
        assert_eq!(split("5\" disc,b"), [["5\" disc", "b"]]);
        assert_eq!(split("a,"), [["a", ""]]);
    }
}
