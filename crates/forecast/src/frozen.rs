//! Frozen models: what was stored under a kind and version must be read by every later version, and say what it said.
//!
//! A new layout gets a new number and a new pair of files, written by the ignored test beside its reader; the old ones stay.

use std::path::Path;

/// Writes a model and what it says beside the other fixtures.
#[allow(clippy::unwrap_used)]
pub(crate) fn freeze(name: &str, bytes: &[u8], says: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.mrqa")), bytes).unwrap();
    std::fs::write(folder.join(format!("{name}.txt")), says).unwrap();
}
