//! How a command ends when it does not end well: an exit code and one line for a person.

use std::fmt;
use std::process::ExitCode;

/// The exit codes other than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// The command worked and found something wrong, or the server refused what was asked.
    Finding,
    /// The command was used wrongly.
    Usage,
    /// There is no server, or no data, or neither can be used now.
    Unavailable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Finding => 1,
            Exit::Usage => 2,
            Exit::Unavailable => 3,
        })
    }
}

/// Why a command ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// One line for the person at the terminal.
    pub message: String,
}

/// The outcome of a command or of a step of it.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// The command found something wrong or was refused.
    pub fn finding(message: impl Into<String>) -> Self {
        Self { exit: Exit::Finding, message: message.into() }
    }

    /// The command was used wrongly.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// No server, no data, or neither can be used.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { exit: Exit::Unavailable, message: message.into() }
    }

    /// Something about a file or socket went wrong: `what` says what was tried.
    pub fn io(what: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::unavailable(format!("{what}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message.replace(['\n', '\r'], " "))
    }
}

impl std::error::Error for Failure {}
