//! What goes on around everything else: time passes, accounts are suspended and come back.

use std::time::Duration;

use forge_types::account::AccountStatus;
use forge_types::credential::CredentialKind;

use super::History;

impl History {
    /// Puts right what would keep everything else from happening: people come back, and have tokens that work.
    pub(super) async fn care(&mut self) {
        for human in 0..self.people.len() {
            let account = self.forge.find_account(&self.people[human].account.login.clone()).await;
            if account.status != AccountStatus::Active && self.dice.roll(3) == 0 {
                self.tell(format!("{} comes back", account.login));
                self.forge.restore(&account).await;
            }
            let is_over = self.people[human].client.get("/api/v3/user").await.status == 401;
            if account.status == AccountStatus::Active && is_over {
                let token = self.forge.token(&account, CredentialKind::Personal, None).await;
                self.people[human].client = self.forge.client().with_token(&token);
                self.tokens.push(token);
            }
        }
        for agent in 0..self.agents.len() {
            let account = self.forge.find_account(&self.agents[agent].login.clone()).await;
            if account.status != AccountStatus::Active && self.dice.roll(4) == 0 {
                self.tell(format!("{} comes back", account.login));
                self.forge.restore(&account).await;
            }
        }
    }

    /// Time passes: some, or until the very moment at which a token ends.
    pub(super) async fn wait(&mut self) {
        let mut wait = Duration::from_secs([1, 60, 599, 900, 3600][self.dice.roll(5)]);
        if self.dice.roll(2) == 0 {
            let token = self.dice.pick(&self.tokens).unwrap().clone();
            let end = self.found(&token).await.credential.expires_at;
            let left = end.map(|end| end.since(self.forge.now())).filter(|left| !left.is_zero());
            wait = left.unwrap_or(wait);
        }
        self.tell(format!("{} s pass", wait.as_secs()));
        self.forge.advance(wait);
    }

    pub(super) async fn suspend(&mut self) {
        let account = if self.dice.roll(2) == 0 {
            let human = self.human();
            self.people[human].account.clone()
        } else {
            let agent = self.agent();
            self.forge.find_account(&self.agents[agent].login.clone()).await
        };
        let is_active = self.forge.find_account(&account.login).await.status == AccountStatus::Active;
        self.tell(format!("{} is suspended: {is_active}", account.login));
        if is_active {
            self.forge.suspend(&account).await;
        } else {
            self.forge.restore(&account).await;
        }
    }
}
