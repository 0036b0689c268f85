//! Passwords: which are accepted, and how they are hashed.
//!
//! Accepted is what NIST SP 800-63B asks for: length, and not one that everybody tries; no rules of composition, no date by
//! which to change it. Hashed with Argon2id (RFC 9106) at OWASP's parameters, stored as PHC strings. Passwords are taken
//! byte for byte; they are not normalised.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::account::name_key;
use crate::Error;
use crate::ledger::fill_random;

/// Lengths in bytes.
const SHORTEST: usize = 12;
const LONGEST: usize = 1024;
/// Memory in KiB and passes, with one lane: OWASP's Password Storage Cheat Sheet.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;
/// Hashes at a time; each takes [`MEMORY`].
const AT_ONCE: usize = 2;
/// Nobody's password, hashed with the present parameters: what is verified where there is no account, so that the answer
/// takes as long.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bWFycXVlZTogbm9ib2R5IQ$\
                     AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What attackers try first, of those that are long enough. In lower case.
const COMMON: &[&str] = &[
    "000000000000",
    "0123456789ab",
    "012345678910",
    "0987654321098",
    "111111111111",
    "112233445566",
    "11111111111111",
    "12121212121212",
    "121212121212",
    "123123123123",
    "1234123412341234",
    "123412341234",
    "123451234512345",
    "123456123456",
    "1234567890-=",
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789012345",
    "1234567890123456",
    "12345678901234567890",
    "123456789abc",
    "123456789123",
    "123456789123456789",
    "123456789987654321",
    "1234567890qwerty",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u",
    "1q2w3e4r5t6y7u8i",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "222222222222",
    "3.1415926535",
    "314159265358979",
    "555555555555",
    "666666666666",
    "777777777777",
    "888888888888",
    "987654321012",
    "999999999999",
    "aaaaaaaaaaaa",
    "abababababab",
    "abc123abc123",
    "abc123456789",
    "abcabcabcabc",
    "abcd1234abcd",
    "abcdefghijkl",
    "abcdefghijklm",
    "abcdefghijklmnop",
    "abcdefghijklmnopqrstuvwxyz",
    "abcdefgh1234",
    "administrator",
    "administrator1",
    "adminadminadmin",
    "asdfasdfasdf",
    "asdfghjkl123",
    "asdfghjkl;'#",
    "asdfghjkl1234",
    "changemenow123",
    "changemechangeme",
    "changeme1234",
    "correct horse battery staple",
    "correcthorsebatterystaple",
    "football1234",
    "iloveyou1234",
    "iloveyouiloveyou",
    "iloveyouforever",
    "letmeinletmein",
    "letmein12345",
    "letmeinplease",
    "marqueemarquee",
    "marquee12345",
    "p@ssw0rd1234",
    "p@ssword1234",
    "passw0rd1234",
    "password0000",
    "password1111",
    "password1234",
    "password12345",
    "password123456",
    "password123!",
    "password1234!",
    "password2024",
    "password2025",
    "password2026",
    "passwordpassword",
    "qazwsxedcrfv",
    "qwer1234qwer",
    "qwertyqwerty",
    "qwerty123456",
    "qwerty1234567",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiop[]",
    "qwertyuiopasdfghjkl",
    "starwars1234",
    "thisismypassword",
    "welcome12345",
    "zxcvbnm12345",
];

/// Hashes and verifies, two at a time and off the threads that answer.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    gate: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self { gate: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The PHC string to be stored.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Error> {
        let password = password.to_owned();
        self.run(move || hash_with(password.as_bytes(), &argon2()?)).await
    }

    /// Whether this is the password of that PHC string. Without one it is not, and takes as long to say so.
    pub(crate) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, Error> {
        // One that is too long was never accepted; it is not worth its hashing.
        let fits = password.len() <= LONGEST;
        let password = if fits { password.to_owned() } else { String::new() };
        let real = fits && stored.is_some();
        let stored = stored.unwrap_or(DUMMY).to_owned();
        self.run(move || {
            let stored = PasswordHash::new(&stored).map_err(failed)?;
            let holds = argon2()?.verify_password(password.as_bytes(), &stored).is_ok();
            Ok(holds && real)
        })
        .await
    }

    async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        let place = self.gate.clone().acquire_owned().await.map_err(|_| Error::Closed)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held until the work ends, also if whoever asked went away.
            let _place = place;
            work()
        });
        done.await.map_err(|_| Error::Closed)?
    }
}

