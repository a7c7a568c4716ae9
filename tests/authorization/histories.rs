//! Invariants under random histories: people, agents, grants and tokens come, go and change in any order, and after each step
//! what must always hold is looked at. `FORGE_SEED` chooses the first history and `FORGE_HISTORIES` how many there are; a failure
//! prints its seed and the steps that led there.

use std::time::Duration;

use forge_auth::token::Secret;
use forge_service::admin;
use forge_service::audit::seal::Sealer;
use forge_service::operations::verify_audit;
use forge_store::credentials::Authentication;
use forge_testing::agents::{TestAgent, secret};
use forge_testing::database::OnDatabase as _;
use forge_testing::{Client, Database, TestForge, for_each_database};
use forge_types::account::{Account, AccountStatus};
use forge_types::credential::CredentialKind;
use forge_types::grant::GrantState;
use forge_types::repository::Visibility;
use serde_json::{Value, json};

use crate::grants::{EXT, exchange};

const STEPS: usize = 120;

/// A small generator of numbers: the same for the same seed on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // xorshift64*.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % sides
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { Some(&from[self.roll(from.len())]) }
    }
}

struct Human {
    account: Account,
    client: Client,
    repository: String,
}

struct History {
    forge: TestForge,
    dice: Dice,
    people: Vec<Human>,
    agents: Vec<TestAgent>,
    /// Every token there ever was.
    tokens: Vec<Secret>,
    grants: Vec<Value>,
    /// How many refs were made.
    made: usize,
    told: Vec<String>,
}

impl History {
    async fn new(database: Database, seed: u64) -> Self {
        let forge = TestForge::on(database).await;
        let mut history = Self {
            forge,
            dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            people: Vec::new(),
            agents: Vec::new(),
            tokens: Vec::new(),
            grants: Vec::new(),
            made: 0,
            told: vec![format!("FORGE_SEED={seed}")],
        };
        for login in ["alice", "bob"] {
            let account = history.forge.human(login).await;
            let token = history.forge.token(&account, CredentialKind::Personal, None).await;
            let client = history.forge.client().with_token(&token);
            history.forge.repository(&account, "project", Visibility::Private).await;
            let repository = format!("{login}/project");
            let first = json!({ "message": "first", "content": "eA==" });
            let path = format!("/api/v3/repos/{repository}/contents/README.md");
            let _ = client.put(&path, &first).await.expect(201);
            history.made += 1;
            history.tokens.push(token);
            history.people.push(Human { account, client, repository });
        }
        for human in [0, 1] {
            history.register().await;
            let (client, agent) = (&history.people[human].client, &history.agents[human]);
            history.forge.bind(client, agent, &json!({})).await;
        }
        history
    }

