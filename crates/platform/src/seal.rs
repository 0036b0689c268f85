//! Secret values at rest: AES-256-GCM (NIST SP 800-38D) under named keys, each value bound to the place where it lies.
//!
//! It protects what a stolen database or backup would tell; it does not protect from somebody who also has the keyring,
//! and the length of a value shows. A nonce is 96 random bits, so that one key should seal at most 2³² values (SP 800-38D,
//! 8.3): rotate before. Which key sealed a value stands in front of it in plain, and is authenticated with the rest.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Error;
use crate::ledger::{check_name, fill_random, make_private};

/// The format of the sealed values that this version writes.
const FORMAT: u8 = 1;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const LABEL: &[u8] = b"marquee sealed value 1";
const FILE_NOTE: &str = "# Marquee's keys for sealed values, one a line, the current one first. Back this file up: without it they are lost.\n";

/// Keys by name: the first seals, all of them open. Keys are never shown.
///
/// ```
/// use marquee_platform::{Keyring, Place};
///
/// let keys = Keyring::parse(&Keyring::fresh_line()?)?;
/// let place = Place { table: "account", row: "4f1c", column: "totp" };
/// let sealed = keys.seal(b"JBSWY3DPEHPK3PXP", &place)?;
/// assert_eq!(keys.open(&sealed, &place)?, b"JBSWY3DPEHPK3PXP");
/// assert!(keys.open(&sealed, &Place { row: "77aa", ..place }).is_err());
/// # Ok::<(), marquee_platform::Error>(())
/// ```
#[derive(Clone)]
pub struct Keyring {
    keys: Arc<Vec<Key>>,
}

#[derive(Clone)]
struct Key {
    id: String,
    cipher: Aes256Gcm,
}

/// Where a sealed value lies; it opens nowhere else, so that values cannot be swapped.
///
/// ```
/// use marquee_platform::Place;
///
/// let place = Place { table: "account", row: "4f1c", column: "totp" };
/// assert_eq!(place.to_string(), "account/4f1c/totp");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// What identifies the row.
    pub row: &'a str,
    /// The column.
    pub column: &'a str,
}

/// A sealed value: format (one byte), length and name of the key, nonce (12 bytes), cipher text with its tag (16 bytes).
///
/// ```
/// use marquee_platform::Sealed;
///
/// assert!(Sealed::from_bytes(b"plain text".to_vec()).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    bytes: Vec<u8>,
    /// Where the header with the key's name ends and the nonce begins.
    header: usize,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({})", self.ids().collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.table, self.row, self.column)
    }
}

impl Keyring {
    /// The keyring in this text (of an environment variable, say) or else in this file, which is made with one fresh key
    /// if it is not there.
    ///
    /// A keyring that was made anew opens nothing that was sealed before; what needs an older key says so by its name.
    ///
    /// # Errors
    /// [`Error::InvalidKeyring`]; [`Error::File`]; [`Error::NoRandomness`].
    pub fn load(given: Option<&str>, file: &Path) -> Result<Self, Error> {
        if let Some(text) = given {
            return Self::read(text, "the text that was given");
        }
        if !file.exists() {
            let text = format!("{FILE_NOTE}{}\n", Self::fresh_line()?);
            make_private(file, text.as_bytes(), "create the keyring")?;
        }
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|source| Error::file("read the keyring", file, source))?;
        Self::read(&text, &file.display().to_string())
    }

    /// The keyring in this text: one key a line as `ID:BASE64` (32 bytes), the current one first. Empty lines and those
    /// that begin with `#` are left out.
    ///
    /// # Errors
    /// [`Error::InvalidKeyring`], which names the line but does not show it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text, "the text that was given")
    }

    /// A line with a fresh random key, to be put in front of a keyring.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn fresh_line() -> Result<String, Error> {
        let (mut id, mut key) = ([0; 4], [0; KEY_BYTES]);
        fill_random(&mut id)?;
        fill_random(&mut key)?;
        Ok(format!("k{:08x}:{}", u32::from_be_bytes(id), STANDARD.encode(key)))
    }

    /// The name of the key that seals.
    #[must_use]
    pub fn current(&self) -> &str {
        self.ids().next().unwrap_or_default()
    }

    /// The names of all keys, the current one first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.id.as_str())
    }

    /// Seals a value for this place under the current key.
    ///
    /// # Errors
    /// [`Error::NoRandomness`]; [`Error::TooLongToSeal`] beyond 64 GiB.
    pub fn seal(&self, plain: &[u8], place: &Place<'_>) -> Result<Sealed, Error> {
        let too_long = || Error::TooLongToSeal { place: place.to_string() };
        // No keyring is empty and no name is longer than 64 bytes: `read` sees to both.
        let key = self.keys.first().ok_or_else(too_long)?;
        let mut nonce = [0; NONCE_BYTES];
        fill_random(&mut nonce)?;

        let mut bytes = vec![FORMAT, key.id.len() as u8];
        bytes.extend_from_slice(key.id.as_bytes());
        let header = bytes.len();
        let aad = associated(&bytes, place);
        let payload = Payload { msg: plain, aad: &aad };
        let locked = key.cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| too_long())?;
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&locked);
        Ok(Sealed { bytes, header })
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`Error::UnknownKey`] if its key is not on this keyring; [`Error::SealBroken`] if it was altered or sealed for
    /// another place.
    pub fn open(&self, sealed: &Sealed, place: &Place<'_>) -> Result<Vec<u8>, Error> {
        let id = sealed.key_id();
        let key = self.keys.iter().find(|key| key.id == id);
        let key = key.ok_or_else(|| Error::UnknownKey { place: place.to_string(), key: id.to_owned() })?;
        let broken = || Error::SealBroken { place: place.to_string() };

        let (header, rest) = sealed.bytes.split_at(sealed.header);
        let (nonce, locked) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
        let aad = associated(header, place);
        let payload = Payload { msg: locked, aad: &aad };
        key.cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| broken())
    }

    /// Whether this value is sealed under another key than the current one.
    #[must_use]
    pub fn needs_rotation(&self, sealed: &Sealed) -> bool {
        sealed.key_id() != self.current()
    }

    fn read(text: &str, origin: &str) -> Result<Self, Error> {
        let refuse = |line, reason| Error::InvalidKeyring { origin: origin.to_owned(), line, reason };
        let mut keys: Vec<Key> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = read_line(line).map_err(|reason| refuse(Some(index + 1), reason))?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(refuse(Some(index + 1), "names a key a second time"));
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(refuse(None, "holds no key"));
        }
        Ok(Self { keys: Arc::new(keys) })
    }
}

