//! Object ids: the hash that names a Git object.
//!
//! An id knows its own format, so that a repository of one format never confuses an id of the other: the length
//! decides, and nothing is ever padded or cut. Storage keeps the raw bytes (20 or 32), every surface shows lower-case hex.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The hash function of a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectFormat {
    /// SHA-1, what every Git client speaks.
    #[default]
    Sha1,
    /// SHA-256, chosen when the repository is created.
    Sha256,
}

impl ObjectFormat {
    /// Returns the name Git uses in `object-format=` and `extensions.objectFormat`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// Returns the format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            _ => None,
        }
    }

    /// Returns how many bytes an id of this format has.
    pub fn raw_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Returns how many hex digits an id of this format has.
    pub fn hex_len(self) -> usize {
        self.raw_len() * 2
    }
}

impl fmt::Display for ObjectFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of a Git object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectId {
    /// A SHA-1 id.
    Sha1([u8; 20]),
    /// A SHA-256 id.
    Sha256([u8; 32]),
}

/// The text or bytes are not an object id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidObjectId;

impl fmt::Display for InvalidObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an object id")
    }
}

impl std::error::Error for InvalidObjectId {}

impl ObjectId {
    /// Returns the id of all zeros, which stands for "no object" in ref updates.
    pub const fn null(format: ObjectFormat) -> Self {
        match format {
            ObjectFormat::Sha1 => Self::Sha1([0; 20]),
            ObjectFormat::Sha256 => Self::Sha256([0; 32]),
        }
    }

    /// Returns the id of the tree without entries.
    pub fn empty_tree(format: ObjectFormat) -> Self {
        let hex = match format {
            ObjectFormat::Sha1 => "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
            ObjectFormat::Sha256 => "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
        };
        hex.parse().expect("the two constants are valid hex of the right length")
    }

    /// Reads raw bytes, of which there must be 20 or 32.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidObjectId> {
        match bytes.len() {
            20 => bytes.try_into().map(Self::Sha1).map_err(|_| InvalidObjectId),
            32 => bytes.try_into().map(Self::Sha256).map_err(|_| InvalidObjectId),
            _ => Err(InvalidObjectId),
        }
    }

    /// Reads 40 or 64 hex digits of either case.
    pub fn from_hex(hex: &[u8]) -> Result<Self, InvalidObjectId> {
        let mut raw = [0u8; 32];
        let len = match hex.len() {
            40 => 20,
            64 => 32,
            _ => return Err(InvalidObjectId),
        };
        for (byte, pair) in raw.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Self::from_bytes(&raw[..len])
    }

    /// Returns the raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        }
    }

    /// Returns the hash function that made this id.
    pub fn format(&self) -> ObjectFormat {
        match self {
            Self::Sha1(_) => ObjectFormat::Sha1,
            Self::Sha256(_) => ObjectFormat::Sha256,
        }
    }

    /// Is this the id of all zeros?
    pub fn is_null(&self) -> bool {
        self.as_bytes().iter().all(|byte| *byte == 0)
    }

    /// Returns the first seven hex digits, for messages that people read.
    pub fn short(&self) -> String {
        let mut hex = self.to_string();
        hex.truncate(7);
        hex
    }
}

fn digit(hex: u8) -> Result<u8, InvalidObjectId> {
    match hex {
        b'0'..=b'9' => Ok(hex - b'0'),
        b'a'..=b'f' => Ok(hex - b'a' + 10),
        b'A'..=b'F' => Ok(hex - b'A' + 10),
        _ => Err(InvalidObjectId),
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0u8; 64];
        let raw = self.as_bytes();
        for (pair, byte) in hex.chunks_exact_mut(2).zip(raw) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&hex[..raw.len() * 2]).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

impl FromStr for ObjectId {
    type Err = InvalidObjectId;

    fn from_str(hex: &str) -> Result<Self, InvalidObjectId> {
        Self::from_hex(hex.as_bytes())
    }
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(deserializer)?;
        hex.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hex_of_neither_format_is_refused() {
        for text in ["", "00", &"0".repeat(39), &"0".repeat(41), &"g".repeat(40), &"0".repeat(63)] {
            assert_eq!(text.parse::<ObjectId>(), Err(InvalidObjectId), "{text}");
        }
    }

    #[test]
    fn null_is_null_in_both_formats_and_nothing_else_is() {
        assert!(ObjectId::null(ObjectFormat::Sha1).is_null());
        assert!(ObjectId::null(ObjectFormat::Sha256).is_null());
        assert!(!ObjectId::empty_tree(ObjectFormat::Sha1).is_null());
        assert_ne!(ObjectId::null(ObjectFormat::Sha1), ObjectId::null(ObjectFormat::Sha256));
    }

    #[test]
    fn serialized_form_is_the_hex_string() {
        let id = ObjectId::empty_tree(ObjectFormat::Sha1);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"4b825dc642cb6eb9a060e54bf8d69288fbee4904\"");
        assert_eq!(serde_json::from_str::<ObjectId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<ObjectId>("\"4b82\"").is_err());
    }

    proptest! {
        #[test]
        fn hex_and_bytes_return_the_same_id(bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 20),
            proptest::collection::vec(any::<u8>(), 32),
        ]) {
            let id = ObjectId::from_bytes(&bytes).unwrap();
            prop_assert_eq!(id.as_bytes(), &bytes[..]);
            prop_assert_eq!(id.to_string().parse::<ObjectId>().unwrap(), id);
            prop_assert_eq!(id.to_string().to_uppercase().parse::<ObjectId>().unwrap(), id);
            prop_assert_eq!(id.to_string().len(), id.format().hex_len());
        }
    }
}
