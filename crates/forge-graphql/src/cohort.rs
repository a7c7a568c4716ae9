//! Loading for a whole list at once.
//!
//! The members of a list share a cohort. Whatever is selected below one of them is selected below all, so the first
//! that asks loads it for everyone, by one call of `forge-service`, and the others wait for it. How many statements a
//! query takes depends on the query alone, never on timing.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use forge_types::Result;
use tokio::sync::OnceCell;

type Loaded = Arc<dyn Any + Send + Sync>;

/// The members of one list.
pub(crate) struct Cohort<M> {
    members: Vec<M>,
    loads: Mutex<HashMap<String, Arc<OnceCell<Loaded>>>>,
}

impl<M> Cohort<M> {
    /// Creates the cohort of these members.
    pub(crate) fn new(members: Vec<M>) -> Arc<Self> {
        Arc::new(Self { members, loads: Mutex::default() })
    }

    /// Returns the members.
    pub(crate) fn members(&self) -> &[M] {
        &self.members
    }

    /// Returns what `load` gives, loaded once for all members that ask for the same `what` with the same `arguments`.
    ///
    /// # Errors
    /// Those of `load`; then the next member tries again.
    pub(crate) async fn load<T: Send + Sync + 'static>(
        &self,
        what: &'static str,
        arguments: &(impl Debug + Sync),
        load: impl Future<Output = Result<T>> + Send,
    ) -> Result<Arc<T>> {
        let cell = {
            let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(loads.entry(format!("{what} {arguments:?}")).or_default())
        };
        let loaded =
            cell.get_or_try_init(|| async { load.await.map(|value| Arc::new(value) as Loaded) }).await?;
        Ok(Arc::clone(loaded).downcast().expect("each `what` loads one type"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn members_that_ask_for_the_same_load_once() {
        let cohort = Cohort::new(vec![1, 2, 3]);
        let loads = AtomicUsize::new(0);
        let ask = |arguments: &'static str| {
            let (cohort, loads) = (&cohort, &loads);
            async move {
                let load = async {
                    loads.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    Ok(cohort.members().len())
                };
                *cohort.load("length", &arguments, load).await.expect("loaded")
            }
        };
        assert_eq!(tokio::join!(ask("a"), ask("a"), ask("b")), (3, 3, 3));
        assert_eq!(ask("a").await, 3);
        assert_eq!(loads.load(Ordering::SeqCst), 2);
    }
}
