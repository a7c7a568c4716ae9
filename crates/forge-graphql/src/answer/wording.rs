//! GitHub's words for what is wrong with a query: those of the Ruby implementation of GraphQL, which clients compare.
//!
//! The executor's texts are matched from outside inwards; a text that is not known stays as it is.

use super::QueryError;

/// Returns the error with GitHub's words, code and particulars for the executor's `message`.
pub(super) fn translate(message: &str) -> QueryError {
    let known = [field, argument, value, directive, fragment, variable, selection, conflict, mismatch];
    known.iter().find_map(|rule| rule(message)).unwrap_or_else(|| QueryError::new(message))
}

fn error(code: &str, message: String) -> QueryError {
    QueryError::new(message).extension("code", code)
}

/// Returns what stands between the parts of `pattern`, a text with `*` for each gap.
fn gaps<'m, const N: usize>(message: &'m str, pattern: &str) -> Option<[&'m str; N]> {
    let mut parts = pattern.split('*');
    let mut rest = message.strip_prefix(parts.next()?)?;
    let mut found = [""; N];
    for (gap, part) in found.iter_mut().zip(&mut parts) {
        if part.is_empty() {
            *gap = std::mem::take(&mut rest);
        } else {
            (*gap, rest) = rest.split_once(part)?;
        }
    }
    (rest.is_empty() && parts.next().is_none()).then_some(found)
}

fn field(message: &str) -> Option<QueryError> {
    let [field, on] = gaps(message, "Unknown field \"*\" on type \"*\".")?;
    let error = error("undefinedField", format!("Field '{field}' doesn't exist on type '{on}'"));
    Some(error.extension("typeName", on).extension("fieldName", field))
}

fn argument(message: &str) -> Option<QueryError> {
    if let Some([argument, field, _]) = gaps(message, "Unknown argument \"*\" on field \"*\" of type \"*\".")
    {
        let error =
            error("argumentNotAccepted", format!("Field '{field}' doesn't accept argument '{argument}'"));
        return Some(
            error.extension("name", field).extension("typeName", "Field").extension("argumentName", argument),
        );
    }
    if let Some([argument, directive]) = gaps(message, "Unknown argument \"*\" on directive \"*\".") {
        let message = format!("Directive '{directive}' doesn't accept argument '{argument}'");
        return Some(error("argumentNotAccepted", message));
    }
    if let Some([argument]) = gaps(message, "There can only be one argument named \"*\"") {
        return Some(error(
            "argumentNotUnique",
            format!("There can be only one argument named \"{argument}\""),
        ));
    }
    let [field, argument, _] =
        gaps(message, "Field \"*\" argument \"*\" of type \"*\" is required but not provided")?;
    let error = error(
        "missingRequiredArguments",
        format!("Field '{field}' is missing required arguments: {argument}"),
    );
    Some(error.extension("className", "Field").extension("name", field).extension("arguments", argument))
}

fn value(message: &str) -> Option<QueryError> {
    let [reason] = gaps(message, "Invalid value for argument *")?;
    let (path, problem) = reason.strip_prefix('"')?.split_once("\", ")?;
    let text = match gaps(problem, "expected type \"*\"") {
        Some([expected]) => format!("Argument '{path}' has an invalid value. Expected type '{expected}'."),
        None => format!("Argument '{path}' has an invalid value: {}", problem.replace('"', "'")),
    };
    Some(error("argumentLiteralsIncompatible", text).extension("argumentName", path))
}

fn directive(message: &str) -> Option<QueryError> {
    let [directive] = gaps(message, "Unknown directive \"*\"")?;
    Some(error("undefinedDirective", format!("Directive @{directive} is not defined")))
}

