//! How many requests somebody may make: a token bucket for each key, such as an account or an address.
//!
//! Kept as the time at which the bucket will be full again (the generic cell rate algorithm of ITU-T I.371), which is the
//! same bucket with one number in place of two, and without rounding.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::bounded::Bounded;

/// Keys that are remembered; the one that asked longest ago is forgotten first, as if its bucket were full.
const KEYS: usize = 100_000;

/// Buckets that let through a burst of requests and then a steady rate.
///
/// ```
/// use std::time::Duration;
/// use chrono::{TimeDelta, Utc};
/// use marquee_platform::RateLimit;
///
/// let mut limit = RateLimit::new(2, Duration::from_secs(10));
/// let now = Utc::now();
/// assert!(limit.take("ana", now).is_ok());
/// assert!(limit.take("ana", now).is_ok());
/// assert_eq!(limit.take("ana", now).unwrap_err().seconds(), 10);
/// assert!(limit.take("ben", now).is_ok());
/// assert!(limit.take("ana", now + TimeDelta::seconds(10)).is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct RateLimit {
    burst: i64,
    /// Microseconds for one request.
    every: i64,
    /// When each bucket will be full, in microseconds since 1970.
    full_at: Bounded<i64>,
}

/// How long to wait before a request would be let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter(pub Duration);

impl RetryAfter {
    /// In whole seconds, rounded up, as the HTTP header `Retry-After` has it (RFC 9110, 10.2.3).
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0)
    }
}

impl RateLimit {
    /// At most `burst` requests at once (at least 1), and one more for every `every` that has gone by.
    #[must_use]
    pub fn new(burst: u32, every: Duration) -> Self {
        let every = i64::try_from(every.as_micros()).unwrap_or(i64::MAX);
        Self { burst: i64::from(burst.max(1)), every, full_at: Bounded::new(KEYS) }
    }

    /// Takes one request out of the key's bucket.
    ///
    /// # Errors
    /// [`RetryAfter`] if the bucket is empty; nothing is taken then.
    pub fn take(&mut self, key: &str, now: DateTime<Utc>) -> Result<(), RetryAfter> {
        let now = now.timestamp_micros();
        let full_at = self.full_at.get(key).copied().unwrap_or(now).max(now);
        let spare = self.every.saturating_mul(self.burst - 1);
        let wait = full_at.saturating_sub(now).saturating_sub(spare);
        if wait > 0 {
            return Err(RetryAfter(Duration::from_micros(wait.unsigned_abs())));
        }
        self.full_at.put(key, full_at.saturating_add(self.every));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// In any stretch of time no more than the burst and the rate together, and after the wait it told, one goes through.
        #[test]
        fn the_rate_is_kept(gaps in prop::collection::vec(0..5_000_000_i64, 1..120), burst in 1..6_u32) {
            let mut limit = RateLimit::new(burst, Duration::from_secs(1));
            let (mut now, mut taken) = (1_700_000_000_000_000_i64, Vec::new());
            let at = |micros| DateTime::from_timestamp_micros(micros).unwrap();
            for gap in gaps {
                now += gap;
                match limit.take("k", at(now)) {
                    Ok(()) => taken.push(now),
                    Err(RetryAfter(wait)) => {
                        let wait = i64::try_from(wait.as_micros()).unwrap();
                        let mut later = limit.clone();
                        prop_assert!(later.take("k", at(now + wait - 1)).is_err());
                        prop_assert!(later.take("k", at(now + wait)).is_ok());
                    }
                }
            }
            for (first, from) in taken.iter().enumerate() {
                for (last, to) in taken.iter().enumerate().skip(first) {
                    let allowed = i64::from(burst) + (to - from) / 1_000_000;
                    prop_assert!((last - first + 1) as i64 <= allowed);
                }
            }
        }
    }

    #[test]
    fn no_setting_overflows() {
        let mut limit = RateLimit::new(u32::MAX, Duration::MAX);
        let ends = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC];
        for now in ends {
            limit.take("k", now).ok();
            limit.take("k", now).ok();
        }
    }
}
