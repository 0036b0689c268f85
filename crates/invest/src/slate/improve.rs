//! Good slates for the search: the relaxation rounded, and neighbours of the best slate, each judged by its exact worth.
//!
//! Nothing here proves anything; what it finds lets the search give up more.

use super::problem::{Exchange, Point, Problem};
use super::search::Search;

impl Search<'_> {
    /// Rounds the relaxation to a slate that the rules allow, and offers it.
    pub(super) fn offer_rounding(&mut self, fixed: &[Option<bool>], presence: &[f64], shares: &[f64]) {
        let problem = self.problem;
        let mut order: Vec<usize> = (0..shares.len()).filter(|j| presence[*j] > 0.0).collect();
        order.sort_by(|a, b| presence[*b].total_cmp(&presence[*a]).then(a.cmp(b)));
        let held =
            |j: usize| if fixed[j] == Some(true) { shares[j].max(problem.least_share[j]) } else { 0.0 };
        let mut rounded: Vec<f64> = (0..shares.len()).map(held).collect();
        let mut risks = self.relaxation.risks(&rounded);
        let mut activities = problem.activities(&rounded);
        // A project may wait for another that it needs: a second pass takes it.
        for _ in 0..2 {
            for j in order.iter().copied() {
                if rounded[j] > 0.0 || fixed[j].is_some() {
                    continue;
                }
                let share = shares[j].max(problem.least_share[j]);
                let riskier = |(risk, cut): (&f64, &Vec<f64>)| risk + cut[j] * share;
                let with: Vec<f64> = risks.iter().zip(self.relaxation.recent()).map(riskier).collect();
                let capped = with.iter().all(|r| *r <= problem.goal.cap);
                if capped && problem.has_room(&activities, j, share) {
                    rounded[j] = share;
                    risks = with;
                    activities
                        .iter_mut()
                        .zip(&problem.rules)
                        .for_each(|(a, rule)| *a += rule.charge(j, share));
                }
            }
        }
        self.offer(&rounded);
    }

    /// Offers shares that the relaxation found, brought within the rules where its precision left them outside.
    pub(super) fn offer_settled(&mut self, shares: &[f64]) {
        let mut settled = shares.to_vec();
        if !self.problem.whole() {
            self.problem.settle(&mut settled);
        }
        self.offer(&settled);
    }

    /// Takes a slate as the best where it is, and looks at its neighbours.
    pub(super) fn offer(&mut self, shares: &[f64]) {
        let problem = self.problem;
        if !problem.allows(shares) || self.hope(shares) <= self.value() {
            return;
        }
        let point = problem.evaluate(shares);
        if point.objective > self.value() {
            self.best = Some(point);
            if problem.whole() {
                self.exchange();
            }
        } else if point.objective == f64::NEG_INFINITY && problem.goal.weighs_risk() {
            // It looked as if it kept the cap: it will not look so again.
            self.relaxation.add_cut(problem.numbers.tail_of(shares).1);
        }
    }

    /// What the cuts allow a slate at most.
    fn hope(&self, shares: &[f64]) -> f64 {
        let problem = self.problem;
        let risk = self.relaxation.risks(shares).into_iter().fold(f64::NEG_INFINITY, f64::max);
        let breach = problem.breach(&problem.activities(shares)).unwrap_or(f64::INFINITY);
        problem.promise(problem.numbers.mean_of(shares), risk, breach)
    }

    /// Moves to better neighbours (one project in, out, or exchanged) until there is none.
    fn exchange(&mut self) {
        let problem = self.problem;
        while let Some(best) = self.best.clone().filter(|_| self.control.check().is_ok()) {
            if problem.goal.weighs_risk() {
                self.relaxation.add_cut(problem.numbers.tail_of(&best.shares).1);
            }
            let risks = self.relaxation.risks(&best.shares);
            let worth_it = best.objective + self.slack().min(1e-6 * best.objective.abs());
            let mut moves: Vec<(f64, Exchange)> = problem
                .exchanges(&best.shares)
                .map(|(e, breach)| (self.hope_of(&best, &risks, e, breach), e))
                .filter(|(hope, _)| *hope > worth_it)
                .collect();
            moves.sort_by(|a, b| b.0.total_cmp(&a.0));
            let total = problem.numbers.profits(&best.shares);
            let better = moves
                .into_iter()
                .map(|(_, e)| problem.exchanged(&best, &total, e))
                .filter(|p| p.objective > best.objective)
                // Anew from the columns, so that no rounding of an exchange is kept.
                .map(|p| problem.evaluate(&p.shares))
                .find(|p| p.objective > best.objective);
            match better {
                Some(point) => self.best = Some(point),
                None => return,
            }
        }
    }

    fn hope_of(&self, from: &Point, risks: &[f64], exchange: Exchange, breach: f64) -> f64 {
        let change =
            |of: &[f64]| exchange.enters.map_or(0.0, |j| of[j]) - exchange.leaves.map_or(0.0, |j| of[j]);
        let mean = from.mean + change(&self.problem.numbers.mean);
        let cuts = risks.iter().zip(self.relaxation.recent());
        let risk = cuts.map(|(r, cut)| r + change(cut)).fold(f64::NEG_INFINITY, f64::max);
        self.problem.promise(mean, risk, breach)
    }
}

impl Problem<'_> {
    /// Whether a project fits in beside the others without breaking a hard rule further.
    fn has_room(&self, activities: &[f64], j: usize, share: f64) -> bool {
        self.rules.iter().zip(activities).filter(|(rule, _)| rule.gives == 0.0).all(|(rule, activity)| {
            let charge = rule.charge(j, share);
            charge <= 0.0 || activity + charge <= rule.limit + self.tolerance(rule)
        })
    }

    /// Lowers shares by the little that they pass the hard rules by.
    fn settle(&self, shares: &mut [f64]) {
        for rule in self.rules.iter().filter(|r| r.gives == 0.0) {
            let mut over = rule.activity(shares) - rule.limit;
            for (j, share) in shares.iter_mut().enumerate() {
                let room = *share - self.least_share[j];
                if over > 0.0 && room > 0.0 && rule.on_share[j] > 0.0 {
                    let by = (over / rule.on_share[j] * (1.0 + 1e-12)).min(room);
                    *share = (*share - by).max(self.least_share[j]);
                    over -= by * rule.on_share[j];
                }
            }
        }
    }

    /// A slate that keeps the fixed projects and the least number: the cheapest others fill it up.
    pub(super) fn cheapest(&self) -> Vec<f64> {
        let least = self.least_share.as_slice();
        let mut shares: Vec<f64> =
            self.fixed.iter().zip(least).map(|(f, m)| if *f == Some(true) { *m } else { 0.0 }).collect();
        let mut free: Vec<usize> = (0..self.len()).filter(|j| self.fixed[*j].is_none()).collect();
        free.sort_by(|a, b| self.numbers.cost[*a].total_cmp(&self.numbers.cost[*b]));
        for j in free {
            // Only the least number of projects is below its limit by too few.
            let short = self.rules.iter().any(|r| r.limit < 0.0 && r.activity(&shares) > r.limit);
            if !short {
                break;
            }
            if self.has_room(&self.activities(&shares), j, least[j]) {
                shares[j] = least[j];
            }
        }
        shares
    }
}
