//! Numbers and days as pages write them: short, unambiguous, and the same everywhere.

use chrono::{DateTime, Utc};
use marquee_domain::{Day, FactKind, Horizon, Population, Target};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// US dollars: `$182M`, `$8.4M`, `$1.4B`, `$640K`, `−$12M`.
pub(crate) fn money(amount: f64) -> String {
    if !amount.is_finite() {
        return "not known".to_owned();
    }
    let size = amount.abs();
    let (scaled, unit) = match size {
        a if a >= 999.5e6 => (a / 1e9, "B"),
        a if a >= 999.5e3 => (a / 1e6, "M"),
        a if a >= 999.5 => (a / 1e3, "K"),
        a => (a, ""),
    };
    let digits = usize::from(!unit.is_empty() && unit != "K" && scaled < 9.95);
    let sign = if amount < 0.0 && format!("{scaled:.digits$}") != "0" { "−" } else { "" };
    format!("{sign}${scaled:.digits$}{unit}")
}

/// As [`money`], with its sign in front: `+$12M`.
pub(crate) fn signed(amount: f64) -> String {
    if amount > 0.0 { format!("+{}", money(amount)) } else { money(amount) }
}

/// A share as whole percent: `37%`; `<1%` and `>99%` where rounding would claim to be sure.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        p if !p.is_finite() => "not known".to_owned(),
        p if (f64::MIN_POSITIVE..0.5).contains(&p) => "<1%".to_owned(),
        p if (99.5..100.0).contains(&p) => ">99%".to_owned(),
        p => format!("{p:.0}%").replace('-', "−"),
    }
}

/// A change as whole percent with its sign: `+12%`, `−8%`, `±0%`.
pub(crate) fn change(share: f64) -> String {
    match (share * 100.0).round() {
        p if !p.is_finite() => "not known".to_owned(),
        0.0 => "±0%".to_owned(),
        p if p > 0.0 => format!("+{p:.0}%"),
        p => format!("−{:.0}%", -p),
    }
}

/// A day: `3 Jul 2015`.
pub(crate) fn date(day: Day) -> String {
    format!("{} {} {}", day.day_of_month(), month(day), day.year())
}

/// The month of a day, short.
pub(crate) fn month(day: Day) -> &'static str {
    MONTHS.get(day.month() as usize - 1).copied().unwrap_or("")
}

/// A moment: `3 Jul 2015, 14:05 UTC`.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.format("%-d %b %Y, %H:%M UTC").to_string()
}

/// A moment seen from another: `5 minutes ago`.
pub(crate) fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds().max(0);
    let (n, unit) = match seconds {
        s if s < 90 => return "just now".to_owned(),
        s if s < 90 * 60 => (s / 60, "minute"),
        s if s < 36 * 3_600 => (s / 3_600, "hour"),
        s => (s / 86_400, "day"),
    };
    format!("{} ago", count(n as u64, unit))
}

/// A number of things: `1 title`, `3,201 titles`.
pub(crate) fn count(n: u64, what: &str) -> String {
    let plural = match what.strip_suffix('y') {
        Some(stem) if n != 1 && !stem.ends_with(['a', 'e', 'o']) => format!("{stem}ies"),
        _ if n == 1 => what.to_owned(),
        _ => format!("{what}s"),
    };
    format!("{} {plural}", whole(n))
}

/// A whole number in groups of three: `3,201`.
pub(crate) fn whole(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What is predicted, in words.
pub(crate) fn target(target: Target) -> &'static str {
    match target {
        Target::OpeningDay => "Opening day",
        Target::Opening => "Opening weekend",
        Target::Domestic => "Domestic",
        Target::International => "International",
        Target::Worldwide => "Worldwide",
    }
}

/// What is predicted, within a sentence.
pub(crate) fn gross(target: Target) -> &'static str {
    match target {
        Target::OpeningDay => "opening-day gross",
        Target::Opening => "opening-weekend gross",
        Target::Domestic => "domestic gross",
        Target::International => "international gross",
        Target::Worldwide => "worldwide gross",
    }
}

/// How much is known, in words.
pub(crate) fn horizon(horizon: Horizon) -> &'static str {
    match horizon {
        Horizon::Greenlight => "greenlight",
        Horizon::Announced => "announced",
        Horizon::PreRelease => "day before release",
        Horizon::OpeningDay => "opening day",
        Horizon::Weekend1 => "first weekend",
        Horizon::Weekend2 => "second weekend",
        Horizon::Weekend3 => "third weekend",
    }
}

/// Which films a model speaks of, in words.
pub(crate) fn population(population: Population) -> &'static str {
    match population {
        Population::Funded => "funded films",
        Population::All => "all films",
        Population::Big => "films of $10M and more",
        Population::Credited => "credited films",
        Population::Wide => "wide openings",
    }
}

/// A kind of fact, as a label.
pub(crate) fn kind(kind: FactKind) -> String {
    capital(&kind.as_str().replace('_', " "))
}

/// A text with its first letter as a capital.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn money_is_short_and_unambiguous() {
        let shown = [182.4e6, 1.4e9, 640e3, -12e6, 8.44e6, 999.6e6, 950.0, 0.0, -0.4, 9.96e6, 25e9];
        let wanted =
            ["$182M", "$1.4B", "$640K", "−$12M", "$8.4M", "$1.0B", "$950", "$0", "$0", "$10M", "$25B"];
        assert_eq!(shown.map(money), wanted);
        assert_eq!([signed(5e6), signed(-5e6)], ["+$5.0M", "−$5.0M"]);
        assert_eq!(money(f64::NAN), "not known");
    }

    #[test]
    fn percents_do_not_claim_to_be_sure() {
        assert_eq!([0.0, 0.001, 0.374, 0.999, 1.0].map(percent), ["0%", "<1%", "37%", ">99%", "100%"]);
        assert_eq!([0.1234, -0.08, 0.001].map(change), ["+12%", "−8%", "±0%"]);
    }

    #[test]
    fn days_and_numbers_read_well() {
        assert_eq!(date(Day::new(2015, 7, 3).unwrap()), "3 Jul 2015");
        assert_eq!([whole(7), whole(3201), whole(1_234_567)], ["7", "3,201", "1,234,567"]);
        assert_eq!(
            [count(1, "title"), count(0, "entry"), count(2, "day")],
            ["1 title", "0 entries", "2 days"]
        );
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        assert_eq!(ago(DateTime::from_timestamp(1_000_000 - 7_200, 0).unwrap(), now), "2 hours ago");
    }
}
