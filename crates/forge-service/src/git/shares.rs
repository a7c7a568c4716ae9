//! No caller has all turns: each account, or address when anonymous, may run so many transfers at once. The rest wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use forge_types::id::AccountId;
use forge_types::{Error, ErrorKind, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::context::RequestContext;

/// From this many callers on, those without a transfer are forgotten.
const FORGET_FROM: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Caller {
    Account(AccountId),
    Address(String),
}

/// Who runs how many transfers.
#[derive(Debug)]
pub(crate) struct Shares {
    each: usize,
    patience: Duration,
    callers: Mutex<HashMap<Caller, Weak<Semaphore>>>,
}

/// A transfer that counts as long as this lives.
pub(crate) type Share = OwnedSemaphorePermit;

impl Shares {
    pub(super) fn new(each: usize, patience: Duration) -> Self {
        Self { each, patience, callers: Mutex::default() }
    }

    /// Waits until the caller may run another transfer.
    ///
    /// # Errors
    /// `RateLimited` if that takes too long.
    pub(crate) async fn take(&self, ctx: &RequestContext) -> Result<Share> {
        let caller = match ctx.account_id() {
            Some(id) => Caller::Account(id),
            None => Caller::Address(ctx.info().ip.clone().unwrap_or_default()),
        };
        match tokio::time::timeout(self.patience, self.of(caller).acquire_owned()).await {
            Ok(Ok(share)) => Ok(share),
            _ => Err(Error::new(
                ErrorKind::RateLimited(self.patience),
                format!("at most {} transfers at once, please wait for the others to end", self.each),
            )),
        }
    }

    fn of(&self, caller: Caller) -> Arc<Semaphore> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = callers.get(&caller).and_then(Weak::upgrade) {
            return known;
        }
        if callers.len() >= FORGET_FROM {
            callers.retain(|_, share| share.strong_count() > 0);
        }
        let new = Arc::new(Semaphore::new(self.each));
        callers.insert(caller, Arc::downgrade(&new));
        new
    }
}
