//! Accounts: in passing, in public, and to themselves.

use forge_service::accounts::Profile;
use forge_types::account::{Account, AccountRef};
use forge_types::{NodeId, Timestamp};
use serde::Serialize;

use super::{LinkTable, Links};

const LINKS: &[(&str, &str)] = &[
    ("url", ""),
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

/// GitHub's `simple-user`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct SimpleUser {
    pub login: String,
    pub id: i64,
    pub node_id: NodeId,
    pub avatar_url: String,
    pub gravatar_id: &'static str,
    pub html_url: String,
    #[serde(flatten)]
    pub links: LinkTable,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub user_view_type: &'static str,
    pub site_admin: bool,
}

impl SimpleUser {
    /// Creates the view of an account.
    #[must_use]
    pub fn new(links: &Links, account: &AccountRef) -> Self {
        Self {
            login: account.login.clone(),
            id: account.id.0,
            node_id: NodeId::account(account.id, account.kind),
            avatar_url: links.web(&format!("avatars/{}", account.id)),
            gravatar_id: "",
            html_url: links.web(&account.login),
            links: LinkTable::new(links.api(&format!("users/{}", account.login)), LINKS),
            kind: account.kind.github_type(),
            user_view_type: "public",
            site_admin: account.is_site_admin,
        }
    }
}

/// GitHub's `public-user`, which allows nothing beside its own fields: that an account is an agent is said by our own API.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct PublicUser {
    #[serde(flatten)]
    pub base: SimpleUser,
    pub name: Option<String>,
    pub company: Option<String>,
    pub blog: Option<String>,
    pub location: Option<String>,
    pub email: Option<String>,
    pub hireable: Option<bool>,
    pub bio: Option<String>,
    pub twitter_username: Option<String>,
    pub public_repos: i64,
    pub public_gists: i64,
    pub followers: i64,
    pub following: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl PublicUser {
    /// Creates the view of a profile.
    #[must_use]
    pub fn new(links: &Links, profile: &Profile) -> Self {
        let account: &Account = &profile.account;
        Self {
            base: SimpleUser::new(links, &AccountRef::from(account)),
            name: account.name.clone(),
            company: None,
            blog: None,
            location: None,
            email: account.email.clone(),
            hireable: None,
            bio: account.description.clone(),
            twitter_username: None,
            public_repos: profile.public_repositories,
            public_gists: 0,
            followers: 0,
            following: 0,
            created_at: account.created_at,
            updated_at: account.updated_at,
        }
    }
}

/// GitHub's `private-user`: what an account sees of itself.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct PrivateUser {
    #[serde(flatten)]
    pub public: PublicUser,
    pub private_gists: i64,
    pub total_private_repos: i64,
    pub owned_private_repos: i64,
    pub disk_usage: i64,
    pub collaborators: i64,
    pub two_factor_authentication: bool,
}

impl PrivateUser {
    /// Creates the view of one's own profile.
    #[must_use]
    pub fn new(links: &Links, profile: &Profile) -> Self {
        let mut public = PublicUser::new(links, profile);
        public.base.user_view_type = "private";
        Self {
            public,
            private_gists: 0,
            total_private_repos: profile.private_repositories,
            owned_private_repos: profile.private_repositories,
            disk_usage: profile.size_bytes / 1024,
            collaborators: 0,
            two_factor_authentication: false,
        }
    }
}