impl Sealed {
    /// The sealed value in these bytes; whether it opens, [`Keyring::open`] tells.
    ///
    /// # Errors
    /// [`Error::NotSealed`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        let refuse = |reason| Error::NotSealed { reason };
        let [format, length, rest @ ..] = &bytes[..] else {
            return Err(refuse("it is too short"));
        };
        if *format != FORMAT {
            return Err(refuse("its format is not 1"));
        }
        let length = usize::from(*length);
        let id = rest.get(..length).and_then(|id| std::str::from_utf8(id).ok());
        if id.is_none_or(|id| check_name("key", id).is_err()) {
            return Err(refuse("its key has no valid name"));
        }
        if rest.len() < length + NONCE_BYTES + TAG_BYTES {
            return Err(refuse("it is too short"));
        }
        Ok(Self { header: 2 + length, bytes })
    }

    /// The name of the key that it was sealed under.
    #[must_use]
    pub fn key_id(&self) -> &str {
        std::str::from_utf8(&self.bytes[2..self.header]).unwrap_or_default()
    }

    /// The bytes to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes to keep.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// What is authenticated beside the value: each field with its length before it, so that no two places look the same.
fn associated(header: &[u8], place: &Place<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in [LABEL, header, place.table.as_bytes(), place.row.as_bytes(), place.column.as_bytes()] {
        bytes.extend_from_slice(&(field.len() as u64).to_le_bytes());
        bytes.extend_from_slice(field);
    }
    bytes
}

