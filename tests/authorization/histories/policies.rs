//! I3 and I20: what an organization forbids is forbidden for every token, and what cannot be evaluated is refused.

use forge_types::account::{AccountKind, AccountRef};
use serde_json::json;

use super::History;
use crate::grants::EXT;

/// What the organization forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// It fails whenever it is asked, which nobody can see before.
    Unevaluable,
    /// Agents make no branches but those of their tasks.
    TasksOnly,
    /// Its access group lets those who are no members read, whatever gives them more.
    Ceiling,
}

impl Policy {
    const fn name(self) -> &'static str {
        match self {
            Self::Unevaluable => "unevaluable",
            Self::TasksOnly => "tasks-only",
            Self::Ceiling => "ceiling",
        }
    }

    /// Returns the policy; a ceiling is none.
    const fn text(self) -> &'static str {
        match self {
            Self::Unevaluable => {
                "forbid (principal, action, resource) when { context.time.unix * 9223372036854775807 == 1 };"
            }
            Self::TasksOnly => {
                "forbid (principal is Agent, action in Action::\"ref.change\", resource) \
                 when { context.ref.name like \"refs/heads/other/*\" };"
            }
            Self::Ceiling => "",
        }
    }
}

impl History {
    /// Somebody makes a policy or withdraws it: if that is done, it was an owner of the organization.
    pub(super) async fn change_policies(&mut self) {
        let policy = [Policy::Unevaluable, Policy::TasksOnly, Policy::Ceiling][self.dice.roll(3)];
        let token = if self.dice.roll(4) == 0 { Some(self.any_token()) } else { None };
        let client = token.as_ref().map_or_else(|| self.people[0].client.clone(), |token| self.client(token));
        let path = format!("{EXT}/orgs/acme/policies");
        let stands = self.policies.contains(&policy);
        let answer = if policy == Policy::Ceiling {
            let body = json!({ "ceiling": { "permission": if stands { "write" } else { "read" } } });
            client.patch(&format!("{EXT}/orgs/acme/access-groups/default"), &body).await
        } else if stands {
            client.delete(&format!("{path}/{}", policy.name())).await
        } else {
            client.post(&path, &json!({ "name": policy.name(), "policy": policy.text() })).await
        };
        self.tell(format!("policy {} is turned to {}: {}", policy.name(), !stands, answer.status));
        if !answer.status.is_success() {
            return;
        }
        if let Some(token) = token {
            let found = self.found(&token).await;
            assert_eq!(found.account.id, self.people[0].account.id, "a policy of {}", found.account.login);
            assert_eq!(found.account.kind, AccountKind::Human);
        }
        if stands { self.policies.retain(|one| *one != policy) } else { self.policies.push(policy) }
    }

    pub(super) fn is_unevaluable(&self, place: usize) -> bool {
        self.places[place].owner() == "acme" && self.policies.contains(&Policy::Unevaluable)
    }

    /// Returns whether an account may make a branch below this prefix, as far as the organization has a say.
    pub(super) fn policies_allow(&self, place: usize, account: &AccountRef, prefix: &str) -> bool {
        self.places[place].owner() != "acme"
            || !self.policies.iter().any(|policy| match policy {
                Policy::Unevaluable => true,
                Policy::TasksOnly => account.kind == AccountKind::Agent && prefix == "other/",
                Policy::Ceiling => account.id != self.people[0].account.id,
            })
    }

    /// I20: while a policy cannot be evaluated, nothing that it binds is changed, by its owners neither.
    pub(super) async fn check_unevaluable(&self) {
        let number = self.told.len() % self.places.len();
        if !self.is_unevaluable(number) {
            return;
        }
        let path = format!("/api/v3/repos/{}", self.places[number].full_name);
        let refused = self.people[0].client.patch(&path, &json!({ "description": "x" })).await;
        assert!(matches!(refused.status.as_u16(), 401 | 403), "{path} was changed: {}", refused.status);
        let says_why = refused.text().contains("policy:acme/unevaluable");
        assert!(refused.status == 401 || says_why, "{}", refused.text());
    }
}
