//! I3, I10 and I13: a token reaches what whoever it acts for may reach now and its grants are about, by the repository and not
//! by its name; what it does not reach looks as if it were not there.

use std::collections::BTreeMap;

use forge_auth::token::Secret;
use forge_store::credentials::Authentication;
use forge_testing::{Answer, Client};
use forge_types::Permission;
use forge_types::account::AccountKind;
use forge_types::credential::CredentialKind;
use forge_types::grant::GrantAction;
use forge_types::id::{AccountId, RepositoryId};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::History;

/// The most repositories of a history.
const MOST: usize = 6;

/// What differs between two answers that say the same.
const DIFFERS: [&str; 3] = ["x-github-request-id", "x-ratelimit-used", "x-ratelimit-remaining"];

/// A repository, and what the history knows of it.
pub(super) struct Place {
    pub(super) id: RepositoryId,
    pub(super) full_name: String,
    /// The human whose it is, or who owns the organization whose it is.
    admin: usize,
    /// What the other human was let do.
    shared: Option<Permission>,
    /// What agents were given.
    pub(super) given: BTreeMap<AccountId, Permission>,
}

impl Place {
    pub(super) fn new(id: RepositoryId, full_name: String, admin: usize) -> Self {
        Self { id, full_name, admin, shared: None, given: BTreeMap::new() }
    }

    pub(super) fn permission(&self, human: usize) -> Option<Permission> {
        if human == self.admin { Some(Permission::Admin) } else { self.shared }
    }

    pub(super) fn owner(&self) -> &str {
        self.full_name.split_once('/').unwrap().0
    }

    fn path(&self) -> String {
        format!("/api/v3/repos/{}", self.full_name)
    }
}

impl History {
    pub(super) fn place(&mut self) -> usize {
        self.dice.roll(self.places.len())
    }

    /// Returns the places that are the other one's.
    pub(super) fn others_of(&self, human: usize) -> Vec<usize> {
        (0..self.places.len()).filter(|place| self.places[*place].admin != human).collect()
    }

    /// Returns a place, mostly one where a human has this permission.
    pub(super) fn place_of(&mut self, human: usize, permission: Permission) -> usize {
        let all = 0..self.places.len();
        let own: Vec<usize> =
            all.filter(|place| self.places[*place].permission(human) >= Some(permission)).collect();
        if self.dice.roll(6) == 0 { self.place() } else { self.dice.pick(&own).copied().unwrap_or(0) }
    }

    pub(super) async fn first_commit(&mut self, place: usize) {
        let first = json!({ "message": "first", "content": "eA==" });
        let path = format!("{}/contents/README.md", self.places[place].path());
        let _ = self.people[self.places[place].admin].client.put(&path, &first).await.expect(201);
        self.made += 1;
    }

    /// Whoever has a repository lets the other one in, or out again.
    pub(super) async fn share(&mut self) {
        let place = self.place();
        let to =
            [Permission::Read, Permission::Write, Permission::Admin, Permission::Admin][self.dice.roll(4)];
        let shared = if self.places[place].shared.is_some() { None } else { Some(to) };
        self.let_in(place, shared).await;
    }

    pub(super) async fn let_in(&mut self, place: usize, shared: Option<Permission>) {
        let (admin, path) = (self.places[place].admin, self.places[place].path());
        let path = format!("{path}/collaborators/{}", self.people[1 - admin].account.login);
        let client = self.people[admin].client.clone();
        let status = match shared {
            Some(permission) => {
                client.put(&path, &json!({ "permission": permission.role_name() })).await.status
            }
            None => client.delete(&path).await.status,
        };
        self.tell(format!("{path} is {shared:?}: {status}"));
        if status == 204 {
            self.places[place].shared = shared;
        }
    }

