//! Stored models: a small header, a checksum and a payload.
//!
//! Layout, little-endian: `MRQA`, format version (u16), length of the kind (u16), the kind (UTF-8), length of
//! the payload (u64), SHA-256 of everything before and after itself, the payload (postcard). Nothing of the
//! payload is decoded before the checksum agrees. The checksum finds damage, not forgery.

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// The newest format this build reads and the one it writes.
pub const FORMAT_VERSION: u16 = 1;
const MAGIC: &[u8; 4] = b"MRQA";
const HASH: usize = 32;

/// Why an artefact was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArtefactError {
    /// It does not begin as an artefact does.
    #[error("this is not a marquee artefact (it does not begin with MRQA); point to a stored model")]
    NotAnArtefact,
    /// It ends too early.
    #[error("the artefact is cut short: {found} bytes of {expected}; delete it and train again")]
    Truncated {
        /// The bytes that the header promises.
        expected: u64,
        /// The bytes there are.
        found: u64,
    },
    /// Its checksum disagrees with its contents.
    #[error("the artefact is damaged (its SHA-256 does not match); delete it and train again")]
    Damaged,
    /// It was written by a newer program.
    #[error("the artefact has format {found} but this program reads up to {supported}; upgrade marquee")]
    Newer {
        /// The artefact's format version.
        found: u16,
        /// The newest that can be read.
        supported: u16,
    },
    /// It holds something else than what was asked for.
    #[error("the artefact holds {found:?}, not {expected:?}; point to the right file or train again")]
    OtherKind {
        /// The kind asked for.
        expected: String,
        /// The kind found.
        found: String,
    },
    /// Its contents could not be written or read as what they claim to be.
    #[error("the artefact's contents do not decode ({reason}); train again with this version")]
    Payload {
        /// The decoder's own words.
        reason: String,
    },
    /// Its parts contradict each other.
    #[error("the artefact's {part} do not fit its other parts; train again with this version")]
    Inconsistent {
        /// Which part.
        part: &'static str,
    },
}

/// The bytes of an artefact of this kind.
///
/// # Errors
/// [`ArtefactError::Payload`] if the value cannot be encoded or the kind's name is over 65,535 bytes.
///
/// ```
/// use marquee_learn::artefact::{decode, encode};
///
/// let bytes = encode("numbers", &vec![1u32, 2, 3])?;
/// assert_eq!(decode::<Vec<u32>>("numbers", &bytes)?, [1, 2, 3]);
/// assert!(decode::<Vec<u32>>("letters", &bytes).is_err());
/// # Ok::<(), marquee_learn::artefact::ArtefactError>(())
/// ```
pub fn encode<T: Serialize>(kind: &str, value: &T) -> Result<Vec<u8>, ArtefactError> {
    let payload = postcard::to_stdvec(value).map_err(|error| payload_error(&error))?;
    let kind_len = u16::try_from(kind.len()).map_err(|error| payload_error(&error))?;
    let mut bytes = Vec::with_capacity(payload.len() + kind.len() + 64);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&kind_len.to_le_bytes());
    bytes.extend_from_slice(kind.as_bytes());
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    let hash = digest(&bytes, &payload);
    bytes.extend_from_slice(&hash);
    bytes.extend_from_slice(&payload);
    Ok(bytes)
}

/// The value in an artefact of this kind.
///
/// # Errors
/// An [`ArtefactError`] that says what is wrong with it; never a panic.
pub fn decode<T: DeserializeOwned>(kind: &str, bytes: &[u8]) -> Result<T, ArtefactError> {
    let (found, payload) = open(bytes)?;
    if found != kind {
        return Err(ArtefactError::OtherKind { expected: kind.into(), found: found.into() });
    }
    let (value, rest) = postcard::take_from_bytes(payload).map_err(|error| payload_error(&error))?;
    if !rest.is_empty() {
        return Err(ArtefactError::Payload { reason: format!("{} bytes are left over", rest.len()) });
    }
    Ok(value)
}

/// The kind of an undamaged artefact.
///
/// # Errors
/// As [`decode`], except that the payload is not decoded.
pub fn kind(bytes: &[u8]) -> Result<&str, ArtefactError> {
    open(bytes).map(|(kind, _)| kind)
}

