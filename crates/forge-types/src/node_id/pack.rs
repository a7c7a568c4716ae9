//! The little of MessagePack (<https://github.com/msgpack/msgpack/blob/master/spec.md>) that node ids use: an array of
//! unsigned integers and texts whose first element is 0.

const ARRAY: u8 = 0x90;
const UINT_32: u8 = 0xce;
const UINT_64: u8 = 0xcf;
const TEXT_8: u8 = 0xd9;
const TEXT_16: u8 = 0xda;

/// Writes one array.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// Begins an array of 0 and `length` more elements, of which there are never more than 14.
    pub(super) fn array(length: u8) -> Self {
        Self(vec![ARRAY | (length + 1), 0])
    }

    /// Appends an integer; ids are never negative.
    pub(super) fn integer(mut self, value: i64) -> Self {
        let value = value.unsigned_abs();
        match u32::try_from(value) {
            Ok(value) => {
                self.0.push(UINT_32);
                self.0.extend(value.to_be_bytes());
            }
            Err(_) => {
                self.0.push(UINT_64);
                self.0.extend(value.to_be_bytes());
            }
        }
        self
    }

    /// Appends a text; one too long for its length to be written is cut, which no name the forge accepts is.
    pub(super) fn text(mut self, value: &str) -> Self {
        let bytes = &value.as_bytes()[..value.len().min(usize::from(u16::MAX))];
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        match u8::try_from(length) {
            Ok(length) => self.0.extend([TEXT_8, length]),
            Err(_) => {
                self.0.push(TEXT_16);
                self.0.extend(length.to_be_bytes());
            }
        }
        self.0.extend(bytes);
        self
    }

    /// Returns the bytes.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads one array.
pub(super) struct Reader<'b> {
    rest: &'b [u8],
    left: u8,
}

impl<'b> Reader<'b> {
    /// Begins with an array whose first element is 0.
    pub(super) fn new(bytes: &'b [u8]) -> Option<Self> {
        match bytes {
            [head, 0, rest @ ..] if head & 0xf0 == ARRAY && head & 0x0f > 0 => {
                Some(Self { rest, left: (head & 0x0f) - 1 })
            }
            _ => None,
        }
    }

    /// Reads an integer.
    pub(super) fn integer(&mut self) -> Option<i64> {
        self.left = self.left.checked_sub(1)?;
        match self.byte()? {
            UINT_32 => self.take().map(|bytes| i64::from(u32::from_be_bytes(bytes))),
            UINT_64 => self.take().and_then(|bytes| i64::try_from(u64::from_be_bytes(bytes)).ok()),
            _ => None,
        }
    }

    /// Reads a text.
    pub(super) fn text(&mut self) -> Option<String> {
        self.left = self.left.checked_sub(1)?;
        let length = match self.byte()? {
            TEXT_8 => usize::from(self.byte()?),
            TEXT_16 => usize::from(u16::from_be_bytes(self.take()?)),
            _ => return None,
        };
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    /// Returns whether everything was read.
    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty() && self.left == 0
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }
}
