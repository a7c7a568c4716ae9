//! The words of a search for repositories
//! (<https://docs.github.com/search-github/searching-on-github/searching-for-repositories>): qualifiers and plain words,
//! joined by "and". Parentheses and `AND` are read and mean nothing more, since everything is joined anyhow.

use forge_types::repository::Visibility;
use forge_types::repository_query::{RepositoryFilter, RepositoryOrder, RepositorySort};
use forge_types::{Error, FieldCode, Result};

/// What a search asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryQuery {
    /// The login of the owner.
    pub owner: Option<String>,
    /// Words that stand in name, description or topics.
    pub words: Vec<String>,
    /// Topics.
    pub topics: Vec<String>,
    /// What the repository has to be.
    pub filter: RepositoryFilter,
    /// The order asked for in the query itself.
    pub order: Option<RepositoryOrder>,
    /// Whether it asks for something that no repository of this forge is: nothing matches.
    pub is_unmatchable: bool,
}

impl RepositoryQuery {
    /// Reads a query.
    ///
    /// # Errors
    /// `Invalid` if it has more words or topics than are searched for, or several owners.
    pub fn parse(text: &str) -> Result<Self> {
        // Forks are left out unless asked for, as on GitHub.
        let mut query = Self {
            filter: RepositoryFilter { is_fork: Some(false), ..Default::default() },
            ..Default::default()
        };
        for term in terms(text) {
            match term.split_once(':') {
                Some((name, value)) if !value.is_empty() => {
                    query.qualify(&name.to_ascii_lowercase(), value)?;
                }
                _ if term == "AND" => {}
                _ => query.words.push(term),
            }
        }
        if query.words.len() > forge_store::repositories::MAX_TERMS
            || query.topics.len() > forge_store::repositories::MAX_TERMS
        {
            return Err(invalid("the search has too many words or topics"));
        }
        Ok(query)
    }

    fn qualify(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "user" | "org" | "owner" => self.set_owner(value)?,
            "repo" => {
                let (owner, repository) = value.split_once('/').unwrap_or(("", value));
                self.set_owner(owner)?;
                self.words.push(repository.to_owned());
            }
            "topic" => self.topics.push(value.to_ascii_lowercase()),
            "fork" => {
                self.filter.is_fork = match value {
                    "true" => None,
                    "only" => Some(true),
                    _ => Some(false),
                }
            }
            "archived" => self.filter.is_archived = Some(value == "true"),
            "is" | "visibility" => self.set_state(value),
            "sort" => self.order = order(value),
            // Nothing here has a language, stars, a mirror or sponsors; nothing has none of them either.
            "language" | "mirror" | "license" | "good-first-issues" | "help-wanted-issues" | "stars"
            | "followers" | "forks" | "size" | "created" | "pushed" => self.is_unmatchable = true,
            "in" => {}
            _ => self.words.push(format!("{name}:{value}")),
        }
        Ok(())
    }

    fn set_owner(&mut self, login: &str) -> Result<()> {
        if self.owner.as_deref().is_some_and(|present| !present.eq_ignore_ascii_case(login)) {
            return Err(invalid("the search names several owners"));
        }
        self.owner = Some(login.to_owned());
        Ok(())
    }

    fn set_state(&mut self, value: &str) {
        match value {
            "public" => self.filter.is_private = Some(false),
            "private" => self.filter.is_private = Some(true),
            "internal" => self.filter.visibility = Some(Visibility::Internal),
            "archived" => self.filter.is_archived = Some(true),
            _ => self.is_unmatchable = true,
        }
    }
}

fn order(value: &str) -> Option<RepositoryOrder> {
    let (name, direction) = value.rsplit_once('-').unwrap_or((value, "desc"));
    let sort = match name {
        "updated" => RepositorySort::Updated,
        "created" => RepositorySort::Created,
        "pushed" => RepositorySort::Pushed,
        _ => return None,
    };
    Some(RepositoryOrder { sort, descending: direction != "asc" })
}

fn invalid(message: &str) -> Error {
    Error::invalid("Search", "q", FieldCode::Invalid, message)
}

/// Splits at spaces and parentheses outside quotes; the quotes are left out.
fn terms(text: &str) -> Vec<String> {
    let (mut terms, mut term, mut is_quoted) = (Vec::new(), String::new(), false);
    for character in text.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            '(' | ')' if !is_quoted => terms.push(std::mem::take(&mut term)),
            space if space.is_whitespace() && !is_quoted => terms.push(std::mem::take(&mut term)),
            other => term.push(other),
        }
    }
    terms.push(term);
    terms.retain(|term| !term.is_empty());
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_gh_repo_list_is_understood() {
        let query = RepositoryQuery::parse("archived:false fork:true sort:updated-desc topic:cli user:alice")
            .expect("a query");
        assert_eq!(query.owner.as_deref(), Some("alice"));
        assert_eq!(query.topics, ["cli"]);
        assert_eq!(query.filter, RepositoryFilter { is_archived: Some(false), ..Default::default() });
        let updated = RepositoryOrder { sort: RepositorySort::Updated, descending: true };
        assert_eq!(query.order, Some(updated));
    }

    #[test]
    fn parentheses_and_quotes_are_tolerated() {
        let query = RepositoryQuery::parse("( forge AND \"two words\" ) org:acme").expect("a query");
        assert_eq!(query.words, ["forge", "two words"]);
        assert_eq!(query.owner.as_deref(), Some("acme"));
        assert_eq!(query.filter.is_fork, Some(false));
    }

    #[test]
    fn what_nothing_can_match_matches_nothing() {
        assert!(RepositoryQuery::parse("language:rust").expect("a query").is_unmatchable);
        assert!(RepositoryQuery::parse("a b c d e").is_err());
        assert!(RepositoryQuery::parse("user:a user:b").is_err());
    }
}
