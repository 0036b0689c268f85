//! Crates depend on each other only in the directions that DESIGN allows, and rooms stay free of engines.
//!
//! Members and their declared dependencies come from `cargo metadata --no-deps`; what lies behind them comes from
//! `Cargo.lock`, which names it for every platform and feature. Neither needs the network.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, MetadataCommand};
use serde::Deserialize;

use super::{Finding, Report};
use crate::tree::Tree;

/// Member → members that it may depend on. A new crate gets a row here, on purpose.
const ALLOWED: [(&str, &[&str]); 15] = [
    ("marquee", &["marquee-server", "marquee-app", "marquee-domain"]),
    ("marquee-server", &["marquee-app", "marquee-domain"]),
    (
        "marquee-app",
        &[
            "marquee-forecast",
            "marquee-invest",
            "marquee-audience",
            "marquee-content",
            "marquee-generate",
            "marquee-catalogue",
            "marquee-platform",
            "marquee-learn",
            "marquee-domain",
        ],
    ),
    ("marquee-forecast", ROOM),
    ("marquee-invest", ROOM),
    ("marquee-audience", ROOM),
    ("marquee-content", ROOM),
    ("marquee-generate", ROOM),
    ("marquee-learn", &["marquee-domain"]),
    ("marquee-catalogue", &["marquee-domain"]),
    ("marquee-platform", &["marquee-domain"]),
    ("marquee-domain", &[]),
    ("marquee-testkit", &["marquee-domain"]),
    ("marquee-examples", &["marquee-app", "marquee-domain"]),
    ("xtask", &[]),
];
const ROOM: &[&str] = &["marquee-learn", "marquee-domain"];

/// Crates that do no I/O and wait for nothing, and the engines that would end that.
const PURE: [&str; 7] = [
    "marquee-domain",
    "marquee-learn",
    "marquee-forecast",
    "marquee-invest",
    "marquee-audience",
    "marquee-content",
    "marquee-generate",
];
const ENGINES: [&str; 3] = ["datafusion", "sqlx", "tokio"];

const TESTKIT: &str = "marquee-testkit";
const CATALOGUE: &str = "marquee-catalogue";

/// One declared dependency of a member.
#[derive(Debug, Clone)]
struct Declared {
    from: String,
    to: String,
    dev: bool,
}

/// Package → packages directly behind it.
type Graph = BTreeMap<String, Vec<String>>;

pub(super) fn check(tree: &Tree) -> Result<Report> {
    let metadata = MetadataCommand::new()
        .current_dir(tree.root())
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .context("`cargo metadata --no-deps --offline` failed")?;
    let members: BTreeSet<String> =
        metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let mut declared = Vec::new();
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            let dev = dependency.kind == DependencyKind::Development;
            declared.push(Declared { from: package.name.to_string(), to: dependency.name.clone(), dev });
        }
    }
    let lock = tree.read("Cargo.lock")?.context("Cargo.lock is missing; run `cargo generate-lockfile`")?;
    let graph = locked(&String::from_utf8_lossy(&lock))?;
    let mut findings = judge_members(&members, &declared);
    findings.extend(judge_datafusion(&declared));
    findings.extend(judge_pure(&members, &declared, &graph));
    let looked_at = format!("{} crates, {} locked packages", members.len(), graph.len());
    Ok(Report { looked_at, findings })
}

/// Members depend only on the members that the table allows; the test kit only for tests.
fn judge_members(members: &BTreeSet<String>, declared: &[Declared]) -> Vec<Finding> {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let mut findings = Vec::new();
    for member in members.iter().filter(|member| !allowed.contains_key(member.as_str())) {
        let remedy = "give it one in xtask/src/rules/directions.rs, and its place in ARCHITECTURE.md";
        findings.push(Finding::new(member, "has no row in the table of allowed directions", remedy));
    }
    for edge in declared.iter().filter(|edge| members.contains(&edge.to)) {
        let Some(to) = allowed.get(edge.from.as_str()) else { continue };
        let for_tests = edge.dev && edge.to == TESTKIT;
        if for_tests || to.contains(&edge.to.as_str()) {
            continue;
        }
        let problem = format!("depends on `{}`", edge.to);
        let remedy = if edge.to == TESTKIT {
            "move it to [dev-dependencies]".to_owned()
        } else {
            format!("pass a value instead; allowed are: {}", to.join(", "))
        };
        findings.push(Finding::new(&edge.from, problem, remedy));
    }
    findings
}

/// Only the catalogue names DataFusion.
fn judge_datafusion(declared: &[Declared]) -> Vec<Finding> {
    let outside = declared.iter().filter(|edge| edge.from != CATALOGUE && edge.to.starts_with("datafusion"));
    let remedy = "ask `marquee-catalogue` for what is needed";
    outside.map(|edge| Finding::new(&edge.from, format!("names `{}`", edge.to), remedy)).collect()
}

