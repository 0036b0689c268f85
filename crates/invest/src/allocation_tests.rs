//! The best spends against a closed form, a search, and laws.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn spend(bucket: Bucket, planned: f64, elasticity: [f64; 3]) -> PlannedSpend {
    let elasticity = Elasticity::new(elasticity).unwrap();
    PlannedSpend { bucket, planned, least: planned / 20.0, most: planned * 20.0, elasticity }
}

fn film(name: &str, receipts: f64, spends: Vec<PlannedSpend>) -> SpendingProject {
    SpendingProject { name: name.into(), receipts, spends }
}

fn outcome(projects: Vec<SpendingProject>, cap: Option<f64>) -> AllocationOutcome {
    Allocation { projects, cap }.best(&Control::default()).unwrap()
}

fn best(projects: Vec<SpendingProject>, cap: Option<f64>) -> AllocationAnswer {
    match outcome(projects, cap) {
        AllocationOutcome::Best(answer) => *answer,
        other => panic!("{other:?}"),
    }
}

/// Where receipts are R·(s/p)^e, the last dollar returns itself at s = p·(e·R/p)^(1/(1−e)).
#[test]
fn one_spend_in_closed_form() {
    for (receipts, planned, e) in [(60e6, 20e6, 0.3), (200e6, 50e6, 0.6), (30e6, 20e6, 0.1)] {
        let answer = best(vec![film("a", receipts, vec![spend(Bucket::Marketing, planned, [e; 3])])], None);
        let wanted = planned * (e * receipts / planned).powf(1.0 / (1.0 - e));
        assert!((answer.total.major() - wanted).abs() < 0.01, "{} {wanted}", answer.total.major());
        assert!((answer.profit.major() - (wanted / e - wanted)).abs() < 0.02);
        assert!((answer.spends[0].marginal - 1.0).abs() < 1e-9);
        assert_eq!((answer.worth_of_cap, answer.spends[0].bound), (0.0, Bound::Free));
    }
}

/// Two spends of one film: s_b = e_b · receipts, with receipts = R·Π(s_b/p_b)^e_b (C. W. Cobb and P. H. Douglas 1928).
#[test]
fn two_spends_in_closed_form() {
    let spends = vec![spend(Bucket::Production, 40e6, [0.4; 3]), spend(Bucket::Marketing, 20e6, [0.2; 3])];
    let answer = best(vec![film("a", 110e6, spends)], None);
    let receipts = (110e6_f64 * (0.4_f64 / 40e6).powf(0.4) * (0.2_f64 / 20e6).powf(0.2)).powf(1.0 / 0.4);
    assert!((answer.spends[0].spend.major() - 0.4 * receipts).abs() < 0.1);
    assert!((answer.spends[1].spend.major() - 0.2 * receipts).abs() < 0.1);
}

/// Under a cap, equal films share it equally, and the last dollar brings the same in both.
#[test]
fn equal_films_share_a_cap() {
    let marketing = || vec![spend(Bucket::Marketing, 20e6, [0.1, 0.3, 0.4])];
    let answer = best(vec![film("a", 100e6, marketing()), film("b", 100e6, marketing())], Some(20e6));
    for spend in &answer.spends {
        assert!((spend.spend.major() - 10e6).abs() < 0.01);
        assert!((spend.marginal - 1.0 - answer.worth_of_cap).abs() < 1e-9);
    }
    assert!(answer.worth_of_cap > 0.5);
    assert_eq!(answer.nearly_as_good[1], answer.total, "there is no more to spend");
}

/// The edges of what is nearly as good lose 1% exactly, and the end cases are solved as if known.
#[test]
fn flat_at_the_top() {
    let e = Elasticity::new([0.1, 0.2, 0.35]).unwrap();
    let answer = best(vec![film("a", 80e6, vec![spend(Bucket::Marketing, 20e6, [0.1, 0.2, 0.35])])], None);
    let profit = |spend: f64| 80e6 * e.response(spend / 20e6) - spend;
    for edge in answer.nearly_as_good {
        assert!((profit(edge.major()) / (0.99 * answer.profit.major()) - 1.0).abs() < 1e-6);
    }
    assert_eq!(answer.spends[0].nearly_as_good, answer.nearly_as_good);
    let known = |e: f64| 20e6 * (e * 4.0_f64).powf(1.0 / (1.0 - e));
    for (case, e) in answer.cases.iter().zip([0.1, 0.2, 0.35]) {
        assert!((case.total.major() - known(e)).abs() < 0.1);
        let spent = answer.total.major();
        let earned = 80e6 * (spent / 20e6).powf(e) - spent;
        assert!((case.profit_of_answer.major() - earned).abs() < 0.1);
    }
}

