//! Requests that run into something which is under way.

use std::fmt::Debug;
use std::time::Duration;

use forge_store::Tx;

/// Sends the request while `ending` is under way, lets that commit, and returns what the request is answered. `patience` is
/// long enough for a request that does not wait to be answered.
///
/// # Panics
/// When the request does not wait.
pub async fn during<T: Debug + Send + 'static>(
    ending: Tx,
    patience: Duration,
    request: impl Future<Output = T> + Send + 'static,
) -> T {
    let mut request = tokio::spawn(request);
    if let Ok(early) = tokio::time::timeout(patience, &mut request).await {
        panic!("it did not wait for what ends: {early:?}");
    }
    ending.commit().await.expect("a commit");
    request.await.expect("an answer")
}
