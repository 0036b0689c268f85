//! Which rows came before: uniqueness of a key over a file of any length, in memory of a fixed size.
//!
//! A Bloom filter (B. H. Bloom, *Space/time trade-offs in hash coding*, 1970; blocked as in F. Putze and others, 2007)
//! answers "never seen" for certain, and such rows pass at once. The few that it may have seen wait on disk beside the
//! hashes of those that passed, in buckets by hash; at the end each bucket is small enough to be settled exactly.
//! Keys are compared by 64-bit hashes: among 40 million rows the chance that any two different keys agree is 1 in 20,000.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};

use tempfile::TempDir;

use crate::error::{CatalogueError, Result};

const BUCKETS: usize = 256;
/// 64 MB: 13 bits for each of 40 million keys.
const LARGEST: usize = 1 << 20;

/// How many keys are brought near together.
pub(crate) const AHEAD: usize = 64;

/// The memory of keys seen so far. Rows must be asked about in the order of the file.
pub(crate) struct Uniqueness {
    filter: Vec<[u64; 8]>,
    folder: Option<TempDir>,
    passed: Vec<Option<BufWriter<File>>>,
    waiting: Vec<Option<BufWriter<File>>>,
    suspects: u64,
}

/// A row that waited: its number, its text, and whether an earlier row has its key.
pub(crate) struct Settled {
    pub row: u64,
    pub raw: Vec<u8>,
    pub duplicate: bool,
}

impl Uniqueness {
    /// For a file of so many bytes (as many as it has when it is read, gzipped or not).
    pub(crate) fn new(bytes: u64) -> Self {
        let blocks = ((bytes / 256) as usize).clamp(1 << 10, LARGEST).next_power_of_two();
        let none = || (0..BUCKETS).map(|_| None).collect();
        Self { filter: vec![[0; 8]; blocks], folder: None, passed: none(), waiting: none(), suspects: 0 }
    }

    /// Brings the places of at most [`AHEAD`] keys near: asked one by one, each would wait for memory by itself; of many
    /// more, the first would be far again when they are asked about.
    pub(crate) fn warm(&self, hashes: &[u64]) -> u64 {
        hashes.iter().fold(0, |sum, hash| sum ^ self.filter[self.place(*hash)][0])
    }

    fn place(&self, hash: u64) -> usize {
        (hash >> 40) as usize & (self.filter.len() - 1)
    }

    /// Whether no earlier row can have this key. Otherwise the row must [`wait`](Self::wait).
    pub(crate) fn is_first(&mut self, hash: u64) -> Result<bool> {
        let place = self.place(hash);
        let block = &mut self.filter[place];
        let mut seen = true;
        for k in 0..4 {
            let bit = (hash >> (9 * k)) & 511;
            let (word, mask) = ((bit >> 6) as usize, 1u64 << (bit & 63));
            seen &= block[word] & mask != 0;
            block[word] |= mask;
        }
        if seen {
            return Ok(false);
        }
        Self::bucket(&mut self.folder, &mut self.passed, hash, "passed")?
            .write_all(&hash.to_le_bytes())
            .map_err(spill)?;
        Ok(true)
    }

    /// Puts a row aside until all are seen.
    pub(crate) fn wait(&mut self, hash: u64, row: u64, raw: &[u8]) -> Result<()> {
        let bucket = Self::bucket(&mut self.folder, &mut self.waiting, hash, "waiting")?;
        let mut put = |bytes: &[u8]| bucket.write_all(bytes).map_err(spill);
        put(&hash.to_le_bytes())?;
        put(&row.to_le_bytes())?;
        put(&(raw.len() as u32).to_le_bytes())?;
        put(raw)?;
        self.suspects += 1;
        Ok(())
    }