fn open(bytes: &[u8]) -> Result<(&str, &[u8]), ArtefactError> {
    let mut rest = bytes;
    let mut expected = 0u64;
    let mut take = |n: usize| -> Result<&[u8], ArtefactError> {
        expected += n as u64;
        let cut = ArtefactError::Truncated { expected, found: bytes.len() as u64 };
        let (head, tail) = rest.split_at_checked(n).ok_or(cut)?;
        rest = tail;
        Ok(head)
    };
    if !MAGIC.starts_with(bytes.get(..4).unwrap_or(bytes)) {
        return Err(ArtefactError::NotAnArtefact);
    }
    take(4)?;
    let version = le_u16(take(2)?);
    if version > FORMAT_VERSION {
        return Err(ArtefactError::Newer { found: version, supported: FORMAT_VERSION });
    }
    let kind_len = usize::from(le_u16(take(2)?));
    let kind = take(kind_len)?;
    let length = take(8)?.iter().rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
    let hash = take(HASH)?;
    let header = 4 + 2 + 2 + kind_len + 8;
    let found = rest.len() as u64;
    if found < length {
        let before = (header + HASH) as u64;
        let expected = length.saturating_add(before);
        return Err(ArtefactError::Truncated { expected, found: bytes.len() as u64 });
    }
    if found > length || digest(&bytes[..header], rest) != hash || version == 0 {
        return Err(ArtefactError::Damaged);
    }
    let kind = std::str::from_utf8(kind).map_err(|_| ArtefactError::Damaged)?;
    Ok((kind, rest))
}

fn digest(header: &[u8], payload: &[u8]) -> [u8; HASH] {
    let mut hasher = Sha256::new();
    hasher.update(header);
    hasher.update(payload);
    hasher.finalize().into()
}

fn le_u16(bytes: &[u8]) -> u16 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u16::from(byte))
}

fn payload_error(reason: &impl std::fmt::Display) -> ArtefactError {
    ArtefactError::Payload { reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Vec<u8> {
        encode("test", &vec![1.5f64, -2.0, 3.25]).unwrap()
    }

    fn refuse(change: impl FnOnce(&mut Vec<u8>)) -> ArtefactError {
        let mut bytes = sample();
        change(&mut bytes);
        decode::<Vec<f64>>("test", &bytes).unwrap_err()
    }

    #[test]
    fn each_fault_has_its_own_answer() {
        assert_eq!(refuse(|b| b[0] = b'X'), ArtefactError::NotAnArtefact);
        assert_eq!(refuse(Vec::clear), ArtefactError::Truncated { expected: 4, found: 0 });
        assert_eq!(refuse(|b| b[4] = 9), ArtefactError::Newer { found: 9, supported: 1 });
        assert_eq!(refuse(|b| b[8] ^= 1), ArtefactError::Damaged);
        assert_eq!(refuse(|b| b.push(0)), ArtefactError::Damaged);
        let whole = sample().len() as u64;
        assert_eq!(refuse(|b| b.truncate(60)), ArtefactError::Truncated { expected: whole, found: 60 });
        let other = decode::<Vec<f64>>("else", &sample()).unwrap_err();
        assert!(matches!(other, ArtefactError::OtherKind { .. }));
        assert!(matches!(decode::<u8>("test", &sample()), Err(ArtefactError::Payload { .. })));
        assert_eq!(kind(&sample()).unwrap(), "test");
    }

    proptest! {
        #[test]
        fn a_flipped_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0..8u32) {
            let mut bytes = sample();
            let i = at.index(bytes.len());
            bytes[i] ^= 1 << bit;
            prop_assert!(decode::<Vec<f64>>("test", &bytes).is_err());
        }

        #[test]
        fn a_cut_is_refused(at in any::<prop::sample::Index>()) {
            let bytes = sample();
            prop_assert!(decode::<Vec<f64>>("test", &bytes[..at.index(bytes.len())]).is_err());
        }

        #[test]
        fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(decode::<Vec<f64>>("test", &bytes).is_err());
            let begun: Vec<u8> = MAGIC.iter().copied().chain(bytes).collect();
            prop_assert!(decode::<Vec<f64>>("test", &begun).is_err());
        }
    }
}
