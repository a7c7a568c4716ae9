//! Invariants under random histories: people, agents, grants and tokens come, go and change in any order, and after each step
//! what must always hold is looked at. `FORGE_SEED` chooses the first history and `FORGE_HISTORIES` how many there are; a failure
//! prints its seed and the steps that led there.
//!
//! What the forge answers is compared with what the history itself knows: who was let into which repository, which invitation
//! was accepted by whom. Each room holds the steps and the checks of one family of invariants.

mod bindings;
mod dice;
mod grants;
mod life;
mod places;
mod policies;
mod recovery;
mod ruling;
mod tokens;
mod whole;

use std::collections::BTreeMap;

use forge_auth::token::Secret;
use forge_store::credentials::Authentication;
use forge_testing::agents::{TestAgent, secret};
use forge_testing::database::OnDatabase as _;
use forge_testing::{Client, Database, TestForge, for_each_database};
use forge_types::account::Account;
use forge_types::credential::CredentialKind;
use forge_types::repository::Visibility;
use serde_json::{Value, json};

use crate::grants::EXT;
use bindings::Invite;
use dice::Dice;
use places::Place;
use policies::Policy;

const STEPS: usize = 160;

struct Human {
    account: Account,
    client: Client,
}

struct History {
    forge: TestForge,
    dice: Dice,
    people: Vec<Human>,
    /// Whoever administers the forge, who only looks.
    root: Client,
    agents: Vec<TestAgent>,
    /// Whose each agent is, by their numbers.
    bound: BTreeMap<usize, usize>,
    invites: Vec<Invite>,
    places: Vec<Place>,
    /// Every token there ever was.
    tokens: Vec<Secret>,
    grants: Vec<Value>,
    /// Paths of repositories that moved, and who can give them to another one.
    freed: Vec<(usize, String)>,
    /// What the organization forbids.
    policies: Vec<Policy>,
    /// What waits for a human, or did.
    approvals: Vec<String>,
    /// How many public keys each agent has added, by login.
    keys: BTreeMap<String, usize>,
    /// How many refs were made.
    made: usize,
    told: Vec<String>,
}

impl History {
    async fn new(database: Database, seed: u64) -> Self {
        let forge = TestForge::on(database).await;
        let root = forge.site_admin("root1").await;
        let root = forge.client_of(&root, None).await;
        let mut history = Self {
            forge,
            dice: Dice::new(seed),
            people: Vec::new(),
            root,
            agents: Vec::new(),
            bound: BTreeMap::new(),
            invites: Vec::new(),
            places: Vec::new(),
            tokens: Vec::new(),
            grants: Vec::new(),
            freed: Vec::new(),
            policies: Vec::new(),
            approvals: Vec::new(),
            keys: BTreeMap::new(),
            made: 0,
            told: vec![format!("FORGE_SEED={seed}")],
        };
        for login in ["alice", "bob"] {
            let account = history.forge.human(login).await;
            let token = history.forge.token(&account, CredentialKind::Personal, None).await;
            let client = history.forge.client().with_token(&token);
            history.tokens.push(token);
            history.people.push(Human { account, client });
        }
        let acme = history.forge.organization("acme", &[&history.people[0].account]).await;
        let owners = [history.people[0].account.clone(), history.people[1].account.clone(), acme];
        for (owner, human) in owners.iter().zip([0, 1, 0]) {
            let repository = history.forge.repository(owner, "project", Visibility::Private).await;
            history.places.push(Place::new(repository.id, repository.full_name(), human));
            history.first_commit(history.places.len() - 1).await;
        }
        for human in [0, 1] {
            history.register().await;
            let invite = history.offer(human, &json!({})).await.expect("an invitation");
            history.confirm(invite, human).await;
        }
        history
    }

    async fn register(&mut self) {
        if self.agents.len() < 5 {
            let agent = self.forge.registered_agent("bot").await;
            self.tokens.push(agent.token.clone());
            self.agents.push(agent);
        }
    }

    fn tell(&mut self, what: impl Into<String>) {
        self.told.push(what.into());
    }

    fn human(&mut self) -> usize {
        self.dice.roll(self.people.len())
    }

    fn agent(&mut self) -> usize {
        self.dice.roll(self.agents.len())
    }

    fn any_token(&mut self) -> Secret {
        // Late ones are the better for being over less often.
        let late = &self.tokens[self.tokens.len().saturating_sub(8)..];
        let from = if self.dice.roll(2) == 0 { &self.tokens } else { late };
        self.dice.pick(from).unwrap().clone()
    }

