//! Cron expressions: five fields (minute, hour, day of month, month, day of week) in UTC, or one of `@hourly`, `@daily`,
//! `@weekly`, `@monthly` and `@yearly`. Read and reckoned by `croner`; what is wrong with one is said field by field here.
//!
//! Neither seconds nor years: a job a second is a loop, and a single date needs no schedule.

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::Error;

const FIELDS: [&str; 5] = ["minute", "hour", "day of month", "month", "day of week"];
const ALLOWED: [&str; 5] =
    ["0 to 59", "0 to 23", "1 to 31 or L", "1 to 12 or JAN to DEC", "0 to 7 or SUN to SAT"];
const NAMES: [&str; 6] = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually"];
/// Longest expression, in bytes.
const BYTES: usize = 200;

/// The first time after `now` that the expression names.
pub(super) fn next_after(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Error> {
    let refuse = |reason: String| Error::InvalidCron { text: text.chars().take(BYTES).collect(), reason };
    let cron = read(text).map_err(refuse)?;
    let next = cron.find_next_occurrence(&now, false);
    next.map_err(|_| refuse("there is no such day".to_owned()))
}

fn read(text: &str) -> Result<Cron, String> {
    if text.len() > BYTES {
        return Err(format!("it has {} bytes, and {BYTES} are enough", text.len()));
    }
    let text = text.trim();
    if text.starts_with('@') {
        if !NAMES.contains(&text.to_lowercase().as_str()) {
            return Err(format!("there is no `{text}`: use {}", NAMES.join(", ")));
        }
        return parse(text);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("it has {} fields where five are wanted: {}", fields.len(), FIELDS.join(", ")));
    }
    for (place, field) in fields.iter().enumerate() {
        let mut alone = ["*"; 5];
        alone[place] = field;
        parse(&alone.join(" ")).map_err(|_| wrong(place, field))?;
    }
    parse(&fields.join(" "))
}

fn wrong(place: usize, field: &str) -> String {
    let (name, allowed) = (FIELDS[place], ALLOWED[place]);
    format!(
        "the {name} `{field}` cannot be read: use `*`, {allowed}, ranges as 1-5, lists as 1,3 and steps as */2"
    )
}

fn parse(text: &str) -> Result<Cron, String> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, now: &str, wanted: &str) {
        let next = next_after(text, now.parse().unwrap());
        let found = next.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        assert_eq!(found.unwrap_or_else(|error| error.to_string()), wanted, "{text}");
    }

    /// A Thursday.
    const NOW: &str = "2026-01-01T12:00:00.5Z";

    #[test]
    fn the_next_time_is_found() {
        check("0 3 * * *", NOW, "2026-01-02T03:00:00Z");
        check("*/15 * * * *", NOW, "2026-01-01T12:15:00Z");
        check("0 12 * * *", "2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z");
        check("30 6 * * mon-fri", "2026-01-02T07:00:00Z", "2026-01-05T06:30:00Z");
        check("0 0 29 2 *", NOW, "2028-02-29T00:00:00Z");
        check(" @Weekly ", NOW, "2026-01-04T00:00:00Z");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let fields = "minute, hour, day of month, month, day of week";
        let wrong =
            |text: &str, reason: &str| check(text, NOW, &format!("`{text}` is no schedule: {reason}"));
        wrong("", &format!("it has 0 fields where five are wanted: {fields}"));
        wrong("* * * * * *", &format!("it has 6 fields where five are wanted: {fields}"));
        wrong(
            "@fortnightly",
            "there is no `@fortnightly`: use @hourly, @daily, @weekly, @monthly, @yearly, @annually",
        );
        wrong(
            "0 25 * * *",
            "the hour `25` cannot be read: use `*`, 0 to 23, ranges as 1-5, lists as 1,3 and steps as */2",
        );
        wrong(
            "0 3 * * tuesday",
            "the day of week `tuesday` cannot be read: use `*`, 0 to 7 or SUN to SAT, ranges as 1-5, lists as 1,3 and steps as */2",
        );
        wrong("0 0 30 2 *", "there is no such day");
        let long = next_after(&"1".repeat(201), NOW.parse().unwrap()).unwrap_err().to_string();
        assert!(long.ends_with("it has 201 bytes, and 200 are enough"), "{long}");
    }

    proptest! {
        #[test]
        fn no_text_upsets_it(text in "[-0-9*/,#LW?+@a-z é]{0,24}", parts in prop::collection::vec("[-0-9*/,#LW?+é]{1,4}", 5)) {
            let now = NOW.parse().unwrap();
            for text in [text, parts.join(" ")] {
                if let Ok(next) = next_after(&text, now) {
                    prop_assert!(next > now);
                }
            }
        }
    }
}
