//! Our GraphQL schema must be a part of GitHub's published one.
//!
//! Every type, field, argument, enum value, union member and interface of ours must be GitHub's, with the same type;
//! what is ours alone stands in `schema/extensions.toml`.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql_parser::types::{FieldDefinition, TypeDefinition, TypeKind, TypeSystemDefinition};
use async_graphql_parser::{Positioned, parse_schema};

use super::extensions::Extensions;

/// Types that every executor brings.
const BUILT_IN: &[&str] = &["Boolean", "Float", "ID", "Int", "String"];

/// Returns GitHub's published schema.
///
/// # Panics
/// When it is not installed.
pub fn github_sdl() -> String {
    let path = crate::tools::node_modules().join("@octokit/graphql-schema/schema.graphql");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns everything in `ours` that is not in `github` and not listed, and every listed name that is not needed.
pub fn differences(ours: &str, github: &str, extensions: &Extensions) -> Result<Vec<String>, String> {
    let (ours, github) = (Members::read(ours)?, Members::read(github)?);
    let mut comparison = Comparison { extensions, used: BTreeSet::new(), found: Vec::new() };
    for (name, kind) in &ours.types {
        match github.types.get(name) {
            None => comparison.report(name, || "is not a type of GitHub's".to_owned()),
            Some(theirs) if theirs != kind => {
                comparison.report(name, || format!("is {kind}, GitHub's is {theirs}"));
            }
            Some(_) => comparison.members(name, &ours, &github),
        }
    }
    let unused = extensions.graphql.iter().filter(|name| !comparison.used.contains(name.as_str()));
    let unused: Vec<String> = unused
        .map(|name| format!("{name} is listed in schema/extensions.toml, but nothing needs it"))
        .collect();
    Ok([comparison.found, unused].concat())
}

struct Comparison<'a> {
    extensions: &'a Extensions,
    used: BTreeSet<&'a str>,
    found: Vec<String>,
}

impl Comparison<'_> {
    fn report(&mut self, name: &str, problem: impl FnOnce() -> String) {
        match self.extensions.graphql.iter().find(|listed| *listed == name) {
            Some(listed) => {
                self.used.insert(listed);
            }
            None => self.found.push(format!("{name} {}", problem())),
        }
    }

    fn members(&mut self, type_name: &str, ours: &Members, github: &Members) {
        for (member, our_type) in ours.of(type_name) {
            match github.members.get(member) {
                None => self.report(member, || "is not GitHub's".to_owned()),
                Some(theirs) if theirs != our_type => {
                    self.report(member, || format!("is {our_type}, GitHub's is {theirs}"));
                }
                Some(_) => {}
            }
        }
        for (member, their_type) in github.of(type_name) {
            let field = member.split_once('(').map(|(field, _)| field);
            let ours_lacks_it = field.is_some_and(|field| ours.members.contains_key(field))
                && !ours.members.contains_key(member);
            if ours_lacks_it && their_type.ends_with('!') {
                self.report(member, || "is missing, though GitHub's clients must send it".to_owned());
            }
        }
    }
}

/// The contents of a schema as names with types.
#[derive(Default)]
struct Members {
    /// Type → its kind.
    types: BTreeMap<String, &'static str>,
    /// `Type.field`, `Type.field(argument)`, `Enum.VALUE`, `Union|Member`, `Type&Interface` → type.
    members: BTreeMap<String, String>,
}

impl Members {
    fn read(sdl: &str) -> Result<Self, String> {
        let mut members = Self::default();
        let document = parse_schema(sdl).map_err(|error| format!("the schema cannot be read: {error}"))?;
        for definition in &document.definitions {
            if let TypeSystemDefinition::Type(definition) = definition {
                members.add(&definition.node);
            }
        }
        Ok(members)
    }

    /// Returns the members of one type.
    fn of(&self, type_name: &str) -> impl Iterator<Item = (&String, &String)> {
        let (prefix, length) = (type_name.to_owned(), type_name.len());
        // Names that merely start alike (`User`, `UserConnection`) stand between: they have no separator there.
        self.members
            .range(prefix.clone()..)
            .take_while(move |(name, _)| name.starts_with(&prefix))
            .filter(move |(name, _)| name[length..].starts_with(['.', '|', '&']))
    }

