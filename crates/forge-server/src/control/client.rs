//! The command's side of the control socket.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Answer, SocketPath};
use crate::data::DataDirectory;
use crate::failure::{Failure, Result};

/// Sends a command to the running server. `None` if none is running.
pub fn send<C: Serialize, R: DeserializeOwned>(data: &DataDirectory, command: &C) -> Result<Option<R>> {
    let Some(mut stream) = connect(data)? else { return Ok(None) };
    let failed = |error: &dyn std::fmt::Display| Failure::io("the running server does not answer", error);
    let mut line = serde_json::to_vec(command).map_err(|error| failed(&error))?;
    line.push(b'\n');
    stream.write_all(&line).map_err(|error| failed(&error))?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).map_err(|error| failed(&error))?;
    if answer.is_empty() {
        return Err(failed(&"it ended"));
    }
    match serde_json::from_str(&answer).map_err(|error| failed(&error))? {
        Answer::Done(outcome) => Ok(Some(outcome)),
        Answer::Failed(failure) => Err(failure),
    }
}

/// Whether a server is running on the data directory.
pub fn is_served(data: &DataDirectory) -> bool {
    connect(data).is_ok_and(|stream| stream.is_some())
}

fn connect(data: &DataDirectory) -> Result<Option<UnixStream>> {
    let path = data.control_socket();
    let stream = SocketPath::of(&path).and_then(|socket| UnixStream::connect(&socket.path));
    match stream {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => {
            Err(Failure::io(format_args!("cannot reach the server at `{}`", path.display()), error))
        }
    }
}
