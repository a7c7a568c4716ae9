//! Lists of repositories, which `forge-service` gives in pages.

use async_graphql::{Context, InputObject};
use forge_service::repositories::{self, RepositoryQuery};
use forge_types::Result;
use forge_types::id::AccountId;
use forge_types::page::{Page, PageRequest};
use forge_types::repository::{RepositoryAccess, Visibility};
use forge_types::repository_query::{self, Affiliations, RepositoryFilter, RepositorySort};
use forge_types::window::{Window, Windowed};

use super::enums::{
    OrderDirection, RepositoryAffiliation, RepositoryOrderField, RepositoryPrivacy, RepositoryVisibility,
};
use super::page::{Connection, Paging};
use super::repository::Repository;
use super::{Later, forge};

/// Ordering options for repository connections
#[derive(InputObject, Clone, Copy, Debug)]
pub(crate) struct RepositoryOrder {
    /// The ordering direction.
    direction: OrderDirection,
    /// The field to order repositories by.
    field: RepositoryOrderField,
}

/// What a connection of repositories asks for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) paging: Paging,
    pub(crate) is_archived: Option<bool>,
    pub(crate) is_fork: Option<bool>,
    pub(crate) order: Option<RepositoryOrder>,
    pub(crate) affiliations: Option<Vec<Option<RepositoryAffiliation>>>,
    pub(crate) privacy: Option<RepositoryPrivacy>,
    pub(crate) visibility: Option<RepositoryVisibility>,
}

impl Wanted {
    fn filter(&self) -> RepositoryFilter {
        RepositoryFilter {
            visibility: self.visibility.map(Visibility::from),
            is_private: self.privacy.map(|privacy| privacy == RepositoryPrivacy::Private),
            is_fork: self.is_fork,
            is_archived: self.is_archived,
        }
    }

    /// Owners and collaborators count where nothing else is asked for.
    fn affiliations(&self) -> Affiliations {
        let Some(wanted) = &self.affiliations else {
            return Affiliations { organization_member: false, ..Affiliations::ALL };
        };
        let has = |affiliation| wanted.contains(&Some(affiliation));
        Affiliations {
            owner: has(RepositoryAffiliation::Owner),
            collaborator: has(RepositoryAffiliation::Collaborator),
            organization_member: has(RepositoryAffiliation::OrganizationMember),
        }
    }
}

fn order(order: Option<RepositoryOrder>) -> repository_query::RepositoryOrder {
    let Some(order) = order else {
        return repository_query::RepositoryOrder { sort: RepositorySort::Created, descending: false };
    };
    let sort = match order.field {
        RepositoryOrderField::CreatedAt => RepositorySort::Created,
        RepositoryOrderField::Name => RepositorySort::FullName,
        RepositoryOrderField::PushedAt => RepositorySort::Pushed,
        RepositoryOrderField::UpdatedAt => RepositorySort::Updated,
    };
    repository_query::RepositoryOrder { sort, descending: order.direction == OrderDirection::Desc }
}

/// Where a list comes from.
enum Source<'a> {
    Account(AccountId, &'a Wanted),
    Organization(AccountId, &'a Wanted),
    Search(&'a RepositoryQuery),
}

impl Source<'_> {
    async fn page(&self, ctx: &Context<'_>, page: PageRequest) -> Result<Page<RepositoryAccess>> {
        let ctx = forge(ctx);
        match self {
            Self::Account(id, wanted) => {
                let (affiliations, filter) = (wanted.affiliations(), wanted.filter());
                repositories::list_of_account(ctx, *id, affiliations, &filter, order(wanted.order), page)
                    .await
            }
            Self::Organization(id, wanted) => {
                let filter = wanted.filter();
                repositories::list_of_account(
                    ctx,
                    *id,
                    Affiliations::OWNER,
                    &filter,
                    order(wanted.order),
                    page,
                )
                .await
            }
            Self::Search(query) => {
                let newest =
                    repository_query::RepositoryOrder { sort: RepositorySort::Updated, descending: true };
                repositories::search(ctx, query, newest, page).await
            }
        }
    }

    async fn total(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(self.page(ctx, PageRequest::new(1, 1)).await?.total.unwrap_or(0))
    }

    async fn window(&self, ctx: &Context<'_>, window: Window) -> Result<Connection<Repository>> {
        let (mut after, mut end) = (window.after, window.before.unwrap_or(i64::MAX));
        if let Some(last) = window.last {
            end = end.min(self.total(ctx).await? + 1);
            after = after.max(end - 1 - last);
        }
        let room = (end - 1).saturating_sub(after).max(0);
        let size = window.first.map_or(room, |first| first.min(room)).min(i64::from(PageRequest::MAX_SIZE));
        if size == 0 {
            return Ok(Connection(Windowed { items: Vec::new(), total: self.total(ctx).await? }));
        }
        let number = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        let list = self.page(ctx, PageRequest::starting_at(number(after), number(size))).await?;
        let total = match list.total {
            Some(total) if after == 0 || !list.items.is_empty() => total,
            _ => self.total(ctx).await?,
        };
        let items = (after + 1..).zip(Repository::list(list.items)).collect();
        Ok(Connection(Windowed { items, total }))
    }
}

/// Returns the repositories of a user.
pub(crate) fn of_user<'a>(
    ctx: &'a Context<'_>,
    id: AccountId,
    wanted: &'a Wanted,
) -> Later<'a, Result<Connection<Repository>>> {
    Box::pin(async move { Source::Account(id, wanted).window(ctx, wanted.paging.window()?).await })
}

/// Returns the repositories of an organization, which is connected with nothing but what it owns.
pub(crate) fn of_organization<'a>(
    ctx: &'a Context<'_>,
    id: AccountId,
    wanted: &'a Wanted,
) -> Later<'a, Result<Connection<Repository>>> {
    Box::pin(async move { Source::Organization(id, wanted).window(ctx, wanted.paging.window()?).await })
}

/// Returns the repositories that a search finds.
pub(crate) fn found_by<'a>(
    ctx: &'a Context<'_>,
    text: &'a str,
    paging: &'a Paging,
) -> Later<'a, Result<Connection<Repository>>> {
    Box::pin(async move {
        let query = RepositoryQuery::parse(text)?;
        Source::Search(&query).window(ctx, paging.window()?).await
    })
}
