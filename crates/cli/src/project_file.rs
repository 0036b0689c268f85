//! Projects as people write them in TOML: one project a file or several as `[[project]]`. What a project has and what of it
//! can be is said where JSON says it too, in `marquee_server::wire::project`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use marquee_domain::Project;
use marquee_server::wire::{WireError, project};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    project: Vec<project::Project>,
}

/// Reads one project.
pub(crate) fn read_one(path: &Path) -> Result<Project> {
    let mut projects = read_all(path)?;
    match projects.len() {
        1 => Ok(projects.remove(0)),
        n => bail!("{} holds {n} projects: give a file with one, or use `marquee slate`", path.display()),
    }
}

/// Reads all projects of a file, in order.
pub(crate) fn read_all(path: &Path) -> Result<Vec<Project>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the project file {}", path.display()))?;
    parse(&text).with_context(|| format!("the project file {} is not understood", path.display()))
}

fn parse(text: &str) -> Result<Vec<Project>> {
    let table: toml::Table = toml::from_str(text)?;
    let written = if table.contains_key("project") {
        toml::from_str::<Many>(text)?.project
    } else {
        vec![toml::from_str::<project::Project>(text)?]
    };
    match project::read_all(written) {
        Err(WireError::NoProject) => {
            bail!("it holds no project: write one as [[project]] with name, budget and release_date")
        }
        read => Ok(read?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_read_as_people_write_it() {
        let text = "name = \"1408\"\nbudget = \"25M\"\nmarketing = 20_000_000\nrelease_date = 2007-06-22\ngenres = [\"Horror\"]\n";
        let projects = parse(text).expect("read");
        assert_eq!(projects[0].budget.to_string(), "$25.0M");
        assert_eq!(projects[0].release.to_string(), "2007-06-22");
    }

    #[test]
    fn a_project_is_the_same_in_toml_and_in_json() {
        let written: project::Project = serde_json::from_value(serde_json::json!({
            "name": "The Lighthouse Keeper", "budget": 25_000_000, "release_date": "2011-06-17",
            "greenlit": "2010-03-01", "genres": ["Drama"], "basis": "Based on Book/Short Story",
            "creative_type": "Contemporary Fiction", "distributor": "Universal", "age_rating": "PG-13",
            "runtime": 112
        }))
        .expect("a project");
        let file = parse(include_str!("../../../examples/project.toml")).expect("read");
        assert_eq!(file, [written.read().expect("a project")]);
        // What TOML is read from and JSON is written to is one type.
        let again = serde_json::to_value(project::Project::from(&file[0])).expect("written");
        let again: project::Project = serde_json::from_value(again).expect("a project");
        assert_eq!(again.read().as_ref(), Ok(&file[0]));
    }

    #[test]
    fn faults_are_named_with_the_project_and_the_field() {
        for (text, word) in [
            ("name = \"A\"\nbudget = \"-3M\"\nrelease_date = 2007-06-22", "budget"),
            ("name = \"A\"\nbudget = \"3M\"\nrelease_date = \"soon\"", "release_date"),
            ("name = \"A\"\nbudget = \"3M\"\nrelease_date = 2007", "YYYY-MM-DD"),
            ("name = \"A\"\nbudget = \"3M\"\nrelease_date = 2007-06-22T10:00:00", "release_date"),
            ("name = \"A\"\nbudget = \"3M\"\nrelease_date = 2007-06-22\ncolour = 1", "colour"),
            ("name = \"A\"\nbudget = \"EUR 25M\"\nrelease_date = 2007-06-22", "US dollars"),
            ("name = \"A\"\nbudget = \"1e400\"\nrelease_date = 2007-06-22", "budget"),
            (
                "[[project]]\nname = \"A\"\nbudget = 1\nrelease_date = 2007-06-22\n[[project]]\nname = \"A\"\nbudget = 1\nrelease_date = 2007-06-22",
                "two projects",
            ),
            ("project = []", "[[project]]"),
        ] {
            let said = format!("{:#}", parse(text).expect_err("refused"));
            assert!(said.contains(word), "{said}");
        }
    }
}
