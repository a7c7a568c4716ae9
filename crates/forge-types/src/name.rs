//! Names people choose: logins, repository names, team slugs, topics. ASCII only, so that no two look alike.

use crate::error::{Error, FieldCode, Result};

/// The longest login, as on GitHub.
pub const MAX_LOGIN: usize = 39;
/// The longest repository name, as on GitHub.
pub const MAX_REPOSITORY_NAME: usize = 100;
/// The longest name that is chosen to stand in a path as it is.
const MAX_SLUG: usize = 64;

/// Names that are, or may become, the first segment of one of the forge's own URLs, or that would mislead.
const RESERVED_LOGINS: &[&str] = &[
    "about",
    "account",
    "admin",
    "administrator",
    "agents",
    "anonymous",
    "api",
    "apps",
    "approvals",
    "assets",
    "audit",
    "auth",
    "avatars",
    "blog",
    "collections",
    "con",
    "contact",
    "copilot",
    "dashboard",
    "docs",
    "enterprise",
    "explore",
    "favicon",
    "features",
    "forge",
    "ghost",
    "gist",
    "gists",
    "git",
    "github",
    "graphql",
    "health",
    "healthz",
    "help",
    "home",
    "index",
    "invite",
    "invites",
    "issues",
    "join",
    "login",
    "logout",
    "marketplace",
    "mcp",
    "metrics",
    "new",
    "notifications",
    "oauth",
    "organizations",
    "orgs",
    "pages",
    "pricing",
    "privacy",
    "pulls",
    "raw",
    "readyz",
    "root",
    "search",
    "security",
    "session",
    "sessions",
    "settings",
    "setup",
    "signin",
    "signout",
    "signup",
    "site",
    "sponsors",
    "stars",
    "static",
    "status",
    "support",
    "system",
    "team",
    "teams",
    "terms",
    "topics",
    "trending",
    "uploads",
    "user",
    "users",
    "well-known",
    "wiki",
];

/// Names no file system or Git client handles safely.
const RESERVED_DEVICES: &[&str] = &[
    "aux", "con", "nul", "prn", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Returns the form under which names that differ only in case are the same.
#[must_use]
pub fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// Checks a login: letters, digits and single hyphens inside, at most 39 characters, not reserved.
///
/// # Errors
/// `Invalid` with the field `login`.
pub fn check_login(login: &str) -> Result<()> {
    let refuse = |message: &str| Err(Error::invalid("User", "login", FieldCode::Invalid, message));
    if login.is_empty() || login.len() > MAX_LOGIN {
        return refuse("login must have 1 to 39 characters");
    }
    if !login.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return refuse("login may only contain letters, digits and hyphens");
    }
    if login.starts_with('-') || login.ends_with('-') || login.contains("--") {
        return refuse("login may not start or end with a hyphen or contain two in a row");
    }
    let key = key(login);
    if RESERVED_LOGINS.contains(&key.as_str()) || RESERVED_DEVICES.contains(&key.as_str()) {
        return refuse("login is reserved");
    }
    Ok(())
}

/// Checks a repository name: letters, digits, `.`, `-` and `_`, at most 100 characters, not one that a URL or a file
/// system reads as something else.
///
/// # Errors
/// `Invalid` with the field `name`.
pub fn check_repository_name(name: &str) -> Result<()> {
    let refuse = |message: &str| Err(Error::invalid("Repository", "name", FieldCode::Invalid, message));
    if name.is_empty() || name.len() > MAX_REPOSITORY_NAME {
        return refuse("name must have 1 to 100 characters");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        return refuse("name may only contain letters, digits, `.`, `-` and `_`");
    }
    let key = key(name);
    let stem = key.split('.').next().unwrap_or_default();
    if name == "." || name == ".." || RESERVED_DEVICES.contains(&stem) {
        return refuse("name is reserved");
    }
    if [".git", ".wiki", ".lock", ".atom"].iter().any(|ending| key.ends_with(ending)) {
        return refuse("name may not end in `.git`, `.wiki`, `.lock` or `.atom`");
    }
    Ok(())
}

/// Returns the slug of a team's name: lower case, runs of other characters as one hyphen.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for character in name.chars() {
        match character.to_ascii_lowercase() {
            kept @ ('a'..='z' | '0'..='9' | '_' | '.') => slug.push(kept),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Checks a name that is chosen to stand in a path as it is, such as that of an access group: 1 to 64 lower-case letters,
/// digits and inner hyphens.
///
/// # Errors
/// `Invalid` for the field `name` of a `resource`.
pub fn check_slug(resource: &'static str, name: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_short = (1..=MAX_SLUG).contains(&name.len());
    if is_short && name.bytes().all(allowed) && !name.starts_with('-') && !name.ends_with('-') {
        return Ok(());
    }
    let message = "name must be 1 to 64 lower-case letters, digits and inner hyphens";
    Err(Error::invalid(resource, "name", FieldCode::Invalid, message))
}

/// Checks a topic: lower-case letters, digits and hyphens, at most 50 characters
/// (<https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/classifying-your-repository-with-topics>).
#[must_use]
pub fn is_topic(topic: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=50).contains(&topic.len()) && !topic.starts_with('-') && topic.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_that_mislead_or_break_paths_are_refused() {
        for login in ["alice", "a", "fix-bot-3f2a1c", "A1"] {
            assert!(check_login(login).is_ok(), "{login}");
        }
        let long = "a".repeat(40);
        for login in
            ["", "-a", "a-", "a--b", "a.b", "..", "аlice", "copilot", "Admin", "con", "a b", "a\0", &long]
        {
            assert!(check_login(login).is_err(), "{login}");
        }
    }

    #[test]
    fn repository_names_that_break_paths_are_refused() {
        for name in ["forge", "a.b", "_x", "-x", "x.gitx", "git"] {
            assert!(check_repository_name(name).is_ok(), "{name}");
        }
        let long = "a".repeat(101);
        for name in
            ["", ".", "..", "x.git", "x.GIT.git", "x.wiki", "con", "NUL.txt", "a/b", "a b", "é", &long]
        {
            assert!(check_repository_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn slugs_that_would_not_stand_in_a_path_are_refused() {
        let longest = "a".repeat(64);
        for name in ["a", "night-shift", "7", &longest] {
            assert!(check_slug("AccessGroup", name).is_ok(), "{name}");
        }
        let long = "a".repeat(65);
        for name in ["", "-", "-a", "a-", "A", "a b", "a/b", "a_b", "é", &long] {
            assert!(check_slug("AccessGroup", name).is_err(), "{name}");
        }
    }

    #[test]
    fn slugs_are_lower_case_with_single_hyphens() {
        assert_eq!(slug("  The Core -- Team! "), "the-core-team");
    }
}
