//! The topics of a repository.

use forge_types::name::is_topic;
use forge_types::{Action, Error, Event, Result};

use crate::context::RequestContext;
use crate::target::RepositoryTarget;

/// How many topics a repository can have, as on GitHub.
const MAX_TOPICS: usize = 20;

/// Returns the topics of a repository.
///
/// # Errors
/// `NotFound` if it does not exist or the caller may not read it.
pub async fn topics(ctx: &RequestContext, target: RepositoryTarget<'_>) -> Result<Vec<String>> {
    Ok(super::find(ctx, target).await?.repository.settings.topics)
}

/// Replaces all topics of a repository; upper case becomes lower case, doubles count once.
///
/// # Errors
/// `Invalid` if a topic breaks the rules or there are too many.
pub async fn replace_topics(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    names: &[String],
) -> Result<Vec<String>> {
    let mut topics: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    topics.sort();
    topics.dedup();
    // GitHub names no field here, and its description allows none.
    let invalid = |message: &str| Err(Error::unprocessable(message));
    if topics.iter().any(|topic| !is_topic(topic)) {
        return invalid(
            "Topics must start with a lowercase letter or number, consist of 50 characters or less, and can include hyphens.",
        );
    }
    if topics.len() > MAX_TOPICS {
        return invalid("a repository can have at most 20 topics");
    }
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::RepositoryUpdate).await?;
    if topics != found.repository.settings.topics {
        forge_store::repositories::replace_topics(&mut tx, found.repository.id, &topics).await?;
        let event = Event::new("repository.topics_replaced");
        ctx.record(&mut tx, event.about(&found.repository).with("topics", topics.clone())).await?;
    }
    tx.commit().await?;
    Ok(topics)
}
