//! Types of option values that the standard library lacks: sizes, periods, lists and choices.
//!
//! Each is written the same way in the file, the environment and on the command line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

/// Declares an enumeration whose members are words in the configuration.
macro_rules! choice {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $member:ident = $word:literal),+ $(,)? }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub enum $name { $( $(#[doc = $doc])+ $member ),+ }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $( $word => Ok(Self::$member), )+
                    other => Err(format!("`{other}` is not one of {}", [$(concat!("`", $word, "`")),+].join(", "))),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(word: String) -> Result<Self, String> { word.parse() }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $( Self::$member => $word ),+ })
            }
        }
    };
}

pub(crate) use choice;

/// A number of bytes, written `512`, `64KB`, `20MB` or `2GB` (powers of 1024).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// So many mebibytes.
    pub const fn megabytes(count: u64) -> Self {
        Self(count << 20)
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = split_number(text);
        let shift = match unit.trim().to_ascii_uppercase().as_str() {
            "" | "B" => 0,
            "K" | "KB" | "KIB" => 10,
            "M" | "MB" | "MIB" => 20,
            "G" | "GB" | "GIB" => 30,
            _ => return Err(format!("`{text}` is not a size such as `512`, `64KB`, `20MB` or `2GB`")),
        };
        let number: u64 = number.parse().map_err(|_| format!("`{text}` is not a size"))?;
        number.checked_mul(1 << shift).map(Self).ok_or_else(|| format!("`{text}` is too large"))
    }
}

/// A length of time, written `45s`, `15m`, `12h` or `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Period(pub Duration);

impl Period {
    /// So many seconds.
    pub const fn seconds(count: u64) -> Self {
        Self(Duration::from_secs(count))
    }

    /// So many days.
    pub const fn days(count: u64) -> Self {
        Self(Duration::from_secs(count * 86_400))
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = split_number(text);
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(format!("`{text}` is not a period such as `45s`, `15m`, `12h` or `30d`")),
        };
        let number: u64 = number.parse().map_err(|_| format!("`{text}` is not a period"))?;
        let seconds = number.checked_mul(seconds).ok_or_else(|| format!("`{text}` is too long"))?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

impl TryFrom<String> for ByteSize {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// Several values: an array in the file, separated by commas elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> FromStr for List<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts
            .map(|part| part.parse().map_err(|error: T::Err| error.to_string()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024_and_refuse_what_does_not_fit() {
        assert_eq!("2GB".parse(), Ok(ByteSize(2 << 30)));
        assert_eq!("64 KiB".parse(), Ok(ByteSize(64 << 10)));
        assert_eq!("17".parse(), Ok(ByteSize(17)));
        for wrong in ["", "GB", "2TB", "-1", "1.5MB", "99999999999999999999", "18446744073709551615KB"] {
            assert!(wrong.parse::<ByteSize>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn periods_need_a_unit() {
        assert_eq!("15m".parse(), Ok(Period::seconds(900)));
        assert_eq!("30d".parse(), Ok(Period::days(30)));
        for wrong in ["", "30", "d", "1w", "18446744073709551615d"] {
            assert!(wrong.parse::<Period>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn lists_are_separated_by_commas() {
        assert_eq!("1, 2,3".parse(), Ok(List(vec![1, 2, 3])));
        assert_eq!("".parse(), Ok(List::<u8>::default()));
        assert!("1,x".parse::<List<u8>>().is_err());
    }
}