    /// A repository gets another name, or goes to the organization or back.
    pub(super) async fn rename_or_transfer(&mut self) {
        let place = self.place();
        let (path, admin) = (self.places[place].path(), self.places[place].admin);
        let client = self.people[admin].client.clone();
        let name = format!("moved{}", self.told.len());
        let moved = if admin == 0 && self.dice.roll(2) == 0 {
            let to = if self.places[place].owner() == "acme" { "alice" } else { "acme" };
            let body = json!({ "new_owner": to, "new_name": name });
            client.post(&format!("{path}/transfer"), &body).await
        } else {
            client.patch(&path, &json!({ "name": name })).await
        };
        self.tell(format!("{path} moves: {}", moved.status));
        if matches!(moved.status.as_u16(), 200 | 202) {
            moved.json()["full_name"].as_str().unwrap().clone_into(&mut self.places[place].full_name);
            // Its name is free for another one.
            self.freed.push((admin, path));
        }
    }

    /// A new repository takes the name of one that moved.
    pub(super) async fn take_name(&mut self) {
        let Some((admin, path)) = self.freed.last().cloned().filter(|_| self.places.len() < MOST) else {
            return;
        };
        let full_name = path.strip_prefix("/api/v3/repos/").unwrap();
        let (owner, name) = full_name.split_once('/').unwrap();
        let whose = if owner == "acme" { "/api/v3/orgs/acme/repos" } else { "/api/v3/user/repos" };
        let body = json!({ "name": name, "private": true });
        let made = self.people[admin].client.post(whose, &body).await;
        self.tell(format!("{full_name} is another one: {}", made.status));
        if made.status != 201 {
            return;
        }
        self.freed.pop();
        let id = RepositoryId(made.json()["id"].as_i64().unwrap());
        self.places.push(Place::new(id, full_name.to_owned(), admin));
        if !self.is_unevaluable(self.places.len() - 1) {
            self.first_commit(self.places.len() - 1).await;
        }
    }

    /// Somebody makes a branch somewhere.
    pub(super) async fn branch(&mut self) {
        let (place, token) = (self.place(), self.any_token());
        let (path, client) = (format!("{}/git", self.places[place].path()), self.client(&token));
        let admin = self.places[place].admin;
        let tip = self.people[admin].client.get(&format!("{path}/ref/heads/main")).await;
        if tip.status != 200 {
            return;
        }
        let prefix = ["agent/", "other/"][self.dice.roll(2)];
        let name = format!("refs/heads/{prefix}{}", self.told.len());
        let body = json!({ "ref": name, "sha": tip.json()["object"]["sha"] });
        let found = self.found(&token).await;
        let may = self.may_branch(place, &found, prefix).await;
        let made = client.post(&format!("{path}/refs"), &body).await;
        self.tell(format!("{path} {name} is made with {}: {}", token.fingerprint(), made.status));
        if made.status == 403
            && let Some(id) = made.json()["approval"]["id"].as_str()
        {
            self.approvals.push(id.to_owned());
        }
        let is_made = made.status == 201;
        self.made += usize::from(is_made);
        assert!(may || !is_made, "{} {:?} made {name}", found.account.login, found.credential.kind);
        // What keeps an agent's own token from writing is not known here; a task or a human has no such bounds.
        let is_known = found.account.kind == AccountKind::Human || !found.chain.is_empty();
        assert!(is_made || !may || !is_known, "{name}: {}", made.text());
    }

    /// I3 and I20: may a token make a branch below this prefix?
    async fn may_branch(&self, place: usize, found: &Authentication, prefix: &str) -> bool {
        let conveys = found.chain.iter().all(|link| {
            let terms = &link.terms;
            terms.actions.contains(&GrantAction::CreateBranch)
                && !terms.constraints.requires_approval.contains(&GrantAction::CreateBranch)
                && prefix == "agent/"
        });
        self.stands(found)
            && self.reaches(place, found, Permission::Write).await
            && conveys
            && self.policies_allow(place, &found.account, prefix)
    }

