//! Labels of repositories.

pub use forge_store::labels::LabelOrder;
use forge_store::labels::NewLabel as NewRecord;
use forge_types::id::LabelId;
use forge_types::label::Label;
use forge_types::page::{Page, PageRequest};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, Event, FieldCode, FieldError, Result};

use crate::context::RequestContext;
use crate::target::{LabelTarget, LabelsTarget, RepositoryTarget};

/// The longest name and description, as on GitHub.
const MAX_NAME: usize = 50;
const MAX_DESCRIPTION: usize = 100;
/// The colour of a label nobody chose one for.
const DEFAULT_COLOR: &str = "ededed";

/// What a new label is to be.
#[derive(Clone, Debug, Default)]
pub struct NewLabel {
    /// The name.
    pub name: String,
    /// Six hexadecimal digits, with or without `#`.
    pub color: Option<String>,
    /// A sentence about it.
    pub description: Option<String>,
}

/// Returns the labels of a repository, oldest first.
///
/// # Errors
/// `NotFound` if it does not exist or the caller may not read it.
pub async fn list(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    page: PageRequest,
) -> Result<Page<Label>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, LabelsTarget(target, page), Action::RepositoryRead).await?;
    let (labels, total) = found.part;
    Ok(Page::counted(labels, page, Some(total)))
}

/// Returns one label.
///
/// # Errors
/// `NotFound` if there is none of this name, in whatever case.
pub async fn find(ctx: &RequestContext, target: RepositoryTarget<'_>, name: &str) -> Result<Label> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, LabelTarget(target, name), Action::RepositoryRead).await?;
    found.part.ok_or_else(Error::not_found)
}

/// Returns the label with this id, and its repository.
///
/// # Errors
/// `NotFound` if there is none or the caller may not read the repository.
pub async fn find_by_id(ctx: &RequestContext, id: LabelId) -> Result<(Label, RepositoryAccess)> {
    let mut conn = ctx.read().await?;
    let label = forge_store::labels::find(&mut conn, id).await?.ok_or_else(Error::not_found)?;
    let target = RepositoryTarget::Id(label.repository_id);
    let access = ctx.authorize(&mut conn, target, Action::RepositoryRead).await?;
    Ok((label, access))
}

/// Creates a label.
///
/// # Errors
/// `Invalid` if there is one of this name or anything breaks a rule.
pub async fn create(ctx: &RequestContext, target: RepositoryTarget<'_>, new: &NewLabel) -> Result<Label> {
    let name = checked_name(&new.name)?;
    let color = checked_color(new.color.as_deref().unwrap_or(DEFAULT_COLOR))?;
    let description = checked_description(new.description.as_deref())?;
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::LabelManage).await?;
    let record = NewRecord {
        repository_id: found.repository.id,
        name: &name,
        color: &color,
        description: description.as_deref(),
        is_default: false,
    };
    let label = unique(forge_store::labels::insert(&mut tx, &record, ctx.now()).await)?;
    let event = Event::new("label.created").about(&found.repository);
    ctx.record(&mut tx, event.with("name", name)).await?;
    tx.commit().await?;
    Ok(label)
}

/// What is to be changed in a label; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct LabelChanges {
    /// The name.
    pub name: Option<String>,
    /// Six hexadecimal digits, with or without `#`.
    pub color: Option<String>,
    /// A sentence about it; empty removes it.
    pub description: Option<String>,
}

/// Changes a label.
///
/// # Errors
/// `NotFound` if there is none of this name; `Invalid` if another has the new one or anything breaks a rule.
pub async fn update(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    name: &str,
    changes: &LabelChanges,
) -> Result<Label> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::LabelManage).await?;
    let label = forge_store::labels::find_by_name(&mut tx, found.repository.id, name).await?;
    let mut label = label.ok_or_else(Error::not_found)?;
    let before = label.clone();
    if let Some(name) = &changes.name {
        label.name = checked_name(name)?;
    }
    if let Some(color) = &changes.color {
        label.color = checked_color(color)?;
    }
    if let Some(description) = &changes.description {
        label.description = checked_description(Some(description))?;
    }
    if label != before {
        label.updated_at = ctx.now();
        unique(forge_store::labels::update(&mut tx, &label).await)?;
        let event = Event::new("label.updated").about(&found.repository);
        ctx.record(&mut tx, event.with("name", label.name.as_str()).with("former_name", before.name)).await?;
    }
    tx.commit().await?;
    Ok(label)
}

/// Deletes a label.
///
/// # Errors
/// `NotFound` if there is none of this name.
pub async fn delete(ctx: &RequestContext, target: RepositoryTarget<'_>, name: &str) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::LabelManage).await?;
    let label = forge_store::labels::find_by_name(&mut tx, found.repository.id, name).await?;
    let label = label.ok_or_else(Error::not_found)?;
    forge_store::labels::delete(&mut tx, label.id).await?;
    let event = Event::new("label.deleted").about(&found.repository);
    ctx.record(&mut tx, event.with("name", label.name)).await?;
    Ok(tx.commit().await?)
}

/// Clients look for exactly this code, and for no message beside it.
fn unique<T>(result: forge_store::StoreResult<T>) -> Result<T> {
    match result {
        Err(error) if error.is_duplicate() => Err(Error::invalid_fields(vec![FieldError {
            resource: "Label",
            field: "name",
            code: FieldCode::AlreadyExists,
            message: None,
        }])),
        other => Ok(other?),
    }
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::invalid("Label", "name", FieldCode::MissingField, "name cannot be empty"));
    }
    if name.chars().count() > MAX_NAME {
        return Err(invalid("name", "name is too long (maximum is 50 characters)"));
    }
    if name.chars().any(char::is_control) {
        return Err(invalid("name", "name control characters are not allowed"));
    }
    Ok(name.to_owned())
}

fn checked_color(color: &str) -> Result<String> {
    let color = color.strip_prefix('#').unwrap_or(color);
    if color.len() == 6 && color.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(color.to_ascii_lowercase());
    }
    Err(invalid("color", "color must be six hexadecimal digits"))
}

fn checked_description(description: Option<&str>) -> Result<Option<String>> {
    let Some(text) = description.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > MAX_DESCRIPTION {
        return Err(invalid("description", "description is too long (maximum is 100 characters)"));
    }
    Ok(Some(text.to_owned()))
}

fn invalid(field: &'static str, message: &str) -> Error {
    Error::invalid("Label", field, FieldCode::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_names_are_checked() {
        assert_eq!(checked_color("#D73A4A").expect("a colour"), "d73a4a");
        for color in ["", "red", "#12345", "1234567", "ééé"] {
            assert!(checked_color(color).is_err(), "{color}");
        }
        assert_eq!(checked_name(" bug ").expect("a name"), "bug");
        for name in ["", "  ", "a\nb", &"x".repeat(51)] {
            assert!(checked_name(name).is_err(), "{name}");
        }
    }
}
