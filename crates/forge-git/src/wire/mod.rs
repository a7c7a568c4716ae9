//! The wire protocol: pkt-lines, side-band, capability advertisements and ref listings.
//!
//! Everything here is pure or reads from a given stream; nothing opens a repository. What the two services do with it is
//! in [`crate::fetch`] and [`crate::receive`].

mod advertise;
mod ls_refs;
pub mod pkt;
mod refs;
pub mod sideband;

pub use advertise::{Service, advertise_receive_pack, advertise_upload_pack, error_packet};
pub use ls_refs::LsRefs;
pub use refs::{Ref, RefSnapshot};

/// What this server calls itself in `agent=`.
pub const AGENT: &str = concat!("forge/", env!("CARGO_PKG_VERSION"));

/// The version of the protocol that a request speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// The first, without a version line.
    #[default]
    V0,
    /// The first, with a version line.
    V1,
    /// Commands and stateless negotiation.
    V2,
}

impl Protocol {
    /// Reads the value of the `Git-Protocol` header: colon-separated keys, of which unknown ones are ignored.
    pub fn from_header(value: &str) -> Self {
        let versions = value.split(':').filter_map(|part| part.trim().strip_prefix("version="));
        versions
            .map(|version| match version {
                "2" => Self::V2,
                "1" => Self::V1,
                _ => Self::V0,
            })
            .max_by_key(|version| *version as u8)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highest_version_of_the_header_that_is_known_counts() {
        for (header, version) in [
            ("version=2", Protocol::V2),
            ("version=1", Protocol::V1),
            ("version=0", Protocol::V0),
            ("version=1:version=2", Protocol::V2),
            ("hello:version=2:x=y", Protocol::V2),
            ("version=9", Protocol::V0),
            ("", Protocol::V0),
        ] {
            assert_eq!(Protocol::from_header(header), version, "{header}");
        }
    }
}
