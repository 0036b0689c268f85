//! Chores of this repository: checks on the tree itself, and the converter that made the bundled film table.
//!
//! Not part of the product: nothing in `crates/` depends on it. `cargo xtask help` lists what it does; each check is
//! also a test (`cargo test -p xtask`), so that continuous integration and a contributor see the same findings.

mod films;
mod rules;
mod tree;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::tree::Tree;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  check                               the tree's rules: crate directions, file headers, named paths, use cases, macros, data
  check-data                          only: data/films.csv is the table that data/README.md describes
  convert-films MOVIES_JSON OUT.csv   make data/films.csv from movies.json of the npm package vega-datasets
  film-faults FILMS.csv               count the known faults of the table, as data/README.md states them
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["check"] => check(&rules::ALL),
        ["check-data"] => check(&[rules::BUNDLED_DATA]),
        ["convert-films", from, to] => convert_films(Path::new(from), Path::new(to)),
        ["film-faults", table] => film_faults(Path::new(table)),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(true)
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the rules, prints what they found, and says whether the tree keeps them all.
fn check(rules: &[rules::Rule]) -> Result<bool> {
    let tree = Tree::of_this_repository()?;
    let mut clean = true;
    for rule in rules {
        let report =
            (rule.check)(&tree).with_context(|| format!("rule `{}` could not be checked", rule.name))?;
        let verdict = if report.findings.is_empty() { "ok  " } else { "FAIL" };
        println!("{verdict} {:<11} {}", rule.name, report.looked_at);
        for finding in &report.findings {
            println!("     {finding}");
        }
        clean &= report.findings.is_empty();
    }
    Ok(clean)
}

fn convert_films(from: &Path, to: &Path) -> Result<bool> {
    let json = std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let films =
        films::from_json(&json).with_context(|| format!("{} is not the expected table", from.display()))?;
    let csv = films::to_csv(&films)?;
    std::fs::write(to, &csv).with_context(|| format!("cannot write {}", to.display()))?;
    println!("{} films, {} bytes, SHA-256 {}", films.len(), csv.len(), films::sha256(&csv));
    Ok(true)
}

fn film_faults(table: &Path) -> Result<bool> {
    let csv = std::fs::read(table).with_context(|| format!("cannot read {}", table.display()))?;
    for fault in films::faults(&films::from_csv(&csv)?) {
        println!("{}", fault.markdown_row());
    }
    Ok(true)
}
