//! Fetch: what a client asks for, whether it may have it, and the pack.
//!
//! The steps:
//! 1. [`Request::read`] parses protocol 0, 1 or 2, with limits.
//! 2. `ls-refs` is answered from the snapshot by [`crate::wire::LsRefs::answer`].
//! 3. A fetch goes through [`serve`], which checks every want against the snapshot first ([`check_wants`]) and then streams
//!    what `git upload-pack` answers over an ephemeral view: a directory with nothing but the snapshot's refs and a pointer to
//!    the repository's objects.
//!
//! INVARIANT: no process is started and no byte served for a want that the snapshot does not reach. Git's own server would
//! serve any object that is present.

mod request;
mod serve;
mod view;
mod wants;

pub use request::{Fetch, Request, RequestLimits};
pub use serve::{PackStream, serve};
pub use wants::check_wants;
