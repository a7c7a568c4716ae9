//! Fetch: what a client asks for, whether it may have it, and the pack.
//!
//! The steps:
//! 1. [`Request::read`] parses protocol 0, 1 or 2, with limits.
//! 2. `ls-refs` is answered from the snapshot by [`crate::wire::LsRefs::answer`].
//! 3. A fetch goes through [`Server::fetch`], which checks every want against the snapshot first (`wants`).
//! 4. What is common is found out (`negotiate`), where history is cut, and which objects the client lacks
//!    (`local`, on [`crate::walk`]).
//! 5. A small pack is written here (`pack`); a full clone of a large repository is a copy of a stored pack (`copy`); what else
//!    is large is written by `git pack-objects` (`large`), which is told ids alone.
//!
//! [`Transport::Subprocess`] lets `git upload-pack` answer instead, over a `view`: an ephemeral directory with nothing but the
//! snapshot's refs and a pointer to the repository's objects. It is the measure of the other way.
//!
//! INVARIANT: no process is started and no byte served for a want that the snapshot does not reach. Git's own server would
//! serve any object that is present.

mod bundle;
mod copy;
mod framed;
mod large;
mod local;
mod negotiate;
mod object_info;
mod pack;
mod request;
mod server;
mod stream;
mod subprocess;
mod view;
mod wants;

pub use bundle::bundle_uri;
pub use object_info::ObjectInfo;
pub use request::{Fetch, Request, RequestLimits};
pub use server::{Server, Transport};
pub use stream::PackStream;
