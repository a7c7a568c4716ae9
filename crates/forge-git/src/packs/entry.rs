//! The bytes before and around the entries of a pack. See gitformat-pack(5).

use forge_types::ObjectFormat;
use sha2::Digest;

use crate::objects::ObjectKind;

/// The kind of an entry that names its base by the distance to it.
pub(crate) const OFS_DELTA: u8 = 6;

/// The kind of an entry that names its base by id.
pub(crate) const REF_DELTA: u8 = 7;

/// Returns the number that stands for a kind.
pub(crate) fn kind_number(kind: ObjectKind) -> u8 {
    match kind {
        ObjectKind::Commit => 1,
        ObjectKind::Tree => 2,
        ObjectKind::Blob => 3,
        ObjectKind::Tag => 4,
    }
}

/// Appends kind and size: kind in three bits, size in four, then seven bits at a time.
pub(crate) fn write_header(out: &mut Vec<u8>, kind: u8, size: u64) {
    let mut rest = size >> 4;
    let mut byte = kind << 4 | (size & 0x0f) as u8;
    while rest > 0 {
        out.push(byte | 0x80);
        byte = (rest & 0x7f) as u8;
        rest >>= 7;
    }
    out.push(byte);
}

/// Appends the distance to a base: seven bits at a time, highest first, each continuation adding one.
pub(crate) fn write_distance(out: &mut Vec<u8>, distance: u64) {
    let mut bytes = [0u8; 10];
    let mut at = bytes.len() - 1;
    let mut rest = distance;
    bytes[at] = (rest & 0x7f) as u8;
    while rest > 0x7f {
        rest = (rest >> 7) - 1;
        at -= 1;
        bytes[at] = 0x80 | (rest & 0x7f) as u8;
    }
    out.extend_from_slice(&bytes[at..]);
}

/// Returns how many bytes the object has that a difference makes: the second number at its beginning, behind the size of what
/// it is applied to. `None` if it does not read.
pub(crate) fn delta_result_size(deflated: &[u8]) -> Option<u64> {
    // Two numbers of at most ten bytes each.
    let mut begin = [0u8; 20];
    let mut inflate = flate2::Decompress::new(true);
    inflate.decompress(deflated, &mut begin, flate2::FlushDecompress::None).ok()?;
    let count = usize::try_from(inflate.total_out()).ok()?;
    let mut bytes = begin.get(..count)?.iter();
    read_size(&mut bytes)?;
    read_size(&mut bytes)
}

/// Reads a number of seven bits a byte, lowest first.
fn read_size<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.next()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// How many bytes those are that [`pack_header`] returns.
pub(crate) const PACK_HEADER: u64 = 12;

/// Returns the first bytes of a pack of so many objects.
pub(crate) fn pack_header(count: u32) -> [u8; 12] {
    let mut header = *b"PACK\0\0\0\x02\0\0\0\0";
    header[8..].copy_from_slice(&count.to_be_bytes());
    header
}

/// Computes the checksum of a pack or an index. Of SHA-1 it is the plain one, which processors have an instruction for: it is
/// for bytes that were looked at for collisions when they came in.
pub(crate) enum Checksum {
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
}

impl Checksum {
    pub(crate) fn new(format: ObjectFormat) -> Self {
        match format {
            ObjectFormat::Sha1 => Self::Sha1(sha1::Sha1::new()),
            ObjectFormat::Sha256 => Self::Sha256(sha2::Sha256::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha1(hash) => hash.finalize().to_vec(),
            Self::Sha256(hash) => hash.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_distances_are_written_as_git_reads_them() {
        for (size, bytes) in
            [(0, &[0x30][..]), (15, &[0x3f]), (16, &[0xb0, 0x01]), (2048, &[0xb0, 0x80, 0x01])]
        {
            let mut out = Vec::new();
            write_header(&mut out, kind_number(ObjectKind::Blob), size);
            assert_eq!(out, bytes, "{size}");
        }
        for (distance, bytes) in
            [(1, &[0x01][..]), (127, &[0x7f]), (128, &[0x80, 0x00]), (16511, &[0xff, 0x7f])]
        {
            let mut out = Vec::new();
            write_distance(&mut out, distance);
            assert_eq!(out, bytes, "{distance}");
        }
    }
}
