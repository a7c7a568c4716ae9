//! A test forge on a loopback port.

use std::net::SocketAddr;

use axum::{Extension, Router};
use forge_api::Peer;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A forge that other programs can reach as long as this lives.
pub struct Listening {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listening {
    pub(crate) async fn start(router: Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free loopback port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let router = router.layer(Extension(Peer(address.ip())));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serving a loopback port does not fail");
        });
        Self { address, task }
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the URL with a user name and password in it, as git takes it.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        format!("http://{user}:{password}@{}", self.address)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}
