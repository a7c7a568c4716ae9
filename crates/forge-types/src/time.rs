//! Points in time as the database keeps them: microseconds since the Unix epoch, in UTC.
//!
//! sqlx writes SQLite times as text that sorts wrongly, so the forge stores integers. The clock itself belongs to
//! the request context; nothing here reads it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Returns the point `micros` microseconds after the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the point `seconds` seconds after the Unix epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds * 1_000_000)
    }

    /// Returns the microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since the Unix epoch.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Returns the point `duration` later; saturates at the end of time.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// Returns the point `duration` earlier; saturates at the beginning of time.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// Returns how long `self` lies after `earlier`; zero when it does not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads an RFC 3339 time.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(parsed.unix_timestamp_nanos() / 1_000).ok().map(Self)
    }

    /// Reads an RFC 3339 time, and how far the clock of the place was from UTC, in seconds.
    #[must_use]
    pub fn parse_with_offset(text: &str) -> Option<(Self, i32)> {
        let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some((Self::parse(text)?, parsed.offset().whole_seconds()))
    }
}

impl Timestamp {
    /// Returns the time as a clock shows it that is so many seconds from UTC, by whole minutes.
    #[must_use]
    pub fn to_string_at(self, offset: i32) -> String {
        let minutes = offset / 60;
        if minutes == 0 {
            return self.to_string();
        }
        let local = Self(self.0.saturating_add(i64::from(minutes) * 60_000_000)).to_string();
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
        format!("{}{sign}{hours:02}:{minutes:02}", local.trim_end_matches('Z'))
    }
}

/// RFC 3339 in UTC with whole seconds, as GitHub prints times.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.as_seconds().clamp(-62_135_596_800, 253_402_300_799);
        let moment = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| fmt::Error)?;
        let date = moment.date();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            moment.hour(),
            moment.minute(),
            moment.second()
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_whole_seconds_in_utc() {
        assert_eq!(Timestamp::from_micros(1_700_000_000_999_999).to_string(), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn reads_offsets_and_fractions() {
        let with_offset = Timestamp::parse("2023-11-14T23:13:20.5+01:00").expect("a valid time");
        assert_eq!(with_offset.as_micros(), 1_700_000_000_500_000);
        assert_eq!(Timestamp::parse("yesterday"), None);
        let apart = Timestamp::parse_with_offset("2023-11-14T20:43:20-01:30").expect("a valid time");
        assert_eq!(apart, (Timestamp::from_seconds(1_700_000_000), -5400));
        assert_eq!(apart.0.to_string_at(apart.1), "2023-11-14T20:43:20-01:30");
        assert_eq!(apart.0.to_string_at(0), "2023-11-14T22:13:20Z");
    }
}
