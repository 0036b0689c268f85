//! Stage gates as people write them: TOML with `[[stage]]` and `[sequel]`, costs as money or as parts of a project's budget.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use marquee_app::types::{Deal, Expand, Sequel, Stage, Wait};
use marquee_domain::{Currency, Money, Project};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    stage: Vec<WrittenStage>,
    sequel: Option<WrittenSequel>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStage {
    name: String,
    cost: Cost,
    years: f64,
    reveals: f64,
    abandon: Option<Cost>,
    wait: Option<WrittenWait>,
    expand: Option<WrittenExpand>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWait {
    years: f64,
    cost: Cost,
    reveals: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenExpand {
    cost: Cost,
    factor: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSequel {
    cost: Cost,
    years: f64,
    factor: f64,
    log_sd: f64,
    foreseen: f64,
}

/// Money, or a part of what the project costs.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Cost {
    Money(String),
    Part(Part),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    #[serde(default)]
    budget: f64,
    #[serde(default)]
    marketing: f64,
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
    let usd = |cost: &Cost| cost.usd(budget, marketing);
    let stage = |s: &WrittenStage| -> Result<Stage> {
        let wait = s.wait.as_ref().map(|w| -> Result<Wait> {
            Ok(Wait { years: w.years, cost: usd(&w.cost)?, reveals: w.reveals })
        });
        let expand = s
            .expand
            .as_ref()
            .map(|e| -> Result<Expand> { Ok(Expand { cost: usd(&e.cost)?, factor: e.factor }) });
        Ok(Stage {
            name: s.name.clone(),
            cost: usd(&s.cost)?,
            years: s.years,
            reveals: s.reveals,
            abandon: s.abandon.as_ref().map(usd).transpose()?,
            wait: wait.transpose()?,
            expand: expand.transpose()?,
        })
    };
    let stages = written.stage.iter().map(|s| stage(s).with_context(|| format!("stage `{}`", s.name)));
    let sequel = written.sequel.as_ref().map(|s| -> Result<Sequel> {
        let cost = usd(&s.cost).context("the sequel")?;
        Ok(Sequel { cost, years: s.years, factor: s.factor, log_sd: s.log_sd, foreseen: s.foreseen })
    });
    Ok((stages.collect::<Result<_>>()?, sequel.transpose()?))
}

impl Cost {
    fn usd(&self, budget: f64, marketing: f64) -> Result<f64> {
        match self {
            Self::Money(text) => {
                let money: Money = text.parse()?;
                if money.currency() != Currency::USD {
                    bail!("{money} is not in US dollars: write what it is in dollars");
                }
                Ok(money.major())
            }
            Self::Part(Part { budget: 0.0, marketing: 0.0 }) => {
                bail!("give money such as \"2M\" or a part of the budget or marketing")
            }
            Self::Part(part) => Ok(part.budget * budget + part.marketing * marketing),
        }
    }
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
