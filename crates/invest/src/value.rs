//! What a project is worth to each participant: the distribution of its cash over all scenarios, and what each risk costs.
//!
//! Every scenario is paid through the waterfall to the cent; of each participant's cash stay profit, net present value,
//! internal rate of return, multiple, payback and peak funding, and the sum of its cash by quarter (the J-curve).
//! Gross-implied, as every profit.

use marquee_domain::{Control, Money, Probability, Return};
use rayon::prelude::*;
use serde::Serialize;

use crate::deal::{Kind, Risk, RiskKind};
use crate::risk::{Tail, loss_share, mean, quantiles};
use crate::simulate::{Draw, ProjectPlan, all_usd, usd};
use crate::waterfall::{Discount, Flows, Measures, Quarter, Scenario, Waterfall};
use crate::{Candidate, Deal, InvestError, Simulation, Stress};

/// What a project brings to everybody who takes part. Gross-implied; US dollars, nominal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Valuation {
    /// The project.
    pub project: String,
    /// What it costs by plan: budget, marketing and expenses of sale.
    pub cost: Money,
    /// All who finance it or share in it, taken together; agents and cinemas are outside.
    pub together: Worth,
    /// Each participant, in the order of the deal.
    pub participants: Vec<Worth>,
    /// What leaves the film before anybody recoups: each territory's cinemas, then the distributor. Means.
    pub outside: Vec<(String, Money)>,
    /// Every risk of the deal that concerns the project, in its order.
    pub risks: Vec<RiskEffect>,
    /// The quarter of release, as planned.
    pub release: Quarter,
}

/// One participant's money over all scenarios. Quantiles at the levels 5, 10, 25, 50, 75, 90 and 95%.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worth {
    /// The participant.
    pub name: String,
    /// How it takes part; none for all together.
    pub kind: Option<Kind>,
    /// Mean of what it puts in.
    pub puts_in: Money,
    /// Mean profit: what it is paid less what it puts in.
    pub mean_profit: Money,
    /// Profit.
    pub profit: [Money; 7],
    /// Mean net present value on the first quarter's start, at the deal's rate.
    pub mean_npv: Money,
    /// Net present value.
    pub npv: [Money; 7],
    /// Internal rate of return a year over the scenarios in which it puts something in, held inside [−1, 100]; none for who
    /// never does.
    pub irr: Option<[Return; 7]>,
    /// Paid divided by put in; none for who puts nothing in.
    pub multiple: Option<[f64; 7]>,
    /// Probability that it loses money.
    pub loss_probability: Probability,
    /// Mean loss in the worst scenarios: positive is a loss.
    pub cvar: Money,
    /// Probability that it gets its money back; none for who puts nothing in.
    pub paid_back: Option<Probability>,
    /// The quarter by which half of those scenarios have paid it back.
    pub payback: Option<Quarter>,
    /// The deepest that its cash falls.
    pub peak_funding: [Money; 7],
    /// The sum of its cash so far, by quarter.
    pub curve: Vec<CurvePoint>,
}

/// The sum of a participant's cash at the end of a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// The quarter.
    pub quarter: Quarter,
    /// In one of twenty scenarios it is lower.
    pub low: Money,
    /// The middle.
    pub median: Money,
    /// In one of twenty it is higher.
    pub high: Money,
}

/// What a risk does to the profit of all together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RiskEffect {
    /// The risk.
    pub name: String,
    /// Its kind.
    pub kind: RiskKind,
    /// Its probability by the deal; none for one that is for stress tests alone.
    pub probability: Option<Probability>,
    /// Mean change of profit where it happens, against the same scenarios without it.
    pub effect: Money,
    /// The change times its probability; none without one.
    pub expected: Option<Money>,
    /// The evidence: the source of the probability, or of its effect where it has none.
    pub source: String,
}

impl Simulation {
    /// Values each candidate for everybody who takes part, under a stress test where one is given.
    ///
    /// # Errors
    /// As [`Simulation::run`].
    pub fn value(
        &self,
        stress: Option<&Stress>,
        candidates: &[Candidate],
        deal: &Deal,
        control: &Control,
    ) -> Result<Vec<Valuation>, InvestError> {
        let draw = Draw::new(self, stress, candidates, deal)?;
        candidates
            .par_iter()
            .map(|candidate| {
                control.check()?;
                self.value_one(&draw, candidate)
            })
            .collect()
    }

