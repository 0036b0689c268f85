//! The ledger's secret key, its file, and the two things made with it: the MAC of an entry and the MAC of an anchor.
//!
//! Every MAC covers a label that names what it is for and in which format, and each field with its length before it, so
//! that no two different records have the same bytes under the MAC. HMAC as in RFC 2104, with SHA-256.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::{Digest as _, Sha256};

use super::Head;
use crate::{Digest, Error};

const KEY_BYTES: usize = 32;
const KEY_LABEL: &[u8] = b"marquee ledger key 1";
const PAYLOAD_LABEL: &[u8] = b"marquee ledger payload 1";
const ENTRY_LABEL: &[u8] = b"marquee ledger entry 1";
const ANCHOR_LABEL: &[u8] = b"marquee ledger anchor 1";

/// The key of one ledger. It is never shown.
#[derive(Clone)]
pub(crate) struct Key {
    // The keyed state; cloning it for each MAC saves hashing the key again.
    keyed: Arc<Hmac<Sha256>>,
    id: Digest,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// What the MAC of an entry covers.
pub(crate) struct Sealed<'a> {
    pub(crate) stream: &'a str,
    pub(crate) seq: i64,
    /// Microseconds since 1970-01-01 UTC.
    pub(crate) recorded_at: i64,
    pub(crate) kind: &'a [u8],
    pub(crate) payload_hash: &'a [u8],
    pub(crate) prev_mac: &'a [u8],
}

impl Key {
    /// Reads the key, or makes one if there is none and `may_create` says that no ledger depends on an older one.
    pub(crate) fn open(path: &Path, may_create: bool) -> Result<Self, Error> {
        match std::fs::read(path) {
            Ok(bytes) => Self::from_bytes(path, &bytes),
            Err(error) if error.kind() == ErrorKind::NotFound && may_create => Self::create(path),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::KeyMissing { path: path.into() }),
            Err(error) => Err(Error::file("read the ledger's key", path, error)),
        }
    }

    /// Names the key without giving it away.
    pub(crate) fn id(&self) -> Digest {
        self.id
    }

    pub(crate) fn seal(&self, entry: &Sealed<'_>) -> Digest {
        self.mac(&[
            ENTRY_LABEL,
            entry.stream.as_bytes(),
            &entry.seq.to_le_bytes(),
            &entry.recorded_at.to_le_bytes(),
            entry.kind,
            entry.payload_hash,
            entry.prev_mac,
        ])
    }

    pub(crate) fn seal_anchor(&self, head: &Head) -> Digest {
        self.mac(&[
            ANCHOR_LABEL,
            head.stream.as_str().as_bytes(),
            &head.seq.to_le_bytes(),
            &head.mac.0,
            &head.at.timestamp_micros().to_le_bytes(),
        ])
    }

    fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let refuse = || Error::InvalidKey { path: path.into(), bytes: bytes.len() };
        if bytes.len() != KEY_BYTES {
            return Err(refuse());
        }
        let keyed = Hmac::new_from_slice(bytes).map_err(|_| refuse())?;
        Ok(Self { keyed: Arc::new(keyed), id: hash(&[KEY_LABEL, bytes]) })
    }

    fn create(path: &Path) -> Result<Self, Error> {
        let mut bytes = [0; KEY_BYTES];
        fill_random(&mut bytes)?;
        if make_private(path, &bytes, "create the ledger's key")? {
            return Self::from_bytes(path, &bytes);
        }
        Self::open(path, false)
    }

    fn mac(&self, fields: &[&[u8]]) -> Digest {
        let mut mac = self.keyed.as_ref().clone();
        for field in fields {
            mac.update(&(field.len() as u64).to_le_bytes());
            mac.update(field);
        }
        Digest(mac.finalize().into_bytes().into())
    }
}

/// The salted hash of a payload.
pub(crate) fn hash_payload(salt: &[u8], payload: &[u8]) -> Digest {
    hash(&[PAYLOAD_LABEL, salt, payload])
}

/// A fresh salt. It comes from the operating system and not from a seed: a salt that could be computed again would let
/// an erased payload be guessed.
pub(crate) fn fresh_salt() -> Result<[u8; 16], Error> {
    let mut salt = [0; 16];
    fill_random(&mut salt)?;
    Ok(salt)
}

/// Makes a new name in this file's folder survive a power cut.
pub(crate) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
        std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn hash(fields: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    for field in fields {
        hash.update((field.len() as u64).to_le_bytes());
        hash.update(field);
    }
    Digest(hash.finalize().into())
}

/// Random bytes from the operating system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), Error> {
    let filled = SysRng.try_fill_bytes(bytes);
    filled.map_err(|error| Error::NoRandomness { reason: error.to_string() })
}

/// Makes a file that only its owner may read; false if there is one already, which is left alone. It is written beside
/// its place first and linked there whole, so that neither a crash nor a second process can leave or see half a key.
pub(crate) fn make_private(path: &Path, bytes: &[u8], doing: &'static str) -> Result<bool, Error> {
    let mut nonce = [0; 8];
    fill_random(&mut nonce)?;
    let draft = draft_path(path, u64::from_le_bytes(nonce));

    let fail = |source| Error::file(doing, path, source);
    let linked = write_private(&draft, bytes).and_then(|()| std::fs::hard_link(&draft, path));
    std::fs::remove_file(&draft).ok();
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(fail(error)),
        Ok(()) => sync_folder_of(path).map_err(fail).map(|()| true),
    }
}

fn draft_path(path: &Path, nonce: u64) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{nonce:016x}.new"));
    path.with_file_name(name)
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.key");
        assert!(matches!(Key::open(&path, false), Err(Error::KeyMissing { .. })));
        let made = Key::open(&path, true).unwrap();
        assert_eq!(Key::open(&path, true).unwrap().id(), made.id());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_of_another_length_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.key");
        std::fs::write(&path, [0; 31]).unwrap();
        assert!(matches!(Key::open(&path, true), Err(Error::InvalidKey { bytes: 31, .. })));
    }

    /// RFC 4231, test case 1, with its 20-byte key padded by the zeros that HMAC itself would add.
    #[test]
    fn the_mac_is_hmac_sha_256() {
        let mut bytes = [0; KEY_BYTES];
        bytes[..20].fill(0x0b);
        let key = Key::from_bytes(Path::new("k"), &bytes).unwrap();
        let mut mac = key.keyed.as_ref().clone();
        mac.update(b"Hi There");
        assert_eq!(
            Digest(mac.finalize().into_bytes().into()).to_string(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        assert_ne!(hash_payload(b"ab", b"c"), hash_payload(b"a", b"bc"));
    }
}
