//! Use cases do not call each other: no file of `crates/app/src/use_cases` names another of its modules.
//!
//! What several need lies outside that folder, in a shared module of `app`. Found are `use_cases::x`, `super::x` (as
//! deep as the file and its inline modules lie), groups, globs and renamed imports; not found is a use case's type that
//! `app`'s root re-exports and another use case takes from there.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Finding, Report, tokens};
use crate::tree::{SourceFile, Tree};

const FOLDER: &str = "crates/app/src/use_cases";
const REMEDY: &str = "move what both need into a shared module of `app` outside the folder";

pub(super) fn check(tree: &Tree) -> Result<Report> {
    if !tree.has(FOLDER) {
        return Ok(Report {
            looked_at: format!("{FOLDER} does not exist yet: nothing to check"),
            findings: Vec::new(),
        });
    }
    let files = tree.rust_files(FOLDER)?;
    let modules: BTreeSet<&str> = files.iter().map(module_of).filter(|module| *module != "mod").collect();
    let findings = files.iter().flat_map(|file| judge(file, &modules)).collect();
    Ok(Report { looked_at: format!("{} use cases in {FOLDER}", modules.len()), findings })
}

/// The use case that a file belongs to: its first name below the folder.
fn module_of(file: &SourceFile) -> &str {
    let inside = file.path.strip_prefix(FOLDER).unwrap_or(&file.path).trim_start_matches('/');
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
}

fn judge(file: &SourceFile, modules: &BTreeSet<&str>) -> Vec<Finding> {
    let own = module_of(file);
    if own == "mod" {
        return Vec::new(); // the folder's own list of modules names all of them
    }
    let tokens = match tokens::read(&file.text) {
        Ok(tokens) => tokens,
        Err(error) => return vec![Finding::new(&file.path, error.to_string(), "mend its syntax")],
    };
    let inside = file.path.strip_prefix(FOLDER).unwrap_or("").trim_start_matches('/');
    // `x.rs` and `x/mod.rs` lie one `super` below the folder, `x/y.rs` two.
    let depth = inside.matches('/').count() + usize::from(!inside.ends_with("/mod.rs"));
    let mut findings = Vec::new();
    for (line, name) in named(&tokens, depth) {
        let place = format!("{}:{line}", file.path);
        if name == "*" || name == "as" {
            findings.push(Finding::new(place, "imports the whole folder of use cases", REMEDY));
        } else if name != own && modules.contains(name) {
            findings.push(Finding::new(place, format!("use case `{own}` names use case `{name}`"), REMEDY));
        }
    }
    findings
}

/// Every name that is looked up in the folder's own module, with its line.
fn named(tokens: &[tokens::Token], depth: usize) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut inline = vec![]; // for each open brace: whether it opens an inline module
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => inline.push(at >= 2 && tokens[at - 2].text == "mod"),
            "}" => {
                inline.pop();
            }
            "use_cases" if tokens::reads(tokens, at + 1, &[":", ":"]) => {
                found.extend(looked_up(tokens, at + 3));
            }
            "use_cases" if tokens::reads(tokens, at + 1, &["as"]) => found.push((tokens[at].line, "as")),
            "super" => {
                let mut supers = 1;
                while tokens::reads(tokens, at + 1, &[":", ":", "super"]) {
                    supers += 1;
                    at += 3;
                }
                let below = depth + inline.iter().filter(|module| **module).count();
                if supers == below && tokens::reads(tokens, at + 1, &[":", ":"]) {
                    found.extend(looked_up(tokens, at + 3));
                } else if supers == below && tokens::reads(tokens, at + 1, &["as"]) {
                    found.push((tokens[at].line, "as"));
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The name at `at`, or each first name of the group that opens there.
fn looked_up(tokens: &[tokens::Token], at: usize) -> Vec<(usize, &str)> {
    let Some(first) = tokens.get(at) else { return Vec::new() };
    if first.text != "{" {
        return vec![(first.line, first.text.as_str())];
    }
    let mut names = Vec::new();
    let mut open = 0;
    for (offset, token) in tokens[at..].iter().enumerate() {
        let after = if offset == 0 { "" } else { tokens[at + offset - 1].text.as_str() };
        match token.text.as_str() {
            "{" => open += 1,
            "}" if open == 1 => break,
            "}" => open -= 1,
            name if open == 1 && (after == "{" || after == ",") => names.push((token.line, name)),
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_at(path: &str, text: &str, problems: &[&str]) {
        let modules = BTreeSet::from(["demo", "forecast", "slate"]);
        let found = judge(&SourceFile { path: format!("{FOLDER}/{path}"), text: text.into() }, &modules);
        let found: Vec<String> = found.into_iter().map(|finding| finding.problem).collect();
        assert_eq!(found, problems, "{text}");
    }

    fn check(text: &str, problems: &[&str]) {
        check_at("demo.rs", text, problems);
    }

    const FORECAST: &str = "use case `demo` names use case `forecast`";
    const SLATE: &str = "use case `demo` names use case `slate`";
    const WHOLE: &str = "imports the whole folder of use cases";

    #[test]
    fn another_use_case_is_found_by_any_way() {
        check("use crate::use_cases::forecast::Request;", &[FORECAST]);
        check("fn f() { super::forecast::run() }", &[FORECAST]);
        check("use super::{forecast::{Request, slate}, slate};", &[FORECAST, SLATE]);
        check("use crate::{error::E, use_cases::slate};", &[SLATE]);
        check("mod tests { use super::super::forecast; }", &[FORECAST]);
        check("use super::*;", &[WHOLE]);
        check("use crate::use_cases as u;", &[WHOLE]);
        check_at("demo/page.rs", "use super::super::slate;", &[SLATE]);
        check_at("demo/mod.rs", "use super::slate;", &[SLATE]);
    }

    #[test]
    fn shared_modules_and_its_own_names_are_fine() {
        check("use crate::lake::open;\nuse super::Permit;\nuse crate::use_cases::demo::Request;", &[]);
        check("mod tests { use super::*; fn f() { super::forecast() } }", &[]);
        check("/// Like [`super::forecast`].\nfn forecast() {} // use_cases::slate", &[]);
        check_at("demo/page.rs", "use super::slate;", &[]);
        check_at("mod.rs", "pub mod demo; pub use self::demo::run;", &[]);
    }
}
