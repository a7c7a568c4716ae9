//! The vocabulary of the forge: ids, names and pure rules. No I/O.

mod object_id;
mod ref_name;

pub use object_id::{InvalidObjectId, ObjectFormat, ObjectId};
pub use ref_name::{InvalidRefName, RefKind, RefName};
