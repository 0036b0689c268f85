//! Known payouts by hand, and the law: every cent that comes in goes to somebody.
#![allow(clippy::expect_used)]
#![allow(clippy::inconsistent_digit_grouping, reason = "the last two digits are cents")]

use marquee_domain::{Budget, Currency, Day, Money, Spend};
use proptest::prelude::*;

use super::*;

const INDEPENDENT: &str = include_str!("../../../../examples/deal.toml");

fn costs(budget: i64, marketing: i64) -> Costs {
    let cents = |minor| Money::from_minor(minor, Currency::USD);
    let release = Day::new(2027, 6, 11).expect("a day");
    Costs { budget: Budget(cents(budget)), marketing: Spend(cents(marketing)), release }
}

fn pay(deal: &Deal, costs: Costs, scenario: &Scenario) -> (Flows, Vec<String>) {
    let waterfall = Waterfall::new(deal, "Land Girls II", costs).expect("a waterfall");
    let mut flows = Flows::default();
    waterfall.pay(scenario, &mut flows);
    let quarters = (0..flows.quarters).map(|q| waterfall.quarter(q).to_string()).collect();
    (flows, quarters)
}

fn row(flows: &Flows, values: &[i64], participant: usize) -> i64 {
    values[participant * flows.quarters..(participant + 1) * flows.quarters].iter().sum()
}

#[test]
fn a_hand_computed_payout_of_the_default_deal() {
    // $100 domestic: 48 to cinemas, 52 of rentals; $50 abroad: 30 and 20; windows 6 + 20 + 12 + 6 + 6 = 50; receipts 122;
    // fee 18.30; the studio gets 103.70 for costs of 100.
    let (flows, quarters) = pay(&Deal::default(), costs(6_000, 4_000), &Scenario::as_planned(100.0, 50.0));
    assert_eq!((flows.gross, &flows.exhibitors[..]), (20_000, &[4_800, 3_000][..]));
    // But for half a cent in each of the quarters in which something is received.
    assert!((flows.distributor - 1_830).abs() <= 15, "{}", flows.distributor);
    assert_eq!(row(&flows, &flows.paid, 0), 20_000 - 7_800 - flows.distributor);
    assert_eq!(row(&flows, &flows.drawn, 0), 10_000);
    // Production ends in February 2027, fifteen months before that it begins; the library pays until August 2034.
    assert_eq!((quarters[0].as_str(), quarters.last().map(String::as_str)), ("2025 Q4", Some("2034 Q3")));
}

#[test]
fn a_guarantee_is_a_floor() {
    let deal = Deal::from_toml(INDEPENDENT).expect("valid");
    let guarantor = deal.participants().iter().position(|p| p.name == "presale abroad").expect("there");
    let (flop, _) = pay(&deal, costs(1_000_000_00, 300_000_00), &Scenario::as_planned(0.0, 0.0));
    assert_eq!(row(&flop, &flop.drawn, guarantor), 250_000_00);
    assert_eq!(row(&flop, &flop.paid, guarantor), 0);
    let bank = deal.participants().iter().position(|p| p.name == "bank").expect("there");
    assert!(row(&flop, &flop.paid, bank) > 0, "the advance repays what comes first");
    // Abroad takes 1,000,000: cinemas 600,000, agent 10% and the guarantor's fee 15% of the 400,000 received, and it keeps
    // the other 300,000 up to its 250,000.
    let (hit, _) = pay(&deal, costs(1_000_000_00, 300_000_00), &Scenario::as_planned(0.0, 1_000_000.0));
    assert!((row(&hit, &hit.paid, guarantor) - 310_000_00).abs() <= 10);
}

#[test]
fn a_loan_is_repaid_with_interest_before_those_after_it() {
    let deal = Deal::from_toml(INDEPENDENT).expect("valid");
    let of = |name: &str| deal.participants().iter().position(|p| p.name == name).expect("there");
    let costs = costs(10_000_000_00, 5_000_000_00);
    let (rich, _) = pay(&deal, costs, &Scenario::as_planned(200e6, 200e6));
    for lender in ["bank", "gap lender", "mezzanine lender", "credit lender"] {
        let (put, got) = (row(&rich, &rich.drawn, of(lender)), row(&rich, &rich.paid, of(lender)));
        assert!(got > put, "{lender}: {put} {got}");
    }
    let deferral = of("director's deferral");
    assert_eq!(row(&rich, &rich.paid, deferral), 300_000_00);
    let (poor, _) = pay(&deal, costs, &Scenario::as_planned(4e6, 0.0));
    assert_eq!(row(&poor, &poor.paid, of("fund")), 0);
    assert_eq!(row(&poor, &poor.paid, of("producer and talent")), 0);
}

