//! User search. Cognito filters by one predicate at most, and by no custom attribute or date.
//!
//! So the most selective predicate becomes Cognito's filter ([`Query::plan`]), and the others are applied to its pages,
//! within a page budget ([`find_users()`]).

mod pager;
mod plan;
mod query;
#[cfg(test)]
mod tests;

pub(crate) use pager::LARGEST_PAGE;
pub use pager::{Found, PAGE_BUDGET, Position, find_users};
pub use plan::{List, Plan};
pub use query::{CustomAttribute, InvalidSearchTerm, Query, SearchTerm};
