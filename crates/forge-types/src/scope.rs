//! OAuth scopes: GitHub's names only, with what each includes
//! (<https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps>).

use std::collections::BTreeSet;
use std::fmt;

macro_rules! scopes {
    ($($variant:ident = $name:literal [$($implied:ident),*]),* $(,)?) => {
        /// One OAuth scope.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each variant is GitHub's scope of the same name")]
        pub enum Scope { $($variant),* }

        impl Scope {
            /// All scopes the forge knows.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns GitHub's name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Reads GitHub's name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// Returns the scopes that this one includes directly.
            #[must_use]
            pub const fn includes(self) -> &'static [Self] {
                match self { $(Self::$variant => &[$(Self::$implied),*]),* }
            }
        }
    };
}

scopes! {
    Repo = "repo" [RepoStatus, RepoDeployment, PublicRepo, RepoInvite],
    RepoStatus = "repo:status" [],
    RepoDeployment = "repo_deployment" [],
    PublicRepo = "public_repo" [],
    RepoInvite = "repo:invite" [],
    AdminRepoHook = "admin:repo_hook" [WriteRepoHook],
    WriteRepoHook = "write:repo_hook" [ReadRepoHook],
    ReadRepoHook = "read:repo_hook" [],
    AdminOrg = "admin:org" [WriteOrg],
    WriteOrg = "write:org" [ReadOrg],
    ReadOrg = "read:org" [],
    AdminPublicKey = "admin:public_key" [WritePublicKey],
    WritePublicKey = "write:public_key" [ReadPublicKey],
    ReadPublicKey = "read:public_key" [],
    AdminSshSigningKey = "admin:ssh_signing_key" [WriteSshSigningKey],
    WriteSshSigningKey = "write:ssh_signing_key" [ReadSshSigningKey],
    ReadSshSigningKey = "read:ssh_signing_key" [],
    AdminOrgHook = "admin:org_hook" [],
    Gist = "gist" [],
    Notifications = "notifications" [],
    User = "user" [ReadUser, UserEmail, UserFollow],
    ReadUser = "read:user" [],
    UserEmail = "user:email" [],
    UserFollow = "user:follow" [],
    Project = "project" [ReadProject],
    ReadProject = "read:project" [],
    DeleteRepo = "delete_repo" [],
    Workflow = "workflow" [],
    AdminGpgKey = "admin:gpg_key" [WriteGpgKey],
    WriteGpgKey = "write:gpg_key" [ReadGpgKey],
    ReadGpgKey = "read:gpg_key" [],
    AuditLog = "audit_log" [ReadAuditLog],
    ReadAuditLog = "read:audit_log" [],
    SiteAdmin = "site_admin" [],
}

/// The scopes of one credential, without those that another already includes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Reads names separated by spaces or commas.
    ///
    /// # Errors
    /// Returns the first name that is not a scope.
    pub fn parse(text: &str) -> Result<Self, String> {
        let names = text.split([' ', ',']).map(str::trim).filter(|name| !name.is_empty());
        names.map(|name| Scope::parse(name).ok_or_else(|| name.to_owned())).collect()
    }

    /// Reads names and leaves out those that are not scopes, as GitHub does for device and web flows.
    #[must_use]
    pub fn parse_known(text: &str) -> Self {
        text.split([' ', ',']).filter_map(|name| Scope::parse(name.trim())).collect()
    }

    /// Returns whether `scope` is granted, directly or because another includes it.
    #[must_use]
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.iter().any(|held| *held == scope || implies(*held, scope))
    }

    /// Returns whether every scope of `other` is granted by `self`.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        other.0.iter().all(|scope| self.contains(*scope))
    }

    /// Returns whether there are no scopes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }

    /// Returns the names joined by `separator`: `", "` in headers, `","` in GitHub's OAuth answers, `" "` in RFC 6749.
    #[must_use]
    pub fn join(&self, separator: &str) -> String {
        self.0.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(separator)
    }
}

fn implies(held: Scope, wanted: Scope) -> bool {
    held.includes().iter().any(|inner| *inner == wanted || implies(*inner, wanted))
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let all: BTreeSet<Scope> = scopes.into_iter().collect();
        let redundant = |scope: &Scope| all.iter().any(|other| implies(*other, *scope));
        Self(all.iter().copied().filter(|scope| !redundant(scope)).collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broader_scopes_absorb_narrower_ones() {
        let scopes = Scopes::parse("public_repo, repo read:org admin:org").expect("known names");
        assert_eq!(scopes.to_string(), "repo admin:org");
        assert!(scopes.contains(Scope::PublicRepo) && scopes.contains(Scope::ReadOrg));
        assert!(!scopes.contains(Scope::DeleteRepo));
    }

    #[test]
    fn unknown_names_are_refused() {
        assert_eq!(Scopes::parse("repo everything"), Err("everything".to_owned()));
    }
}
