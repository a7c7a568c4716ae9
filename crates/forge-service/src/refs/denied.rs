//! Why the caller may not change a ref, in words for every door, and by what kind of refusal, for those that tell kinds apart.

use forge_auth::policy::{Denial, Effect};
use forge_types::{Error, ErrorKind, Withheld};

/// A refusal that is about the caller and not about the state of the ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Why, for the client.
    pub reason: String,
    /// What would have to be otherwise, if a policy says so.
    pub withheld: Option<Withheld>,
}

impl From<String> for Denied {
    fn from(reason: String) -> Self {
        Self { reason, withheld: None }
    }
}

impl From<Denial> for Denied {
    fn from(denial: Denial) -> Self {
        let withheld = match denial.effect {
            Effect::Withheld(withheld) => Some(withheld),
            _ => None,
        };
        Self { reason: Error::from(denial).message().to_owned(), withheld }
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        match denied.withheld {
            Some(withheld) => Self::new(ErrorKind::Withheld(withheld), denied.reason),
            None => Self::forbidden(denied.reason),
        }
    }
}
