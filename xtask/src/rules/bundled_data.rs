//! `data/films.csv` is, byte for byte, the table that `data/README.md` describes, with the faults that it counts.

use anyhow::Result;

use super::{Finding, Report};
use crate::films;
use crate::tree::Tree;

const TABLE: &str = "data/films.csv";
const PAGE: &str = "data/README.md";
const REMEDY: &str = "make it again with `cargo xtask convert-films`, or correct the page";

pub(super) fn check(tree: &Tree) -> Result<Report> {
    let (table, page) = (tree.read(TABLE)?, tree.read(PAGE)?);
    let (Some(table), Some(page)) = (table, page) else {
        let finding = Finding::new("data", format!("{TABLE} or {PAGE} is missing"), REMEDY);
        return Ok(Report { looked_at: "nothing".into(), findings: vec![finding] });
    };
    let findings = judge(&table, &String::from_utf8_lossy(&page));
    Ok(Report { looked_at: format!("{TABLE}, {} bytes", table.len()), findings })
}

fn judge(table: &[u8], page: &str) -> Vec<Finding> {
    let films = match films::from_csv(table) {
        Ok(films) => films,
        Err(error) => return vec![Finding::new(TABLE, format!("{error:#}"), REMEDY)],
    };
    let mut findings = Vec::new();
    if films.len() != films::ROWS {
        let problem = format!("has {} films, {} are expected", films.len(), films::ROWS);
        findings.push(Finding::new(TABLE, problem, REMEDY));
    }
    let sum = films::sha256(table);
    if !page.contains(&sum) {
        findings.push(Finding::new(
            TABLE,
            format!("its SHA-256 {sum} is not the one stated in {PAGE}"),
            REMEDY,
        ));
    }
    for fault in films::faults(&films) {
        let row = fault.markdown_row();
        if !page.contains(&row) {
            findings.push(Finding::new(
                PAGE,
                format!("does not state `{row}`"),
                "copy the row from `cargo xtask film-faults`",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_changed_table_is_found() {
        let json = br#"[{"Title": 1776, "US Gross": 0, "Release Date": "Jun 12 1998"}]"#;
        let table = films::to_csv(&films::from_json(json).unwrap()).unwrap();
        let problems: Vec<String> = judge(&table, "").into_iter().map(|finding| finding.problem).collect();
        assert_eq!(problems[0], "has 1 films, 3201 are expected");
        assert!(problems[1].starts_with("its SHA-256"), "{problems:?}");
        assert!(problems[2].starts_with("does not state"), "{problems:?}");
        assert!(!judge(b"title\nAlien\n", "").is_empty(), "a wrong header");
    }
}
