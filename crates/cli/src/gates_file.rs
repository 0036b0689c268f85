//! Stage gates as people write them in TOML, with `[[stage]]` and `[sequel]`. What a stage has is said where JSON says it too,
//! in `marquee_server::wire::money`.

use std::path::Path;

use anyhow::{Context as _, Result};
use marquee_app::types::{Deal, Sequel, Stage};
use marquee_domain::Project;
use marquee_server::wire::money;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    stage: Vec<money::Stage>,
    sequel: Option<money::StageSequel>,
}

/// Reads the stages of a project, with its marketing by its own plan or the deal's rule.
pub(crate) fn read(path: &Path, project: &Project, deal: &Deal) -> Result<(Vec<Stage>, Option<Sequel>)> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the file of stages {}", path.display()))?;
    let marketing = deal.marketing_for(project)?.spend.0.major();
    parse(&text, project.budget.0.major(), marketing)
        .with_context(|| format!("the file of stages {} is not understood", path.display()))
}

fn parse(text: &str, budget: f64, marketing: f64) -> Result<(Vec<Stage>, Option<Sequel>)> {
    let written: Written = toml::from_str(text)?;
    let stages = written.stage.iter().map(|stage| stage.read(budget, marketing));
    let sequel = written.sequel.as_ref().map(|sequel| sequel.read(budget, marketing));
    Ok((stages.collect::<Result<_, _>>()?, sequel.transpose()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_read_with_parts_of_the_budget() {
        let text = include_str!("../../../examples/gates.toml");
        let (stages, sequel) = parse(text, 20e6, 10e6).expect("read");
        assert_eq!(stages.iter().map(|s| s.cost).collect::<Vec<_>>(), [0.6e6, 19.4e6, 10e6]);
        assert_eq!(stages[2].abandon, Some(1e6));
        assert!((sequel.expect("there").cost - 36e6).abs() < 1.0);
    }

    #[test]
    fn faults_name_the_stage() {
        for (text, word) in [
            ("[[stage]]\nname = \"a\"\ncost = \"EUR 3M\"\nyears = 1\nreveals = 1.0", "stage `a`"),
            ("[[stage]]\nname = \"a\"\ncost = \"3M\"\nyears = 1\nreveals = 1.0\ncolour = 2", "colour"),
            ("stages = 3", "stages"),
        ] {
            let said = format!("{:#}", parse(text, 1.0, 1.0).expect_err("refused"));
            assert!(said.contains(word), "{said}");
        }
    }
}
