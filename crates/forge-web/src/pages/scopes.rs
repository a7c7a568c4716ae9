//! Scopes in words.

use forge_types::{Scope, Scopes};
use maud::{Markup, html};

/// Says what a scope lets a program do.
pub(super) const fn words(scope: Scope) -> &'static str {
    match scope {
        Scope::Repo => "read and change all your repositories, private ones included",
        Scope::RepoStatus => "read and set the status of commits",
        Scope::RepoDeployment => "read and set the status of deployments",
        Scope::PublicRepo => "read and change your public repositories",
        Scope::RepoInvite => "accept and decline invitations to repositories",
        Scope::AdminRepoHook => "manage the webhooks of your repositories",
        Scope::WriteRepoHook => "read and change the webhooks of your repositories",
        Scope::ReadRepoHook => "read the webhooks of your repositories",
        Scope::AdminOrg => "manage your organizations, their members and teams",
        Scope::WriteOrg => "change members and teams of your organizations",
        Scope::ReadOrg => "see your organizations and teams",
        Scope::AdminPublicKey => "manage your SSH keys",
        Scope::WritePublicKey => "see and add SSH keys",
        Scope::ReadPublicKey => "see your SSH keys",
        Scope::AdminSshSigningKey => "manage your signing keys",
        Scope::WriteSshSigningKey => "see and add signing keys",
        Scope::ReadSshSigningKey => "see your signing keys",
        Scope::AdminOrgHook => "manage the webhooks of your organizations",
        Scope::Gist => "create gists",
        Scope::Notifications => "read and clear your notifications",
        Scope::User => "read and change your profile",
        Scope::ReadUser => "read your profile",
        Scope::UserEmail => "read your e-mail address",
        Scope::UserFollow => "follow and unfollow people",
        Scope::Project => "read and change your projects",
        Scope::ReadProject => "read your projects",
        Scope::DeleteRepo => "delete your repositories",
        Scope::Workflow => "change workflow files",
        Scope::AdminGpgKey => "manage your GPG keys",
        Scope::WriteGpgKey => "see and add GPG keys",
        Scope::ReadGpgKey => "see your GPG keys",
        Scope::AuditLog | Scope::ReadAuditLog => "read the audit log of your organizations",
        Scope::SiteAdmin => "administer this forge",
    }
}

/// Lists what a program asks for.
pub(super) fn list(scopes: &Scopes) -> Markup {
    html! {
        ul {
            @if scopes.is_empty() { li { "see what everyone can see, and who you are" } }
            @for scope in scopes.iter() {
                li { (words(scope)) " " span.muted { "(" code { (scope.as_str()) } ")" } }
            }
        }
    }
}
