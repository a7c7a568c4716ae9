//! From a connection to requests: TLS, HTTP/1.1 or HTTP/2, the router, and a quiet end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use forge_api::Certified;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::slots::Slot;
use super::{IdleTimeout, Metrics, Peer, Slots, mutual, tls};
use crate::config::Limits;

/// The most that a request's head may take.
const HEAD_LIMIT: usize = 64 * 1024;
/// Requests at a time on one HTTP/2 connection.
const STREAMS: u32 = 128;
/// What an HTTP/2 client may send ahead; pushes are large.
const WINDOW: u32 = 1 << 20;
const PING: Duration = Duration::from_secs(30);

/// A listener and how connections on it are encrypted.
pub struct Endpoint {
    /// Where connections come in.
    pub listener: TcpListener,
    /// TLS, or plain HTTP.
    pub tls: Option<TlsAcceptor>,
    /// Whether the certificates that clients show here are theirs, and not those of a proxy in front.
    pub is_mutual: bool,
}

/// Serves connections until told to stop.
pub struct Acceptor {
    /// Answers requests.
    pub router: Router,
    /// What one client may take.
    pub limits: Limits,
    /// Places for connections.
    pub slots: Arc<Slots>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Ends the work.
    pub stop: CancellationToken,
    /// The connections that live.
    pub connections: TaskTracker,
}

impl Acceptor {
    /// Accepts connections until told to stop. Those that live then finish what they are doing.
    pub async fn run(self: Arc<Self>, endpoint: Endpoint) {
        let stop = self.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.accept(endpoint) => {}
        }
    }

    async fn accept(self: Arc<Self>, endpoint: Endpoint) {
        loop {
            let Some(place) = self.slots.any().await else { return };
            let (stream, address) = match endpoint.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    super::pause_after(&error).await;
                    continue;
                }
            };
            let Some(slot) = self.slots.assign(place, address.ip().to_canonical()) else {
                self.metrics.connection_refused();
                continue;
            };
            let (this, tls, is_mutual) = (self.clone(), endpoint.tls.clone(), endpoint.is_mutual);
            let tls = tls.map(|tls| (tls, is_mutual));
            self.connections.spawn(async move { this.connection(stream, address, tls, slot).await });
        }
    }

    async fn connection(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        tls: Option<(TlsAcceptor, bool)>,
        _slot: Slot,
    ) {
        let _open = self.metrics.connection_open();
        // Without this, small answers wait for the client's acknowledgement: 40 ms each.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let stream = IdleTimeout::new(stream, self.limits.idle_timeout.0);
        let outcome = match tls {
            Some((tls, is_mutual)) => self.encrypted(stream, address, &tls, is_mutual).await,
            None => self.requests(stream, Peer { address, certificate: None }, None, Version::Either).await,
        };
        if let Err(error) = outcome {
            tracing::debug!(%address, error, "connection ended");
        }
    }

    async fn encrypted(
        &self,
        stream: IdleTimeout<TcpStream>,
        address: SocketAddr,
        tls: &TlsAcceptor,
        is_mutual: bool,
    ) -> Result<(), String> {
        let handshake = tokio::select! {
            handshake = timeout(self.limits.handshake_timeout.0, tls.accept(stream)) => handshake,
            () = self.stop.cancelled() => return Ok(()),
        };
        let stream =
            handshake.map_err(|_| "TLS handshake took too long")?.map_err(|error| error.to_string())?;
        let session = stream.get_ref().1;
        let shown = session.peer_certificates().and_then(|chain| chain.first());
        let certificate = shown.filter(|_| !is_mutual).map(tls::fingerprint);
        let certified = shown.filter(|_| is_mutual).and_then(mutual::shown).map(Arc::new).map(Certified);
        let version = if session.alpn_protocol() == Some(b"h2") { Version::Two } else { Version::One };
        self.requests(stream, Peer { address, certificate }, certified, version).await
    }

    async fn requests<S>(
        &self,
        stream: S,
        peer: Peer,
        certified: Option<Certified>,
        version: Version,
    ) -> Result<(), String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            if let Some(certified) = &certified {
                request.extensions_mut().insert(certified.clone());
            }
            self.router.clone().oneshot(request)
        });
        let builder = self.builder(version);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        outcome.map_err(|error| error.to_string())
    }

    fn builder(&self, version: Version) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout.0)
            .max_buf_size(HEAD_LIMIT);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(HEAD_LIMIT).unwrap_or(u32::MAX))
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(4 * WINDOW);
        match version {
            Version::One => builder.http1_only(),
            Version::Two => builder.http2_only(),
            Version::Either => builder,
        }
    }
}

#[derive(Clone, Copy)]
enum Version {
    One,
    Two,
    Either,
}

#[cfg(test)]
mod tests;
