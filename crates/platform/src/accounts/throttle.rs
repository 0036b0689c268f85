//! How often somebody may try to log in.
//!
//! Passwords are guessed slowly here without anybody being locked out by others: OWASP's *device cookies*. A device on
//! which an account has logged in before is counted by itself. All other attempts are counted by account and address, by
//! account over all addresses, and by address over all accounts; after some that are free, each makes the next one wait a
//! little longer. So whoever attacks from elsewhere can delay log-ins from devices that are new to the account, and no
//! others. A name that no account has is counted alike, because the answer must not tell.
//!
//! An attempt counts as failed from its beginning, so that many at once are not more than one after the other.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use super::bounded::Bounded;

/// Counters of one kind; four kinds make 100,000. Each kind has its own, so that a flood of one cannot wash away another.
const COUNTERS: usize = 25_000;
/// After so long without an attempt, those before are forgotten.
const QUIET: TimeDelta = TimeDelta::hours(24);

const DEVICE: Rule = Rule { free: 10, step: TimeDelta::seconds(10), most: TimeDelta::hours(1) };
const PAIR: Rule = Rule { free: 5, step: TimeDelta::seconds(10), most: TimeDelta::hours(1) };
const ACCOUNT: Rule = Rule { free: 20, step: TimeDelta::seconds(5), most: TimeDelta::minutes(15) };
const ADDRESS: Rule = Rule { free: 50, step: TimeDelta::seconds(2), most: TimeDelta::minutes(10) };

/// How the wait grows.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// Failures that cost nothing.
    free: u32,
    /// What each further one adds.
    step: TimeDelta,
    /// The longest wait.
    most: TimeDelta,
}

/// Somebody tries to log in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// The key of the name that was given, whether there is such an account or not.
    pub(crate) name: &'a str,
    pub(crate) address: IpAddr,
    /// The device, if the account of this name has logged in on it before.
    pub(crate) device: Option<&'a str>,
}

/// The counters.
#[derive(Debug, Clone)]
pub(crate) struct Throttle {
    counters: [Counters; 4],
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Device,
    Pair,
    Account,
    Address,
}

#[derive(Debug, Clone)]
struct Counters {
    rule: Rule,
    counts: Bounded<Count>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    failures: u32,
    last: DateTime<Utc>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        let counters = [DEVICE, PAIR, ACCOUNT, ADDRESS];
        Self { counters: counters.map(|rule| Counters { rule, counts: Bounded::new(COUNTERS) }) }
    }

    /// Lets the attempt through and counts it as failed, or says from when on it may be made.
    pub(crate) fn begin(&mut self, attempt: &Attempt<'_>, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        let keys = keys(attempt);
        let waits = keys.iter().filter_map(|(kind, key)| self.of(*kind).waits_until(key, now));
        if let Some(until) = waits.max() {
            return Err(until);
        }
        for (kind, key) in &keys {
            self.of(*kind).count(key, now);
        }
        Ok(())
    }

    /// The attempt succeeded. What others failed at on the same account or from the same address stays counted: whoever
    /// has one account must not be able to wash away attempts on another.
    pub(crate) fn succeeded(&mut self, attempt: &Attempt<'_>) {
        for (kind, key) in keys(attempt) {
            match kind {
                Kind::Device | Kind::Pair => self.of(kind).counts.remove(&key),
                Kind::Account | Kind::Address => self.of(kind).take_back(&key),
            }
        }
    }

    fn of(&mut self, kind: Kind) -> &mut Counters {
        &mut self.counters[kind as usize]
    }
}

impl Counters {
    fn failures(&self, key: &str, now: DateTime<Utc>) -> Option<Count> {
        self.counts.get(key).copied().filter(|count| now.signed_duration_since(count.last) < QUIET)
    }

    fn waits_until(&self, key: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let count = self.failures(key, now)?;
        let until = count.last.checked_add_signed(self.rule.wait_after(count.failures))?;
        (until > now).then_some(until)
    }

