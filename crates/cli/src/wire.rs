//! The JSON that scripts see. Written out by hand here, so that renaming a field elsewhere changes nothing by accident.

use marquee_app::types::IngestReport;
use marquee_app::types::TierCoverage;
use marquee_app::types::{Backtest, Row};
use marquee_app::types::{Difference, Score, Versus};
use marquee_app::types::{Outcome, ProjectReturn, SlateAnswer};
use marquee_app::use_cases::backtest::Profits;
use marquee_domain::{Forecast, LEVELS};
use serde_json::{Map, Value, json};

/// A forecast. Amounts are US dollars, nominal, unless a key says otherwise.
pub(crate) fn forecast(f: &Forecast) -> Value {
    json!({
        "name": f.name,
        "title_id": f.title.map(|t| t.to_string()),
        "target": f.target.as_str(),
        "horizon": f.horizon.as_str(),
        "population": f.population.as_str(),
        "as_of": f.as_of.to_string(),
        "release_date": f.release.to_string(),
        "currency": "USD",
        "prices": "nominal",
        "quantiles": quantiles(&f.distribution.quantiles()),
        "base_usd": f.base_usd,
        "drivers": f.drivers.iter().map(|d| json!({
            "group": d.group, "log_effect": d.log_effect, "effect_usd": d.effect_usd,
            "features": d.features.iter().map(|f| json!({
                "feature": f.feature, "log_effect": f.log_effect, "effect_usd": f.effect_usd,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "comps": f.comps.iter().map(|c| json!({
            "title_id": c.title.to_string(), "name": c.name, "release_date": c.release.to_string(),
            "distance": c.distance, "budget_usd": c.budget_usd, "gross_usd": c.gross_usd,
            "price_year": c.price_year,
            "flop": (!f.target.is_opening()).then_some(c.flop),
        })).collect::<Vec<_>>(),
        "model": {
            "sha256": f.provenance.model,
            "trained_before": f.provenance.trained_before.to_string(),
            "data": f.provenance.data,
            "version": f.provenance.version,
        },
    })
}

/// What is said beside every figure of money.
pub(crate) const GROSS_IMPLIED: &str = "gross-implied: reckoned from grosses through assumed deal terms";

/// Quantiles by level: `q05` … `q95`.
pub(crate) fn quantiles(values: &[f64]) -> Value {
    let named = LEVELS.iter().zip(values).map(|(level, v)| (format!("q{:02.0}", level * 100.0), json!(v)));
    Value::Object(named.collect::<Map<String, Value>>())
}

/// Profit and return of a project, gross-implied. US dollars, nominal.
pub(crate) fn returns(r: &ProjectReturn) -> Value {
    json!({
        "name": r.name,
        "note": "gross-implied: reckoned from a gross through assumed deal terms",
        "budget_usd": r.budget.0.major(),
        "marketing_usd": r.marketing.0.major(),
        "marketing_assumed": r.marketing_assumed,
        "cost_usd": r.cost.major(),
        "break_even_gross_usd": r.break_even.0.major(),
        "probability_above_break_even": r.above_break_even.get(),
        "mean_profit_usd": r.mean_profit.major(),
        "profit_usd": quantiles(&r.profit.map(marquee_domain::Money::major)),
        "mean_roi": r.mean_roi.0,
        "roi": quantiles(&r.roi.map(|x| x.0)),
        "loss_probability": r.loss_probability.get(),
        "cvar_usd": r.cvar.major(),
        "tail": r.tail.get(),
    })
}

/// What came of choosing a slate.
pub(crate) fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Chosen(answer) => slate("chosen", answer),
        Outcome::TimedOut(answer) => slate("timed_out", answer),
        Outcome::Undecided { least_found } => {
            json!({ "outcome": "undecided", "least_cvar_found_usd": least_found.map(marquee_domain::Money::major) })
        }
        Outcome::Infeasible(why) => json!({ "outcome": "infeasible", "why": why.to_string() }),
    }
}

pub(crate) fn slate(word: &str, answer: &SlateAnswer) -> Value {
    let s = &answer.slate;
    json!({
        "outcome": word,
        "note": GROSS_IMPLIED,
        "choices": s.choices.iter().map(|c| json!({
            "project": c.project, "share": c.share, "cost_usd": c.cost.major(),
        })).collect::<Vec<_>>(),
        "cost_usd": s.cost.major(),
        "mean_profit_usd": s.mean_profit.major(),
        "cvar_usd": s.cvar.major(),
        "tail": s.tail.get(),
        "loss_probability": s.loss_probability.get(),
        "profit_usd": quantiles(&answer.profit.map(marquee_domain::Money::major)),
        "objective_usd": answer.objective.major(),
        "bound_usd": answer.bound.major(),
        "gap": answer.gap,
        "exact": answer.exact,
        "why": answer.why.iter().map(|w| json!({
            "project": w.project, "chosen": w.chosen, "reason": w.reason.to_string(),
        })).collect::<Vec<_>>(),
    })
}

/// What an ingest did.
pub(crate) fn report(r: &IngestReport) -> Value {
    json!({
        "source": r.source,
        "file": r.file,
        "unchanged": r.unchanged,
        "rows": r.rows,
        "kept_rows": r.kept_rows,
        "refused_rows": r.refused_rows,
        "skipped_rows": r.skipped_rows,
        "unknown_zeros": r.unknown_zeros,
        "facts": r.facts.iter().map(|(k, n)| (k.to_string(), json!(n))).collect::<Map<String, Value>>(),
        "rules": r.rules.iter().map(|(rule, found)| (rule.clone(), json!({
            "action": found.action.as_str(), "count": found.count,
            "example": found.example.as_ref().map(|e| json!({
                "row": e.row, "column": e.column, "value": e.value, "message": e.message,
            })),
        }))).collect::<Map<String, Value>>(),
        "bytes": r.bytes,
        "seconds": r.seconds,
        "version": r.version,
    })
}

/// A backtest's table; `given` are the baselines that were given, in step with the rows.
pub(crate) fn backtest(found: &Backtest, given: &[Option<Versus>]) -> Value {
    let rows =
        found.rows.iter().enumerate().map(|(i, row)| table_row(row, given.get(i).and_then(Option::as_ref)));
    json!({
        "rows": rows.collect::<Vec<_>>(),
        "weeks": found.weeks.iter().map(|w| json!({
            "population": w.population.as_str(), "films": w.films, "trained_on": w.trained_on,
            "coverage_by_tier": { "80": tiers(&w.coverage[0]), "90": tiers(&w.coverage[1]) },
            "rows": w.rows.iter().map(|row| json!({
                "first_week": row.weeks.start(), "last_week": row.weeks.end(), "score": score(&row.score),
                "baseline": score(&row.baseline), "median_ape_against_it": {
                    "value": row.median_ape.value, "lower": row.median_ape.lower, "upper": row.median_ape.upper,
                },
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "skipped": found.skipped.iter().map(|s| json!({
            "horizon": s.horizon.as_str(), "target": s.target.as_str(), "population": s.population.as_str(), "reason": s.reason,
        })).collect::<Vec<_>>(),
        "sources": found.scopes.iter().map(|s| json!({
            "target": s.target.as_str(), "outcomes": s.outcomes, "features": s.features, "people": s.people,
        })).collect::<Vec<_>>(),
    })
}

/// How chances of a gross-implied profit came true.
pub(crate) fn profits(p: &Profits) -> Value {
    let r = &p.reliability;
    json!({
        "horizon": p.horizon.as_str(),
        "note": GROSS_IMPLIED,
        "n": r.n, "base_rate": r.base_rate, "brier": r.brier, "base_brier": r.base_brier,
        "miscalibration": r.miscalibration, "miscalibration_by_chance": r.by_chance,
    })
}

fn table_row(row: &Row, given: Option<&Versus>) -> Value {
    let [eighty, ninety] = &row.coverage;
    json!({
        "horizon": row.horizon.as_str(),
        "target": row.target.as_str(),
        "population": row.population.as_str(),
        "trained_on": row.trained_on,
        "score": score(&row.score),
        "coverage_by_tier": { "80": tiers(eighty), "90": tiers(ninety) },
        "baselines": row.baselines.iter().chain(given).map(versus).collect::<Vec<_>>(),
        "ablations": row.ablations.iter().map(versus).collect::<Vec<_>>(),
        "members": row.members.iter().map(|m| json!({ "member": m.label, "weight": m.weight, "out_of_fold_rmse": m.rmse })).collect::<Vec<_>>(),
    })
}

fn score(s: &Score) -> Value {
    json!({
        "n": s.n, "r2": s.r2, "rmse": s.rmse, "median_ape": s.median_ape, "within_15": s.within[0],
        "within_25": s.within[1], "within_50": s.within[2], "crps": s.crps, "cover80": s.cover80, "cover90": s.cover90,
    })
}

fn tiers(tiers: &[TierCoverage]) -> Vec<Value> {
    let one = |t: &TierCoverage| json!({ "tier": t.tier, "n": t.n, "covered": t.covered, "band": [t.band.0, t.band.1], "holds": t.holds });
    tiers.iter().map(one).collect()
}

fn versus(v: &Versus) -> Value {
    let difference = |d: Difference| json!({ "value": d.value, "lower": d.lower, "upper": d.upper });
    json!({
        "name": v.name,
        "score": score(&v.score),
        "ours_on_the_same_titles": score(&v.ours),
        "difference": {
            "squared_error": difference(v.squared_error),
            "median_ape": difference(v.median_ape),
            "crps": v.crps.map(difference),
        },
    })
}