    fn value_one(&self, draw: &Draw<'_>, candidate: &Candidate) -> Result<Valuation, InvestError> {
        let plan = draw.plan(candidate)?;
        let waterfall = Waterfall::new(draw.deal, &candidate.project().name, plan.costs)?;
        let grosses = draw.grosses(candidate);
        let outcomes = draw.outcomes_of(&grosses, candidate, None);
        let paid = Paid::all(draw.deal, &waterfall, &outcomes);
        let tail = Tail::of(outcomes.len(), self.tail.get());
        let rows = draw.deal.participants().len();
        let worth = |row: usize| {
            let participant = draw.deal.participants().get(row);
            let name = participant.map_or("all together", |p| p.name.as_str());
            paid.worth(row, name, participant.map(|p| p.kind), &waterfall, tail)
        };
        let participants = (0..rows).map(worth).collect::<Result<Vec<_>, _>>()?;
        let risks = draw.risks(candidate).into_iter();
        let risks = risks.map(|risk| effect(draw, candidate, &plan, &grosses, risk));
        Ok(Valuation {
            project: candidate.project().name.clone(),
            cost: plan.cost,
            together: worth(rows)?,
            participants,
            outside: paid.outside(draw.deal)?,
            risks: risks.collect::<Result<_, _>>()?,
            release: waterfall.quarter(waterfall.release()),
        })
    }
}

/// What every scenario paid: rows are participants, and all together last.
struct Paid {
    rows: usize,
    quarters: usize,
    /// Scenarios by rows.
    measures: Vec<Measures>,
    /// The sum of cash so far, scenarios by rows by quarters. USD.
    curves: Vec<f32>,
    /// Scenarios by territories and the distributor. USD.
    outside: Vec<f64>,
}

/// Scenarios that one thread pays in a row.
const CHUNK: usize = 512;

impl Paid {
    fn all(deal: &Deal, waterfall: &Waterfall<'_>, outcomes: &[Scenario]) -> Self {
        let rows = deal.participants().len() + 1;
        let late = outcomes.iter().map(|o| o.delay).max().unwrap_or(0);
        let quarters = waterfall.quarters() + late;
        let out = deal.text().territory.len() + 1;
        let n = outcomes.len();
        let mut paid = Self {
            rows,
            quarters,
            measures: vec![Measures::default(); n * rows],
            curves: vec![0.0; n * rows * quarters],
            outside: vec![0.0; n * out],
        };
        let discount = Discount::new(deal.text().discounting.rate.value, quarters);
        outcomes
            .par_chunks(CHUNK)
            .zip(paid.measures.par_chunks_mut(CHUNK * rows))
            .zip(paid.curves.par_chunks_mut(CHUNK * rows * quarters))
            .zip(paid.outside.par_chunks_mut(CHUNK * out))
            .for_each(|(((outcomes, measures), curves), outside)| {
                let mut pay = Payer::new(waterfall, &discount);
                let cells = measures.chunks_mut(rows).zip(curves.chunks_mut(rows * quarters));
                for ((outcome, (measures, curves)), outside) in
                    outcomes.iter().zip(cells).zip(outside.chunks_mut(out))
                {
                    pay.one(outcome, measures, curves, outside);
                }
            });
        paid
    }

    fn worth(
        &self,
        row: usize,
        name: &str,
        kind: Option<Kind>,
        waterfall: &Waterfall<'_>,
        tail: Tail,
    ) -> Result<Worth, InvestError> {
        let all = || self.measures.iter().skip(row).step_by(self.rows);
        let sorted = |of: &dyn Fn(&Measures) -> Option<f64>| {
            let mut values: Vec<f64> = all().filter_map(of).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let mut profit = sorted(&|m| Some(m.paid - m.put_in));
        let npv = sorted(&|m| Some(m.npv));
        let invests = all().any(|m| m.put_in > 0.0);
        let paid_back = sorted(&|m| m.payback.map(|q| q as f64));
        let irr = sorted(&|m| m.irr);
        let share = paid_back.len() as f64 / all().count().max(1) as f64;
        let median =
            paid_back.get(paid_back.len().saturating_sub(1) / 2).map(|q| waterfall.quarter(*q as usize));
        Ok(Worth {
            name: name.to_owned(),
            kind,
            puts_in: usd(mean(&all().map(|m| m.put_in).collect::<Vec<_>>()))?,
            mean_profit: usd(mean(&profit))?,
            profit: all_usd(quantiles(&profit))?,
            mean_npv: usd(mean(&npv))?,
            npv: all_usd(quantiles(&npv))?,
            irr: (invests && !irr.is_empty()).then(|| quantiles(&irr).map(Return)),
            multiple: invests.then(|| quantiles(&sorted(&|m| m.multiple()))),
            loss_probability: loss_share(&profit).try_into()?,
            cvar: usd(tail.cvar(&mut profit))?,
            paid_back: if invests { Some(share.try_into()?) } else { None },
            payback: median.filter(|_| invests),
            peak_funding: all_usd(quantiles(&sorted(&|m| Some(m.peak_funding))))?,
            curve: self.curve(row, waterfall)?,
        })
    }

    fn curve(&self, row: usize, waterfall: &Waterfall<'_>) -> Result<Vec<CurvePoint>, InvestError> {
        let mut values = vec![0.0f32; self.measures.len() / self.rows];
        let mut points = Vec::with_capacity(self.quarters);
        for q in 0..self.quarters {
            let column = self.curves.iter().skip(row * self.quarters + q).step_by(self.rows * self.quarters);
            values.iter_mut().zip(column).for_each(|(v, c)| *v = *c);
            let last = values.len().saturating_sub(1);
            let mut at = |level: f64| {
                let k = (level * last as f64).round() as usize;
                usd(f64::from(*values.select_nth_unstable_by(k, f32::total_cmp).1))
            };
            let (low, median, high) = (at(0.05)?, at(0.5)?, at(0.95)?);
            points.push(CurvePoint { quarter: waterfall.quarter(q), low, median, high });
        }
        Ok(points)
    }

    fn outside(&self, deal: &Deal) -> Result<Vec<(String, Money)>, InvestError> {
        let names = deal.text().territory.iter().map(|t| format!("cinemas, {}", t.name));
        let names: Vec<String> = names.chain([String::from("distributor")]).collect();
        let count = names.len();
        let mean_of = |k: usize| {
            let column: Vec<f64> = self.outside.iter().skip(k).step_by(count).copied().collect();
            usd(mean(&column))
        };
        names.into_iter().enumerate().map(|(k, name)| Ok((name, mean_of(k)?))).collect()
    }
}

/// One thread's buffers.
struct Payer<'a> {
    waterfall: &'a Waterfall<'a>,
    discount: &'a Discount,
    flows: Flows,
    net: Vec<f64>,
    together: [Vec<i64>; 2],
}

