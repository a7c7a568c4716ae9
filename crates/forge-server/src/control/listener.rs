//! The server's side of the control socket.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::{Answer, SocketPath};
use crate::data::{DataDirectory, DataLock};
use crate::failure::{Failure, Result};

/// The longest command.
const LIMIT: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(10);

/// A listening control socket; the file goes when it is dropped.
#[derive(Debug)]
pub struct ControlListener {
    listener: UnixListener,
    path: PathBuf,
}

impl ControlListener {
    /// Listens. The lock proves that a socket which is there already is left from a server that died.
    pub fn bind(data: &DataDirectory, _lock: &DataLock) -> Result<Self> {
        let path = data.control_socket();
        let failed =
            |error: std::io::Error| Failure::io(format_args!("cannot listen on `{}`", path.display()), error);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let socket = SocketPath::of(&path).map_err(failed)?;
        let listener = UnixListener::bind(&socket.path).map_err(failed)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { listener, path })
    }

    /// Carries out commands until dropped.
    pub async fn serve<C, R, H, F>(self, handler: H)
    where
        C: DeserializeOwned + Send + 'static,
        R: Serialize + Send + 'static,
        H: Fn(C) -> F + Send + Sync + 'static,
        F: Future<Output = Result<R>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let handler = handler.clone();
                    tokio::spawn(async move {
                        if let Err(error) = converse(stream, &*handler).await {
                            tracing::warn!(%error, "control socket");
                        }
                    });
                }
                Err(error) => crate::net::pause_after(&error).await,
            }
        }
    }
}

impl Drop for ControlListener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn converse<C, R, H, F>(stream: UnixStream, handler: &H) -> std::io::Result<()>
where
    C: DeserializeOwned,
    R: Serialize,
    H: Fn(C) -> F,
    F: Future<Output = Result<R>>,
{
    let caller = stream.peer_cred()?.uid();
    let own = rustix::process::geteuid().as_raw();
    if caller != own && caller != 0 {
        return Err(std::io::Error::other(format!("user {caller} is not the owner of this server")));
    }
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    timeout(PATIENCE, (&mut stream).take(LIMIT).read_line(&mut line)).await??;
    if line.is_empty() {
        // Someone only looked whether a server is here.
        return Ok(());
    }
    let outcome = match serde_json::from_str(&line) {
        Ok(command) => handler(command).await,
        Err(error) => Err(Failure::usage(format!("the server does not know this command: {error}"))),
    };
    let answer = match outcome {
        Ok(outcome) => Answer::Done(outcome),
        Err(failure) => Answer::Failed(failure),
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    stream.write_all(&text).await?;
    stream.shutdown().await
}
