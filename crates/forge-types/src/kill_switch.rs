//! Kill switches: what stops agents at once.

use std::fmt;

use crate::Timestamp;
use crate::account::AccountRef;
use crate::id::{AccountId, GrantId, KillSwitchId};

/// What is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopScope {
    /// Every agent.
    Instance,
    /// Every agent, in this organization's repositories and for whatever it delegated.
    Organization(AccountId),
    /// Every agent of this human, and whatever the human delegated.
    Owner(AccountId),
    /// This agent.
    Agent(AccountId),
    /// Whatever stands on this grant.
    Grant(GrantId),
    /// Whatever this account delegated for this task.
    Task(AccountId, String),
}

impl StopScope {
    /// Returns the kind, the account and the text that are kept in the database.
    #[must_use]
    pub fn parts(&self) -> (&'static str, Option<AccountId>, &str) {
        match self {
            Self::Instance => ("instance", None, ""),
            Self::Organization(id) => ("organization", Some(*id), ""),
            Self::Owner(id) => ("owner", Some(*id), ""),
            Self::Agent(id) => ("agent", Some(*id), ""),
            Self::Grant(id) => ("grant", None, &id.0),
            Self::Task(id, task) => ("task", Some(*id), task),
        }
    }

    /// Reads what [`Self::parts`] returned.
    #[must_use]
    pub fn from_parts(kind: &str, account: Option<AccountId>, text: &str) -> Option<Self> {
        Some(match (kind, account) {
            ("instance", None) => Self::Instance,
            ("organization", Some(id)) => Self::Organization(id),
            ("owner", Some(id)) => Self::Owner(id),
            ("agent", Some(id)) => Self::Agent(id),
            ("grant", None) => Self::Grant(GrantId(text.to_owned())),
            ("task", Some(id)) => Self::Task(id, text.to_owned()),
            _ => return None,
        })
    }
}

/// A live kill switch, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The kill switch.
    pub id: KillSwitchId,
    /// What it stops.
    pub scope: StopScope,
}

impl Stop {
    /// Reads one line of what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(4, ' ');
        let (id, kind, account) = (words.next()?, words.next()?, words.next()?);
        let account: i64 = account.parse().ok()?;
        let account = (account != 0).then_some(AccountId(account));
        let scope = StopScope::from_parts(kind, account, words.next().unwrap_or_default())?;
        Some(Self { id: KillSwitchId(id.to_owned()), scope })
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, account, text) = self.scope.parts();
        write!(f, "{} {kind} {} {text}", self.id, account.map_or(0, |account| account.0))
    }
}

/// A kill switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillSwitch {
    /// Its id.
    pub id: KillSwitchId,
    /// What it stops.
    pub scope: StopScope,
    /// The login of the account in the scope.
    pub scope_login: Option<String>,
    /// Why.
    pub reason: String,
    /// Who set it.
    pub set_by: AccountRef,
    /// When.
    pub set_at: Timestamp,
    /// When it was lifted.
    pub lifted_at: Option<Timestamp>,
}

impl KillSwitch {
    /// Returns the scope as people write it.
    #[must_use]
    pub fn scope_text(&self) -> String {
        let login = self.scope_login.as_deref().unwrap_or_default();
        match &self.scope {
            StopScope::Instance => "instance".to_owned(),
            StopScope::Organization(_) => format!("org:{login}"),
            StopScope::Owner(_) => format!("owner:{login}"),
            StopScope::Agent(_) => format!("agent:{login}"),
            StopScope::Grant(id) => format!("grant:{id}"),
            StopScope::Task(_, task) => format!("task:{task}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_read_as_it_was_written() {
        for scope in [
            StopScope::Instance,
            StopScope::Organization(AccountId(3)),
            StopScope::Owner(AccountId(4)),
            StopScope::Agent(AccountId(5)),
            StopScope::Grant(GrantId("tg_1".to_owned())),
            StopScope::Task(AccountId(6), "a task with spaces".to_owned()),
        ] {
            let stop = Stop { id: KillSwitchId("ks_1".to_owned()), scope };
            assert_eq!(Stop::parse(&stop.to_string()), Some(stop));
        }
    }
}