    /// I3 and I10: the grants are about this very repository, and whoever the token acts for has the permission now.
    async fn reaches(&self, place: usize, found: &Authentication, needed: Permission) -> bool {
        let place = &self.places[place];
        let own = found.on_behalf_of.as_ref().map_or(found.account.id, |(lender, _)| lender.id);
        let holder = found.chain.last().map_or(own, |link| link.delegator.id);
        let human = self.people.iter().position(|human| human.account.id == holder);
        let permission = match human {
            Some(human) => place.permission(human),
            None => place.given.get(&holder).copied(),
        };
        let is_meant = found.chain.iter().all(|link| {
            link.terms.resources.iter().any(|resource| resource.repository_id() == Some(place.id))
        });
        permission >= Some(needed) && is_meant
    }

    /// Returns what an account has in a repository, by whatever gives it.
    pub(super) async fn held(&self, place: RepositoryId, account: AccountId) -> Option<Permission> {
        let mut conn = self.forge.app().db().read().await.unwrap();
        forge_store::collaborators::find(&mut conn, place, account).await.unwrap()
    }

    /// I3, I10 and I13: what a token reaches at one place, another one each time.
    pub(super) async fn check_reach(&self, number: usize, token: &Secret, found: &Authentication) {
        if !self.stands(found) {
            return;
        }
        let turn = number + self.told.len();
        let number = turn % self.places.len();
        let (place, client) = (&self.places[number], self.client(token));
        let reaches = self.reaches(number, found, Permission::Read).await;
        let answer = client.get(&place.path()).await;
        let who = format!("{} {:?}", found.account.login, found.credential.kind);
        assert_eq!(answer.status == 200, reaches, "{who} at {}: {}", place.full_name, answer.text());
        if !reaches {
            assert_eq!(answer.status, 404, "{who} at {}", place.full_name);
            if (turn / self.places.len()).is_multiple_of(3) {
                self.check_hidden(&client, place).await;
            }
        } else if found.credential.kind == CredentialKind::Task {
            let conveys = found.chain.iter().all(|link| link.terms.actions.contains(&GrantAction::ReadCode));
            let code = client.get(&format!("{}/git/matching-refs/heads", place.path())).await.status;
            assert_eq!(code == 200, conveys, "{who} reads the code of {}: {code}", place.full_name);
        }
    }

    /// I13: nobody in particular sees nothing.
    pub(super) async fn check_strangers(&self) {
        let place = &self.places[self.told.len() % self.places.len()];
        self.check_hidden(&self.forge.client(), place).await;
    }

    /// I13: an answer about what is hidden is the one about what is not there, and takes as much work.
    async fn check_hidden(&self, client: &Client, place: &Place) {
        let absent = format!("/api/v3/repos/{}/absent", place.owner());
        let mut spent = (0, 0);
        // What goes on behind may do something just then, but not each time.
        for _ in 0..3 {
            let (hidden, of_hidden) = self.counted(client.get(&place.path())).await;
            let (absent, of_absent) = self.counted(client.get(&absent)).await;
            assert_eq!(told(&hidden), told(&absent), "{}", place.full_name);
            spent = (of_hidden, of_absent);
            if of_hidden == of_absent {
                break;
            }
        }
        assert_eq!(spent.0, spent.1, "statements about {} and what is not there", place.full_name);
        let body = json!({ "description": "mine" });
        let (hidden, absent) = (client.patch(&place.path(), &body).await, client.patch(&absent, &body).await);
        assert_eq!(told(&hidden), told(&absent), "changing {}", place.full_name);
    }

    /// Returns an answer and how many statements it took.
    async fn counted(&self, answer: impl Future<Output = Answer>) -> (Answer, u64) {
        let before = self.forge.statements();
        let answer = answer.await;
        (answer, self.forge.statements() - before)
    }
}

/// Returns what an answer tells.
fn told(answer: &Answer) -> (StatusCode, HeaderMap, String) {
    let mut headers = answer.headers.clone();
    for name in DIFFERS {
        headers.remove(name);
    }
    (answer.status, headers, answer.text())
}