    async fn register(&mut self) {
        if self.agents.len() < 4 {
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

    fn any_client(&mut self) -> Client {
        let token = self.dice.pick(&self.tokens).unwrap().clone();
        self.forge.client().with_token(&token)
    }

    /// Puts right what would keep everything else from happening: people come back, and have tokens that work.
    async fn care(&mut self) {
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

    /// Returns an agent with, mostly, its human.
    async fn pair(&mut self) -> (usize, usize) {
        let (human, agent) = (self.human(), self.agent());
        let login = self.agents[agent].login.clone();
        let mut conn = self.forge.app().db().read().await.unwrap();
        let owner = forge_store::agents::find_by_login(&mut conn, &login).await.unwrap().unwrap().owner;
        let own = owner.and_then(|owner| self.people.iter().position(|one| one.account.id == owner.id));
        (if self.dice.roll(5) == 0 { human } else { own.unwrap_or(human) }, agent)
    }

    /// Does one thing, which may be refused.
    async fn step(&mut self) {
        let (human, agent) = self.pair().await;
        let login = self.agents[agent].login.clone();
        let own = format!("{EXT}/agent-bindings/{login}");
        let client = self.people[human].client.clone();
        match self.dice.roll(20) {
            0 => self.register().await,
            1 | 2 => {
                let invite = client.post(&format!("{EXT}/agent-invites"), &json!({})).await;
                let body = json!({ "invite_token": invite.json()["invite_token"] });
                let path = format!("{EXT}/agent-bindings/confirm");
                let who = if self.dice.roll(4) == 0 {
                    self.any_client()
                } else {
                    self.agents[agent].client.clone()
                };
                let status = who.post(&path, &body).await.status;
                self.tell(format!("{login} confirms person {human}: {status}"));
            }
            3 => {
                let status = client.delete(&own).await.status;
                self.tell(format!("person {human} unbinds {login}: {status}"));
            }
            4 | 5 => {
                let opened = client.post(&format!("{own}/switch-session"), &json!({})).await;
                self.tell(format!("person {human} acts as {login}: {}", opened.status));
                if opened.status == 200 {
                    self.tokens.push(secret(&opened.json()["token"]["token"]));
                }
            }
            6 | 7 => self.grant(human, agent).await,
            8..=10 => self.exchange().await,
            11 => {
                if let Some(grant) = self.dice.pick(&self.grants).cloned() {
                    let path = format!("{EXT}/task-grants/{}", grant["id"].as_str().unwrap());
                    let status = self.any_client().delete(&path).await.status;
                    self.tell(format!("{} is revoked by somebody: {status}", grant["id"]));
                }
            }
            12 => {
                let late = self.tokens.len() - 1 - self.dice.roll(self.tokens.len().min(4));
                let token = self.tokens[late].clone();
                let body = json!({ "token": token.expose(), "reason": "drill" });
                let status = client.post(&format!("{EXT}/revocations"), &body).await.status;
                self.tell(format!("person {human} revokes {}: {status}", token.fingerprint()));
            }
            13 => self.suspend().await,
            14 => {
                let status = client.post(&format!("{own}/reset-token"), &json!({})).await;
                self.tell(format!("person {human} recovers {login}: {}", status.status));
                if status.status == 200 {
                    let token = secret(&status.json()["token"]["token"]);
                    self.agents[agent].client = self.forge.client().with_token(&token);
                    self.agents[agent].token = token.clone();
                    self.tokens.push(token);
                }
            }
            15 => {
                let mode = ["autonomous", "delegated"][self.dice.roll(2)];
                let path = format!("{EXT}/agents/{login}");
                let status = client.patch(&path, &json!({ "mode": mode })).await.status;
                self.tell(format!("person {human} sets {login} {mode}: {status}"));
            }
            16 => self.branch().await,
            _ => self.wait().await,
        }
    }

    /// Time passes: some, or until the very moment at which a token ends.
    async fn wait(&mut self) {
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

    async fn grant(&mut self, human: usize, agent: usize) {
        let seconds = [60, 600, 7200][self.dice.roll(3)];
        let end = self.forge.now().plus(Duration::from_secs(seconds)).to_string();
        let details = json!({
            "agent": self.agents[agent].login, "task": "t", "resources": [format!("repo:{}", self.people[human].repository)],
            "actions": ["read_code", "create_branch"],
            "constraints": { "branch_prefix": "agent/", "expires_at": end },
        });
        let who = if self.dice.roll(4) == 0 { self.any_client() } else { self.people[human].client.clone() };
        let made = who.post(&format!("{EXT}/task-grants"), &details).await;
        self.tell(format!(
            "person {human} grants to {} for {seconds} s: {}",
            self.agents[agent].login, made.status
        ));
        if made.status == 201 {
            let grant = made.json();
            if grant["state"] == "pending_consent" && self.dice.roll(3) > 0 {
                let path = format!("{EXT}/task-grants/{}/consent", grant["id"].as_str().unwrap());
                let status = self.agents[agent].client.post(&path, &json!({})).await.status;
                self.tell(format!("which it consents to: {status}"));
            }
            self.grants.push(grant);
        }
    }

    async fn exchange(&mut self) {
        let Some(grant) = self.dice.pick(&self.grants).cloned() else { return };
        let holder = self.agents.iter().find(|agent| grant["agent"] == format!("agent:{}", agent.login));
        let token = match holder.map(|agent| agent.token.clone()).filter(|_| self.dice.roll(4) > 0) {
            Some(own) => own,
            None => self.dice.pick(&self.tokens).unwrap().clone(),
        };
        let lifetime = ["60", "900", "3600"][self.dice.roll(3)];
        let given = exchange(&self.forge, &token, &grant, &[("expires_in", lifetime)]).await;
        self.tell(format!("{} for {} of {lifetime} s: {}", token.fingerprint(), grant["id"], given.status));
        if given.status == 200 {
            self.tokens.push(secret(&given.json()["access_token"]));
        }
    }

    async fn suspend(&mut self) {
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

    /// Somebody makes a branch somewhere.
    async fn branch(&mut self) {
        let human = self.human();
        let path = format!("/api/v3/repos/{}/git", self.people[human].repository);
        let client = self.any_client();
        let tip = client.get(&format!("{path}/ref/heads/main")).await;
        if tip.status != 200 {
            return;
        }
        let prefix = ["agent/", "other/"][self.dice.roll(2)];
        let name = format!("refs/heads/{prefix}{}", self.told.len());
        let body = json!({ "ref": name, "sha": tip.json()["object"]["sha"] });
        let made = client.post(&format!("{path}/refs"), &body).await;
        self.tell(format!("{name} is made: {}", made.status));
        self.made += usize::from(made.status == 201);
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
        for token in &self.tokens {
            let found = self.found(token).await;
            self.check_life(token, &found).await;
            self.check_lifetime(&found);
            self.check_derived(&found).await;
            self.check_switch(token, &found).await;
        }
    }

    /// I14, I15 and I19: what is over opens nothing from the very moment on, and what is not opens what it did.
    async fn check_life(&self, token: &Secret, found: &Authentication) {
        let stands = self.stands(found);
        let status = self.forge.client().with_token(token).get("/api/v3/user").await.status.as_u16();
        let expected = if stands { 200 } else { 401 };
        // A kill switch or a narrow grant may forbid what a token that stands asks for, but never with 401.
        assert!(
            status == expected || (stands && status == 403),
            "{} {:?}: {status}, not {expected}",
            token.fingerprint(),
            found.credential.kind
        );
    }

    /// The rows say it: written down here once more, apart from how the forge does it.
    fn stands(&self, found: &Authentication) -> bool {
        let (now, credential) = (self.forge.now(), &found.credential);
        let is_kept = credential.revoked_at.is_none() && credential.consumed_at.is_none();
        let has_time = credential.expires_at.is_none_or(|expiry| now < expiry);
        let acts = |status: Option<AccountStatus>| status == Some(AccountStatus::Active);
        let is_bound = found.acting.as_ref().is_none_or(|acting| found.owner_id == Some(acting.id));
        let grants = found.chain.iter().all(|link| {
            link.life.state(now) == GrantState::Active && link.delegator_status == AccountStatus::Active
        });
        let lender = found.on_behalf_of.as_ref().filter(|_| found.chain.is_empty());
        is_kept
            && has_time
            && acts(Some(found.status))
            && (found.acting.is_none() || (acts(found.acting_status) && is_bound))
            && grants
            && lender.is_none_or(|(_, status)| acts(Some(*status)))
    }

    /// I1: the kind of a credential says how long it can last.
    fn check_lifetime(&self, found: &Authentication) {
        let credential = &found.credential;
        if let Some(longest) = credential.kind.max_lifetime() {
            let expires_at = credential.expires_at.expect("such a credential ends");
            let began = if credential.kind == CredentialKind::Switch {
                self.forge.now()
            } else {
                credential.created_at
            };
            let latest = began.max(credential.created_at).plus(longest);
            assert!(expires_at <= latest, "{:?} lasts past its kind", credential.kind);
        }
        if let Some(link) = found.chain.first() {
            assert!(credential.expires_at <= Some(link.life.expires_at), "a token outlasts its grant");
        }
    }

    /// I2: what was derived is within what it came from.
    async fn check_derived(&self, found: &Authentication) {
        let credential = &found.credential;
        let Some(parent) = credential.parent_id else { return };
        let mut conn = self.forge.app().db().read().await.unwrap();
        let parent =
            forge_store::credentials::find_with_bearer(&mut conn, parent).await.unwrap().unwrap().credential;
        if let Some(until) = parent.expires_at {
            assert!(
                credential.expires_at.is_some_and(|expiry| expiry <= until),
                "a token outlasts its parent"
            );
        }
        if let Some(scopes) = &parent.scopes {
            assert!(
                credential.scopes.as_ref().is_some_and(|own| scopes.includes(own)),
                "a token has more scopes"
            );
        }
        assert!(parent.cnf_jkt.is_none() || credential.cnf_jkt == parent.cnf_jkt, "a token lost its key");
    }

    /// I6 and I7: a switch session lives by its binding, and changes nothing about whom the forge trusts.
    async fn check_switch(&self, token: &Secret, found: &Authentication) {
        if found.credential.kind != CredentialKind::Switch || !self.stands(found) {
            return;
        }
        let acting = found.acting.as_ref().expect("a switch session is somebody's");
        assert_eq!(found.owner_id, Some(acting.id), "a switch session outlived its binding");
        let client = self.forge.client().with_token(token);
        for (path, body) in [
            ("user/tokens".to_owned(), json!({ "name": "mine" })),
            ("agent-bindings/confirm".to_owned(), json!({ "invite_token": "fgei_none" })),
            (format!("agents/{}/keys", found.account.login), json!({})),
        ] {
            let status = client.post(&format!("{EXT}/{path}"), &body).await.status.as_u16();
            assert!(status >= 400, "a switch session did {path}: {status}");
        }
    }

    /// I11, I12, I16 and I17: what holds of the whole history.
    async fn check_whole(&self) {
        let sealer = Sealer::new(self.forge.app());
        sealer.seal().await.unwrap();
        sealer.release().await.unwrap();
        let report = verify_audit(&admin::console(self.forge.app()), Vec::new(), None).await.unwrap();
        assert_eq!(report.findings, Vec::<String>::new());
        let moved = self.recorded().await;
        assert_eq!(moved, self.made, "each ref that was made has its row in the audit log");
        if self.forge.app().db().is_sqlite() {
            self.check_secrets().await;
        }
    }

    /// Returns how many refs the audit log says were changed.
    async fn recorded(&self) -> usize {
        let root = self.forge.site_admin("root1").await;
        let root = self.forge.client_of(&root, None).await;
        let mut path = format!("{EXT}/audit-events?action=refs.updated&per_page=100");
        let mut count = 0;
        loop {
            let answer = root.get(&path).await.expect(200);
            let next = answer.header("link").and_then(|links| {
                let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
                Some(next.split_once("/api/")?.1.split_once('>')?.0.to_owned())
            });
            let events = answer.json();
            for event in events.as_array().unwrap() {
                let is_ours = event["decision"] == "allow";
                count += usize::from(is_ours) * event["side_effect"]["refs"].as_array().map_or(0, Vec::len);
            }
            match next {
                Some(next) => path = format!("/api/{next}"),
                None => return count,
            }
        }
    }

    /// No value of a token is anywhere in the database.
    async fn check_secrets(&self) {
        let copy = self.forge.folder().join("copy.db");
        self.forge.app().db().copy_sqlite_to(&copy).await.unwrap();
        let bytes = std::fs::read(&copy).unwrap();
        for token in &self.tokens {
            let value = token.expose().as_bytes();
            let is_there = bytes.windows(value.len()).any(|window| window == value);
            assert!(!is_there, "{} is in the database", token.fingerprint());
        }
    }
}

/// Prints what led to a failure.
struct Teller<'a>(&'a History);

impl Drop for Teller<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0.told.join("\n"));
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

for_each_database! {
    async fn i1_i2_i6_i7_i11_i12_i14_i15_i16_i17_i19_hold_in_every_history(database: Database) {
        let first = number("FORGE_SEED", 1);
        for seed in first..first + number("FORGE_HISTORIES", 1) {
            let mut history = History::new(database, seed).await;
            for _ in 0..STEPS {
                history.care().await;
                history.step().await;
                let _teller = Teller(&history);
                history.check().await;
            }
            let _teller = Teller(&history);
            history.check_whole().await;
        }
    }
}