/// No engine lies behind a pure crate, over however many steps; tests of theirs may use what they like.
fn judge_pure(members: &BTreeSet<String>, declared: &[Declared], graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for room in PURE.iter().filter(|room| members.contains(**room)) {
        let first =
            declared.iter().filter(|edge| edge.from == *room && !edge.dev).map(|edge| edge.to.as_str());
        for engine in ENGINES {
            if let Some(way) = way_to(engine, first.clone(), graph) {
                let problem = format!("reaches `{engine}` by {}", way.join(" → "));
                findings.push(Finding::new(*room, problem, "leave the dependency or its feature out"));
            }
        }
    }
    findings
}

/// A shortest way from one of `first` to `goal`.
fn way_to<'a>(goal: &str, first: impl Iterator<Item = &'a str>, graph: &'a Graph) -> Option<Vec<&'a str>> {
    let mut ways: Vec<Vec<&str>> = first.map(|name| vec![name]).collect();
    let mut seen = BTreeSet::new();
    let mut next = 0;
    while next < ways.len() {
        let way = ways[next].clone();
        next += 1;
        let Some(&last) = way.last() else { continue };
        if last == goal {
            return Some(way);
        }
        if seen.insert(last) {
            for behind in graph.get(last).into_iter().flatten() {
                let mut longer = way.clone();
                longer.push(behind);
                ways.push(longer);
            }
        }
    }
    None
}

/// Reads `Cargo.lock`; versions of one package are taken together.
fn locked(lock: &str) -> Result<Graph> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        #[serde(default)]
        dependencies: Vec<String>,
    }
    let lock: Lock = toml::from_str(lock).context("Cargo.lock cannot be read")?;
    let mut graph = Graph::new();
    for package in lock.package {
        // An entry reads `name`, `name version` or `name version (source)`.
        let names = package.dependencies.iter().filter_map(|entry| entry.split(' ').next());
        graph.entry(package.name).or_default().extend(names.map(str::to_owned));
    }
    Ok(graph)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn declared(from: &str, to: &str, dev: bool) -> Declared {
        Declared { from: from.into(), to: to.into(), dev }
    }

    fn members(edges: &[Declared]) -> BTreeSet<String> {
        let local = |name: &&String| name.starts_with("marquee");
        edges.iter().flat_map(|edge| [&edge.from, &edge.to]).filter(local).cloned().collect()
    }

    fn check_edge(from: &str, to: &str, dev: bool, ok: bool) {
        let edges = [declared(from, to, dev)];
        let findings = judge_members(&members(&edges), &edges);
        assert_eq!(findings.is_empty(), ok, "{from} -> {to}: {findings:?}");
    }

    #[test]
    fn only_the_designed_directions_are_allowed() {
        check_edge("marquee", "marquee-app", false, true);
        check_edge("marquee-app", "marquee-invest", false, true);
        check_edge("marquee-invest", "marquee-learn", false, true);
        check_edge("marquee-invest", "marquee-forecast", false, false);
        check_edge("marquee-invest", "marquee-forecast", true, false);
        check_edge("marquee-domain", "marquee-learn", false, false);
        check_edge("marquee", "marquee-catalogue", false, false);
    }

    #[test]
    fn the_test_kit_is_for_tests() {
        check_edge("marquee-learn", "marquee-testkit", true, true);
        check_edge("marquee-app", "marquee-testkit", false, false);
    }

    #[test]
    fn an_unknown_crate_is_found() {
        check_edge("marquee-attic", "serde", false, false);
    }

    #[test]
    fn only_the_catalogue_names_datafusion() {
        assert!(judge_datafusion(&[declared("marquee-catalogue", "datafusion", false)]).is_empty());
        assert_eq!(judge_datafusion(&[declared("marquee-app", "datafusion-expr", false)]).len(), 1);
    }

    #[test]
    fn an_engine_is_found_behind_other_packages() {
        let lock = "
            [[package]]
            name = \"handy\"
            version = \"1.0.0\"
            dependencies = [\"waits 0.1.0\"]
            [[package]]
            name = \"waits\"
            version = \"0.1.0\"
            dependencies = [\"tokio\"]
        ";
        let graph = locked(lock).unwrap();
        let edges = [declared("marquee-invest", "handy", false)];
        let findings = judge_pure(&members(&edges), &edges, &graph);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].problem, "reaches `tokio` by handy → waits → tokio");
        let for_tests = [declared("marquee-invest", "handy", true)];
        assert!(judge_pure(&members(&for_tests), &for_tests, &graph).is_empty());
    }
}
