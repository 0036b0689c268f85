//! Every Rust file opens with `//!`: what it is, what it is not, and the paper or rule it follows.

use anyhow::Result;

use super::{Finding, Report};
use crate::tree::{SourceFile, Tree};

const FOLDERS: [&str; 4] = ["crates", "xtask", "examples", "benches"];

pub(super) fn check(tree: &Tree) -> Result<Report> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        files.extend(tree.rust_files(folder)?);
    }
    let findings = files.iter().filter_map(judge).collect();
    Ok(Report { looked_at: format!("{} Rust files", files.len()), findings })
}

fn judge(file: &SourceFile) -> Option<Finding> {
    let first = file.text.trim_start_matches('\u{feff}').lines().find(|line| !line.trim().is_empty());
    let header = first.and_then(|line| line.strip_prefix("//!"));
    match header {
        Some(prose) if !prose.trim().is_empty() => None,
        _ => Some(Finding::new(
            format!("{}:1", file.path),
            "the file does not open with `//!` and a sentence",
            "say in its first line what the file is",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, ok: bool) {
        let file = SourceFile { path: "crates/a/src/lib.rs".into(), text: text.into() };
        assert_eq!(judge(&file).is_none(), ok, "{text:?}");
    }

    #[test]
    fn a_header_is_wanted_first() {
        check("//! What it is.\nfn f() {}\n", true);
        check("\n\n//! What it is.\n", true);
        check("// What it is.\nfn f() {}\n", false);
        check("use std::fmt;\n//! Too late.\n", false);
        check("//!\n//! The first line is empty.\n", false);
        check("", false);
    }
}
