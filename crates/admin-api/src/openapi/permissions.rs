//! The table of routes in docs/permissions.md.

use serde_json::Value;

use crate::authz::access::Access;
use crate::routes::{self, Route};
use crate::settings::Served;

/// The header of the table.
const HEADER: &str = "| route | what it does | requires | kind |\n|---|---|---|---|\n";

/// Replaces the table in the text of docs/permissions.md with the table of the current routes.
/// `None` if the page has no table.
#[must_use]
pub fn with_current_routes(page: &str) -> Option<String> {
    let document = super::value();
    let rows: String = routes::of(Served::All).iter().map(|route| row(route, &document)).collect();
    let (before, after) = page.split_once(HEADER)?;
    let after: String = after.split_inclusive('\n').skip_while(|line| line.starts_with('|')).collect();
    Some(format!("{before}{HEADER}{rows}{after}"))
}

fn row(route: &Route, document: &Value) -> String {
    let operation = &document["paths"][&route.path][route.method.as_str().to_lowercase()];
    let summary = operation["summary"].as_str().unwrap_or_default();
    let (requires, kind) = match route.access {
        Access::Public => ("nothing".to_owned(), "open"),
        Access::OwnToken => ("the user's own access token".to_owned(), "own account"),
        Access::AnyCaller => ("any caller".to_owned(), "read"),
        Access::Read(permission) => (format!("`{permission}`"), "read"),
        Access::List(permission) => (format!("`{permission}`"), "list"),
        Access::Write(permission) => (format!("`{permission}`"), "write"),
    };
    format!("| `{}` | {summary} | {requires} | {kind} |\n", route.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docs_permissions_md_is_up_to_date() {
        let page = include_str!("../../../../docs/permissions.md");
        assert!(
            with_current_routes(page).as_deref() == Some(page),
            "docs/permissions.md is out of date: run make openapi"
        );
    }

    #[test]
    fn replaces_only_the_table() {
        let current = with_current_routes(&format!("# Title\n\n{HEADER}| old | row | x | y |\n\n- a list\n")).unwrap();
        assert!(current.starts_with(&format!("# Title\n\n{HEADER}| `POST /v1/users` |")), "{current}");
        assert_eq!(with_current_routes("# Title\n"), None);
        assert!(current.ends_with(" |\n\n- a list\n") && !current.contains("old"), "{current}");
    }
}