    fn count(&mut self, key: &str, now: DateTime<Utc>) {
        let before = self.failures(key, now);
        let failures = before.map_or(0, |count| count.failures).saturating_add(1);
        // A clock that is set back must not shorten a wait.
        let last = before.map_or(now, |count| count.last.max(now));
        self.counts.put(key, Count { failures, last });
    }

    fn take_back(&mut self, key: &str) {
        match self.counts.get(key).copied() {
            Some(count) if count.failures > 1 => {
                self.counts.put(key, Count { failures: count.failures - 1, ..count });
            }
            _ => self.counts.remove(key),
        }
    }
}

impl Rule {
    fn wait_after(self, failures: u32) -> TimeDelta {
        let counted = i32::try_from(failures.saturating_sub(self.free)).unwrap_or(i32::MAX);
        self.step.checked_mul(counted).unwrap_or(self.most).min(self.most)
    }
}

/// The counters that an attempt falls under: a known device's own, or else three.
fn keys(attempt: &Attempt<'_>) -> Vec<(Kind, String)> {
    let name = attempt.name;
    if let Some(device) = attempt.device {
        return vec![(Kind::Device, format!("{device} {name}"))];
    }
    let network = network(attempt.address);
    vec![
        (Kind::Pair, format!("{network} {name}")),
        (Kind::Account, name.to_owned()),
        (Kind::Address, network),
    ]
}

