//! The table: what each crate of ours may depend on, and to whom a foreign crate belongs.

/// A crate and those of ours that it may depend on.
pub(super) struct Room {
    /// The package's name.
    pub(super) name: &'static str,
    /// What it may depend on.
    pub(super) may_use: &'static [&'static str],
}

const fn room(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room { name, may_use }
}

const EVERYTHING: &[&str] = &[
    "forge-types",
    "forge-auth",
    "forge-git",
    "forge-store",
    "forge-service",
    "forge-api",
    "forge-graphql",
    "forge-web",
    "forge-ssh",
    "forge-jobs",
    "forge-agent",
    "forge-server",
    "forge-testing",
];

/// Every crate of the workspace.
pub(super) const ROOMS: &[Room] = &[
    room("forge-types", &[]),
    room("forge-auth", &["forge-types"]),
    room("forge-git", &["forge-types"]),
    room("forge-store", &["forge-types"]),
    room("forge-service", &["forge-types", "forge-auth", "forge-git", "forge-store"]),
    room("forge-api", &["forge-types", "forge-service", "forge-auth", "forge-git"]),
    room("forge-graphql", &["forge-types", "forge-service"]),
    room("forge-web", &["forge-types", "forge-service"]),
    room("forge-ssh", &["forge-types", "forge-service"]),
    room("forge-jobs", &["forge-types", "forge-service"]),
    room("forge-agent", &["forge-types", "forge-auth"]),
    room("forge-server", EVERYTHING),
    room("forge-testing", EVERYTHING),
    room("forge-tests", EVERYTHING),
    room("forge-fuzz", &["forge-types", "forge-auth", "forge-git"]),
    room("xtask", &["forge-testing"]),
];

/// Foreign crates that have an owner.
pub(super) struct Owned {
    /// The crate's name; with `prefix`, also every crate whose name starts with it and a hyphen.
    pub(super) name: &'static str,
    /// Whether `name-…` belongs to the same owner.
    pub(super) prefix: bool,
    /// Who may name it.
    pub(super) owners: &'static [&'static str],
    /// The owners in words.
    pub(super) belongs_to: &'static str,
}

/// Every foreign crate that not every room may name.
pub(super) const OWNED: &[Owned] = &[
    Owned { name: "sqlx", prefix: true, owners: &["forge-store"], belongs_to: "forge-store" },
    Owned { name: "gix", prefix: true, owners: &["forge-git"], belongs_to: "forge-git" },
    Owned {
        name: "axum",
        prefix: true,
        owners: &["forge-api", "forge-graphql", "forge-web", "forge-server", "forge-testing"],
        belongs_to: "the HTTP edges",
    },
];

impl Owned {
    /// Returns whether this is the rule for the named crate (hyphens and underscores are one).
    pub(super) fn covers(&self, dependency: &str) -> bool {
        let dependency = dependency.replace('_', "-");
        dependency == self.name
            || self.prefix && dependency.strip_prefix(self.name).is_some_and(|rest| rest.starts_with('-'))
    }
}

/// Rooms of which a crate may use one module only.
pub(super) struct Door {
    /// Who is limited.
    pub(super) user: &'static str,
    /// The room that is entered.
    pub(super) room: &'static str,
    /// The one module that may be named.
    pub(super) module: &'static str,
}

/// Every such limit.
pub(super) const DOORS: &[Door] = &[
    Door { user: "forge-api", room: "forge_auth", module: "messages" },
    Door { user: "forge-api", room: "forge_git", module: "wire" },
];