    fn any_client(&mut self) -> Client {
        let token = self.any_token();
        self.client(&token)
    }

    fn client(&self, token: &Secret) -> Client {
        self.forge.client().with_token(token)
    }

    /// Returns an agent with, mostly, its human.
    fn pair(&mut self) -> (usize, usize) {
        let (human, agent) = (self.human(), self.agent());
        let own = self.bound.get(&agent).copied();
        (if self.dice.roll(5) == 0 { human } else { own.unwrap_or(human) }, agent)
    }

    /// Does one thing, which may be refused.
    async fn step(&mut self) {
        let (human, agent) = self.pair();
        match self.dice.roll(40) {
            0 => self.register().await,
            1 | 2 => self.invite_and_confirm(human, agent).await,
            3 | 4 => self.unbind(human, agent).await,
            5 | 6 => self.switch(human, agent).await,
            7 | 8 => self.grant(human, agent).await,
            9..=12 => self.exchange().await,
            13 => self.revoke().await,
            14 => self.revoke_token(human).await,
            15 => self.suspend().await,
            16 => self.recover(human, agent).await,
            17 => self.set_mode(human, agent).await,
            18..=20 => self.branch().await,
            21..=23 => self.share().await,
            24 | 25 => self.offer_something(human).await,
            26 | 27 => self.confirm_late().await,
            28 => self.rename_or_transfer().await,
            29 => self.take_name().await,
            30 => self.add_key(agent).await,
            31 => self.rule(agent).await,
            32 => self.misspell(human, agent).await,
            33 => self.change_policies().await,
            34 => self.change(human).await,
            _ => self.wait().await,
        }
    }

    async fn switch(&mut self, human: usize, agent: usize) {
        let login = self.agents[agent].login.clone();
        let path = format!("{EXT}/agent-bindings/{login}/switch-session");
        let opened = self.people[human].client.post(&path, &json!({})).await;
        self.tell(format!("person {human} acts as {login}: {}", opened.status));
        if opened.status == 200 {
            self.tokens.push(secret(&opened.json()["token"]["token"]));
        }
    }

    async fn set_mode(&mut self, human: usize, agent: usize) {
        let login = self.agents[agent].login.clone();
        let mode = ["autonomous", "delegated"][self.dice.roll(2)];
        let path = format!("{EXT}/agents/{login}");
        let status = self.people[human].client.patch(&path, &json!({ "mode": mode })).await.status;
        self.tell(format!("person {human} sets {login} {mode}: {status}"));
    }

    async fn revoke_token(&mut self, human: usize) {
        let late = self.tokens.len() - 1 - self.dice.roll(self.tokens.len().min(4));
        let token = self.tokens[late].clone();
        let body = json!({ "token": token.expose(), "reason": "drill" });
        let status = self.people[human].client.post(&format!("{EXT}/revocations"), &body).await.status;
        self.tell(format!("person {human} revokes {}: {status}", token.fingerprint()));
    }

    async fn found(&self, token: &Secret) -> Authentication {
        let hash = self.forge.hash_for("credential", token);
        let mut conn = self.forge.app().db().read().await.unwrap();
        forge_store::credentials::authenticate(&mut conn, &hash)
            .await
            .unwrap()
            .expect("tokens are never forgotten")
    }

    async fn check(&self) {
        for (number, token) in self.tokens.iter().enumerate() {
            let found = self.found(token).await;
            self.check_life(token, &found).await;
            self.check_lifetime(&found);
            self.check_derived(&found).await;
            self.check_switch(token, &found).await;
            self.check_reach(number, token, &found).await;
        }
        self.check_strangers().await;
        self.check_bindings().await;
        self.check_given().await;
        self.check_rulers().await;
        self.check_unevaluable().await;
    }
}

impl Drop for History {
    /// Prints what led to a failure.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.told.join("\n"));
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

for_each_database! {
    async fn i1_to_i20_hold_in_every_history(database: Database) {
        let first = number("FORGE_SEED", 1);
        for seed in first..first + number("FORGE_HISTORIES", 1) {
            let mut history = History::new(database, seed).await;
            for _ in 0..STEPS {
                history.care().await;
                history.step().await;
                history.check().await;
            }
            history.check_whole().await;
        }
    }
}
