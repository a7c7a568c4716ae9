//! Commands over a real socket.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::*;
use crate::data::{DataDirectory, DataLock};
use crate::failure::{Exit, Result};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Command {
    Double(u32),
    Fail(String),
}

async fn double(command: Command) -> Result<u32> {
    match command {
        Command::Double(number) => Ok(number * 2),
        Command::Fail(message) => Err(Failure::finding(message)),
    }
}

fn listening(data: &DataDirectory) -> (DataLock, ControlListener) {
    let lock = DataLock::take(data, Duration::ZERO).unwrap();
    let listener = ControlListener::bind(data, &lock).unwrap();
    (lock, listener)
}

async fn ask(data: &DataDirectory, command: Command) -> Result<Option<u32>> {
    let data = data.clone();
    tokio::task::spawn_blocking(move || send(&data, &command)).await.unwrap()
}

#[tokio::test]
async fn commands_are_answered_and_failures_keep_their_exit_code() {
    let directory = tempfile::tempdir().unwrap();
    let data = DataDirectory::create(directory.path()).unwrap();
    let (_lock, listener) = listening(&data);
    assert_eq!(data.control_socket().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let server = tokio::spawn(listener.serve(double));

    assert!(is_served(&data));
    assert_eq!(ask(&data, Command::Double(21)).await.unwrap(), Some(42));
    let failure = ask(&data, Command::Fail("two\nlines".into())).await.unwrap_err();
    assert_eq!((failure.exit, failure.to_string()), (Exit::Finding, "two lines".into()));

    server.abort();
    let _ = server.await;
    assert!(!is_served(&data));
    assert_eq!(ask(&data, Command::Double(1)).await.unwrap(), None);
    assert!(!data.control_socket().exists());
}

#[tokio::test]
async fn a_command_that_the_server_does_not_know_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data = DataDirectory::create(directory.path()).unwrap();
    let (_lock, listener) = listening(&data);
    tokio::spawn(listener.serve(double));
    let answer = tokio::task::spawn_blocking({
        let data = data.clone();
        move || send::<_, u32>(&data, &serde_json::json!({"explode": 1}))
    });
    assert_eq!(answer.await.unwrap().unwrap_err().exit, Exit::Usage);
    // And the server goes on.
    assert_eq!(ask(&data, Command::Double(2)).await.unwrap(), Some(4));
}

#[tokio::test]
async fn a_socket_left_by_a_dead_server_is_no_server_and_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let data = DataDirectory::create(directory.path()).unwrap();
    drop(std::os::unix::net::UnixListener::bind(data.control_socket()).unwrap());
    assert!(!is_served(&data));
    let (_lock, listener) = listening(&data);
    tokio::spawn(listener.serve(double));
    assert_eq!(ask(&data, Command::Double(3)).await.unwrap(), Some(6));
}

#[tokio::test]
async fn a_data_directory_with_a_long_name_works() {
    let directory = tempfile::tempdir().unwrap();
    let data = DataDirectory::create(directory.path().join("d".repeat(200))).unwrap();
    let (_lock, listener) = listening(&data);
    tokio::spawn(listener.serve(double));
    assert_eq!(ask(&data, Command::Double(4)).await.unwrap(), Some(8));
}
