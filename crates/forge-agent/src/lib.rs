//! The local proxy of an agent or person, for programs that cannot sign: it holds the key, obtains and renews sessions bound
//! to it, keeps them in memory, and signs every request that it passes on. [`login`] is how a person comes by such a token.
//!
//! [`init`] starts it, [`Proxy::shutdown`] ends it. `session` says what a request presents, `signer` obtains it, `forward` passes one on,
//! `guard` says which may be, `serve` listens.
//! INVARIANT: it listens on loopback or on a socket file of its owner alone, and sends what it holds to one forge only.
//! Neither key nor token ever stands in an answer.

mod client;
mod forward;
mod guard;
mod key;
pub mod login;
mod serve;
mod session;
mod signer;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use forge_auth::jose::SigningKey;
use tokio::task::JoinSet;
use url::Url;

pub use key::{new_key, read_key};

use forward::Forward;
use session::Sessions;
use signer::Signer;

/// Where the proxy listens unless told otherwise.
pub const ADDRESS: &str = "127.0.0.1:9322";

/// What a proxy is made of.
#[derive(Debug)]
pub struct Options {
    /// The forge: the only place to which anything is sent.
    pub forge: Url,
    /// As whom it acts.
    pub whose: Whose,
    /// The key of the agent or person.
    pub key: SigningKey,
    /// Where to listen: an address of loopback.
    pub listen: SocketAddr,
    /// A socket file to listen on as well, for `gh`.
    pub socket: Option<PathBuf>,
}

/// As whom a proxy acts.
#[derive(Clone)]
pub enum Whose {
    /// An agent, whose key opens sessions.
    Agent {
        /// Its login.
        login: String,
        /// The grant under which everything is done; none for what the agent may do on its own.
        grant: Option<String>,
    },
    /// A person who has logged in on this machine.
    Person {
        /// Their login.
        login: String,
        /// The token that they were given, bound to the key.
        token: String,
    },
}

impl Whose {
    /// Returns the login.
    #[must_use]
    pub fn login(&self) -> &str {
        match self {
            Self::Agent { login, .. } | Self::Person { login, .. } => login,
        }
    }
}

impl std::fmt::Debug for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.login())
    }
}

/// Why a proxy cannot start, or an agent obtains nothing.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    fn because(what: impl std::fmt::Display, cause: impl std::fmt::Display) -> Self {
        Self(format!("{what}: {cause}"))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// A running proxy. Dropped, it ends at once.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    socket: Option<PathBuf>,
    tasks: JoinSet<()>,
}

/// Starts a proxy, once the forge has given it a first session.
///
/// # Errors
/// If it would listen beyond loopback, cannot listen, or the forge does not know the key.
pub async fn init(options: Options) -> Result<Proxy, Error> {
    if !options.listen.ip().is_loopback() {
        return Err(Error::new(format!(
            "`{}` is not on loopback: others could act as the agent",
            options.listen
        )));
    }
    let http = client::build().map_err(|error| Error::because("cannot start", error))?;
    let signer = Signer::new(http.clone(), &options.forge, options.key)?;
    let sessions = Sessions::new(signer, options.whose);
    sessions.begin().await?;
    let listener = serve::on_address(options.listen).await?;
    let address = listener.local_addr().map_err(|error| Error::because("cannot listen", error))?;
    let forward = Arc::new(Forward::new(http, &options.forge, sessions, address));
    let mut tasks = JoinSet::new();
    tasks.spawn(serve::accept(listener, Arc::clone(&forward)));
    if let Some(path) = &options.socket {
        tasks.spawn(serve::accept_local(serve::on_socket(path)?, forward));
    }
    Ok(Proxy { address, socket: options.socket, tasks })
}

impl Proxy {
    /// Returns where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops, with whatever is on its way, and forgets key and sessions.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
        if let Some(path) = &self.socket {
            // It may be gone already.
            let _ = std::fs::remove_file(path);
        }
    }
}
