//! The tree's rules: what ARCHITECTURE.md promises and the compiler does not check.
//!
//! Each rule is one file: a thin function that reads the tree, around a pure one that judges text and is tested with
//! small literals that keep the rule and small literals that break it.

mod bundled_data;
mod directions;
mod headers;
mod macros;
mod named_paths;
mod tokens;
mod use_cases;

use std::fmt;

use anyhow::Result;

use crate::tree::Tree;

/// One rule of the tree.
pub(crate) struct Rule {
    /// A short name, shown beside the verdict.
    pub(crate) name: &'static str,
    /// Looks at the tree.
    pub(crate) check: fn(&Tree) -> Result<Report>,
}

/// What a rule looked at, and what it found.
pub(crate) struct Report {
    /// In words, so that a rule which looked at nothing cannot pass unseen.
    pub(crate) looked_at: String,
    /// Empty where the tree keeps the rule.
    pub(crate) findings: Vec<Finding>,
}

/// A broken rule: what, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// A path from the root, with `:line` where there is one, or a crate's name.
    pub(crate) place: String,
    /// What is wrong.
    pub(crate) problem: String,
    /// What to do about it.
    pub(crate) remedy: String,
}

impl Finding {
    fn new(place: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}; {}", self.place, self.problem, self.remedy)
    }
}

/// `data/films.csv` is the table that `data/README.md` describes.
pub(crate) const BUNDLED_DATA: Rule = Rule { name: "data", check: bundled_data::check };

/// Every rule, in the order in which they are reported.
pub(crate) const ALL: [Rule; 6] = [
    Rule { name: "directions", check: directions::check },
    Rule { name: "headers", check: headers::check },
    Rule { name: "paths", check: named_paths::check },
    Rule { name: "use cases", check: use_cases::check },
    Rule { name: "macros", check: macros::check },
    BUNDLED_DATA,
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Runs one rule on this repository; its findings are the failure's message.
    fn keeps(rule: &Rule) {
        let tree = Tree::of_this_repository().unwrap();
        let report = (rule.check)(&tree).unwrap();
        let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{}: {}\n{}", rule.name, report.looked_at, findings.join("\n"));
    }

    #[test]
    fn crates_depend_in_the_allowed_directions() {
        keeps(&ALL[0]);
    }

    #[test]
    fn every_file_says_what_it_is() {
        keeps(&ALL[1]);
    }

    #[test]
    fn every_path_in_the_architecture_page_exists() {
        keeps(&ALL[2]);
    }

    #[test]
    fn use_cases_do_not_call_each_other() {
        keeps(&ALL[3]);
    }

    #[test]
    fn nothing_is_left_unfinished() {
        keeps(&ALL[4]);
    }

    #[test]
    fn the_bundled_table_is_as_described() {
        keeps(&ALL[5]);
    }

    #[test]
    fn a_finding_says_what_where_and_what_to_do() {
        let finding = Finding::new("a.rs:3", "it is wrong", "right it");
        assert_eq!(finding.to_string(), "a.rs:3: it is wrong; right it");
    }
}
