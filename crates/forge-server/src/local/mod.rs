//! Local mode: HTTPS for `*.localhost` on one machine, without root, `/etc/hosts` or a public authority.
//!
//! - `authority`: a certificate authority that can vouch for this one host and nothing else.
//! - `bundle`: the system's roots plus ours, for programs that take one file.
//! - `renewal`: keeps the certificate fresh while the server runs.
//! - `proxy`: a CONNECT proxy that leads the host's port 443 to ours, for clients that cannot resolve the name.
//! - `shell`: what `forge env` prints.

pub mod authority;
pub mod bundle;
pub mod noproxy;
pub mod proxy;
pub mod renewal;
pub mod shell;
