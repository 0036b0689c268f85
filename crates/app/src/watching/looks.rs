//! A rule's look: the use case that it stands on is asked with the permit of its owner, and what it answers is judged.

use chrono::{DateTime, Datelike as _, Utc};
use marquee_domain::{Control, Day, Held};
use marquee_invest::ProjectReturn;
use marquee_platform::{AlertRule, Look, Permit};

use super::Terms;
use super::findings::{self, coverage, drifted, ingested, losses, low, planned, refused, stale};
use super::rules::{DriftWatch, LossProbability, Watch};
use crate::choosing::Plans;
use crate::cpu;
use crate::error::AppError;
use crate::knowledge::Reach;
use crate::learners::Which;
use crate::office::Office;
use crate::use_cases::documents;
use crate::use_cases::drift::{DriftQuestion, drift};
use crate::use_cases::track::track;
use crate::workspace::Workspace;

/// Documents that are listed at a time.
const PAGE: usize = 100;

/// What a look rests on.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) office: &'a Office,
    pub(super) terms: &'a Terms,
    pub(super) now: DateTime<Utc>,
    pub(super) control: &'a Control,
    pub(super) permit: &'a Permit,
}

/// Looks for what a rule is about.
///
/// # Errors
/// Where nothing could be looked at.
pub(super) async fn look(at: &At<'_>, rule: &AlertRule) -> Result<Look, AppError> {
    let found = match Watch::read(&rule.plan.kind, &rule.plan.settings)? {
        Watch::LossProbability(rule) => return at.losses(&rule).await,
        Watch::OpeningBelow(rule) => {
            low(&rule, &track(at.workspace, usize::MAX, None, at.permit).await?, at.today())
        }
        Watch::Coverage(rule) => coverage(&rule, &track(at.workspace, usize::MAX, None, at.permit).await?),
        Watch::DataQuality(rule) => refused(&rule, &ingested(&at.workspace.snapshot(at.permit).await?)),
        Watch::Stale(rule) => stale(&rule, &ingested(&at.workspace.snapshot(at.permit).await?), at.now),
        Watch::Drift(rule) => return at.drift(rule).await,
    };
    Ok(Look { findings: found, ..Look::default() })
}

impl At<'_> {
    fn today(&self) -> Day {
        Day::from_epoch_days((self.now.timestamp() / 86_400) as i32).unwrap_or(Day::MAX)
    }

    /// Every document that the rule is about; one that cannot be judged is told of and keeps its alerts.
    async fn losses(&self, rule: &LossProbability) -> Result<Look, AppError> {
        let (mut look, mut faults) = (Look::default(), Vec::new());
        for id in self.documents(rule).await? {
            match self.losses_of(rule, &id).await {
                Ok(found) => look.findings.extend(found),
                Err(error) if error.is_stop() => return Err(error),
                Err(error) => {
                    look.unsure.push(findings::of_document(&id));
                    faults.push(error.to_string());
                }
            }
        }
        look.fault = (!faults.is_empty()).then(|| faults.join("; "));
        Ok(look)
    }

    async fn documents(&self, rule: &LossProbability) -> Result<Vec<String>, AppError> {
        if let Some(id) = &rule.document {
            return Ok(vec![id.clone()]);
        }
        let mut all = Vec::new();
        for kind in ["project", "slate"] {
            let mut after = None;
            loop {
                let page = documents::list(self.office, kind, (after.as_deref(), PAGE), self.permit).await?;
                all.extend(page.documents.into_iter().map(|header| header.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(all)
    }

    async fn losses_of(
        &self,
        rule: &LossProbability,
        id: &str,
    ) -> Result<Vec<marquee_platform::Finding>, AppError> {
        let document = documents::get(self.office, id, None, self.permit).await?;
        let projects = (self.terms.read)(&document.body).map_err(|reason| {
            AppError::Computation(format!("`{}` cannot be judged: {reason}", document.header.name))
        })?;
        let projects = planned(projects, self.today());
        if projects.is_empty() {
            return Ok(Vec::new());
        }
        let plans = Plans {
            projects,
            deal: self.terms.deal.clone(),
            as_of: None,
            today: self.today(),
            scenarios: rule.scenarios as usize,
            seed: self.terms.seed,
        };
        Ok(losses(rule, &document.header, &self.returns(plans).await?))
    }

    /// What each project brings by itself, as a slate would be chosen from.
    async fn returns(&self, plans: Plans) -> Result<Vec<ProjectReturn>, AppError> {
        let forecaster = self.workspace.forecaster(Reach::Plans, self.permit).await?;
        let control = self.control.clone();
        cpu::run(move || {
            let (_, candidates) = plans.forecast(&forecaster, &control)?;
            Ok(plans.simulation().run(&candidates, &plans.deal, &control)?.returns().to_vec())
        })
        .await
    }

    async fn drift(&self, rule: DriftWatch) -> Result<Look, AppError> {
        let DriftWatch { horizon, target, population, back, .. } = rule;
        let year = rule.year.unwrap_or_else(|| self.now.year() - 1);
        let which = Which { horizon, target, population };
        let question = DriftQuestion { which, year, back, seed: self.terms.seed };
        let found = drift(self.workspace, question, self.control, self.permit).await?;
        let held: Held = self.workspace.held(self.permit).await?;
        Ok(Look { findings: drifted(year, &found, &held), ..Look::default() })
    }
}
