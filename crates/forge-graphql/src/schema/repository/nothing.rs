//! GitHub's fields of what this forge has none of: empty lists, zeroes and nulls, which clients that ask for every
//! field expect.

use async_graphql::Object;

use super::Repository;
use crate::schema::absent::{
    CodeOfConduct, FundingLink, IssueConnection, IssueTemplate, Language, Milestone, Project, ProjectV2,
    PullRequestConnection, PullRequestTemplate, Release, RepositoryContactLink,
};
use crate::schema::account::User;
use crate::schema::enums::{IssueState, MilestoneState, ProjectState, PullRequestState};
use crate::schema::page::{Connection, LanguageConnection};
use crate::schema::scalar::Uri;

#[derive(Clone)]
pub(super) struct Nothing;

#[Object]
impl Nothing {
    /// Returns the code of conduct for this repository
    async fn code_of_conduct(&self) -> Option<CodeOfConduct> {
        None
    }

    /// Returns a list of contact links associated to the repository
    async fn contact_links(&self) -> Option<Vec<RepositoryContactLink>> {
        Some(Vec::new())
    }

    /// The funding links for this repository
    async fn funding_links(&self) -> Vec<FundingLink> {
        Vec::new()
    }

    /// Returns true if blank issue creation is allowed
    async fn is_blank_issues_enabled(&self) -> bool {
        true
    }

    /// Returns whether or not this repository disabled.
    async fn is_disabled(&self) -> bool {
        false
    }

    /// Indicates if the repository has been locked or not.
    async fn is_locked(&self) -> bool {
        false
    }

    /// Identifies if the repository is a mirror.
    async fn is_mirror(&self) -> bool {
        false
    }

    /// Returns true if this repository has a security policy
    async fn is_security_policy_enabled(&self) -> Option<bool> {
        Some(false)
    }

    /// Returns a list of issue templates associated to the repository
    async fn issue_templates(&self) -> Option<Vec<IssueTemplate>> {
        Some(Vec::new())
    }

    /// A list of issues that have been opened in the repository.
    async fn issues(
        &self,
        #[graphql(desc = "A list of states to filter the issues by.")] states: Option<Vec<IssueState>>,
    ) -> IssueConnection {
        drop(states);
        IssueConnection::default()
    }

    /// A list containing a breakdown of the language composition of the repository.
    async fn languages(&self, first: Option<i32>) -> Option<LanguageConnection> {
        let _ = first;
        Some(LanguageConnection)
    }

    /// Get the latest release for the repository if one exists.
    async fn latest_release(&self) -> Option<Release> {
        None
    }

    /// A list of milestones associated with the repository.
    async fn milestones(
        &self,
        first: Option<i32>,
        #[graphql(desc = "Filter by the state of the milestones.")] states: Option<Vec<MilestoneState>>,
    ) -> Option<Connection<Milestone>> {
        let _ = (first, states);
        Some(Connection::empty())
    }

    /// The repository's original mirror URL.
    async fn mirror_url(&self) -> Option<Uri> {
        None
    }

    /// The primary language of the repository's code.
    async fn primary_language(&self) -> Option<Language> {
        None
    }

    /// A list of projects under the owner.
    async fn projects(
        &self,
        first: Option<i32>,
        #[graphql(desc = "A list of states to filter the projects by.")] states: Option<Vec<ProjectState>>,
    ) -> Connection<Project> {
        let _ = (first, states);
        Connection::empty()
    }

    /// List of projects linked to this repository.
    async fn projects_v2(
        &self,
        first: Option<i32>,
        #[graphql(desc = "A project to search for linked to the repo.")] query: Option<String>,
    ) -> Connection<ProjectV2> {
        let _ = (first, query);
        Connection::empty()
    }

    /// Returns a list of pull request templates associated to the repository
    async fn pull_request_templates(&self) -> Option<Vec<PullRequestTemplate>> {
        Some(Vec::new())
    }

    /// A list of pull requests that have been opened in the repository.
    async fn pull_requests(
        &self,
        #[graphql(desc = "A list of states to filter the pull requests by.")] states: Option<
            Vec<PullRequestState>,
        >,
    ) -> PullRequestConnection {
        drop(states);
        PullRequestConnection::default()
    }

    /// The security policy URL.
    async fn security_policy_url(&self) -> Option<Uri> {
        None
    }

    /// Returns a count of how many stargazers there are on this object
    async fn stargazer_count(&self) -> i32 {
        0
    }

    /// The repository from which this repository was generated, if any.
    async fn template_repository(&self) -> Option<Repository> {
        None
    }

    /// Whether this repository has a custom image to use with Open Graph as opposed to being represented by the owner's avatar.
    async fn uses_custom_open_graph_image(&self) -> bool {
        false
    }

    /// A list of users watching the repository.
    async fn watchers(&self, first: Option<i32>) -> Connection<User> {
        let _ = first;
        Connection::empty()
    }
}
