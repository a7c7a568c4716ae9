//! A small CONNECT proxy on loopback, for clients that cannot resolve the host or may not have port 443.
//!
//! Our host leads to our port; every other host goes on to the proxy that was configured before us, or straight
//! to where it lives. Only CONNECT, only with the password of this start.
//!
//! - `head` reads one request's head, within bounds.
//! - `route` decides where a request goes and connects there.

mod head;
mod route;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use route::{Routes, Upstream};

use head::Head;

use crate::failure::{Failure, Result};
use crate::net::IdleTimeout;

/// The user name in the proxy's URL. It says nothing; the password decides.
const CONNECTIONS: usize = 256;
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
/// How often a client may try on one connection: once to be asked for the password, and once more.
const ATTEMPTS: usize = 4;

const ASK: &[u8] =
    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"forge\"\r\n\
    Content-Length: 0\r\n\r\n";
const CONNECTED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// The proxy, listening but not yet serving.
pub struct Proxy {
    listener: TcpListener,
    address: SocketAddr,
    password: String,
    routes: Routes,
}

impl Proxy {
    /// Listens on a free port of the loopback address.
    pub async fn bind(password: String, routes: Routes) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(|error| Failure::io("cannot listen for the local proxy", error))?;
        let address = listener.local_addr().map_err(|error| Failure::io("local proxy", error))?;
        Ok(Self { listener, address, password, routes })
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Serves until dropped.
    pub async fn run(self) {
        let shared = Arc::new(Shared { password: self.password, routes: self.routes, own: self.address });
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(slot) = slots.clone().acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let shared = shared.clone();
                    tokio::spawn(async move {
                        if let Err(error) = shared.serve(stream).await {
                            tracing::debug!(%error, "local proxy");
                        }
                        drop(slot);
                    });
                }
                Err(error) => crate::net::pause_after(&error).await,
            }
        }
    }
}

struct Shared {
    password: String,
    routes: Routes,
    own: SocketAddr,
}

impl Shared {
    async fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        client.set_nodelay(true)?;
        for _ in 0..ATTEMPTS {
            let Ok(head) = timeout(HEAD_TIMEOUT, head::read(&mut client)).await else { return Ok(()) };
            let head = match head? {
                head::Read::Complete(head) => head,
                head::Read::Closed => return Ok(()),
                head::Read::Refused(status) => return refuse(&mut client, status, "").await,
            };
            if head.method != "CONNECT" {
                return refuse(&mut client, "405 Method Not Allowed", "Allow: CONNECT\r\n").await;
            }
            if self.is_authenticated(&head) {
                return self.tunnel(client, &head).await;
            }
            client.write_all(ASK).await?;
        }
        Ok(())
    }

    fn is_authenticated(&self, head: &Head) -> bool {
        let Some(given) = head.basic_password() else { return false };
        crate::secret::equal(given.as_bytes(), self.password.as_bytes())
    }

    async fn tunnel(&self, mut client: TcpStream, head: &Head) -> std::io::Result<()> {
        let Some((host, port)) = head.authority() else {
            return refuse(&mut client, "400 Bad Request", "").await;
        };
        let server = match timeout(CONNECT_TIMEOUT, self.routes.connect(host, port, self.own)).await {
            Ok(Ok(server)) => server,
            Ok(Err(error)) => {
                tracing::debug!(host, port, %error, "local proxy cannot connect");
                return refuse(&mut client, error.status(), "").await;
            }
            Err(_) => return refuse(&mut client, "504 Gateway Timeout", "").await,
        };
        server.set_nodelay(true)?;
        client.write_all(CONNECTED).await?;
        let mut client = IdleTimeout::new(client, IDLE_TIMEOUT);
        let mut server = IdleTimeout::new(server, IDLE_TIMEOUT);
        copy_bidirectional(&mut client, &mut server).await.map(drop)
    }
}

async fn refuse(client: &mut TcpStream, status: &str, headers: &str) -> std::io::Result<()> {
    let answer = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n");
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

#[cfg(test)]
mod tests;