#[test]
fn a_cap_below_the_least_says_what_would_do() {
    let films = vec![film("a", 60e6, vec![spend(Bucket::Marketing, 20e6, [0.2; 3])])];
    let AllocationOutcome::CapTooLow { least, .. } = outcome(films, Some(5e5)) else { panic!("too low") };
    assert_eq!(least.major(), 1e6);
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |projects: Vec<SpendingProject>, cap| {
        Allocation { projects, cap }.best(&Control::default()).unwrap_err().to_string()
    };
    let marketing = spend(Bucket::Marketing, 20e6, [0.5; 3]);
    assert!(refused(vec![], None).contains("no candidate"));
    assert!(refused(vec![film("a", 1e6, vec![marketing; 2])], None).contains("spends on marketing twice"));
    let production = spend(Bucket::Production, 20e6, [0.5; 3]);
    let text = refused(vec![film("a", 1e6, vec![marketing, production])], None);
    assert!(text.contains("returns diminish"), "{text}");
    assert!(refused(vec![film("a", f64::NAN, vec![marketing])], None).contains("NaN"));
    assert!(refused(vec![film("a", 1e6, vec![marketing])], Some(-1.0)).contains("`cap`"));
    let wrong = PlannedSpend { least: 30e6, ..marketing };
    assert!(refused(vec![film("a", 1e6, vec![wrong])], None).contains("`least` of `a`"));
}

fn any_films() -> impl Strategy<Value = Vec<SpendingProject>> {
    let one = (20e6..300e6f64, proptest::array::uniform3((1e6..60e6f64, 0.02..0.2f64, 0.0..0.1f64)));
    proptest::collection::vec(one, 1..5).prop_map(|films| {
        let buckets = [Bucket::Development, Bucket::Production, Bucket::Marketing];
        let spends = |figures: [(f64, f64, f64); 3]| {
            let each = buckets.iter().zip(figures);
            each.map(|(b, (planned, low, more))| spend(*b, planned, [low, low + more / 2.0, low + more]))
                .collect()
        };
        let films = films.into_iter().enumerate();
        films.map(|(i, (receipts, figures))| film(&format!("film {i}"), receipts, spends(figures))).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_dollar_is_better_elsewhere(films in any_films(), part in 0.1..1.5f64) {
        let planned: f64 = films.iter().flat_map(|f| &f.spends).map(|s| s.planned).sum();
        let answer = best(films.clone(), Some(part * planned));
        prop_assert!(answer.total.major() <= part * planned + 0.01, "the cap is kept");
        let multiplier = 1.0 + answer.worth_of_cap;
        for spend in &answer.spends {
            let (marginal, at) = (spend.marginal, spend.spend.major());
            prop_assert!(match spend.bound {
                Bound::Free => (marginal / multiplier - 1.0).abs() < 1e-9,
                Bound::Least => marginal <= multiplier * (1.0 + 1e-9),
                Bound::Most => marginal >= multiplier * (1.0 - 1e-9),
            }, "{spend:?} {multiplier}");
            prop_assert!(spend.nearly_as_good[0].major() <= at && spend.nearly_as_good[1].major() >= at);
        }
        for case in answer.cases {
            prop_assert!(case.profit.minor() >= case.profit_of_answer.minor() - 1);
        }
        let richer = best(films, Some(1.2 * part * planned));
        prop_assert!(richer.profit.major() >= answer.profit.major() - 0.02, "more to spend is never worse");
    }

    /// No small transfer between two spends earns more: the answer is the top of a concave hill.
    #[test]
    fn no_neighbour_is_better(films in any_films(), at in 0usize..3, share in -0.2..0.2f64) {
        let spends = Spends::new(&films, None, None);
        let (_, top) = spends.best(&Control::default()).unwrap();
        let mut other = top.clone();
        let bounds = (spends.at(|s| s.least)[at], spends.at(|s| s.most)[at]);
        other[at] = (other[at] * (1.0 + share)).clamp(bounds.0, bounds.1);
        prop_assert!(spends.profit(&other) <= spends.profit(&top) + 1e-4);
    }
}
