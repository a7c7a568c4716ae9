//! The lock on the data directory.
//!
//! INVARIANT: whoever writes to the data directory holds this lock for as long as it may write. The kernel
//! releases it when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use super::DataDirectory;
use crate::failure::{Failure, Result};

const PAUSE: Duration = Duration::from_millis(20);

/// Exclusive use of a data directory until dropped.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the lock, waiting for at most `patience` for another process to let go.
    pub fn take(data: &DataDirectory, patience: Duration) -> Result<Self> {
        let path = data.lock_file();
        let failed =
            |error: std::io::Error| Failure::io(format_args!("cannot lock `{}`", path.display()), error);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(in_use(data)),
            }
        }
    }
}

fn in_use(data: &DataDirectory) -> Failure {
    Failure::unavailable(format!("the data directory `{}` is in use by another forge", data.path().display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    #[test]
    fn only_one_holds_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::create(directory.path()).unwrap();
        let held = DataLock::take(&data, Duration::ZERO).unwrap();
        let refused = DataLock::take(&data, Duration::ZERO).unwrap_err();
        assert_eq!(refused.exit, Exit::Unavailable);
        assert!(refused.message.contains("in use"));
        drop(held);
        DataLock::take(&data, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_patient_taker_waits_for_the_holder() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::create(directory.path()).unwrap();
        let held = DataLock::take(&data, Duration::ZERO).unwrap();
        let waiting = std::thread::spawn({
            let data = data.clone();
            move || DataLock::take(&data, Duration::from_secs(30)).map(drop)
        });
        drop(held);
        waiting.join().unwrap().unwrap();
    }
}
