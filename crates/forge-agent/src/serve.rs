//! Listening: on an address of loopback, and on a socket file that its owner alone may open.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;

use crate::Error;
use crate::forward::Forward;

const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait after a connection could not be accepted, for lack of files or memory.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Clone, Copy)]
enum Way {
    Address,
    Socket,
}

/// Listens on an address.
pub(crate) async fn on_address(address: SocketAddr) -> Result<TcpListener, Error> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| Error::because(format_args!("cannot listen on {address}"), error))
}

/// Listens on a socket file; one that a former process left is replaced.
pub(crate) fn on_socket(path: &Path) -> Result<UnixListener, Error> {
    let cannot =
        |error: std::io::Error| Error::because(format_args!("cannot listen on `{}`", path.display()), error);
    if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        std::fs::remove_file(path).map_err(cannot)?;
    }
    let listener = UnixListener::bind(path).map_err(cannot)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(cannot)?;
    Ok(listener)
}

/// Answers whoever comes to the address.
pub(crate) async fn accept(listener: TcpListener, forward: Arc<Forward>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Without, an answer in two pieces waits for the first to be confirmed.
                let _ = stream.set_nodelay(true);
                connections.spawn(connection(stream, Arc::clone(&forward), Way::Address));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Answers whoever comes to the socket file.
pub(crate) async fn accept_local(listener: UnixListener, forward: Arc<Forward>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, Arc::clone(&forward), Way::Socket));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    forward: Arc<Forward>,
    way: Way,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let forward = Arc::clone(&forward);
        async move {
            let door = match way {
                Way::Address => forward.at_address(),
                Way::Socket => forward.at_socket(),
            };
            Ok::<_, Infallible>(forward.answer(request, door).await)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the local proxy ended");
    }
}
