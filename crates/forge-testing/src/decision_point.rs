//! Decision points outside the forge, for tests.

use std::sync::Arc;

use forge_service::outside::{Asking, DecisionPoint, Said};
use serde_json::Value;

/// The variable under which every forge of a test asks somebody who allows all: `agreeable`. What passes without it must pass
/// with it, for requests are tried several times then, and nobody may notice.
const VARIABLE: &str = "FORGE_TEST_DECISION_POINT";

/// Allows all.
#[derive(Debug)]
struct Agreeable;

impl DecisionPoint for Agreeable {
    fn ask<'a>(&'a self, _: &'a Value) -> Asking<'a> {
        Box::pin(async {
            tokio::task::yield_now().await;
            Ok(Said { is_allowed: true, reason: None })
        })
    }
}

/// Returns the decision point that the environment asks for.
pub(crate) fn wanted() -> Option<Arc<dyn DecisionPoint>> {
    match std::env::var(VARIABLE).as_deref() {
        Ok("agreeable") => Some(Arc::new(Agreeable)),
        _ => None,
    }
}
