//! The policies of the forge itself: files that come with it, and those of a folder that replace or add to them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use forge_auth::policy::cedar::{PolicyFault, PolicySet, PolicySource, Rule, SHIPPED};
use forge_types::{Action, Error, ErrorKind, Event, Result};

use super::invalid;
use crate::app::App;
use crate::context::RequestContext;
use crate::target::Site;

/// What the names of files with policies end with.
const SUFFIX: &str = ".cedar";

/// Returns the policies of the forge that are in force.
///
/// # Errors
/// What the decision says.
pub async fn list_instance(ctx: &RequestContext) -> Result<Vec<Rule>> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, Site, Action::SiteAuditRead).await?;
    Ok(ctx.app().policies.policies().instance().rules().cloned().collect())
}

/// Reads the forge's policies again and puts them in force, all at once. A set that is not valid changes nothing.
///
/// # Errors
/// `Invalid`, in the validator's words, if a file is at fault; what the decision says.
pub async fn reload(ctx: &RequestContext) -> Result<Vec<Rule>> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    let app = Arc::clone(ctx.app());
    let set = tokio::task::spawn_blocking(move || read(&app)).await.map_err(Error::internal)?;
    let set = set.map_err(invalid)?;
    let names: Vec<&str> = set.rules().map(|rule| rule.name.as_str()).collect();
    let event = Event::new("policies.reloaded").with("policies", names.join(" "));
    let rules = set.rules().cloned().collect();
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    ctx.app().policies.replace_instance(Arc::new(set));
    Ok(rules)
}

/// Returns an error with what was found in each place.
#[must_use]
pub fn explained(error: &Error) -> String {
    let ErrorKind::Invalid(fields) = error.kind() else { return error.message().to_owned() };
    let reasons: Vec<&str> = fields.iter().filter_map(|field| field.message.as_deref()).collect();
    if reasons.is_empty() { error.message().to_owned() } else { reasons.join("; ") }
}

/// Reads the forge's policies when it starts.
///
/// # Errors
/// The file at fault.
pub fn load(app: &App) -> Result<(), PolicyFault> {
    app.policies.replace_instance(Arc::new(read(app)?));
    Ok(())
}

fn read(app: &App) -> Result<PolicySet, PolicyFault> {
    let mut files: BTreeMap<String, String> =
        SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    if let Some(folder) = &app.settings.policy_folder {
        files.extend(files_in(folder)?);
    }
    let sources: Vec<PolicySource> =
        files.into_iter().map(|(name, text)| PolicySource { name, text }).collect();
    PolicySet::of_instance(&sources)
}

fn files_in(folder: &Path) -> Result<Vec<(String, String)>, PolicyFault> {
    let fault = |name: &Path, error: std::io::Error| PolicyFault {
        name: name.display().to_string(),
        reasons: vec![error.to_string()],
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| fault(folder, error))? {
        let path = entry.map_err(|error| fault(folder, error))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(SUFFIX) && !name.starts_with('.') {
            files.push((name, std::fs::read_to_string(&path).map_err(|error| fault(&path, error))?));
        }
    }
    Ok(files)
}