fn read_line(line: &str) -> Result<Key, &'static str> {
    let (id, key) = line.split_once(':').ok_or("has no `:`")?;
    let id = id.trim_end().to_owned();
    check_name("key", &id).map_err(|_| "has a name with other than 1 to 64 of a-z, 0-9, `-` and `_`")?;
    let key = STANDARD.decode(key.trim_start()).map_err(|_| "is not base64")?;
    if key.len() != KEY_BYTES {
        return Err("does not hold 32 bytes");
    }
    let cipher = Aes256Gcm::new_from_slice(&key).map_err(|_| "does not hold 32 bytes")?;
    Ok(Key { id, cipher })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const HERE: Place<'_> = Place { table: "document", row: "17", column: "body" };

    fn ring(names: &[&str]) -> Keyring {
        let line = |name: &&str| format!("{name}:{}", STANDARD.encode([name.as_bytes()[0]; KEY_BYTES]));
        Keyring::parse(&names.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |index| u8::from_str_radix(&hex[index..index + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    fn check_vector(key: &str, nonce: &str, aad: &str, plain: &str, locked: &str) {
        let cipher = Aes256Gcm::new_from_slice(&bytes(key)).unwrap();
        let nonce = <[u8; NONCE_BYTES]>::try_from(bytes(nonce)).unwrap();
        let (plain, aad) = (bytes(plain), bytes(aad));
        let payload = Payload { msg: &plain, aad: &aad };
        assert_eq!(cipher.encrypt(&Nonce::from(nonce), payload).unwrap(), bytes(locked));
    }

    /// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test cases 14 and 16.
    #[test]
    fn the_cipher_is_aes_256_gcm() {
        check_vector(
            &"00".repeat(32),
            &"00".repeat(12),
            "",
            &"00".repeat(16),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
        );
        check_vector(
            &"feffe9928665731c6d6a8f9467308308".repeat(2),
            "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
             76fc6ece0f4e1768cddf8853bb2d551b",
        );
    }

    /// Made with Python's `cryptography` from the description of format 1: every later version must open it.
    #[test]
    fn a_frozen_value_opens() {
        let frozen = "010666726f7a656e000102030405060708090a0ba039cf71fb665e49598cab590f40c379\
                      66fe490591bcc56068196b5a87";
        let sealed = Sealed::from_bytes(bytes(frozen)).unwrap();
        assert_eq!(ring(&["frozen"]).open(&sealed, &HERE).unwrap(), b"Heaven's Gate");
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_in_its_place_alone(
            plain: Vec<u8>, here: [String; 3], there: [String; 3],
        ) {
            let place = |names| { let [table, row, column]: &[String; 3] = names; Place { table, row, column } };
            let keys = ring(&["new", "old"]);
            let sealed = keys.seal(&plain, &place(&here)).unwrap();
            let kept = Sealed::from_bytes(sealed.clone().into_bytes()).unwrap();
            prop_assert_eq!(&kept, &sealed);
            prop_assert_eq!(keys.open(&kept, &place(&here)).unwrap(), plain);
            if here != there {
                let refused = matches!(keys.open(&kept, &place(&there)), Err(Error::SealBroken { .. }));
                prop_assert!(refused);
            }
        }

        #[test]
        fn each_flipped_bit_is_refused(plain in prop::collection::vec(any::<u8>(), 0..40)) {
            let keys = ring(&["new", "nev", "old"]);
            let sealed = keys.seal(&plain, &HERE).unwrap().into_bytes();
            for bit in 0..sealed.len() * 8 {
                let mut altered = sealed.clone();
                altered[bit / 8] ^= 1 << (bit % 8);
                let opened = Sealed::from_bytes(altered).and_then(|sealed| keys.open(&sealed, &HERE));
                prop_assert!(opened.is_err(), "bit {}", bit);
            }
        }

        #[test]
        fn no_bytes_and_no_text_panic(bytes: Vec<u8>, text: String) {
            if let Ok(sealed) = Sealed::from_bytes(bytes.clone()) {
                prop_assert_eq!(sealed.as_bytes(), &bytes);
                prop_assert!(ring(&["new"]).open(&sealed, &HERE).is_err());
            }
            Keyring::parse(&text).ok();
        }
    }

    /// Without lengths before the fields these two places would have the same bytes under the tag.
    #[test]
    fn names_of_a_place_do_not_run_into_each_other() {
        let keys = ring(&["new"]);
        let sealed = keys.seal(b"x", &Place { table: "ab", row: "c", column: "d" }).unwrap();
        assert!(keys.open(&sealed, &Place { table: "a", row: "bc", column: "d" }).is_err());
    }

    #[test]
    fn the_same_value_never_looks_the_same() {
        let keys = ring(&["new"]);
        assert_ne!(keys.seal(b"x", &HERE).unwrap(), keys.seal(b"x", &HERE).unwrap());
    }

    #[test]
    fn a_key_opens_until_it_is_thrown_away() {
        let sealed = ring(&["old"]).seal(b"x", &HERE).unwrap();
        let both = ring(&["new", "old"]);
        assert!(both.needs_rotation(&sealed));
        let again = both.seal(&both.open(&sealed, &HERE).unwrap(), &HERE).unwrap();
        assert!(!both.needs_rotation(&again));
        let alone = ring(&["new"]);
        assert_eq!(alone.open(&again, &HERE).unwrap(), b"x");
        assert_eq!(
            alone.open(&sealed, &HERE).unwrap_err().to_string(),
            "document/17/body is sealed under key `old`, which the keyring lacks: put that key back as a further line"
        );
    }

    fn check_refused(text: &str, wanted: &str) {
        let error = Keyring::parse(text).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
        assert!(!error.contains("AAAA"), "{error} shows a key");
    }

    #[test]
    fn a_keyring_that_cannot_be_read_says_where_and_hides_the_key() {
        let key = STANDARD.encode([0; KEY_BYTES]);
        check_refused("", "holds no key");
        check_refused("# nothing\n\n", "holds no key");
        check_refused(&key, "(line 1) has no `:`");
        check_refused(&format!("# two\nOld:{key}"), "(line 2) has a name");
        check_refused(&format!("a:{key}\na:{key}"), "a second time");
        check_refused("a:AAAAAAAA", "does not hold 32 bytes");
        check_refused("a:AAAA!", "is not base64");
        let shown = format!("{:?}", ring(&["new", "old"]));
        assert_eq!(shown, "Keyring(new, old)");
    }

    #[test]
    fn a_keyring_file_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.keys");
        let made = Keyring::load(None, &path).unwrap();
        let sealed = made.seal(b"x", &HERE).unwrap();
        let again = Keyring::load(None, &path).unwrap();
        assert_eq!(again.open(&sealed, &HERE).unwrap(), b"x");
        let given = format!("new:{}", STANDARD.encode([7; KEY_BYTES]));
        assert_eq!(Keyring::load(Some(&given), &path).unwrap().current(), "new");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
