//! Side tables: small files of a folder that translate an id into something else for the file that is read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::{CatalogueError, Result};
use crate::ingest::plan::key_hash;
use crate::mapping::Lookup;
use crate::read::{self, split::Splitter};

/// The most entries of a side table that are held in memory.
const SIDE_CAP: usize = 5_000_000;

/// What the `value` column says, by the hash of the `key` column, and the file's SHA-256. `fail` makes the error of a map
/// that names what is not there.
pub(super) fn read(
    folder: &Path,
    lookup: &Lookup,
    fail: &dyn Fn(String) -> CatalogueError,
) -> Result<(String, HashMap<u64, Box<str>>)> {
    let path = beside(folder, &lookup.file)
        .ok_or_else(|| fail(format!("needs {} beside the file (or {0}.gz)", lookup.file)))?;
    let sha256 = read::digest(&path)?;
    let reading = read::open(&path, &[&lookup.key, &lookup.value], None)?;
    let place = |name: &str| reading.head.columns.iter().position(|c| c == name);
    let (Some(key), Some(value)) = (place(&lookup.key), place(&lookup.value)) else {
        return Err(fail(format!("{} has no column `{}` or no `{}`", lookup.file, lookup.key, lookup.value)));
    };
    let (width, mut splitter) = (reading.head.columns.len(), Splitter::new(reading.head.delimiter));
    let (mut found, file) = (HashMap::new(), lookup.file.clone());
    reading.run(&mut |block| {
        let (text, _) = read::mend(block.data);
        splitter.split(if block.fault.is_none() { &text } else { "" });
        for i in (0..splitter.len()).filter(|i| splitter.width(*i) == width) {
            let key = key_hash(&splitter.cell(i, key).text(&text));
            found.entry(key).or_insert_with(|| splitter.cell(i, value).text(&text).into());
        }
        if found.len() > SIDE_CAP {
            let what = format!("has over {SIDE_CAP} ids, too many for a side table");
            return Err(CatalogueError::format(&file, what));
        }
        Ok(())
    })?;
    Ok((sha256, found))
}

/// A file of this name in a folder, plain or gzipped.
pub(crate) fn beside(folder: &Path, file: &str) -> Option<PathBuf> {
    [folder.join(file), folder.join(format!("{file}.gz"))].into_iter().find(|p| p.is_file())
}