    /// Settles all rows that wait, bucket by bucket.
    pub(crate) fn settle(mut self, take: &mut dyn FnMut(Settled) -> Result<()>) -> Result<()> {
        if self.suspects == 0 {
            return Ok(());
        }
        // The filter is no longer needed; the buckets are read in its place.
        self.filter = Vec::new();
        for (passed, waiting) in self.passed.iter_mut().zip(&mut self.waiting) {
            let Some(waiting) = waiting.take() else { continue };
            let mut waiting = rewound(waiting)?;
            let mut asked = HashSet::new();
            while let Some((hash, _, len)) = header(&mut waiting)? {
                asked.insert(hash);
                waiting.seek_relative(i64::from(len)).map_err(spill)?;
            }
            let mut seen = HashSet::new();
            if let Some(passed) = passed.take() {
                let (mut passed, mut word) = (rewound(passed)?, [0; 8]);
                while read_whole(&mut passed, &mut word)? {
                    let hash = u64::from_le_bytes(word);
                    if asked.contains(&hash) {
                        seen.insert(hash);
                    }
                }
            }
            drop(asked);
            waiting.rewind().map_err(spill)?;
            while let Some((hash, row, len)) = header(&mut waiting)? {
                let mut raw = vec![0; len as usize];
                waiting.read_exact(&mut raw).map_err(spill)?;
                take(Settled { row, raw, duplicate: !seen.insert(hash) })?;
            }
        }
        Ok(())
    }

    fn bucket<'a>(
        folder: &mut Option<TempDir>,
        buckets: &'a mut [Option<BufWriter<File>>],
        hash: u64,
        name: &str,
    ) -> Result<&'a mut BufWriter<File>> {
        // The top bits; the filter uses the lower ones.
        let number = (hash >> 56) as usize % BUCKETS;
        let bucket = &mut buckets[number];
        if bucket.is_none() {
            if folder.is_none() {
                *folder = Some(tempfile::tempdir().map_err(spill)?);
            }
            let path = folder.as_ref().map(|f| f.path().join(format!("{name}-{number}"))).unwrap_or_default();
            let file = File::options().create_new(true).read(true).write(true).open(&path);
            *bucket =
                Some(BufWriter::with_capacity(4 << 10, file.map_err(|e| CatalogueError::file(path, e))?));
        }
        bucket.as_mut().ok_or(CatalogueError::Lost("the check of uniqueness"))
    }
}

fn rewound(bucket: BufWriter<File>) -> Result<BufReader<File>> {
    let mut file = bucket.into_inner().map_err(|e| spill(e.into_error()))?;
    file.rewind().map_err(spill)?;
    Ok(BufReader::new(file))
}

fn header(file: &mut BufReader<File>) -> Result<Option<(u64, u64, u32)>> {
    let mut head = [0; 20];
    if !read_whole(file, &mut head)? {
        return Ok(None);
    }
    let word = |at: usize| head[at..at + 8].try_into().map(u64::from_le_bytes).unwrap_or_default();
    let len = head[16..].try_into().map(u32::from_le_bytes).unwrap_or_default();
    Ok(Some((word(0), word(8), len)))
}

/// Fills the buffer; false at the file's end.
fn read_whole(file: &mut BufReader<File>, buffer: &mut [u8]) -> Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(spill(e)),
    }
}

fn spill(e: std::io::Error) -> CatalogueError {
    CatalogueError::file(std::env::temp_dir(), e)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use xxhash_rust::xxh3::xxh3_64;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn exactly_the_later_of_equal_rows_are_duplicates(keys in prop::collection::vec(0u32..60_000, 0..3000)) {
            // A filter far too small: most rows wait.
            let mut unique = Uniqueness::new(1);
            unique.filter.truncate(8);
            let mut found: Vec<(u64, bool)> = Vec::new();
            for (row, key) in keys.iter().enumerate() {
                let hash = xxh3_64(&key.to_le_bytes());
                if unique.is_first(hash).unwrap() {
                    found.push((row as u64, false));
                } else {
                    unique.wait(hash, row as u64, &key.to_le_bytes()).unwrap();
                }
            }
            unique.settle(&mut |s| { found.push((s.row, s.duplicate)); Ok(()) }).unwrap();
            found.sort_unstable();
            let mut seen = HashSet::new();
            let want: Vec<_> = keys.iter().enumerate().map(|(i, k)| (i as u64, !seen.insert(*k))).collect();
            prop_assert_eq!(found, want);
        }
    }
}
