//! I4 and I5: an agent has one human at most, whom it accepted itself, and an invitation gives what its maker may give when it
//! is accepted.

use std::time::Duration;

use forge_auth::token::Secret;
use forge_testing::agents::secret;
use forge_types::account::AccountKind;
use forge_types::credential::CredentialKind;
use forge_types::id::RepositoryId;
use forge_types::{Permission, Timestamp};
use serde_json::{Value, json};

use super::History;
use crate::grants::EXT;

/// What an invitation gives.
const GIVEN: [Permission; 3] = [Permission::Read, Permission::Write, Permission::Admin];

/// An invitation, and what the history knows of it.
pub(super) struct Invite {
    pub(super) secret: Secret,
    human: usize,
    gives: Option<(RepositoryId, Permission)>,
    expires_at: Timestamp,
    is_used: bool,
}

impl History {
    /// A human makes an invitation; returns its number, or nothing if that is refused.
    pub(super) async fn offer(&mut self, human: usize, body: &Value) -> Option<usize> {
        let made = self.people[human].client.post(&format!("{EXT}/agent-invites"), body).await;
        if made.status != 201 {
            return None;
        }
        let made = made.json();
        self.invites.push(Invite {
            secret: secret(&made["invite_token"]),
            human,
            gives: None,
            expires_at: Timestamp::parse(made["expires_at"].as_str().unwrap()).unwrap(),
            is_used: false,
        });
        Some(self.invites.len() - 1)
    }

    /// A human invites to something, which the human may or may not give, then or later.
    pub(super) async fn offer_something(&mut self, human: usize) {
        let is_own = self.dice.roll(2) == 0;
        let lent = self.dice.pick(&self.others_of(human)).copied().filter(|_| !is_own);
        let place = lent.unwrap_or(self.place_of(human, Permission::Admin));
        let permission = GIVEN[self.dice.roll(GIVEN.len())];
        if lent.is_some() && self.dice.roll(4) > 0 {
            self.let_in(place, Some(Permission::Admin)).await;
        }
        let end = self.forge.now().plus(Duration::from_secs([600, 7200, 86400][self.dice.roll(3)]));
        let named = &self.places[place];
        let (id, may_give) = (named.id, named.permission(human) == Some(Permission::Admin));
        let body = json!({
            "repo_grants": [{ "repo_full_name": named.full_name, "permission": permission.role_name() }],
            "expires_at": end.to_string(),
        });
        let made = self.offer(human, &body).await;
        self.tell(format!("person {human} invites to {}: {}", body["repo_grants"], made.is_some()));
        let Some(invite) = made else { return };
        assert!(may_give, "an invitation to what its maker cannot give");
        self.invites[invite].gives = Some((id, permission));
        if lent.is_some() && self.dice.roll(3) > 0 {
            self.let_in(place, None).await;
        }
        if self.dice.roll(3) > 0 {
            let agent = self.free_agent().await;
            self.confirm(invite, agent).await;
        }
    }

    pub(super) async fn invite_and_confirm(&mut self, human: usize, agent: usize) {
        if let Some(invite) = self.offer(human, &json!({})).await {
            self.confirm(invite, agent).await;
        }
    }

    /// An agent tries an invitation that was made before, used or not, over or not.
    pub(super) async fn confirm_late(&mut self) {
        let late = self.invites.len() - 1 - self.dice.roll(self.invites.len().min(4));
        let agent = self.free_agent().await;
        self.confirm(late, agent).await;
    }

    /// Returns an agent that has no human, for which it may have to be left by its own.
    async fn free_agent(&mut self) -> usize {
        let free: Vec<usize> =
            (0..self.agents.len()).filter(|agent| !self.bound.contains_key(agent)).collect();
        if let Some(agent) = self.dice.pick(&free) {
            return *agent;
        }
        let agent = self.agent();
        self.unbind(self.bound[&agent], agent).await;
        agent
    }

    /// Somebody accepts an invitation, mostly the agent: if that is done, it was the agent itself and free, and the invitation
    /// was still good and its maker had what it gave.
    pub(super) async fn confirm(&mut self, number: usize, agent: usize) {
        let token = if self.dice.roll(4) == 0 { self.any_token() } else { self.agents[agent].token.clone() };
        let before = self.found(&token).await;
        let body = json!({ "invite_token": self.invites[number].secret.expose() });
        let path = format!("{EXT}/agent-bindings/confirm");
        let status = self.client(&token).post(&path, &body).await.status;
        self.tell(format!("{} confirms invite {number}: {status}", before.account.login));
        if status != 201 {
            return;
        }
        let is_own = before.credential.kind == CredentialKind::Personal && before.acting.is_none();
        assert!(before.account.kind == AccountKind::Agent && is_own, "bound by {:?}", before.credential.kind);
        let agent = self.agents.iter().position(|agent| agent.login == before.account.login).unwrap();
        let invite = &mut self.invites[number];
        assert!(!invite.is_used && self.forge.now() < invite.expires_at, "the invitation was over");
        invite.is_used = true;
        let (human, gives) = (invite.human, invite.gives);
        assert_eq!(self.bound.insert(agent, human), None, "the agent had a human");
        let Some((id, permission)) = gives else { return };
        let place = self.places.iter_mut().find(|place| place.id == id).unwrap();
        assert_eq!(place.permission(human), Some(Permission::Admin), "the inviter could no longer give it");
        let given = place.given.entry(before.account.id).or_insert(permission);
        *given = permission.max(*given);
    }

    pub(super) async fn unbind(&mut self, human: usize, agent: usize) {
        let login = self.agents[agent].login.clone();
        let path = format!("{EXT}/agent-bindings/{login}");
        let status = self.people[human].client.delete(&path).await.status;
        self.tell(format!("person {human} unbinds {login}: {status}"));
        if status == 200 {
            assert_eq!(self.bound.remove(&agent), Some(human), "unbound by somebody else");
        }
    }

    /// I4: whose an agent is changes by what was accepted, and by nothing else.
    pub(super) async fn check_bindings(&self) {
        let mut conn = self.forge.app().db().read().await.unwrap();
        for (number, agent) in self.agents.iter().enumerate() {
            let found = forge_store::agents::find_by_login(&mut conn, &agent.login).await.unwrap().unwrap();
            let known = self.bound.get(&number).map(|human| self.people[*human].account.id);
            assert_eq!(found.owner.map(|owner| owner.id), known, "the human of {}", agent.login);
        }
    }

    /// I5: agents have in repositories what was given to them by those who could give it.
    pub(super) async fn check_given(&self) {
        let place = &self.places[self.told.len() % self.places.len()];
        for login in self.agents.iter().map(|agent| &agent.login) {
            let account = self.forge.find_account(login).await;
            let held = self.held(place.id, account.id).await;
            assert_eq!(held, place.given.get(&account.id).copied(), "{login} in {}", place.full_name);
        }
    }
}
