//! Every path that ARCHITECTURE.md names in backticks exists, and the page stays short enough to be read.
//!
//! A path is a code span with a slash or a known file ending. Fenced blocks, patterns (`*`, `<name>`), URLs and
//! commands are not paths. A bare file name may lie anywhere in the tree.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Finding, Report};
use crate::tree::Tree;

const PAGE: &str = "ARCHITECTURE.md";
const MOST_LINES: usize = 250;
const ENDINGS: [&str; 11] =
    [".rs", ".md", ".toml", ".csv", ".sql", ".py", ".lock", ".sh", ".json", ".html", ".parquet"];

pub(super) fn check(tree: &Tree) -> Result<Report> {
    let Some(page) = tree.read(PAGE)? else {
        let finding = Finding::new(PAGE, "the page is missing", "write the map of the code");
        return Ok(Report { looked_at: format!("no {PAGE}"), findings: vec![finding] });
    };
    let page = String::from_utf8_lossy(&page);
    let files = tree.paths("")?;
    let names: BTreeSet<&str> = files.iter().filter_map(|path| path.rsplit('/').next()).collect();
    let exists = |path: &str| tree.has(path) || (!path.contains('/') && names.contains(path));
    let looked_at = format!("{} paths in {} lines of {PAGE}", named(&page).len(), page.lines().count());
    Ok(Report { looked_at, findings: judge(&page, exists) })
}

fn judge(page: &str, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = page.lines().count();
    if lines > MOST_LINES {
        let problem = format!("has {lines} lines, {MOST_LINES} at most");
        findings.push(Finding::new(PAGE, problem, "move detail to the crates' own pages"));
    }
    for (line, path) in named(page) {
        if !exists(path) {
            let problem = format!("names `{path}`, which does not exist");
            let remedy = "correct it, or write it without backticks if it is not a path in the tree";
            findings.push(Finding::new(format!("{PAGE}:{line}"), problem, remedy));
        }
    }
    findings
}

/// The paths that the page names, each with its line.
fn named(page: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (at, line) in page.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            // Between backticks lie the odd pieces; the last piece has no closing one.
            let pieces: Vec<&str> = line.split('`').collect();
            let closed = pieces.len().saturating_sub(1);
            found.extend(
                pieces[..closed]
                    .iter()
                    .skip(1)
                    .step_by(2)
                    .filter(|span| is_path(span))
                    .map(|span| (at + 1, *span)),
            );
        }
    }
    found
}

fn is_path(span: &str) -> bool {
    let plain = !span.is_empty() && span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let ends = ENDINGS.iter().any(|ending| span.len() > ending.len() && span.ends_with(ending));
    plain && !span.starts_with(['/', '-']) && (span.contains('/') || ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(page: &str, missing: &[&str]) {
        let findings = judge(page, |path| path.starts_with("there"));
        let expected: Vec<String> =
            missing.iter().map(|path| format!("names `{path}`, which does not exist")).collect();
        let problems: Vec<String> = findings.into_iter().map(|finding| finding.problem).collect();
        assert_eq!(problems, expected, "{page}");
    }

    #[test]
    fn a_path_that_is_not_there_is_found() {
        check("See `there/lib.rs` and `gone/lib.rs`.", &["gone/lib.rs"]);
        check("The page `gone.md`, the folder `crates/gone/`.", &["gone.md", "crates/gone/"]);
        check("`there.rs` `gone.rs`\n\n`gone/too`", &["gone.rs", "gone/too"]);
    }

    #[test]
    fn what_is_not_a_path_is_left_alone() {
        check(
            "`Spec`, `file://`, `cargo run --release`, `a::b`, `crates/*/x.rs`, `/tmp/x`, `.rs`, and/or",
            &[],
        );
        check("```\ngone/lib.rs `gone/lib.rs`\n```\n", &[]);
        check("an open ` backtick with gone/lib.rs", &[]);
    }

    #[test]
    fn a_page_that_is_too_long_is_found() {
        check(&"line\n".repeat(MOST_LINES), &[]);
        let findings = judge(&"line\n".repeat(MOST_LINES + 1), |_| true);
        assert_eq!(findings[0].problem, "has 251 lines, 250 at most");
    }
}