/// The address, or for IPv6 its /64, since whoever has one address there has all of them.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn address(number: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, number])
    }

    /// How many of these attempts, one a second for a day, are let through.
    fn tries(attempt: impl Fn(u32) -> (String, IpAddr)) -> usize {
        let mut throttle = Throttle::new();
        let through = (0..86_400_u32).filter(|second| {
            let (name, address) = attempt(*second);
            throttle.begin(&Attempt { name: &name, address, device: None }, at(i64::from(*second))).is_ok()
        });
        through.count()
    }

    #[test]
    fn an_account_is_guessed_at_slowly_from_all_addresses_together() {
        let from_everywhere = tries(|second| ("ana".to_owned(), IpAddr::from(second.to_be_bytes())));
        assert!((100..=210).contains(&from_everywhere), "{from_everywhere}");
        let from_one = tries(|_| ("ana".to_owned(), address(1)));
        assert!((80..=140).contains(&from_one), "{from_one}");
    }

    #[test]
    fn an_address_tries_few_accounts() {
        let sprayed = tries(|second| (format!("name{second}"), address(1)));
        assert!((200..=350).contains(&sprayed), "{sprayed}");
        // All addresses of one IPv6 network are one.
        let rotated = tries(|second| {
            let [a, b, c, d] = second.to_be_bytes();
            let rotating = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d];
            (format!("name{second}"), IpAddr::from(rotating))
        });
        assert_eq!(rotated, sprayed);
    }

    #[test]
    fn many_at_once_are_not_more_than_one_after_the_other() {
        let mut throttle = Throttle::new();
        let attempt = Attempt { name: "ana", address: address(1), device: None };
        let through = (0..100).filter(|_| throttle.begin(&attempt, at(0)).is_ok()).count();
        assert_eq!(through, PAIR.free as usize + 1);
    }

    #[test]
    fn an_office_that_logs_in_from_one_address_does_not_wait() {
        let mut throttle = Throttle::new();
        for number in 0..500 {
            let name = format!("name{number}");
            let attempt = Attempt { name: &name, address: address(1), device: None };
            assert!(throttle.begin(&attempt, at(number)).is_ok());
            throttle.succeeded(&attempt);
        }
    }

    #[test]
    fn who_has_an_account_cannot_wash_away_attempts_on_others() {
        let mut throttle = Throttle::new();
        let mut through = 0;
        for number in 0..400 {
            let name = format!("name{number}");
            through += usize::from(
                throttle.begin(&Attempt { name: &name, address: address(1), device: None }, at(0)).is_ok(),
            );
            let own = Attempt { name: "eve", address: address(1), device: None };
            if throttle.begin(&own, at(0)).is_ok() {
                throttle.succeeded(&own);
            }
        }
        assert!(through <= 51, "{through}");
    }

    #[test]
    fn counters_are_bounded() {
        let mut throttle = Throttle::new();
        for number in 0..30_000_u32 {
            let name = format!("name{number}");
            let from = IpAddr::from(number.to_be_bytes());
            throttle.begin(&Attempt { name: &name, address: from, device: None }, at(0)).unwrap();
        }
        for kind in [Kind::Account, Kind::Address] {
            let held = (0..30_000_u32).filter(|number| {
                let address = network(IpAddr::from(number.to_be_bytes()));
                let key = if kind == Kind::Account { format!("name{number}") } else { address };
                throttle.counters[kind as usize].counts.get(&key).is_some()
            });
            assert_eq!(held.count(), COUNTERS);
        }
    }

    proptest! {
        /// Whatever others do, from the same address and to the same account or not, with devices of their own or without,
        /// `ana` is never kept waiting on her own device.
        #[test]
        fn a_known_device_is_never_delayed_by_others(
            others in prop::collection::vec((0..3_u8, 0..3_u8, 0..3_u8, any::<bool>(), 0..600_i64), 0..300),
        ) {
            let mut throttle = Throttle::new();
            let mut seconds = 0;
            for (name, from, device, succeeds, gap) in others {
                seconds += gap;
                let name = ["ana", "ben", "nobody"][usize::from(name)];
                // A device is known only to the account that logged in on it; `laptop` is hers.
                let device = [None, Some("phone"), (name != "ana").then_some("laptop")][usize::from(device)];
                let attempt = Attempt { name, address: address(from), device };
                let through = throttle.begin(&attempt, at(seconds)).is_ok();
                if through && succeeds && name != "ana" {
                    throttle.succeeded(&attempt);
                }
                let hers = Attempt { name: "ana", address: address(from), device: Some("laptop") };
                prop_assert!(throttle.begin(&hers, at(seconds)).is_ok());
                throttle.succeeded(&hers);
            }
        }

        /// However an attacker times it and whatever they know, an account is guessed at a bounded number of times a day.
        #[test]
        fn guesses_are_bounded(
            gaps in prop::collection::vec((0..900_i64, any::<u8>(), any::<bool>()), 1..600),
        ) {
            let mut throttle = Throttle::new();
            let (mut seconds, mut through) = (0, 0);
            for (gap, from, own) in gaps {
                seconds += gap;
                if seconds >= 86_400 {
                    break;
                }
                let eve = Attempt { name: "eve", address: address(from), device: None };
                if own && throttle.begin(&eve, at(seconds)).is_ok() {
                    throttle.succeeded(&eve);
                }
                let guess = Attempt { name: "ana", address: address(from), device: None };
                through += usize::from(throttle.begin(&guess, at(seconds)).is_ok());
            }
            prop_assert!(through <= 210);
        }

        #[test]
        fn a_wait_is_told_truly(failures in 1..60_u32, gap in 0..4000_i64) {
            let mut throttle = Throttle::new();
            let attempt = Attempt { name: "ana", address: address(1), device: None };
            let mut seconds = 0;
            for _ in 0..failures {
                seconds += gap;
                if let Err(until) = throttle.begin(&attempt, at(seconds)) {
                    prop_assert!(until > at(seconds) && until <= at(seconds) + PAIR.most);
                    prop_assert!(throttle.clone().begin(&attempt, until - TimeDelta::microseconds(1)).is_err());
                    prop_assert!(throttle.clone().begin(&attempt, until).is_ok());
                }
            }
        }
    }
}
