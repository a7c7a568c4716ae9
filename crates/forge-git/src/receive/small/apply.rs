//! Applying a difference to its base. See gitformat-pack(5), "Deltified representation".

/// Returns the object that a difference makes of its base; `None` if it does not read, or makes more than `limit` bytes.
pub(super) fn apply(base: &[u8], delta: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut delta = delta;
    if size(&mut delta)? != base.len() {
        return None;
    }
    let len = size(&mut delta)?;
    if len > limit {
        return None;
    }
    let mut out = Vec::with_capacity(len);
    while let Some((&op, rest)) = delta.split_first() {
        delta = rest;
        let piece = if op & 0x80 != 0 {
            let mut number = |bits: std::ops::Range<u8>| {
                let mut value = 0usize;
                for bit in bits.clone().filter(|bit| op & (1 << bit) != 0) {
                    let (&byte, rest) = delta.split_first()?;
                    delta = rest;
                    value |= usize::from(byte) << (8 * (bit - bits.start));
                }
                Some(value)
            };
            let from = number(0..4)?;
            let count = match number(4..7)? {
                0 => 0x10000,
                count => count,
            };
            base.get(from..from.checked_add(count)?)?
        } else {
            let (piece, rest) = delta.split_at_checked(usize::from(op)).filter(|_| op != 0)?;
            delta = rest;
            piece
        };
        if out.len() + piece.len() > len {
            return None;
        }
        out.extend_from_slice(piece);
    }
    (out.len() == len).then_some(out)
}

/// Reads a size: seven bits a byte, lowest first.
fn size(from: &mut &[u8]) -> Option<usize> {
    let mut value = 0usize;
    for shift in (0..42).step_by(7) {
        let (&byte, rest) = from.split_first()?;
        *from = rest;
        value |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_insertions_make_the_object() {
        let base = b"hello world";
        let delta = [11, 9, 0x90, 5, 4, b'!', b'-', b'!', b'?'];
        assert_eq!(apply(base, &delta, 100).unwrap(), b"hello!-!?");
        assert_eq!(apply(base, &delta, 8), None, "over the limit");
    }

    #[test]
    fn what_does_not_fit_makes_nothing() {
        let base = b"hello world";
        for delta in [
            &[11][..],
            &[10, 1, 1, b'x'],
            &[11, 1, 0],
            &[11, 2, 1, b'x'],
            &[11, 1, 2, b'x', b'y'],
            &[11, 5, 0x91, 9, 5],
            &[11, 1, 0xff],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(apply(base, delta, 100), None, "{delta:?}");
        }
    }
}