/// Passes if this may be the password of the account with this name.
pub(crate) fn check(password: &str, name: &str) -> Result<(), Error> {
    let reason = if password.len() < SHORTEST {
        format!("it has {} bytes: use at least {SHORTEST}, some words for example", password.len())
    } else if password.len() > LONGEST {
        format!("it has {} bytes: use at most {LONGEST}", password.len())
    } else if name_key(password) == name_key(name) {
        "it is the name of the account: use something else".to_owned()
    } else if COMMON.contains(&password.to_lowercase().as_str()) {
        "it is one of those that are tried first: use something else".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::InvalidField { what: "password", reason })
}

/// Whether a password should be hashed anew because the parameters grew since it was.
pub(crate) fn is_outdated(stored: &str) -> bool {
    let Ok(stored) = PasswordHash::new(stored) else {
        return true;
    };
    let same_way = stored.algorithm.as_str() == Algorithm::Argon2id.as_str()
        && stored.version == Some(Version::V0x13.into());
    let Ok(params) = Params::try_from(&stored) else {
        return true;
    };
    !same_way || params.m_cost() < MEMORY || params.t_cost() < PASSES
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY, PASSES, 1, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_with(password: &[u8], argon2: &Argon2<'_>) -> Result<String, Error> {
    let mut salt = [0; 16];
    fill_random(&mut salt)?;
    let hashed = argon2.hash_password_with_salt(password, &salt).map_err(failed)?;
    Ok(hashed.to_string())
}

#[allow(clippy::needless_pass_by_value)] // For `map_err`.
fn failed(error: impl std::fmt::Display) -> Error {
    Error::Hashing { reason: error.to_string() }
}

/// A hash from a time when less was asked for.
#[cfg(test)]
pub(crate) fn weak_hash(password: &str) -> String {
    let params = Params::new(64, PASSES, 1, None).unwrap_or_default();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    hash_with(password.as_bytes(), &argon2).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeSet;

    fn check_password(password: &str, accepted: bool) {
        assert_eq!(check(password, "Ana Lopes Silva").is_ok(), accepted, "{password:?}");
    }

    #[test]
    fn long_ones_are_accepted_whatever_they_are_made_of() {
        check_password("only small letters", true);
        check_password("пароль", true); // twelve bytes
        check_password("eleven byte", false);
        check_password(&"x".repeat(1024), true);
        check_password(&"x".repeat(1025), false);
        check_password("ana lopes silva", false);
        check_password("Password1234", false);
    }

    #[test]
    fn the_list_is_short_and_has_no_idle_entries() {
        assert!(COMMON.len() <= 100, "{}", COMMON.len());
        for common in COMMON {
            assert!(common.len() >= SHORTEST && common.to_lowercase() == *common, "{common}");
        }
        assert_eq!(COMMON.iter().collect::<BTreeSet<_>>().len(), COMMON.len());
    }

    #[tokio::test]
    async fn a_password_is_known_again() {
        let passwords = Passwords::new();
        let stored = passwords.hash("four words in a row").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.verify("four words in a row", Some(&stored)).await.unwrap());
        assert!(!passwords.verify("four words in a rov", Some(&stored)).await.unwrap());
        assert!(!passwords.verify("four words in a row", None).await.unwrap());
        assert!(!passwords.verify(&"x".repeat(2000), Some(&stored)).await.unwrap());
        assert_ne!(passwords.hash("four words in a row").await.unwrap(), stored);
    }

    #[test]
    fn the_dummy_costs_what_a_password_costs() {
        let dummy = PasswordHash::new(DUMMY).unwrap();
        let fresh = hash_with(b"x", &argon2().unwrap()).unwrap();
        let fresh = PasswordHash::new(&fresh).unwrap();
        assert_eq!(
            (&dummy.algorithm, &dummy.version, &dummy.params),
            (&fresh.algorithm, &fresh.version, &fresh.params)
        );
        assert_eq!(dummy.salt.unwrap().len(), fresh.salt.unwrap().len());
        assert_eq!(dummy.hash.unwrap().len(), fresh.hash.unwrap().len());
    }

    #[test]
    fn weaker_hashes_are_made_anew() {
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 2, 1, None).unwrap());
        let other = Argon2::new(Algorithm::Argon2i, Version::V0x13, Params::new(MEMORY, 2, 1, None).unwrap());
        let stronger =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(MEMORY, 3, 1, None).unwrap());
        for (argon2, outdated) in [(weaker, true), (other, true), (stronger, false)] {
            assert_eq!(is_outdated(&hash_with(b"x", &argon2).unwrap()), outdated);
        }
        assert!(is_outdated("what is this"));
        assert!(!is_outdated(DUMMY));
    }
}