    fn add(&mut self, definition: &TypeDefinition) {
        let name = definition.name.node.as_str();
        if BUILT_IN.contains(&name) {
            return;
        }
        let kind = match &definition.kind {
            TypeKind::Scalar => "a scalar",
            TypeKind::Object(object) => {
                self.add_fields(name, &object.fields);
                self.add_names(
                    name,
                    '&',
                    object.implements.iter().map(|interface| interface.node.to_string()),
                );
                "an object"
            }
            TypeKind::Interface(interface) => {
                self.add_fields(name, &interface.fields);
                self.add_names(name, '&', interface.implements.iter().map(|parent| parent.node.to_string()));
                "an interface"
            }
            TypeKind::Union(union) => {
                self.add_names(name, '|', union.members.iter().map(|member| member.node.to_string()));
                "a union"
            }
            TypeKind::Enum(definition) => {
                self.add_names(
                    name,
                    '.',
                    definition.values.iter().map(|value| value.node.value.node.to_string()),
                );
                "an enum"
            }
            TypeKind::InputObject(input) => {
                for field in &input.fields {
                    self.members
                        .insert(format!("{name}.{}", field.node.name.node), field.node.ty.node.to_string());
                }
                "an input object"
            }
        };
        self.types.insert(name.to_owned(), kind);
    }

    fn add_fields(&mut self, type_name: &str, fields: &[Positioned<FieldDefinition>]) {
        for field in fields {
            let name = format!("{type_name}.{}", field.node.name.node);
            for argument in &field.node.arguments {
                let argument = &argument.node;
                self.members.insert(format!("{name}({})", argument.name.node), argument.ty.node.to_string());
            }
            self.members.insert(name, field.node.ty.node.to_string());
        }
    }

    fn add_names(&mut self, type_name: &str, separator: char, names: impl Iterator<Item = String>) {
        self.members.extend(names.map(|name| (format!("{type_name}{separator}{name}"), String::new())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GITHUB: &str = "
        interface Node { id: ID! }
        type User implements Node { id: ID!, login: String!, name: String, repositories(first: Int, owner: ID!): [Repository!] }
        type Repository implements Node { id: ID!, name: String!, state: State }
        enum State { OPEN CLOSED }
        union Owner = User | Repository
        input Create { name: String!, note: String }";

    fn differences_of(ours: &str) -> Vec<String> {
        differences(ours, GITHUB, &Extensions::default()).unwrap()
    }

    #[test]
    fn a_part_of_githubs_schema_passes() {
        let ours = "interface Node { id: ID! } type User implements Node { id: ID!, name: String } enum State { OPEN }";
        assert_eq!(differences_of(ours), [""; 0]);
    }

    #[test]
    fn an_invented_name_is_seen_wherever_it_stands() {
        assert_eq!(differences_of("type Agent { id: ID! }"), ["Agent is not a type of GitHub's"]);
        assert_eq!(differences_of("type User { kind: String }"), ["User.kind is not GitHub's"]);
        assert_eq!(
            differences_of("type User { repositories(last: Int, owner: ID!): [Repository!] }").len(),
            1
        );
        assert_eq!(differences_of("enum State { MERGED }"), ["State.MERGED is not GitHub's"]);
        assert_eq!(differences_of("union Owner = User | State"), ["Owner|State is not GitHub's"]);
        assert_eq!(differences_of("type State { id: ID! }"), ["State is an object, GitHub's is an enum"]);
        assert_eq!(differences_of("type User implements Actor { id: ID! }"), ["User&Actor is not GitHub's"]);
    }

    #[test]
    fn another_nullability_is_seen() {
        assert_eq!(
            differences_of("type User { name: String! }"),
            ["User.name is String!, GitHub's is String"]
        );
        assert_eq!(differences_of("input Create { note: String! }").len(), 1);
    }

    #[test]
    fn a_missing_required_argument_is_seen() {
        let found = differences_of("type User { repositories(first: Int): [Repository!] }");
        assert_eq!(found, ["User.repositories(owner) is missing, though GitHub's clients must send it"]);
    }

    #[test]
    fn a_listed_deviation_passes_and_an_unneeded_entry_is_seen() {
        let extensions =
            Extensions { graphql: vec!["User.kind".into(), "User.x".into()], ..Extensions::default() };
        let found = differences("type User { kind: String }", GITHUB, &extensions).unwrap();
        assert_eq!(found, ["User.x is listed in schema/extensions.toml, but nothing needs it"]);
    }

    #[test]
    fn githubs_whole_schema_is_a_part_of_itself() {
        let sdl = github_sdl();
        assert_eq!(differences(&sdl, &sdl, &Extensions::default()), Ok(Vec::new()));
        let planted = sdl.replacen("type Repository implements", "type Repository_ implements", 1);
        assert!(!differences(&planted, &sdl, &Extensions::default()).unwrap().is_empty());
    }
}
