//! What everybody gets over all scenarios, held to the short form and to itself.
#![allow(clippy::unwrap_used)]
#![allow(clippy::inconsistent_digit_grouping, reason = "the last two digits are cents")]

use marquee_domain::Project;

use super::*;
use crate::simulate::tests::{gross, project};

const INDEPENDENT: &str = include_str!("../../../examples/deal.toml");

fn value(deal: &Deal, scenarios: usize) -> (Valuation, Money) {
    let project = Project { marketing: None, ..project("Land Girls II", 12e6) };
    let candidates = [Candidate::from_distributions(project, None, Some(gross(40e6, 1.0))).unwrap()];
    let simulation = Simulation { scenarios, ..Simulation::default() };
    let control = Control::default();
    let short = simulation.run(&candidates, deal, &control).unwrap().returns()[0].mean_profit;
    (simulation.value(None, &candidates, deal, &control).unwrap().remove(0), short)
}

fn near(a: Money, b: Money, dollars: f64) -> bool {
    (a.major() - b.major()).abs() <= dollars
}

#[test]
fn the_studio_of_the_default_deal_gets_what_all_together_get() {
    let (v, short) = value(&Deal::default(), 2_000);
    let studio = &v.participants[0];
    assert_eq!(studio.profit, v.together.profit);
    assert!(near(studio.mean_profit, short, 1.0), "{} {short}", studio.mean_profit);
    assert!(near(v.cost, "18M".parse().unwrap(), 0.0));
    let last = studio.curve.last().unwrap();
    assert!(near(last.median, studio.profit[3], 2e5), "the curve ends where the profit is");
    let lowest = studio.curve.iter().map(|p| p.median.minor()).min().unwrap();
    assert!(lowest <= -16_000_000_00, "and goes through nearly all that is spent: {lowest}");
    assert!(studio.npv[3].minor() < studio.profit[3].minor(), "waiting costs");
    assert_eq!(v.release.to_string(), "2030 Q3");
}

#[test]
fn participants_share_what_there_is_in_the_order_of_the_deal() {
    let (v, short) = value(&Deal::from_toml(INDEPENDENT).unwrap(), 2_000);
    let of = |name: &str| v.participants.iter().find(|p| p.name == name).unwrap();
    let inside = v.participants.iter().filter(|p| p.kind != Some(Kind::Commission));
    let sum: f64 = inside.map(|p| p.mean_profit.major()).sum();
    assert!((sum - v.together.mean_profit.major()).abs() <= 1.0 && near(v.together.mean_profit, short, 1.0));
    let risk = |name: &str| of(name).loss_probability.get();
    assert!(risk("bank") < risk("gap lender") && risk("gap lender") <= risk("mezzanine lender"));
    assert!(risk("mezzanine lender") < risk("fund"), "who is paid first loses least often");
    assert_eq!(risk("fund"), risk("private investor"), "side by side");
    let agent = of("sales agent");
    assert!(agent.irr.is_none() && agent.multiple.is_none() && agent.puts_in.minor() == 0);
    let bank = of("bank");
    assert!(bank.irr.unwrap()[3].0 > 0.07, "the fee comes on top of interest");
    assert!(bank.payback.is_some() && bank.paid_back.unwrap().get() > 0.5);
    assert_eq!(v.outside.last().unwrap().1.minor(), 0, "nobody takes a fee on everything");
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let deal = Deal::from_toml(INDEPENDENT).unwrap();
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    assert_eq!(pool(1).install(|| value(&deal, 1_100)), pool(3).install(|| value(&deal, 1_100)));
}

#[test]
fn a_risk_costs_what_the_profit_falls_by() {
    let (v, _) = value(&Deal::default(), 2_000);
    let overrun = v.risks.iter().find(|r| r.name == "overrun, $10M to $75M").unwrap();
    assert!(near(overrun.effect, "-1.2M".parse().unwrap(), 1.0), "a tenth of the budget: {}", overrun.effect);
    assert!(near(overrun.expected.unwrap(), "-240000".parse().unwrap(), 1.0));
    assert!(v.risks.iter().all(|r| !r.name.contains("under $10M")), "of other budgets");
    let recession = v.risks.iter().find(|r| r.name == "recession year").unwrap();
    assert!(recession.probability.is_none() && recession.effect.minor() < 0);
}
