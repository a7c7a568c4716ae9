//! Bytes of files: their size, their beginning, or all of them into a sink.
//!
//! A blob that lies in its pack whole is inflated as it is read, whatever its size. One that is stored as a difference has to
//! be built in memory, which the reader bounds.

use std::io::{Read, Write};

use flate2::read::ZlibDecoder;
use forge_types::ObjectId;

use super::{ObjectKind, Objects};
use crate::packs::Form;
use crate::{Error, Result};

/// The beginning of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobStart {
    /// The first bytes.
    pub data: Vec<u8>,
    /// How many bytes the whole blob has.
    pub size: u64,
}

impl Objects {
    /// Returns how many bytes a blob has. At most the first bytes of a difference are inflated.
    pub fn blob_size(&mut self, id: ObjectId) -> Result<u64> {
        match self.header(id)? {
            (ObjectKind::Blob, size) => Ok(size),
            _ => Err(Error::WrongKind { id, expected: "blob" }),
        }
    }

    /// Reads the first bytes of a blob, at most so many.
    pub fn blob_start(&mut self, id: ObjectId, max_bytes: usize) -> Result<BlobStart> {
        let size = self.blob_size(id)?;
        let mut data = Vec::new();
        if let Some(stream) = self.stream(id)? {
            stream.take(max_bytes as u64).read_to_end(&mut data).map_err(|error| broken(id, &error))?;
        } else {
            self.read_into(id, &mut data)?;
            data.truncate(max_bytes);
        }
        Ok(BlobStart { data, size })
    }

    /// Writes a blob into a sink.
    pub fn write_blob(&mut self, id: ObjectId, sink: &mut dyn Write) -> Result<()> {
        let size = self.blob_size(id)?;
        let failed = Error::io("write the bytes of a file");
        let Some(mut stream) = self.stream(id)? else {
            let mut data = Vec::new();
            self.read_into(id, &mut data)?;
            return sink.write_all(&data).map_err(failed);
        };
        let mut buffer = vec![0; 64 * 1024];
        let mut written = 0;
        loop {
            let count = stream.read(&mut buffer).map_err(|error| broken(id, &error))?;
            if count == 0 {
                break;
            }
            written += count as u64;
            if let Err(error) = sink.write_all(&buffer[..count]) {
                return Err(failed(error));
            }
        }
        if written == size { Ok(()) } else { Err(broken(id, &"it has another size than its pack says")) }
    }

    /// Returns the bytes of an object that lies in its pack whole.
    fn stream(&self, id: ObjectId) -> Result<Option<impl Read + '_>> {
        let stored = self.set().stored(self.slot(id)?)?;
        Ok(matches!(stored.form, Form::Whole(_)).then(|| ZlibDecoder::new(stored.deflated).take(stored.size)))
    }
}

fn broken(id: ObjectId, cause: &dyn std::fmt::Display) -> Error {
    Error::corrupt(format_args!("blob {id}"), cause)
}
