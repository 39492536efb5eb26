//! A route: method, path, access and handler.

use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use utoipa::Path;
use utoipa::openapi::HttpMethod;

use super::argument::Argument;
use crate::app::App;
use crate::audit::record::{self, Action};
use crate::authz::access::Access;
use crate::authz::gate::{Gate, authorize};
use crate::http::deadline;

/// A route of the API.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) access: Access,
    handler: MethodRouter<App>,
}

impl Route {
    /// Creates the route of a handler. The handler's OpenAPI annotation declares method and path.
    ///
    /// # Panics
    ///
    /// Panics if an argument of the handler requires a path parameter or an access that the route does not have. All
    /// routes are created at startup.
    pub(super) fn new<Annotation, H, T>(handler: H, access: Access) -> Self
    where
        Annotation: Path,
        H: Handler<T, App>,
        T: Argument + 'static,
    {
        let path = Annotation::path();
        let unmet = T::unmet(&path, access);
        assert!(unmet.is_none(), "{path} with {access:?} does not meet {unmet:?} of its handler");
        let (method, filter) = method(&Annotation::methods());
        Self { method, path, access, handler: on(filter, handler) }
    }

    /// Method and path: the name of the action in audit records.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether requests have an audit record: writes, lists and searches.
    fn is_recorded(&self) -> bool {
        self.method != Method::GET || matches!(self.access, Access::List(_))
    }

    /// The handler with its middleware, as one layer, because axum allocates for each layer of each method. The first
    /// middleware of the tuple runs first.
    pub(crate) fn guarded(self, app: &App) -> MethodRouter<App> {
        let action = Action { name: self.name().into(), is_recorded: self.is_recorded(), access: self.access };
        let gate = Gate { app: app.clone(), access: self.access };
        self.handler.route_layer((
            from_fn_with_state(action, record::record),
            from_fn_with_state(app.clone(), deadline::enforce),
            from_fn_with_state(gate, authorize),
        ))
    }
}

/// The method of an annotation, which has exactly one.
fn method(methods: &[HttpMethod]) -> (Method, MethodFilter) {
    match methods.first() {
        None | Some(HttpMethod::Get) => (Method::GET, MethodFilter::GET),
        Some(HttpMethod::Post) => (Method::POST, MethodFilter::POST),
        Some(HttpMethod::Put) => (Method::PUT, MethodFilter::PUT),
        Some(HttpMethod::Patch) => (Method::PATCH, MethodFilter::PATCH),
        Some(HttpMethod::Delete) => (Method::DELETE, MethodFilter::DELETE),
        Some(HttpMethod::Options) => (Method::OPTIONS, MethodFilter::OPTIONS),
        Some(HttpMethod::Head) => (Method::HEAD, MethodFilter::HEAD),
        Some(HttpMethod::Trace) => (Method::TRACE, MethodFilter::TRACE),
    }
}