impl<'a> Payer<'a> {
    fn new(waterfall: &'a Waterfall<'a>, discount: &'a Discount) -> Self {
        Self { waterfall, discount, flows: Flows::default(), net: vec![], together: [vec![], vec![]] }
    }

    /// Pays one outcome: a measure and a curve for each row, and what leaves the film.
    fn one(
        &mut self,
        outcome: &Scenario,
        measures: &mut [Measures],
        curves: &mut [f32],
        outside: &mut [f64],
    ) {
        self.waterfall.pay(outcome, &mut self.flows);
        let quarters = self.flows.quarters;
        let (width, last) = (curves.len() / measures.len(), measures.len() - 1);
        for (i, measure) in measures[..last].iter_mut().enumerate() {
            let row = i * quarters..(i + 1) * quarters;
            let (paid, drawn) = (&self.flows.paid[row.clone()], &self.flows.drawn[row]);
            *measure = Measures::of(paid, drawn, self.discount, &mut self.net);
            sums(&self.net, &mut curves[i * width..(i + 1) * width]);
        }
        self.waterfall.together(&self.flows, &mut self.together);
        let [together_paid, together_drawn] = &self.together;
        measures[last] = Measures::of(together_paid, together_drawn, self.discount, &mut self.net);
        sums(&self.net, &mut curves[last * width..]);
        let cents = self.flows.exhibitors.iter().chain([&self.flows.distributor]);
        outside.iter_mut().zip(cents).for_each(|(o, c)| *o = *c as f64 / 100.0);
    }
}

/// Running sums; what follows the last quarter stays where it ended.
fn sums(net: &[f64], curve: &mut [f32]) {
    let mut sum = 0.0;
    for (q, point) in curve.iter_mut().enumerate() {
        sum += net.get(q).copied().unwrap_or(0.0);
        *point = sum as f32;
    }
}

/// What a risk does where it happens: the profit of all together with it and without it, everything else the same.
fn effect(
    draw: &Draw<'_>,
    candidate: &Candidate,
    plan: &ProjectPlan,
    grosses: &[(f64, f64)],
    risk: &Risk,
) -> Result<RiskEffect, InvestError> {
    let without = draw.outcomes_of(grosses, candidate, Some(&risk.name));
    let changes: Vec<f64> =
        without.iter().map(|o| draw.profit(plan, &o.struck_by(risk)) - draw.profit(plan, o)).collect();
    let change = mean(&changes);
    let evidence = risk.probability.as_ref().or_else(|| risk.effects().into_iter().flatten().next());
    let probability = risk.probability.as_ref().map(|p| p.value);
    Ok(RiskEffect {
        name: risk.name.clone(),
        kind: risk.kind,
        probability: probability.map(TryInto::try_into).transpose()?,
        effect: usd(change)?,
        expected: probability.map(|p| usd(p * change)).transpose()?,
        source: evidence.map_or_else(String::new, |f| f.source.clone()),
    })
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
