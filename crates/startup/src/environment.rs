//! Reads the process environment.

/// Returns a function that looks up variables in the environment of this process.
///
/// A value that is not UTF-8 contains replacement characters, which every setting rejects. If it counted as absent, the
/// default would silently apply.
pub fn environment() -> impl Fn(&str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "only this function reads the environment")]
    |variable| std::env::var_os(variable).map(|value| value.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_only_variables_that_are_set() {
        let lookup = environment();
        assert_eq!(lookup("CARGO_PKG_NAME").as_deref(), Some("startup"), "cargo sets this for every test");
        assert_eq!(lookup("POOLKEEPER_IS_NEVER_SET"), None);
    }
}