#[test]
fn finance_beyond_the_cost_is_refused() {
    let text = INDEPENDENT.replacen("amount = { budget = 0.22 }", "amount = \"90M\"", 1);
    let deal = Deal::from_toml(&text).expect("valid");
    let refused = Waterfall::new(&deal, "Land Girls II", costs(10_000_000_00, 5_000_000_00));
    let said = refused.expect_err("refused").to_string();
    assert!(said.contains("are to finance budget and marketing of $15.0M"), "{said}");
}

#[test]
fn a_delay_moves_money_and_costs_interest() {
    let deal = Deal::from_toml(INDEPENDENT).expect("valid");
    let bank = deal.participants().iter().position(|p| p.name == "bank").expect("there");
    let at = |delay| {
        let scenario = Scenario { delay, ..Scenario::as_planned(40e6, 40e6) };
        let (flows, _) = pay(&deal, costs(10_000_000_00, 5_000_000_00), &scenario);
        row(&flows, &flows.paid, bank)
    };
    assert!(at(4) > at(0));
}

const MOST: i64 = 300_000_000_00;

proptest! {
    #[test]
    fn every_cent_goes_to_somebody(
        budget in 1..MOST, marketing in 0..MOST, domestic in 0.0..3e9f64, international in 0.0..3e9f64,
        windows in 0.0..2.0f64, overrun in 0.0..0.5f64, more in 1.0..1.5f64, delay in 0..9usize, independent in any::<bool>(),
    ) {
        let deal = if independent { Deal::from_toml(INDEPENDENT).expect("valid") } else { Deal::default() };
        // Sales expenses are a fixed amount, which a tiny film cannot carry.
        let scenario = Scenario { domestic, international, windows, overrun, marketing: more, delay };
        let (flows, _) = pay(&deal, costs(budget, marketing), &scenario);
        prop_assert_eq!(flows.money_in(), flows.money_out());
        prop_assert!(flows.paid.iter().chain(&flows.drawn).all(|cents| *cents >= 0));
        // The short form that the simulation uses says the same of all together.
        let terms = deal.terms();
        let inside = deal.participants().iter().enumerate().filter(|(_, p)| p.is_inside());
        let together: i64 = inside.map(|(i, _)| row(&flows, &flows.paid, i) - row(&flows, &flows.drawn, i)).sum();
        let (b, m) = (budget as f64 / 100.0, marketing as f64 / 100.0);
        let expenses = if independent { 250_000.0 } else { 0.0 };
        let short = terms.income(domestic, international, windows) + terms.incentives * b
            - b * (1.0 + overrun) - m * more - expenses;
        prop_assert!((together as f64 / 100.0 - short).abs() <= 1.0, "{} {}", together, short);
    }

    #[test]
    fn more_gross_is_never_worse_for_anybody(domestic in 0.0..3e8f64, abroad in 0.0..3e8f64, more in 0.0..1e7f64) {
        let deal = Deal::from_toml(INDEPENDENT).expect("valid");
        let of = |d, i| {
            let (flows, _) = pay(&deal, costs(10_000_000_00, 5_000_000_00), &Scenario::as_planned(d, i));
            (0..deal.participants().len()).map(|p| row(&flows, &flows.paid, p)).collect::<Vec<_>>()
        };
        let before = of(domestic, abroad);
        for (p, (less, after)) in before.iter().zip(of(domestic + more, abroad)).enumerate() {
            // A lender repaid sooner earns less interest; everybody else gains, but for rounding.
            let lender = matches!(deal.participants()[p].role, crate::deal::Role::Loan { .. });
            prop_assert!(lender || after >= less - 100, "{}: {} {}", deal.participants()[p].name, less, after);
        }
    }
}
