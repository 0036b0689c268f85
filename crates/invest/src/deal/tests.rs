//! What a deal refuses, with the line, and what it keeps.
#![allow(clippy::expect_used)]

use proptest::prelude::*;

use super::*;

const INDEPENDENT: &str = include_str!("../../../../examples/deal.toml");

#[track_caller]
fn refused_in(deal: &str, from: &str, to: &str, expect: &str) {
    let text = deal.replacen(from, to, 1);
    assert_ne!(text, deal, "the edit changed nothing");
    let said = Deal::from_toml(&text).expect_err("refused").to_string();
    assert!(said.contains(expect), "{said}");
    if !said.starts_with("the deal cannot be read") && !said.contains("has version") {
        let line = said.split([' ', ',', ':']).find_map(|word| word.parse::<usize>().ok()).expect("a line");
        let place = text.lines().nth(line - 1).expect("inside the text");
        assert!(!place.is_empty() && !place.starts_with('#'), "line {line} is `{place}`: {said}");
    }
}

#[track_caller]
fn refused(from: &str, to: &str, expect: &str) {
    refused_in(Deal::DEFAULT_TOML, from, to, expect);
}

#[test]
fn the_bundled_deals_are_valid_and_every_figure_has_a_source() {
    for text in [Deal::DEFAULT_TOML, INDEPENDENT] {
        let rows = Deal::from_toml(text).expect("valid").assumptions();
        assert!(rows.len() > 50, "{}", rows.len());
        assert!(rows.iter().all(|r| !r.source.is_empty() && !r.values.is_empty()));
    }
}

#[test]
fn what_cannot_be_is_refused_with_the_key() {
    refused("value = 0.15", "value = nan", "`distribution.fee` is NaN");
    refused("value = 0.48", "value = [0.4, -0.1]", "`territory[1].exhibitor_share` is -0.1");
    refused("value = 0.48", "value = []", "`territory[1].exhibitor_share` is an empty list");
    refused("floor_usd = { value = 250000.0", "floor_usd = { value = 1e9", "above `marketing.cap_usd`");
    refused("market_year = { value = 0.25", "market_year = { value = 0.95", "add up to 1.155");
    refused("fee = {", "fees = {", "unknown field `fees`");
    refused("version = 2", "version = 1", "version 1");
    refused("source = \"assumption\", note", "source = \"\", note", "names no source");
    refused("dated = \"2026-01-01\"", "dated = \"soon\"", "not a day");
    refused("opens = { value = 2,", "opens = { value = 2.5,", "a whole number of months");
    refused("currency = \"USD\"", "currency = \"DOLLARS\"", "unknown currency");
    refused("currency = \"USD\"", "currency = \"EUR\"", "the currency is EUR");
    refused("part = { value = 1.0", "part = { value = 0.8", "add up to 80.00%");
    refused("0.60, 0.35, 0.05", "0.60, 0.45, 0.05", "collected add up to 110.00%");
    refused("name = \"elsewhere\"", "name = \"pay one\"", "two are called `pay one`");
    refused("budget = { value = 0.15,", "budget = { value = -0.15,", "`risk[1].budget` is -0.15");
    refused("budget_from = 10.0e6", "budget_from = 90.0e6", "none is");
    refused(
        "value = [0.05, 0.15, 0.30]",
        "value = [0.05, 0.15]",
        "`response.marketing` must be three rising figures",
    );
    refused("value = [0.05, 0.15, 0.30]", "value = [0.05, 0.15, 0.60]", "add up to 1.06");
    refused("fee = { value = 0.15", "fee = { value = 0.9999999", "leaves nothing");
    assert!(Deal::from_toml("").is_err());
}

#[test]
fn contradictions_between_participants_are_refused() {
    let no = |from, to, expect| refused_in(INDEPENDENT, from, to, expect);
    no("profit = 0.35", "profit = 0.45", "shares of profit add up to 110.00%: more than there is");
    no("profit = 0.35", "profit = 0.25", "nobody gets what is left");
    no("amount = { rest = 0.7 }", "amount = { rest = 0.5 }", "take 80.00% of it");
    no("share = 0.10", "share = 0.90", "fees and commissions on `elsewhere` add up to 105.0%");
    no("amount = { budget = 0.22 }\n", "", "`bank` has interest without a principal");
    no("amount = { budget = 0.08 }\ninterest = 0.16\n", "", "`mezzanine lender` has no `amount`");
    no("premium = 0.20", "interest = 0.20", "`fund` is equity, which has no `interest`");
    no("amount = \"300000\"", "amount = \"EUR 3M\"", "write what it is in US dollars");
    no("amount = \"300000\"", "amount = { budget = 0.1, rest = 0.2 }", "must be money such as");
    no("amount = \"300000\"", "amount = { rest = 0.2 }", "which only loans and equity finance");
    no("after = [\"bank\"]", "after = [\"bnak\"]", "`after` names `bnak`, which is none of");
    no("covers = [\"elsewhere\"]", "covers = [\"Mars\"]", "`covers` names `Mars`");
    no(
        "after = [\"sales agent\"]",
        "after = [\"fund\"]",
        "recoupment goes in a circle: domestic distributor after fund after mezzanine lender",
    );
    no("price = { value = 0.90", "usable = { value = 0.90", "is transferable, which needs `price`");
    no("interest = 0.07", "interest = 7", "`interest` of `bank` is 7, it must be in [0, 1]");
    no("share = 0.10\n", "share = 0.10\nprofit = 0.10\n", "name a second participant of kind profit");
    no("amount = \"300000\"", "amount = \"9e16\"", "at most a million millions");
    no("name = \"fund\"", "name = \"bank\"", "two are called `bank`");
}

#[test]
fn a_share_that_slides_by_week_weighs_what_each_week_takes() {
    let one = Deal::default().exhibitor_share(0);
    assert!((one - 0.48).abs() < 1e-12);
    let text = Deal::DEFAULT_TOML.replacen("value = 0.48", "value = [0.40, 0.60]", 1);
    let two = Deal::from_toml(&text).expect("valid").exhibitor_share(0);
    assert!((two - (0.443 * 0.40 + 0.557 * 0.60)).abs() < 1e-12, "{two}");
}

proptest! {
    #[test]
    fn any_text_is_a_deal_or_an_error(text in "\\PC{0,80}") {
        let _ = Deal::from_toml(&text);
    }

    #[test]
    fn any_edit_is_a_deal_or_an_error(at in 0..INDEPENDENT.len(), with in "\\PC{0,3}", cut in 0..40usize) {
        let start = INDEPENDENT.floor_char_boundary(at);
        let end = INDEPENDENT.floor_char_boundary((at + cut).min(INDEPENDENT.len())).max(start);
        let text = format!("{}{with}{}", &INDEPENDENT[..start], &INDEPENDENT[end..]);
        let _ = Deal::from_toml(&text);
    }
}