fn fragment(message: &str) -> Option<QueryError> {
    if let Some([name]) = gaps(message, "Fragment \"*\" is never used") {
        return Some(error("useAndDefineFragment", format!("Fragment {name} was defined, but not used")));
    }
    if let Some([name]) = gaps(message, "Unknown fragment: \"*\"") {
        return Some(error("useAndDefineFragment", format!("Fragment {name} was used, but not defined")));
    }
    if let Some([name]) = gaps(message, "Unknown type \"*\"") {
        let text = format!("No such type {name}, so it can't be a fragment condition");
        return Some(error("undefinedType", text).extension("typeName", name));
    }
    let spread = "Fragment \"*\" cannot be spread here as objects of type \"*\" can never be of type \"*\"";
    if let Some([name, parent, on]) = gaps(message, spread) {
        let text = format!("Fragment {name} on {on} can't be spread inside {parent}");
        return Some(error("cannotSpreadFragment", text));
    }
    let [parent, on] =
        gaps(message, "Fragment cannot be spread here as objects of type \"*\" can never be of type \"*\"")?;
    Some(error("cannotSpreadFragment", format!("Fragment on {on} can't be spread inside {parent}")))
}

fn variable(message: &str) -> Option<QueryError> {
    if let Some([name, operation]) = gaps(message, "Variable \"$*\" is not used by operation \"*\"") {
        return Some(error(
            "variableNotUsed",
            format!("Variable ${name} is declared by {operation} but not used"),
        ));
    }
    if let Some([name]) = gaps(message, "Variable \"$*\" is not used") {
        let text = format!("Variable ${name} is declared by anonymous query but not used");
        return Some(error("variableNotUsed", text));
    }
    if let Some([name, operation]) = gaps(message, "Variable \"$*\" is not defined by operation \"*\"") {
        return Some(error(
            "variableNotDefined",
            format!("Variable ${name} is used by {operation} but not declared"),
        ));
    }
    let [name] = gaps(message, "Variable \"$*\" is not defined")?;
    let text = format!("Variable ${name} is used by anonymous query but not declared");
    Some(error("variableNotDefined", text))
}

fn selection(message: &str) -> Option<QueryError> {
    if let Some([field, on]) =
        gaps(message, "Field \"*\" must not have a selection since type \"*\" has no subfields")
    {
        let text =
            format!("Selections can't be made on scalars (field '{field}' returns {on} but has selections)");
        return Some(error("selectionMismatch", text));
    }
    let [field, on] = gaps(message, "Field \"*\" of type \"*\" must have a selection of subfields")?;
    let text = format!(
        "Field must have selections (field '{field}' returns {on} but has no selections. Did you mean '{field} {{ ... }}'?)"
    );
    Some(error("selectionMismatch", text).extension("typeName", on))
}

fn conflict(message: &str) -> Option<QueryError> {
    let advice = "Use different aliases on the fields to fetch both if this was intentional.";
    let differ = format!("Fields \"*\" conflict because \"*\" and \"*\" are different fields. {advice}");
    if let Some([name, one, other]) = gaps(message, &differ) {
        let text = format!("Field '{name}' has a field conflict: {one} or {other}?");
        return Some(error("fieldConflict", text).extension("fieldName", name));
    }
    let [name] =
        gaps(message, &format!("Fields \"*\" conflict because they have differing arguments. {advice}"))?;
    Some(
        error("fieldConflict", format!("Field '{name}' has an argument conflict"))
            .extension("fieldName", name),
    )
}

fn mismatch(message: &str) -> Option<QueryError> {
    let [name, is, wanted] =
        gaps(message, "Variable \"*\" of type \"*\" used in position expecting type \"*\"")?;
    let text = format!("Type mismatch on variable ${name} ({is} / {wanted})");
    Some(error("variableMismatch", text).extension("variableName", name).extension("typeName", is))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_found_only_where_the_whole_pattern_fits() {
        assert_eq!(gaps("a \"x\" b \"y\".", "a \"*\" b \"*\"."), Some(["x", "y"]));
        assert_eq!(gaps("a rest", "a *"), Some(["rest"]));
        assert_eq!(gaps::<1>("a \"x\" more", "a \"*\""), None);
        assert_eq!(gaps::<1>("b", "a *"), None);
    }

    #[test]
    fn unknown_texts_stay_as_they_are() {
        assert_eq!(translate("something else").message, "something else");
    }
}
