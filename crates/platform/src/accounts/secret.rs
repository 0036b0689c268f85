//! The secret behind what Marquee hands out and must know again: the tokens of forms and of devices. Its file is made like
//! the ledger's key; unlike that one it can be lost: open forms and known devices are then forgotten, and nothing else.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::Error;
use crate::ledger::{fill_random, make_private};

const BYTES: usize = 32;
const EQUAL_LABEL: &[u8] = b"marquee equal 1";

/// A key of 32 bytes from a private file. It is never shown.
///
/// ```
/// use marquee_platform::Secret;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("accounts.key");
/// let made = Secret::open(&path)?;
/// assert_eq!(format!("{made:?}"), "Secret(…)");
/// assert!(Secret::open(&path).is_ok()); // the same again
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Secret {
    // The keyed state; cloning it for each MAC saves hashing the key again.
    keyed: Arc<Hmac<Sha256>>,
}

impl Secret {
    /// Reads the secret, or makes one if there is no file.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::InvalidSecret`], [`Error::NoRandomness`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        match std::fs::read(path) {
            Ok(bytes) => Self::from_bytes(path, &bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(Error::file("read the accounts' secret", path, error)),
        }
    }

    fn create(path: &Path) -> Result<Self, Error> {
        let mut bytes = [0; BYTES];
        fill_random(&mut bytes)?;
        if make_private(path, &bytes, "create the accounts' secret")? {
            return Self::from_bytes(path, &bytes);
        }
        let made =
            std::fs::read(path).map_err(|source| Error::file("read the accounts' secret", path, source))?;
        Self::from_bytes(path, &made)
    }

    fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let refuse = || Error::InvalidSecret { path: path.into(), bytes: bytes.len() };
        if bytes.len() != BYTES {
            return Err(refuse());
        }
        let keyed = Hmac::new_from_slice(bytes).map_err(|_| refuse())?;
        Ok(Self { keyed: Arc::new(keyed) })
    }

    /// HMAC-SHA-256 (RFC 2104) over a label that says what it is for and the fields, each with its length before it.
    pub(crate) fn mac(&self, label: &[u8], fields: &[&[u8]]) -> [u8; 32] {
        self.over(label, fields).finalize().into_bytes().into()
    }

    /// Whether this is that MAC; takes the same time wherever they differ.
    pub(crate) fn holds(&self, label: &[u8], fields: &[&[u8]], mac: &[u8]) -> bool {
        self.over(label, fields).verify_slice(mac).is_ok()
    }

    /// Whether these are equal; takes the same time wherever they differ.
    pub(crate) fn equal(&self, one: &[u8], other: &[u8]) -> bool {
        self.holds(EQUAL_LABEL, &[one], &self.mac(EQUAL_LABEL, &[other]))
    }

    fn over(&self, label: &[u8], fields: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.keyed.as_ref().clone();
        for field in std::iter::once(&label).chain(fields) {
            mac.update(&(field.len() as u64).to_le_bytes());
            mac.update(field);
        }
        mac
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// 32 random bytes, base64url: what a cookie or a token keeps secret.
pub(crate) fn fresh_text() -> Result<String, Error> {
    let mut bytes = [0; BYTES];
    fill_random(&mut bytes)?;
    Ok(encode(&bytes))
}

/// What is stored of a cookie or a token. They are random, so that a plain hash cannot be guessed back.
pub(crate) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.key");
        let made = Secret::open(&path).unwrap();
        let again = Secret::open(&path).unwrap();
        assert_eq!(made.mac(b"x", &[b"a"]), again.mac(b"x", &[b"a"]));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(&path, [0; 31]).unwrap();
        assert!(matches!(Secret::open(&path), Err(Error::InvalidSecret { bytes: 31, .. })));
    }

    #[test]
    fn labels_and_fields_do_not_run_into_each_other() {
        let secret = Secret::from_bytes(Path::new("k"), &[7; 32]).unwrap();
        let mac = secret.mac(b"x", &[b"ab", b"c"]);
        assert!(secret.holds(b"x", &[b"ab", b"c"], &mac));
        assert!(!secret.holds(b"x", &[b"a", b"bc"], &mac));
        assert!(!secret.holds(b"y", &[b"ab", b"c"], &mac));
        assert!(!secret.holds(b"x", &[b"ab", b"c"], &mac[..31]));
        assert!(secret.equal(b"a", b"a") && !secret.equal(b"a", b"b") && !secret.equal(b"a", b""));
    }
}
